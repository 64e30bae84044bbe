"""What carries a difference, and threads to read: from the full records that a comparison kept.

The pair shown is that of the median seed: the one whose difference of the primary measure is the middle one (the lower middle
of an even number), among the seeds whose records were kept. It is neither the best nor the worst example.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import streamlit as st

from simulacra.analysis.catalogue import LEXICAL
from simulacra.analysis.comparison import Row
from simulacra.analysis.facts import UNCIVIL
from simulacra.analysis.measures import TOXIC
from simulacra.errors import RecordError
from simulacra.experiment import Run
from simulacra.record.runfiles import RUN_FILE
from simulacra.replicates import BASELINE, VARIANT, Comparison
from simulacra.views import forum, go, look, parts, readout, say, store

_WEIGHT = {
    "violations_seen_per_100": ("readings of rule-breaking posts", "p.truth <> 'none'", True),
    "violations_per_100": ("rule-breaking posts", "p.truth <> 'none'", False),
    "toxic_seen_share": ("readings of toxic posts", f"p.toxicity > {TOXIC}", True),
    "toxicity_seen": ("readings of toxic posts", f"p.toxicity > {TOXIC}", True),
    "toxic_share": ("toxic posts", f"p.toxicity > {TOXIC}", False),
    "toxicity_written": ("toxic posts", f"p.toxicity > {TOXIC}", False),
    "uncivil_seen_per_100": ("readings of posts meant to be rude", f"p.truth IN {UNCIVIL}", True),
    "uncivil_per_100": ("posts meant to be rude", f"p.truth IN {UNCIVIL}", False),
}
"""Measure -> what is counted of authors and threads, which posts, and whether readings or posts count."""


_INTENT = {
    "toxic_seen_share": "uncivil_seen_per_100", "toxicity_seen": "uncivil_seen_per_100", "toxic_share": "uncivil_per_100",
    "toxicity_written": "uncivil_per_100",
}  # fmt: skip
"""What is counted instead where a design acts by the scores that the record holds: what authors meant."""


def kept_pairs(found: Comparison) -> dict[int, dict[str, str]]:
    """seed -> arm -> id of the kept run, for seeds of which both arms have one that is there."""
    places, pairs = (store.runs_dir(), found.runs_dir), {}
    for seed, arms in found.folder.results().items():
        names = {arm: str(result["run"]) for arm, result in arms.items() if result["run"]}
        if set(names) == {BASELINE, VARIANT} and all(_is_there(name, places) for name in names.values()):
            pairs[seed] = names
    return pairs


def _is_there(name: str, places: Iterable[Path]) -> bool:
    return any((place / name / RUN_FILE).is_file() for place in places)


def median_seed(found: Comparison, primary: str) -> int | None:
    """The kept seed in the middle by its difference of the primary measure; None where none is kept."""
    values = found.results
    kept = kept_pairs(found)
    order = sorted(
        kept, key=lambda seed: (values[VARIANT][seed].get(primary, 0.0) - values[BASELINE][seed].get(primary, 0.0), seed)
    )
    return order[(len(order) - 1) // 2] if order else None


def runs_of(found: Comparison, seed: int) -> dict[str, Run] | None:
    """arm -> its run of that seed; None, with a message, where one cannot be read."""
    try:
        return {arm: store.run(name) for arm, name in kept_pairs(found)[seed].items()}
    except RecordError as error:
        say.mistake(error)
        return None


# -- why -------------------------------------------------------------------------------------------------------------------


def why(answer: readout.Answer) -> None:
    """Which mechanism, which authors, which topics carry the difference."""
    row = answer.rows.get(answer.primary)
    st.write(_cause(row))
    moved = [row for row in answer.explored if row.kind == "response" and row.effect in ("higher", "lower")][:4]
    if moved:
        st.markdown("People seem to have responded here (exploration: not named before the comparison was played):")
        st.markdown("\n".join(f"- {say.md(row.sentence.removeprefix('Clear change: '))}" for row in moved))
    seed = median_seed(answer.found, answer.primary)
    if seed is None:
        st.caption("The records of these runs were not kept or were deleted, so authors and topics cannot be shown.")
        return
    primary = _INTENT.get(answer.primary, answer.primary) if row is not None and row.scorer != LEXICAL else answer.primary
    runs = runs_of(answer.found, seed) if primary in _WEIGHT else None
    if runs:
        _carriers(runs, primary, seed)


def _cause(row: Row | None) -> str:
    """Whether the design or people would have to move the measure, and whether anything moved."""
    if row is not None and row.kind == "mechanical":
        by = "The design acts on this by itself: what it takes away, holds back or ranks lower is not read. People need not have changed."
    else:
        by = "The design does not touch this by itself: only the way in which the simulated people respond could move it."
    moved = row is not None and row.effect in ("higher", "lower")
    return by if moved else f"{by} Here it did not move by more than chance."


def _carriers(runs: dict[str, Run], primary: str, seed: int) -> None:
    what = _WEIGHT[primary][0]
    authors = _both(runs, primary, "author")
    total = authors[["baseline", "variant"]].sum()
    few = _few(authors["baseline"])
    st.markdown(
        f"In the pair of seed {seed}: **{total['baseline']:,.0f}** {what} in the baseline, **{total['variant']:,.0f}** "
        f"in the variant. "
        f"In the baseline {say.count(few, 'member')} wrote half of them."
    )
    handles = store.handles(runs[BASELINE])
    authors.insert(0, "author", [handles[i] for i in authors.index])
    left, right = st.columns(2)
    with left:
        st.caption(f"Members whose {what} changed most")
        parts.table(_most_changed(authors), _COLUMNS)
    with right:
        st.caption(f"Topics whose {what} changed most")
        topics = _both(runs, primary, "topic")
        topics.insert(0, "topic", list(topics.index))
        parts.table(_most_changed(topics), _COLUMNS)


def _both(runs: dict[str, Run], primary: str, by: str) -> pd.DataFrame:
    """[by] baseline, variant, change: what the measure counts, summed over the measured days."""
    counts = {arm: _counted(run, primary, by) for arm, run in runs.items()}
    both = pd.DataFrame(counts).fillna(0.0)
    return both.assign(change=both["variant"] - both["baseline"])


def _counted(run: Run, primary: str, by: str) -> pd.Series:
    _, posts, readings = _WEIGHT[primary]
    if readings:
        rows = f"impressions i JOIN posts p ON p.id = i.post WHERE NOT i.burn_in AND {posts}"
    else:
        rows = f"posts p WHERE NOT p.burn_in AND {posts}"
    found = store.query(run, f"SELECT p.{by} AS k, count(*) AS n FROM {rows} GROUP BY 1")
    return pd.Series(found["n"].to_numpy(float), index=found["k"].tolist())


def _few(counts: pd.Series) -> int:
    """How many members hold half of the sum."""
    ordered = counts.sort_values(ascending=False).cumsum()
    return int((ordered < ordered.iloc[-1] / 2).sum()) + 1 if len(ordered) and ordered.iloc[-1] else 0


def _most_changed(table: pd.DataFrame, most: int = 6) -> pd.DataFrame:
    moved = table[table["change"].abs() > 1]
    order = moved["change"].abs().sort_values(ascending=False, kind="stable").index[:most]
    told = moved.loc[order].astype({column: object for column in _COLUMNS})
    for column in _COLUMNS:
        told[column] = [f"{value:{'+' if column == 'change' else ''},.0f}" for value in moved.loc[order, column]]
    return told


_COLUMNS = ("baseline", "variant", "change")


# -- threads ---------------------------------------------------------------------------------------------------------------


def threads(answer: readout.Answer, most: int = 3) -> None:
    """Matched threads of the median seed, one where it went the other way, and one member's feed in both designs."""
    found = answer.found
    seed = median_seed(found, answer.primary)
    runs = runs_of(found, seed) if seed is not None else None
    if runs is None or seed is None:
        say.empty("No records to read", "They were deleted, or this comparison kept none. Duplicate it and play it again.")
        return
    shared = forum.shared_threads(runs[BASELINE], runs[VARIANT])
    if shared:
        st.caption(
            f"Opened by the same member in the same hour with the same words in both designs: the longest ones of seed {seed}, "
            "the middle one of the kept pairs."
        )
    for root in shared[:most]:
        _matched(runs, root)
    _counter_example(answer, seed)
    _one_feed(runs)


def _matched(runs: dict[str, Run], root: int, note: str = "") -> None:
    twin = forum.same_thread(runs[BASELINE], root, runs[VARIANT])
    roots = {BASELINE: root, VARIANT: twin}
    opened = forum.threads(runs[BASELINE]).set_index("root").loc[root]
    with st.container(border=True):
        st.html(
            f'<div class="sim-text"><b>{say.esc(opened["text"], 240)}</b></div><div '
            f'class="sim-quiet">{note}{say.esc(opened["handle"])}, '
            f"{say.moment(int(opened['step']))}</div>"
        )
        for column, (arm, run) in zip(st.columns(2), runs.items(), strict=True):
            rows = forum.threads(run).set_index("root")
            thread = roots[arm]
            if thread is None or thread not in rows.index:
                continue
            row = rows.loc[thread]
            column.html(
                f'<div class="sim-arm"><span class="sim-dot" style="--tone:{look.ARMS[arm]}"></span>{arm}</div>'
                f'<div class="sim-quiet">{say.count(row["posts"] - 1, "reply", "replies")} · read {row["readings"]:,.0f} '
                f"times · "
                f"most toxic {row['toxic']:.2f}{' · ' + str(int(row['removed'])) + ' removed' if row['removed'] else ''}</div>"
            )
        if st.button("Read side by side", key=f"read-{runs[BASELINE].id}-{root}", type="tertiary", icon=":material/forum:"):
            go.to("threads", run=runs[BASELINE].id, thread=root, side=1)


def _counter_example(answer: readout.Answer, median: int) -> None:
    """The kept pair that went most against the mean: an answer of many runs is no promise for one."""
    row, pairs, found = answer.rows.get(answer.primary), kept_pairs(answer.found), answer.found
    if row is None or len(pairs) < 2:
        return
    sign, values = (-1 if row.difference > 0 else 1), found.results
    against = {
        seed: sign * (values[VARIANT][seed][answer.primary] - values[BASELINE][seed][answer.primary])
        for seed in pairs
        if seed != median
    }
    worst = max(against, key=lambda seed: against[seed])
    if not against[worst] > 0:
        st.caption("No kept pair went against the mean.")
        return
    runs = runs_of(found, worst)
    shared = forum.shared_threads(runs[BASELINE], runs[VARIANT]) if runs else []
    if runs and shared:
        st.markdown(
            f"**A counter-example**: with seed {worst} it went the other way ({readout.title(answer.primary).lower()})."
        )
        _matched(runs, shared[0])


def _one_feed(runs: dict[str, Run]) -> None:
    """The same member in the same hour, both feeds: the one who came most often, in the middle of its common visits."""
    for persona in forum.most_active(runs[BASELINE], 20):
        both = sorted(set(forum.visits(runs[BASELINE], persona)) & set(forum.visits(runs[VARIANT], persona)))
        if both:
            break
    else:
        return
    step = both[len(both) // 2]
    handle = store.handles(runs[BASELINE])[persona]
    with st.expander("The same member, the same hour, both feeds", icon=":material/visibility:"):
        st.html(
            f'<div class="sim-quiet">{say.esc(handle)}, {say.moment(step)}: one of the members who write most, in the '
            f"middle of the "
            "visits that both designs have.</div>"
        )
        for column, (arm, run) in zip(st.columns(2, gap="large"), runs.items(), strict=True):
            with column:
                st.html(say.arm(arm, say.design(run.spec.arm), look.ARMS[arm]))
                slate_list(forum.slate(run, persona, step))


def slate_list(rows: pd.DataFrame) -> None:
    """A slate as it was looked at, from the top."""
    if rows.empty:
        st.caption("In this design the member did not look at anything in that hour.")
        return
    cells = []
    for row in rows.itertuples():
        place = "↩" if row.source == "notification" else str(row.position + 1)
        chip = say.chip(f"toxic {row.toxicity:.2f}", look.TOXIC) if row.toxicity > TOXIC else ""
        reply = " · a reply" if row.depth else ""
        cells.append(
            f'<div class="sim-quiet">{place}</div><div><div class="sim-quiet">{say.esc(row.handle)} · '
            f"{say.moment(row.step)}{reply}</div>"
            f'<div class="sim-text">{say.esc(row.text)}</div></div><div>{chip}</div>'
        )
    st.html(f'<div class="sim-slate">{"".join(cells)}</div>')
