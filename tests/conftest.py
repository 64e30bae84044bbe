"""Tests run offline, on one BLAS thread, with a cache folder of their own; a call to anything but this machine fails the test."""

import os
import socket

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")
# Programs that tests start cannot pay either: they have no key, and where a model would be asked nobody listens.
os.environ.pop("OPENAI_API_KEY", None)
os.environ["OPENAI_BASE_URL"] = "http://127.0.0.1:9/v1"


class NetworkBlocked(AssertionError):
    """A test reached for a real network."""


def _blocked(connect):
    def guarded(self, address, *rest):
        host = str(address[0]) if isinstance(address, tuple) else ""
        if self.family in (socket.AF_INET, socket.AF_INET6) and not (host.startswith("127.") or host in ("::1", "localhost")):
            raise NetworkBlocked(f"a test tried to connect to {address}; tests talk to this machine only")
        return connect(self, address, *rest)

    return guarded


@pytest.fixture(scope="session", autouse=True)
def only_this_machine():
    """No connection leaves this machine while tests run."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("connect", "connect_ex"):
            patch.setattr(socket.socket, name, _blocked(getattr(socket.socket, name)))
        yield
