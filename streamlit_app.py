"""The app's entry: which pages there are. What they show is in simulacra/views, one file a page."""

from __future__ import annotations

import streamlit as st

from simulacra.views import look, pages

st.set_page_config(page_title="Simulacra", page_icon=look.ICON, layout="wide")
look.apply()
st.navigation(pages.sections()).run()
