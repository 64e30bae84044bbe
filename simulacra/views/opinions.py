"""What another scorer says of the same posts: how often two disagree, on which posts, and who may judge a design that acts by one."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import streamlit as st

from simulacra.analysis.judge import NOBODY, acting_levers
from simulacra.errors import RecordError
from simulacra.experiment import Run
from simulacra.scoring.opinions import BLENDS, agreement_table, disagreements
from simulacra.scoring.sidecar import scorers_of
from simulacra.views import emotions, parts, say, store

Runs = Mapping[str, Run]


def notice(runs: Runs) -> None:
    """Where a design acts by the recorded scores: who judged it instead."""
    for arm, run in runs.items():
        for score, levers in acting_levers(run.spec.arm).items():
            judge = store.judge(run)
            who = "This design" if len(runs) == 1 else f"The {arm}"
            told = f"{who} acts by the scores of {score} that the record holds ({', '.join(map(say.spaced, levers))})"
            if judge == NOBODY:
                st.info(f"{told}, so they cannot judge it: its figures of {score} are left out until a second scorer has read the run "
                        "(under Toxicity). What members meant is counted all the same.", icon=":material/gavel:")  # fmt: skip
            else:
                st.caption(
                    f"{told}, so its figures of {score} are those of a second scorer, {judge}. Charts over time show the first."
                )


def section(runs: Runs) -> None:
    """Agreement of scorers on toxicity and the posts on which they part; a button for runs that nobody else has read."""
    st.markdown("**A second opinion**")
    for arm, run in runs.items():
        names = [name for name in scorers_of(run.folder) if name not in BLENDS]
        if not names or emotions.at_work(run):
            st.caption(f"No second scorer has read {'this run' if len(runs) == 1 else f'the {arm}'} yet.")
            emotions.offer(run, f"second-{run.id}", "Ask a second scorer" + (f" about the {arm}" if len(runs) > 1 else ""))
            continue
        try:
            _agreement(run, arm if len(runs) > 1 else "", names[0] if emotions.SCORER not in names else emotions.SCORER)
        except RecordError as error:
            say.mistake(error)


def _agreement(run: Run, arm: str, scorer: str) -> None:
    rows = [
        {
            "scorers": f"{row.first} and {row.second}", "correlation": f"{row.correlation:.2f}", "kappa": f"{row.kappa:.2f}",
            "differ, in 100 posts": f"{100 * row.differ:.1f} ({100 * row.low:.1f} to {100 * row.high:.1f})",
            "both toxic": f"{row.both:,}", "the first alone": f"{row.first_alone:,}", "the second alone": f"{row.second_alone:,}",
        }
        for row in agreement_table(run.folder).itertuples()
    ]  # fmt: skip
    if not rows:
        st.caption(f"{scorer} has not read every post{f' of the {arm}' if arm else ''}: ask again when the run is finished.")
        return
    with st.container(border=True):
        st.markdown(f"**How far scorers agree on toxicity{f': {arm}' if arm else ''}**")
        parts.table(pd.DataFrame(rows), tuple(rows[0])[1:])
        st.caption(
            "Over all posts. Two scorers differ on a post when one puts it above .5 and the other does not; in brackets the 95 % interval. "
            "Kappa: 0 as chance would have it, 1 always alike."
        )
        found = disagreements(run.folder, scorer)
        shown = pd.DataFrame({
            "post": found["text"].str.slice(0, 300), "lexical": found["lexical"].map("{:.2f}".format),
            scorer: found[scorer].map("{:.2f}".format), "meant": found["meant"].map({True: "rude", False: "not rude"}),
        })  # fmt: skip
        st.markdown("Posts on which they differ most")
        parts.table(shown, ("lexical", scorer))
