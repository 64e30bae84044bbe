"""Colours with fixed meanings, and the style sheet of what Streamlit does not draw by itself."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

ICON = str(Path(__file__).with_name("icon.svg"))
"""Of the browser's tab: a file of ours, since Streamlit has browsers fetch an icon given by name from a font server."""

LOGO = str(Path(__file__).with_name("logo.svg"))

# Okabe and Ito 2008: told apart by people who do not see red and green, on white and on black.
BASELINE, VARIANT = "#0072b2", "#d55e00"
POSITIVE, NEGATIVE, TOXIC, PLAIN = "#009e73", "#cc79a7", "#c2456a", "#7a8194"
ARMS = {"baseline": BASELINE, "variant": VARIANT}

_CSS = """
<style>
.block-container {max-width: 1320px; padding-left: 3rem; padding-right: 3rem;}
.sim-lead {font-size: 1.05rem; opacity: .78; margin: -.6rem 0 .4rem 0; max-width: 52rem;}
.sim-card {
  border: 1px solid color-mix(in srgb, currentColor 14%, transparent); border-radius: .7rem; padding: .9rem 1rem; height: 100%;
}
.sim-answer {
  border-left: .35rem solid var(--tone); background: color-mix(in srgb, var(--tone) 9%, transparent);
  border-radius: .6rem; padding: 1rem 1.25rem; margin: .2rem 0 .6rem 0;
}
.sim-word {
  font-size: .85rem; font-weight: 700; letter-spacing: .04em; text-transform: uppercase;
  color: color-mix(in srgb, var(--tone) 65%, currentColor);
}
.sim-sentence {font-size: 1.35rem; line-height: 1.35; font-weight: 600; margin-top: .15rem;}
.sim-more {margin-top: .4rem; opacity: .8;}
.sim-arm {display: inline-flex; align-items: center; gap: .45rem; font-weight: 600;}
.sim-dot {display: inline-block; width: .7rem; height: .7rem; border-radius: 50%; background: var(--tone); flex: none;}
.sim-chip {
  display: inline-block; font-size: .78rem; line-height: 1.35; padding: .05rem .5rem; border-radius: 1rem; white-space: nowrap;
  margin: 0 .3rem .2rem 0; background: color-mix(in srgb, var(--tone, currentColor) 13%, transparent); color: inherit;
}
.sim-figures {display: grid; grid-template-columns: repeat(auto-fit, minmax(8.2rem, 1fr)); gap: .8rem; margin: .3rem 0;}
.sim-figure {font-size: 1.55rem; font-weight: 600; line-height: 1.3;}
.sim-both {display: flex; flex-wrap: wrap; gap: 0 1.1rem; font-size: 1.3rem;}
.sim-cards {display: grid; grid-template-columns: repeat(auto-fit, minmax(13rem, 1fr)); gap: .8rem;}
.st-key-sketches textarea {field-sizing: content; height: auto !important; min-height: 2.5rem !important;}
.sim-empty {
  border: 1.5px dashed color-mix(in srgb, currentColor 25%, transparent); border-radius: .8rem; padding: 1.6rem;
  text-align: center;
}
.sim-empty b {display: block; font-size: 1.1rem; margin-bottom: .2rem;}
.sim-quiet {opacity: .7; font-size: .9rem;}
.sim-section {font-size: 1.1rem; font-weight: 600; margin-top: .6rem;}
.sim-sketch-heads {display: grid; grid-template-columns: 130px 1fr 120px 2.4rem; gap: .75rem; opacity: .7; font-size: .85rem;}
.sim-list {margin: .2rem 0 .5rem 0; padding-left: 1.2rem;}
.sim-asked {font-size: 1.2rem; font-weight: 600;}
.sim-wrong {white-space: normal; --tone: #d55e00;}
.sim-slate {display: grid; grid-template-columns: 1.6rem 1fr auto; gap: .3rem .7rem; align-items: start; font-size: .92rem;}
.sim-slate > div {padding: .3rem 0;}
.sim-slate > div:nth-child(3n+2) {border-bottom: 1px solid color-mix(in srgb, currentColor 12%, transparent);}
.sim-table {border-collapse: collapse; width: 100%; font-size: .92rem;}
.sim-table th, .sim-table td {
  text-align: left; vertical-align: top; padding: .4rem .8rem .4rem 0;
  border-bottom: 1px solid color-mix(in srgb, currentColor 12%, transparent);
}
.sim-table th {font-weight: 600; opacity: .7;}
.sim-table td.n {font-variant-numeric: tabular-nums; white-space: nowrap; font-weight: 600;}
[data-testid=stColumn]:has(.st-key-sample) > div {height: 100%;}
.st-key-sample {position: sticky; top: 4.5rem;}
@media (max-width: 1000px) {
  .block-container {padding-left: 1.6rem; padding-right: 1.6rem;}
  [data-testid=stHorizontalBlock]:has(.js-plotly-plot) > [data-testid=stColumn] {flex: 1 1 100%; min-width: 100%;}
}
[data-testid=stButtonGroup] [role=radiogroup] {flex-wrap: wrap; row-gap: .3rem;}
.sim-text {white-space: pre-wrap; overflow-wrap: anywhere;}
</style>
"""


def apply() -> None:
    """Put the style sheet on the page, and the name over the navigation."""
    st.html(_CSS)
    st.logo(LOGO, size="large", icon_image=ICON)
