"""Which pages there are, in which order, and how to get from one to another."""

from __future__ import annotations

from typing import Any

import streamlit as st

from simulacra.views import compare, design, home, library, measures, run, threads

_PAGES: dict[str, tuple[Any, str, str]] = {
    "home": (home.page, "Home", ":material/home:"),
    "design": (design.page, "Design", ":material/edit_note:"),
    "run": (run.page, "Run", ":material/play_circle:"),
    "threads": (threads.page, "Threads", ":material/forum:"),
    "compare": (compare.page, "Compare", ":material/compare_arrows:"),
    "measures": (measures.page, "Measures", ":material/monitoring:"),
    "library": (library.page, "Library", ":material/folder_open:"),
}
_SECTIONS = {"": ("home",), "Build": ("design", "run"), "Read": ("threads", "measures"), "Decide": ("compare", "library")}


def sections() -> dict[str, list[Any]]:
    """Section title -> its pages, for st.navigation."""
    return {title: [_page(name) for name in names] for title, names in _SECTIONS.items()}


def _page(name: str) -> Any:
    function, title, icon = _PAGES[name]
    return st.Page(function, title=title, icon=icon, url_path=name, default=name == "home")
