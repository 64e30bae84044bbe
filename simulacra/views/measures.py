"""Measures: what was written and read, by whom, how it spread and what moderation took; one run, or both arms of a pair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import streamlit as st

from simulacra.analysis.contrast import MIN_SEEDS
from simulacra.analysis.measures import ALL, MEASURES, TOXIC
from simulacra.analysis.structure import STRUCTURE
from simulacra.experiment import Run
from simulacra.views import charts, contagion, emotions, look, network, opinions, parts, readout, say, store

BAND = 12  # hours over which hourly means are smoothed

Runs = Mapping[str, Run]


def page() -> None:
    say.head("Measures", "What members wrote and read, who took part, and what moderation took.")
    run = parts.choose_run(finished=True)
    if run is None:
        return
    runs = _with_twin(run)
    opinions.notice(runs)
    _first_figures(runs)
    drawn = {
        "Toxicity": _toxicity, "Emotion": _emotion, "Contagion": lambda _: contagion.section(run), "Taking part": _part,
        "Moderation": _moderation, "Network": _network, "All measures": _table,
    }  # fmt: skip
    for tab, draw in zip(st.tabs(list(drawn), on_change="rerun", key="measures-tabs"), drawn.values(), strict=True):
        if tab.open:  # only what is looked at is asked of the record
            with tab:
                draw(runs)


_GROUPS = {
    "ei_replies": (
        "Replies across groups (−1 to 1)",
        "−1: members answer only their own home group; 0: blindly, where groups are equal; 1: only the other. The E-I index of "
        "Krackhardt and Stern 1988.",
    ),
    "ei_follows": ("Follows across groups (−1 to 1)", "The same index over ties that members made by following."),
    "cross_group_seen": ("Read from the other group, in 100", "Readings of posts whose author is of the other home group."),
    "exposure_diversity": (
        "Mix in what one reads (0 to 1)",
        "Entropy of the home groups that a reader saw, in bits: 0 one side only, 1 both alike; mean over readers of 5 posts and more.",
    ),
    "edge_reciprocity": ("Answers that are returned, in 100", "Pairs in which A and B answered each other, of all in which A answered B."),
}  # fmt: skip
"""Measure of shape -> what to call it on a card, and what it says. Shares are told per 100."""


def _groups(runs: Runs) -> None:
    values = {arm: store.shape(run, tuple(_GROUPS)) for arm, run in runs.items()}
    scale = {"cross_group_seen": 100.0, "edge_reciprocity": 100.0}
    st.markdown("**Home groups**: each member belongs to one of two. Do they meet?")
    parts.figures([
        (label, {arm: say.number(found[name] * scale.get(name, 1.0)) for arm, found in values.items()}, about)
        for name, (label, about) in _GROUPS.items()
    ])  # fmt: skip
    days = _each(runs, """
        WITH r AS (SELECT p.day, a."group" AS mine, b."group" AS theirs FROM posts p JOIN posts q ON q.id = p.parent
            JOIN personas a ON a.id = p.author JOIN personas b ON b.id = q.author
            WHERE NOT p.burn_in AND p.author <> q.author)
        SELECT (day - 1) * 24 AS step, 2 * avg((mine <> theirs)::INT) - 1 AS ei, count(*) AS n FROM r GROUP BY day ORDER BY day
    """)  # fmt: skip
    _draw(charts.over_time(days, "ei", "E-I index", span=0.6), "Do groups answer each other?",
          "E-I index of replies to others by day: (across − within) / all. −1 all stay within their home group, 1 all cross.",
          days, "ei-index")  # fmt: skip


def _network(runs: Runs) -> None:
    _groups(runs)
    for column, (arm, run) in zip(st.columns(len(runs)), runs.items(), strict=True):
        with column:
            network.draw(run, arm if len(runs) > 1 else "")


def _with_twin(run: Run) -> dict[str, Run]:
    """The run by its arm's name, and the other arm of the same seed where there is one and it is wanted."""
    twin = store.twin_of(run.id)
    if twin is None:
        return {"baseline": run}
    both = st.toggle("Show both designs", True, help="The same seed under the other design")
    _, arm, other = twin
    runs = {arm: run, **({"variant" if arm == "baseline" else "baseline": store.run(other)} if both else {})}
    with st.container(horizontal=True):
        for name in sorted(runs):
            st.html(say.arm(name, say.design(runs[name].spec.arm), look.ARMS[name]))
    return {name: runs[name] for name in sorted(runs)}


_FIRST = {
    "violations_seen_per_100": ("Rule-breaking posts in 100 read", 1.0),
    "toxic_seen_share": ("Toxic posts in 100 read", 100.0),
    "valence_seen": ("Cheerfulness read (−1 to 1)", 1.0),
    "unanswered_share": ("Unanswered threads in 100", 100.0),
    "posts_per_persona": ("Posts per member", 1.0),
}
"""Measure -> what to call it on a card, and what its value is multiplied by."""


def _first_figures(runs: Runs) -> None:
    values = {arm: store.measures(run) for arm, run in runs.items()}
    pairs = _over_pairs(runs)
    parts.figures([
        (label, {arm: say.number(found[name] * scale) for arm, found in values.items()}, readout.plain(MEASURES[name].about))
        for name, (label, scale) in _FIRST.items()
    ], pairs)  # fmt: skip
    if pairs:
        st.caption("Large: this one pair of runs, in which chance has its part. Below: variant minus baseline over all pairs, with its "
                   "95 % interval.")  # fmt: skip
    elif len(runs) > 1:
        st.caption("One pair of runs: chance has its part in what differs. The Compare page says how much, with intervals.")
    else:
        st.caption(
            "One run: other rolls of chance give other numbers. Compare two designs to see a difference with its interval."
        )


def _over_pairs(runs: Runs) -> dict[str, str]:
    """Label of a card -> the difference over all pairs of the comparison that these runs belong to; {} where none carries a claim."""
    twin = store.twin_of(next(iter(runs.values())).id) if len(runs) > 1 else None
    if twin is None:
        return {}
    rows = {row.measure: row for row in twin[0].row_list}
    return {
        label: f"all {row.seeds} pairs: {say.interval(row.difference * scale, row.low * scale, row.high * scale)}"
        for name, (label, scale) in _FIRST.items()
        if (row := rows.get(name)) is not None and row.seeds >= MIN_SEEDS
    }


def _each(runs: Runs, sql: str) -> dict[str, pd.DataFrame]:
    return {arm: store.query(run, sql) for arm, run in runs.items()}


def _stack(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """One frame for a download, with a column `design`."""
    return pd.concat([frame.assign(design=arm) for arm, frame in frames.items()], ignore_index=True)


def _draw(figure: Any, title: str, about: str, frames: Mapping[str, pd.DataFrame], name: str) -> None:
    parts.chart(figure, title, about, _stack(frames), name)


# -- toxicity and emotion --------------------------------------------------------------------------------------------------

_SPANS = {"toxicity": 0.1, "valence": 0.4}
"""Least height of a chart's scale, so that noise is not drawn as a mountain."""

_WRITTEN = "SELECT step, avg({0}) AS {0}, count(*) AS n FROM posts WHERE NOT burn_in GROUP BY step ORDER BY step"
_SEEN = """SELECT i.step, avg(p.{0}) AS {0}, count(*) AS n FROM impressions i JOIN posts p ON p.id = i.post
           WHERE NOT i.burn_in GROUP BY i.step ORDER BY i.step"""


def _two_over_time(runs: Runs, column: str, what: str, scale: str) -> None:
    left, right = st.columns(2)
    for place, sql, verb in ((left, _WRITTEN, "write"), (right, _SEEN, "read")):
        frames = _each(runs, sql.format(column))
        with place:
            _draw(
                charts.over_time(frames, column, f"{BAND}-hour mean", BAND, _SPANS[column]), f"{what} of what members {verb}",
                f"Mean over posts {'as written' if verb == 'write' else 'weighted by how often they were read'}, {scale}.",
                frames, f"{column}-{verb}",
            )  # fmt: skip


def _toxicity(runs: Runs) -> None:
    _two_over_time(
        runs, "toxicity", "Toxicity", "0 to 1 on the scorer's own scale: compare designs, do not read levels as rates"
    )
    left, right = st.columns(2)
    depth = _each(
        runs,
        """SELECT least(depth, 6) AS depth, avg(toxicity) AS toxicity, count(*) AS n,
        coalesce(stddev_samp(toxicity), 0) / sqrt(count(*)) AS se FROM posts WHERE NOT burn_in GROUP BY 1 ORDER BY 1""",
    )
    with left:
        _draw(
            charts.by_depth(depth, "toxicity", "mean toxicity"),
            "By depth of reply",
            "Mean toxicity by depth with one standard error; 6 stands for 6 and deeper.",
            depth,
            "toxicity-depth",
        )
    scores = _each(runs, "SELECT toxicity FROM posts WHERE NOT burn_in")
    with right:
        _draw(
            charts.histogram({arm: frame["toxicity"] for arm, frame in scores.items()}, "toxicity"),
            "How toxic posts are",
            f"Posts by toxicity. Above {TOXIC} a post counts as toxic in every share on these pages.",
            scores,
            "toxicity-spread",
        )
    held = _each(runs, f"""SELECT author, count(*) FILTER (toxicity > {TOXIC}) AS toxic FROM posts WHERE NOT burn_in
        GROUP BY author ORDER BY author""")  # fmt: skip
    some = {arm: frame for arm, frame in held.items() if frame["toxic"].sum()}
    if some:
        _draw(
            charts.lorenz({arm: frame["toxic"].to_numpy() for arm, frame in some.items()}, "toxic posts"),
            "Who writes the toxic posts",
            "Members who wrote anything, from fewest to most toxic posts. The nearer to the corner, the fewer people write it.",
            some,
            "toxicity-authors",
        )
    else:
        say.empty(
            "Nobody wrote a toxic post", f"No score lies above {TOXIC}. Play more members or days to see who writes them."
        )
    opinions.section(runs)


def _emotion(runs: Runs) -> None:
    _two_over_time(runs, "valence", "Cheerfulness", "−1 to 1 (VADER's compound of the words)")
    left, right = st.columns(2)
    words = _each(
        runs,
        """SELECT step, avg(positive) * 100 AS positive, avg(negative) * 100 AS negative, count(*) AS n FROM posts
        WHERE NOT burn_in GROUP BY step ORDER BY step""",
    )
    for place, column in ((left, "positive"), (right, "negative")):
        with place:
            _draw(
                charts.over_time(words, column, "in 100 words", 24),
                f"{column.capitalize()} words written",
                f"Share of words that are {column} in the VADER lexicon, mean over posts, 24-hour mean.",
                words,
                f"words-{column}",
            )
    moods = _each(
        runs,
        "SELECT (day - 1) * 24 AS step, avg(mood) AS mood, count(*) AS n FROM moods WHERE NOT burn_in GROUP BY day ORDER BY day",
    )
    _draw(
        charts.over_time(moods, "mood", "mean mood", span=0.4),
        "Mood of members",
        "Mean mood at the end of each day, −1 to 1: what members feel, not what they write.",
        moods,
        "moods",
    )

    _arousal(runs)
    emotions.section(runs)


def _arousal(runs: Runs) -> None:
    felt = _each(
        runs,
        """SELECT root AS thread, avg(abs(valence)) AS strength, count(*) - 1 AS replies FROM posts WHERE NOT burn_in
        GROUP BY root HAVING count(*) >= 3 ORDER BY root""",
    )
    _draw(
        charts.histogram(
            {arm: frame["strength"] for arm, frame in felt.items()}, "mean |cheerfulness| within a thread"
        ).update_yaxes(title="in 100 threads"),
        "How strongly felt threads are",
        "Threads with two replies and more by the mean size of their posts' cheerfulness, whatever its sign, 0 to 1. A stand-in for "
        "arousal: the lexicon has no axis of it, so calm sadness counts like anger.",
        felt,
        "arousal",
    )


# -- taking part and moderation --------------------------------------------------------------------------------------------


def _part(runs: Runs) -> None:
    for pair in ((_who_writes, _what_is_read), (_thread_sizes, _visits)):
        for place, draw in zip(st.columns(2), pair, strict=True):
            with place:
                draw(runs)


def _who_writes(runs: Runs) -> None:
    wrote = _each(runs, """SELECT m.id AS persona, count(p.id) AS posts FROM personas m
        LEFT JOIN posts p ON p.author = m.id AND NOT p.burn_in GROUP BY m.id ORDER BY m.id""")  # fmt: skip
    about = "All members, lurkers included, from the least to the most active: the share of all posts they wrote."
    _draw(_lorenz(wrote, "posts"), "Who writes", about, wrote, "who-writes")


def _what_is_read(runs: Runs) -> None:
    read = _each(runs, """SELECT p.id AS post, count(i.post) AS readings FROM posts p
        LEFT JOIN impressions i ON i.post = p.id AND NOT i.burn_in WHERE NOT p.burn_in GROUP BY p.id ORDER BY p.id""")  # fmt: skip
    figure = _lorenz(read, "readings")
    figure.update_xaxes(title="posts from the least to the most read, in 100")
    about = "Posts of the measured days from the least to the most read: the share of all readings they had."
    _draw(figure, "What is read", about, read, "what-is-read")


def _lorenz(frames: Mapping[str, pd.DataFrame], column: str) -> Any:
    return charts.lorenz({arm: frame[column].to_numpy() for arm, frame in frames.items()}, column)


def _thread_sizes(runs: Runs) -> None:
    sizes = _each(runs, """SELECT least(n - 1, 20) AS replies, count(*) AS threads FROM
        (SELECT root, count(*) AS n FROM posts GROUP BY root HAVING min(step) >= 0) GROUP BY 1 ORDER BY 1""")  # fmt: skip
    figure = charts.figure()
    for arm, frame in sizes.items():
        figure.add_bar(x=frame["replies"], y=frame["threads"], name=arm, marker_color=look.ARMS[arm])
    figure.update_layout(barmode="group", showlegend=len(runs) > 1)
    figure.update_xaxes(title="replies (20 stands for 20 and more)")
    figure.update_yaxes(title="threads")
    about = "Threads opened in the measured days by their number of replies."
    _draw(figure, "How long threads get", about, sizes, "thread-sizes")


def _visits(runs: Runs) -> None:
    visits = _each(runs, "SELECT step, count(*) AS visits FROM visits WHERE NOT burn_in GROUP BY step ORDER BY step")
    about = "Visits an hour: days and nights, and who stays."
    _draw(charts.over_time(visits, "visits", "visits an hour"), "When members come", about, visits, "visits")


def _moderation(runs: Runs) -> None:
    rulings = _each(
        runs,
        """SELECT day, count(*) FILTER (action = 'remove') AS removed, count(*) FILTER (action = 'keep') AS kept,
        count(*) FILTER (action IN ('mute', 'ban')) AS punished, count(*) FILTER (action IN ('cancel', 'revise')) AS softened,
        sum(minutes) AS minutes FROM rulings WHERE NOT burn_in GROUP BY day ORDER BY day""",
    )
    if all(frame.empty for frame in rulings.values()):
        say.empty("Nobody moderated here", "Choose a moderation design on the Design page to see its work.")
        return
    for column, (arm, frame) in zip(st.columns(len(runs)), rulings.items(), strict=True):
        with column:
            if frame.empty:
                say.empty(f"No ruling in the {arm}", "Its design leaves posts alone.")
                continue
            series = {
                "removed": ("removed", look.VARIANT), "kept": ("looked at and kept", look.BASELINE),
                "softened": ("reworded or given up", look.POSITIVE), "punished": ("muted or banned", look.NEGATIVE),
            }  # fmt: skip
            parts.chart(charts.stacked(frame, "day", series, "simulated day", "rulings"), f"What moderation did: {arm}",
                        "Rulings a day by what they did.", frame, f"rulings-{arm}")  # fmt: skip
    _workload(runs)
    values = {arm: store.measures(run) for arm, run in runs.items()}
    names = ("removal_recall", "false_removal_share", "missed_violations", "moderator_minutes", "reports", "bans")
    parts.table(_measure_rows(values, names), ("value", *runs))
    st.caption("Violations are counted against what each draft truly was, which no policy and no scorer sees.")


def _workload(runs: Runs) -> None:
    """The moderators' queue over time, and how long posts waited; nothing where no person decided anything."""
    waiting = {arm: store.queue(run) for arm, run in runs.items()}
    staffed = {arm: found for arm, found in waiting.items() if len(found[0])}
    if not staffed:
        st.caption("No person decided anything here, so there is no queue.")
        return
    left, right = st.columns(2)
    queue = {arm: pd.DataFrame({"step": range(len(n)), "waiting": n}) for arm, (n, _) in staffed.items()}
    with left:
        _draw(charts.over_time(queue, "waiting", "posts that wait"), "The moderators' queue",
              "Posts that wait for a moderator at the end of each hour: from the first report, or from being held, until a person "
              "decides or anything removes them.", queue, "queue")  # fmt: skip
    hours = {arm: pd.DataFrame({"hours": h}) for arm, (_, h) in staffed.items()}
    most = max((float(frame["hours"].max()) for frame in hours.values() if len(frame)), default=0.0)
    with right:
        figure = charts.histogram({arm: f["hours"] for arm, f in hours.items()}, "hours to a decision", 24, 0, max(most, 24.0))
        figure.update_yaxes(title="in 100 decided posts")
        _draw(figure, "How long posts wait", "Decided posts by the hours from their first report, or from being held, to a "
              "moderator's decision.", hours, "decisions")  # fmt: skip


# -- the table -------------------------------------------------------------------------------------------------------------


def _table(runs: Runs) -> None:
    rows = _measure_rows({arm: store.measures(run) for arm, run in runs.items()}, tuple(MEASURES))
    parts.table(rows, ("value", *runs))
    shape = st.expander("The shape of the community: threads, networks, rhythm, tails", icon=":material/hub:", key="shape",
                        on_change="rerun")  # fmt: skip
    if shape.open:  # a second or two of a large run
        with shape:
            parts.table(_shape_rows(runs), ("value", *runs))
    st.download_button(
        "Download as CSV", lambda: parts.csv(pd.concat([rows, _shape_rows(runs)], ignore_index=True)), "measures.csv", "text/csv",
        icon=":material/download:", on_click="ignore",
    )  # fmt: skip


def _shape_rows(runs: Runs) -> pd.DataFrame:
    return _measure_rows({arm: store.shape(run) for arm, run in runs.items()}, tuple(STRUCTURE))


def _measure_rows(values: Mapping[str, Mapping[str, float]], names: tuple[str, ...]) -> pd.DataFrame:
    """One row a measure: what it is called, its value in every arm, its unit, and what it counts."""
    single = len(values) == 1
    return pd.DataFrame([
        {
            "measure": readout.title(name) if name in MEASURES else ALL[name].title.capitalize(),
            **{("value" if single else arm): say.amount(found[name], ALL[name].unit) for arm, found in values.items()},
            "unit": ALL[name].unit, "what it counts": readout.plain(ALL[name].about),
        }
        for name in names
    ])  # fmt: skip
