"""Work that takes minutes beside the runs themselves: a button that starts it in a process, and its progress until it is done.

Each kind of work has a name of its own and leaves its answer in a file; the page that asked reads that file and nothing else, so
a reload, a second tab or another day finds the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import streamlit as st

from simulacra import worker
from simulacra.errors import SimulacraError
from simulacra.views import say, store

_DONE = re.compile(r"(\d[\d,]*) of (\d[\d,]*)")
_POLL_SECONDS = 2.0


def offered(
    label: str, key: str, name: str, begin: Callable[[], object], help: str = "", icon: str = ":material/science:"
) -> None:
    """A button that starts the work of this name; while it is under way its progress, and why it failed where it did.

    Call it where there is no answer yet: the page is drawn again when the work ends.
    """
    if worker.is_at_work(store.runs_dir(), name):
        progress(name)
        return
    said = worker.last_words(store.runs_dir(), name)
    if said and not _DONE.search(said) and st.session_state.get(f"job-{name}"):
        say.mistake(said)
    if st.button(label, key=key, icon=icon, help=help or None):
        try:
            begin()
        except SimulacraError as error:
            say.mistake(error)
            return
        st.session_state[f"job-{name}"] = True
        st.rerun()


def progress(name: str) -> None:
    """How far the work of this name has come; the page is drawn again when it ends."""

    @st.fragment(run_every=_POLL_SECONDS)
    def watching() -> None:
        if not worker.is_at_work(store.runs_dir(), name):
            st.rerun()
        share = progress_in(worker.last_words(store.runs_dir(), name))
        told = f"{100 * share:.0f} in 100 done" if share else begun(name, "Beginning")
        st.progress(share, f"{told}. Closing this page stops nothing.")

    watching()


def begun(name: str, doing: str) -> str:
    """What work of this name does before it can say how far it has come, and since when: "Growing the members (12 s so far)"."""
    seconds = worker.seconds_at_work(store.runs_dir(), name)
    return f"{doing} ({say.duration(seconds)} so far)" if seconds >= 1 else doing


def progress_in(said: str) -> float:
    """How far the work has come by what its process said last ("replicate 3 of 12"), [0, 1]; 0 where it does not say."""
    found = _DONE.search(said)
    if not found:
        return 0.0
    done, total = (int(number.replace(",", "")) for number in found.groups())
    return min(done / total, 1.0) if total else 0.0
