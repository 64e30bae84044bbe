"""Going from page to page, with what is looked at in the address: a reload, a bookmark or a second tab shows the same."""

from __future__ import annotations

from typing import Any

import streamlit as st


def to(name: str, **parameters: Any) -> None:
    """Leave for another page; parameters become the address's query. Does not return inside the app."""
    query = {key: str(value) for key, value in parameters.items() if value is not None}
    st.switch_page(_target(name), query_params=query)


def link(name: str, label: str, icon: str | None = None, **parameters: Any) -> None:
    """A link to another page. label must be our own words: it is read as Markdown."""
    query = {key: str(value) for key, value in parameters.items() if value is not None}
    st.page_link(_target(name), label=label, icon=icon, query_params=query)


def asked(key: str) -> str:
    """What the address says under this key; "" where it says nothing."""
    return str(st.query_params.get(key, ""))


def number(key: str) -> int | None:
    """A whole number from the address, None where there is none."""
    text = asked(key)
    return int(text) if text.lstrip("-").isdigit() and len(text) < 12 else None


def _target(name: str) -> Any:
    from simulacra.views import pages  # late: pages imports every page, and every page imports this module

    return pages._page(name)
