"""Starting the app: `simulacra app` is Streamlit on this machine's own address, in the folder where it was called."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

from simulacra.errors import SpecError

ADDRESS = "127.0.0.1"
NEEDED = ("streamlit", "plotly", "networkx")


def app_command(port: int, headless: bool) -> list[str]:
    """The command that serves the app to this machine alone. Raises SpecError where the app's packages are missing."""
    missing = [name for name in NEEDED if find_spec(name) is None]
    if missing:
        raise SpecError(f"The app needs {', '.join(missing)}. Install it with: pip install 'simulacra[app]' (or run: make app)")
    if not 1 <= port <= 65535:
        raise SpecError(f"port = {port}: expected a number from 1 to 65535.")
    options = {"server.address": ADDRESS, "server.port": port, "server.headless": str(headless).lower()}
    flags = [word for key, value in options.items() for word in (f"--{key}", str(value))]
    return [sys.executable, "-m", "streamlit", "run", str(script()), *flags]


def script() -> Path:
    """The app's entry. A wheel carries it inside the package, a checkout keeps it at its top, its settings beside it."""
    package = Path(__file__).resolve().parent
    found = [place / "streamlit_app.py" for place in (package, package.parent)]
    path = next((path for path in found if path.is_file()), None)
    if path is None:
        raise SpecError("streamlit_app.py is missing from this installation. Install simulacra again.")
    return path


def serve(runs_dir: Path, port: int = 8501, headless: bool = False) -> int:
    """Serve until interrupted; returns the exit code. Runs that were started go on without the app."""
    package = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH", "")]))
    environment = {**os.environ, "SIMULACRA_RUNS": str(runs_dir), "PYTHONPATH": path}
    return subprocess.call(app_command(port, headless), env=environment)
