"""Who answers whom: the members who reply most, as a picture of bounded size."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from simulacra.experiment import Run
from simulacra.views import charts, parts, say, store

MOST_NODES, MOST_EDGES = 150, 600


def draw(run: Run, arm: str = "") -> None:
    """The reply network's busiest part, with its communities and hubs. arm: which design it is, where two are shown."""
    nodes, edges, told = _layout(str(run.path), run.digest)
    if nodes.empty:
        say.empty("Nobody has answered anybody yet", "Play more days.")
        return
    st.caption(told)
    figure = charts.network(nodes, edges)
    table = nodes[["label", "community", "answers"]].rename(
        columns={"label": "member", "answers": "replies given and received"}
    )
    parts.chart(
        figure,
        f"Who answers whom{': ' + arm if arm else ''}",
        "A dot is a member, larger with more replies given and received; a line joins members who answered each other. "
        "Colours are "
        "communities found by Louvain's method over the replies that are drawn. Nearness follows a spring layout and "
        "means little.",
        table,
        f"network-{arm}",
    )
    hubs = nodes.sort_values("answers", ascending=False).head(10)[["label", "answers"]]
    st.dataframe(
        hubs.rename(columns={"label": "hubs: most replies given and received", "answers": "replies"}),
        hide_index=True,
        width=420,
    )


@st.cache_data(max_entries=8, show_spinner="Laying out the network ...")
def _layout(path: str, digest: str) -> tuple[pd.DataFrame, pd.DataFrame, str]:
    """nodes (x, y, size, label, community, answers), edges (x0, y0, x1, y1), and what was left out."""
    import networkx as nx

    from simulacra.experiment import open_run

    run = open_run(path)
    pairs = store.query(run, """
        SELECT least(a.author, b.author) AS one, greatest(a.author, b.author) AS other, count(*) AS n
        FROM posts a JOIN posts b ON b.id = a.parent WHERE a.author <> b.author AND NOT a.burn_in
        GROUP BY 1, 2 ORDER BY n DESC, one, other
    """)  # fmt: skip
    if pairs.empty:
        return pd.DataFrame(), pd.DataFrame(), ""
    busy = pd.concat(
        [pairs[["one", "n"]].rename(columns={"one": "who"}), pairs[["other", "n"]].rename(columns={"other": "who"})]
    )
    answers = busy.groupby("who")["n"].sum().sort_values(ascending=False, kind="stable")
    shown = set(answers.head(MOST_NODES).index)
    kept = pairs[pairs["one"].isin(shown) & pairs["other"].isin(shown)].head(MOST_EDGES)
    graph: Any = nx.Graph()
    graph.add_weighted_edges_from(kept[["one", "other", "n"]].itertuples(index=False))
    groups = sorted(nx.community.louvain_communities(graph, seed=1), key=lambda group: (-len(group), min(group)))
    of = {who: number for number, group in enumerate(groups) for who in group}
    place = _places(graph, of)
    names = store.handles(run)
    nodes = pd.DataFrame({
        "x": [place[who][0] for who in graph], "y": [place[who][1] for who in graph],
        "size": [6 + 3 * np.sqrt(answers[who]) for who in graph], "label": [names[who] for who in graph],
        "community": [of[who] for who in graph], "answers": [int(answers[who]) for who in graph],
    })  # fmt: skip
    ends = [[*place[one], *place[other]] for one, other in graph.edges]
    edges = pd.DataFrame(ends, columns=["x0", "y0", "x1", "y1"])
    told = (
        f"Drawn: the {len(graph)} members with most replies, of {len(answers):,} who took part, and {len(edges):,} of "
        f"{len(pairs):,} "
        f"ties. {len(groups)} communities among them."
    )
    return nodes, edges, told


def _places(graph: Any, of: dict[Any, int]) -> dict[Any, Any]:
    """A spring layout in which ties within a community pull harder, and no straggler stretches the picture."""
    import networkx as nx

    for one, other, tie in graph.edges(data=True):
        tie["pull"] = (4.0 if of[one] == of[other] else 0.25) * np.sqrt(tie["weight"])
    place = nx.spring_layout(graph, weight="pull", seed=1, k=2.4 / np.sqrt(max(len(graph), 1)), iterations=120)
    spots = np.array([place[who] for who in graph])
    middle = np.median(spots, axis=0)
    reach = np.quantile(np.abs(spots - middle), 0.97) or 1.0
    return {who: np.clip(spot - middle, -1.15 * reach, 1.15 * reach) for who, spot in zip(graph, spots, strict=True)}
