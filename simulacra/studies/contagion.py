"""Does mood spread here, and is it the reading that spreads it? A randomised experiment inside the simulation, and two associations.

`probe` repeats, in silico, the omission experiment of Kramer, Guillory and Hancock (2014, PNAS 111:8788): readers are randomised to
control, treatment (a share of the positive, or negative, posts is withheld from them) or placebo (as many posts are withheld, whatever
their emotion). The outcome is what they write of their own accord: threads they open on topics of their own. Replies are left out,
since a reply that matches its parent's tone is conversation, not contagion.

The causal estimate is treatment minus placebo of each persona's difference from its twin: the same persona in the same seed with
nothing withheld. Everything but the reading is equal between twins, so with contagion (and answers' sting and votes' flattery)
switched off the difference is exactly 0. Beside it stand the plain estimate (no twins, adjusted for baseline valence), the effect
when everybody's feed is changed, the over-exposure of Ferrara and Yang (2015, PLoS ONE 10:e0142390) against exposures shuffled within
persona, and conversation matching. Replicates are the unit: intervals are t intervals over seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulacra.community import Community, load_community
from simulacra.designs import BehaviourSettings, make_arm
from simulacra.errors import SpecError
from simulacra.experiment import RunSpec, one_blas_thread, past_of, set_stage
from simulacra.minds.sketch import SketchWriter
from simulacra.platform import PlatformView
from simulacra.record.frames import Frames
from simulacra.record.runfiles import plain
from simulacra.scoring.semantic import topic_affinity
from simulacra.seams import Bools, Bytes, Floats, Ints
from simulacra.simulation import Simulation
from simulacra.streams import Streams

F64 = NDArray[np.float64]

Omit = Literal["positive", "negative"]
CONTROL, TREATMENT, PLACEBO = range(3)
EMOTIONAL = 0.05
"""Valence beyond which a post counts as positive or negative: VADER's own convention."""
KRAMER = 0.02
"""The largest d that Kramer et al. found."""
LARGE = 0.1
"""Effect size above which a result is flagged: field studies of contagion in feeds found d of .001 to .02."""
OWN_TOPICS = 3
"""A thread counts as of one's own accord when its topic is among so many of the author's first interests."""
CAUSAL = ("twin", "plain", "whole community")
OUTCOMES = ("valence", "positive", "negative", "words")
"""Of a thread of one's own: valence, shares of emotional words, number of words."""
WITHDRAWAL = "words_in_all"
"""Words that a persona wrote over the measured days, threads and replies: fewer where there is less to be moved by."""


class Omission:
    """Withholds posts from readers: a share of those of one sign from the treated, as large a share of all from the placebo group.

    group: [N] CONTROL, TREATMENT or PLACEBO of every persona; share: [N] chance that a post of that sign is withheld.
    """

    def __init__(self, omit: Omit, group: Bytes, share: Floats) -> None:
        self.sign = 1 if omit == "positive" else -1
        self.group, self.share = group, share

    @classmethod
    def drawn(cls, omit: Omit, people: int, streams: Streams, everyone: bool = False) -> Omission:
        """Groups of equal chance, shares uniform from 10 to 90 % as in the original; or everybody treated with the same shares."""
        who = np.arange(people)
        group = np.full(people, TREATMENT) if everyone else streams.integers(3, "probe group", who)
        share = 0.1 + 0.8 * streams.uniform("probe share", who)
        return cls(omit, group.astype(np.int8), share.astype(np.float32))

    def keep(self, posts: Ints, persona: Ints, world: PlatformView, streams: Streams) -> Bools:
        there = np.maximum(posts, 0)
        emotional = (self.sign * world.posts.valence[there] > EMOTIONAL) & (posts >= 0)
        offered = np.maximum((posts >= 0).sum(axis=1, keepdims=True), 1)
        usual = emotional.sum(axis=1, keepdims=True) / offered
        group, share = self.group[persona][:, None], self.share[persona][:, None]
        chance = np.where(group == TREATMENT, share * emotional, np.where(group == PLACEBO, share * usual, 0))
        return streams.uniform("probe omits", persona[:, None], world.posts.author[there], world.posts.step[there]) >= chance


# -- outcomes of one run -----------------------------------------------------------------------------------------------------------


class Openings(NamedTuple):
    """Threads that personas opened of their own accord in the measured days, ordered by (author, step)."""

    author: Ints  # [k]
    step: Ints  # [k]
    outcome: Mapping[str, F64]  # name -> [k]

    @property
    def key(self) -> NDArray[np.int64]:
        return self.author.astype(np.int64) << 32 | self.step


def openings(sim: Simulation, frames: Frames) -> Openings:
    """Own threads, their valence centred by the calibrated mean of their topic and act, and their shares of emotional words."""
    posts = frames.arrow(
        "posts", columns=["id", "author", "step", "parent", "valence", "positive", "negative", "words", "truth"]
    )
    read = {name: posts[name].to_numpy() for name in posts.column_names if name != "truth"}
    topic, act = (getattr(sim.platform.posts, name)[read["id"]] for name in ("topic", "act"))
    favourites = np.argsort(-sim.population.interests, axis=1, kind="stable")[:, :OWN_TOPICS]
    own = (favourites[read["author"]] == topic[:, None]).any(axis=1)
    civil = sim.platform.posts.truth[read["id"]] == 0
    rows = np.flatnonzero((read["parent"] < 0) & own & civil)
    rows = rows[np.lexsort((read["step"][rows], read["author"][rows]))]
    outcome = {name: read[name][rows].astype(np.float64) for name in OUTCOMES}
    outcome["valence"] -= sim.expected[topic[rows], act[rows]]
    return Openings(read["author"][rows], read["step"][rows], outcome)


def twin_effect(treated: Openings, twin: Openings, group: Bytes | None) -> dict[str, float]:
    """Treatment minus placebo (or everybody, where group is None) of the difference from the twin, over threads opened in both.

    Means are of personas, then of groups; NaN where a group has no thread in common with its twins.
    """
    _, here, there = np.intersect1d(treated.key, twin.key, return_indices=True)
    author = treated.author[here]
    effect = {}
    for name in OUTCOMES:
        change = treated.outcome[name][here] - twin.outcome[name][there]
        means = {g: _persona_mean(author, change, None if group is None else group == g) for g in (TREATMENT, PLACEBO)}
        effect[name] = means[TREATMENT] - (0.0 if group is None else means[PLACEBO])
    return effect


def _persona_mean(author: Ints, value: F64, among: Bools | None) -> float:
    rows = np.ones(len(author), bool) if among is None else among[author]
    if not rows.any():
        return float("nan")
    _, who = np.unique(author[rows], return_inverse=True)
    return float((np.bincount(who, value[rows]) / np.bincount(who)).mean())


def plain_effect(run: Openings, group: Bytes, baseline: Floats) -> dict[str, float]:
    """Treatment minus placebo of persona means in one run, adjusted for baseline valence by least squares; NaN with too few authors."""
    effect = {}
    who, at = np.unique(run.author, return_inverse=True)
    chosen = np.flatnonzero(group[who] != CONTROL)
    for name in OUTCOMES:
        mean = np.bincount(at, run.outcome[name]) / np.maximum(np.bincount(at), 1)
        design = np.column_stack([np.ones(len(chosen)), group[who[chosen]] == TREATMENT, baseline[who[chosen]]]).astype(
            np.float64
        )
        enough = len(chosen) > 6 and np.linalg.matrix_rank(design) == 3
        effect[name] = float(np.linalg.lstsq(design, mean[chosen], rcond=None)[0][1]) if enough else float("nan")
    return effect


def spread(run: Openings) -> dict[str, float]:
    """Standard deviation of persona means, the unit of d; NaN with fewer than two authors."""
    who, at = np.unique(run.author, return_inverse=True)
    if len(who) < 2:
        return dict.fromkeys(OUTCOMES, float("nan"))
    return {name: float(np.std(np.bincount(at, run.outcome[name]) / np.bincount(at), ddof=1)) for name in OUTCOMES}


def words_in_all(frames: Frames, people: int) -> F64:
    """Words that every persona wrote over the measured days, [N]; 0 for who wrote nothing."""
    posts = frames.arrow("posts", columns=["author", "words"])
    known = posts["author"].to_numpy() >= 0
    totals = np.zeros(people, np.float64)
    np.add.at(totals, posts["author"].to_numpy()[known], posts["words"].to_numpy()[known])
    return totals


def withdrawal_effect(treated: F64, twin: F64, group: Bytes | None) -> float:
    """Treatment minus placebo (or everybody, where group is None) of the difference from the twin, words a persona.

    Withdrawal is no contagion: with moods off, who meets fewer emotional posts still has less to answer.
    """
    change = treated - twin
    if group is None:
        return float(change.mean())
    sides = [change[group == side] for side in (TREATMENT, PLACEBO)]
    return float(sides[0].mean() - sides[1].mean()) if all(len(side) for side in sides) else float("nan")


# -- associations ------------------------------------------------------------------------------------------------------------------


def over_exposure(frames: Frames, streams: Streams, omit: Omit) -> float:
    """How much more of that sign people had just read before writing a post of that sign than expected, in points of share.

    After Ferrara and Yang 2015, with a stricter null: exposures are shuffled among each persona's own visits, so that cheerful people in
    cheerful company do not count. Association, not cause. NaN where nobody wrote such a post.
    """
    sign = 1 if omit == "positive" else -1
    posts = frames.arrow("posts", burn_in=True, columns=["id", "author", "step", "valence"])
    valence, identity = sign * posts["valence"].to_numpy() > EMOTIONAL, posts["id"].to_numpy()
    place = np.zeros(int(identity.max(initial=0)) + 1, np.int64)
    place[identity] = np.arange(len(identity))
    seen = frames.arrow("impressions", columns=["persona", "step", "post"])
    visit, row = np.unique(_key(seen["persona"].to_numpy(), seen["step"].to_numpy()), return_inverse=True)
    share = np.bincount(row, valence[place[seen["post"].to_numpy()]]) / np.bincount(row)
    wrote = _key(posts["author"].to_numpy(), posts["step"].to_numpy())
    known = np.isin(wrote, visit)
    at, emotional = np.searchsorted(visit, wrote[known]), valence[known]
    author = (visit[at] >> 32).astype(np.int64)
    shuffled = np.empty(len(at))
    order = np.lexsort((visit[at], author))
    luck = np.lexsort((streams.uniform("shuffle", author, visit[at] & (2**32 - 1)), author))
    shuffled[order] = share[at][luck]
    return float(share[at][emotional].mean() - shuffled[emotional].mean()) if emotional.any() else float("nan")


def _key(persona: NDArray[Any], step: NDArray[Any]) -> NDArray[np.int64]:
    return persona.astype(np.int64) << 32 | step.astype(np.int64)


def conversation_matching(frames: Frames, streams: Streams) -> float:
    """Slope of a reply's valence on its parent's, minus the slope on a random parent's. Tone matching in talk, not contagion.

    Dimensionless, 0 without matching; NaN with fewer than three replies.
    """
    posts = frames.arrow("posts", burn_in=True, columns=["id", "parent", "valence", "author", "step"])
    identity, parent, valence = (posts[c].to_numpy() for c in ("id", "parent", "valence"))
    place = np.zeros(int(identity.max(initial=0)) + 1, np.int64)
    place[identity] = np.arange(len(identity))
    replies = np.flatnonzero(parent >= 0)
    if len(replies) < 3:
        return float("nan")
    above = valence[place[parent[replies]]]
    key = streams.uniform("random parent", posts["author"].to_numpy()[replies], posts["step"].to_numpy()[replies])
    return _slope(above, valence[replies]) - _slope(above[np.argsort(key)], valence[replies])


def _slope(x: F64, y: F64) -> float:
    return float(np.cov(x, y)[0, 1] / np.var(x, ddof=1)) if np.var(x) > 0 else 0.0


# -- the probe ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class ProbeRow:
    """One figure of a probe: mean over seeds, 95 % t interval, and d in standard deviations of persona means."""

    measure: str
    estimate: str  # twin, plain, whole community, over-exposure, conversation matching
    arm: str  # what is compared
    difference: float
    low: float
    high: float
    d: float
    seeds: int
    causal: bool


@dataclass(frozen=True)
class Probe:
    """The answer of `probe`."""

    omit: Omit
    personas: int
    days: int
    seeds: int
    rows: tuple[ProbeRow, ...]

    def row(self, estimate: str, measure: str = "valence") -> ProbeRow:
        return next(r for r in self.rows if r.estimate == estimate and r.measure == measure)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; NaN as None."""
        return dict(plain(self))

    @property
    def sentence(self) -> str:
        """The causal answer in words: within the run, then for the whole community."""
        whole = self.row("whole community")
        if self.seeds < 6 or np.isnan(whole.low) or whole.low <= 0 <= whole.high:
            return self._within
        interval = f"{whole.difference:+.4f} ({whole.low:+.4f} to {whole.high:+.4f})"
        return f"{self._within} Withholding them from everybody moved it by {interval}, d = {whole.d:+.3f}."

    @property
    def _within(self) -> str:
        row = self.row("twin")
        if self.seeds < 6:
            return f"No answer: {self.seeds} seeds; 6 are the least for a claim."
        if np.isnan(row.difference):
            return "No answer: nobody opened a thread in both twins."
        what = f"withholding {self.omit} posts from a reader"
        if row.low == row.high == 0:
            return f"No contagion: {what} changed nothing that it wrote."
        moved = f"{what} moved the valence of its own threads by {row.difference:+.4f} ({row.low:+.4f} to {row.high:+.4f})"
        if row.low <= 0 <= row.high:
            return f"Not detectable at this size: {moved}. {self.to_detect}".rstrip()
        flag = " That is larger than any field study found: distrust it." if abs(row.d) > LARGE else ""
        return f"Mood spreads: {moved}, d = {row.d:+.3f}.{flag}"

    @property
    def to_detect(self) -> str:
        """What would show an effect as large as the field's, from the width of the twins' interval; "" where that cannot be told."""
        row = self.row("twin")
        if not row.d or np.isnan(row.d) or np.isnan(row.low):
            return ""
        half = (row.high - row.low) / 2 * row.d / row.difference  # in standard deviations
        seeds = round(self.seeds * (half / KRAMER) ** 2)
        if seeds <= self.seeds:
            return f"So d is below {abs(row.d) + half:.3f}."
        return (
            f"A d of {KRAMER:g}, the largest found in the field, takes about {seeds:,} seeds of this many members to be seen; "
            "ten times the members need a tenth of the seeds."
        )


def probe(
    community: Community | str | Path, omit: Omit = "positive", personas: int = 1000, days: int = 7, seeds: int = 8, *,
    first_seed: int = 1, feed: str | None = None, behaviour: BehaviourSettings = None, jobs: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Probe:  # fmt: skip
    """Measure contagion causally on a community.

    omit: the sign of the posts that are withheld. seeds: replicates, 1 to 1,000; fewer than 6 make no claim. feed, behaviour:
    in place of the community's own. jobs: processes. progress: called with (replicates done, of). Raises SpecError for input
    that makes no sense, or where no post of that sign was ever shown.
    """
    if omit not in ("positive", "negative"):
        raise SpecError(f"omit = {omit!r}: expected positive or negative.")
    if not 1 <= seeds <= 1000:
        raise SpecError(f"seeds = {seeds}: expected a whole number from 1 to 1,000.")
    loaded = community if isinstance(community, Community) else load_community(community)
    spec = RunSpec(loaded, make_arm(loaded, None, "probe", feed=feed, behaviour=behaviour), personas, days, first_seed)
    found: list[dict[str, dict[str, float]]] = []
    for replicate in _replicates([replace(spec, seed=seed) for seed in range(first_seed, first_seed + seeds)], omit, jobs):
        found.append(replicate)
        if progress is not None:
            progress(len(found), seeds)
    return Probe(omit, personas, days, seeds, tuple(_rows(found, omit)))


def _replicates(specs: list[RunSpec], omit: Omit, jobs: int) -> Iterator[dict[str, dict[str, float]]]:
    """What each seed found, in order."""
    if jobs == 1:
        yield from (_replicate(spec, omit) for spec in specs)
        return
    from joblib import Parallel, delayed

    yield from Parallel(n_jobs=jobs, return_as="generator")(delayed(_replicate)(spec, omit) for spec in specs)


def _replicate(spec: RunSpec, omit: Omit) -> dict[str, dict[str, float]]:
    near = topic_affinity(spec.community)
    with one_blas_thread():
        # Who has said more elsewhere would avoid other lines in a thread of its own: words, not mood.
        stage = replace(set_stage(spec, near), writer=SketchWriter(spec.community, forgetful=True))
        past, memory = past_of(spec, stage)
        people, streams = len(stage.population), stage.streams

        def played(exposure: Omission | None) -> tuple[Simulation, Frames]:
            recorder = memory.fork()
            sim = past.fork(spec.wired()._replace(exposure=exposure), recorder)
            sim.play(spec.days)
            return sim, recorder.frames()

        within, everyone = (Omission.drawn(omit, people, streams, everyone=e) for e in (False, True))
        twin_sim, twin_frames = played(None)
        written = twin_sim.platform.posts
        if not ((within.sign * written.valence > EMOTIONAL) & (written.author >= 0) & (written.step >= 0)).any():
            raise SpecError(f"probe: no {omit} post was written in seed {spec.seed}. Take more personas or days.")
        twin, talk = openings(twin_sim, twin_frames), words_in_all(twin_frames, people)

        def against_twin(exposure: Omission, group: Bytes | None) -> tuple[Openings, dict[str, float]]:
            sim, frames = played(exposure)
            own = openings(sim, frames)
            fewer = withdrawal_effect(words_in_all(frames, people), talk, group)
            return own, twin_effect(own, twin, group) | {WITHDRAWAL: fewer}

        (treated, effect), (_, whole) = against_twin(within, within.group), against_twin(everyone, None)
    return {
        "twin": effect,
        "plain": plain_effect(treated, within.group, stage.population.baseline),
        "whole community": whole,
        "over-exposure": {"share": over_exposure(twin_frames, streams, omit)},
        "conversation matching": {"slope": conversation_matching(twin_frames, streams)},
        "spread": spread(twin) | {WITHDRAWAL: float(np.std(talk, ddof=1))},
    }


def _rows(found: list[dict[str, dict[str, float]]], omit: Omit) -> list[ProbeRow]:
    arms = {
        "twin": "treatment - placebo, each against its twin",
        "plain": "treatment - placebo, adjusted for baseline valence",
        "whole community": "everybody treated - nobody",
        "over-exposure": f"before {omit} posts - exposures shuffled within persona",
        "conversation matching": "own parent - random parent",
    }
    unit = {name: t_interval([f["spread"][name] for f in found])[0] for name in (*OUTCOMES, WITHDRAWAL)}
    rows = []
    for estimate, arm in arms.items():
        for measure in found[0][estimate]:
            mean, low, high = t_interval([f[estimate][measure] for f in found])
            d = mean / unit[measure] if unit.get(measure, 0) > 0 else float("nan")
            rows.append(ProbeRow(measure, estimate, arm, mean, low, high, d, len(found), estimate in CAUSAL))
    return rows


def t_interval(values: list[float]) -> tuple[float, float, float]:
    """Mean and 95 % t interval over replicates; NaN ends with fewer than two values."""
    x = np.asarray([v for v in values if not np.isnan(v)])
    if not len(x):
        return float("nan"), float("nan"), float("nan")
    if len(x) < 2:
        return float(x[0]), float("nan"), float("nan")
    from scipy.stats import t

    half = float(t.ppf(0.975, len(x) - 1)) * float(x.std(ddof=1)) / np.sqrt(len(x))
    return float(x.mean()), float(x.mean() - half), float(x.mean() + half)
