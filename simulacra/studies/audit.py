"""Is every knob live? `simulacra audit` turns each one notch and looks for what it promises (`knobs.KNOBS`).

Paired seeds: the past of a seed is played once and forked into an arm for every knob, so that arms share people, chances and the
first two days. A knob holds its promise when the 95 % t interval of the paired differences lies on the promised side of 0.

A quick audit looks first at one seed alone. A dead knob changes nothing there at all, since arms share every chance, and one that
acts the wrong way round mostly shows that too; so only knobs without the promised sign in that seed are then turned over all
seeds and judged by their interval, and those that move something, but with 0 inside the interval, once more over three times as
many. It misses a knob that hardly acts and has the right sign by luck: the full audit does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from simulacra.analysis.contrast import contrast
from simulacra.behaviour import USUAL, Behaviour
from simulacra.community import Community, load_community
from simulacra.designs import Arm, make_arm
from simulacra.errors import SpecError
from simulacra.events import KINDS
from simulacra.experiment import RunSpec, Stage, one_blas_thread, past_of, set_stage
from simulacra.minds.guided import sells
from simulacra.minds.relevance import relevance
from simulacra.parallel import spread
from simulacra.parameters import nearest
from simulacra.record.recording import MemoryRecorder
from simulacra.record.runfiles import plain
from simulacra.scoring.semantic import TopicAffinity, topic_affinity
from simulacra.simulation import Simulation
from simulacra.studies.knobs import KNOBS, NEWS, QUIET, Knob
from simulacra.studies.quantities import Played, quantities

_TALK = "talk of "
_TRACE = 1e-9
"""What is less is rounding."""

PERSONAS, SEEDS = 300, 6
LEAST_SEEDS = 3
"""Under three replicates a t interval says nothing."""


@dataclass(frozen=True)
class AuditRow:
    """What one knob did. NaN where it was not turned, or moved nothing that could be counted."""

    knob: str
    turned: str  # the notch: "hours=100"
    measure: str
    expected: str  # higher or lower
    difference: float
    low: float
    high: float
    seeds: int
    ok: bool | None  # None: this community lacks what the knob acts on
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; NaN as None."""
        return dict(plain(self))


@dataclass(frozen=True)
class Audit:
    """The answer of `audit`."""

    community: str
    personas: int
    seeds: int
    rows: tuple[AuditRow, ...]

    @property
    def failed(self) -> list[AuditRow]:
        return [row for row in self.rows if row.ok is False]

    @property
    def sentence(self) -> str:
        turned = [row for row in self.rows if row.ok is not None]
        held = f"{len(turned) - len(self.failed)} of {len(turned)} knobs move what they promise"
        if once := sum(row.seeds == 1 for row in turned):
            held = f"{held} ({once} seen in one seed alone, without an interval)"
        return f"{held}." if not self.failed else f"{held}; dead or wrong: {', '.join(row.knob for row in self.failed)}."

    def to_dict(self) -> dict[str, Any]:
        rows = [row.to_dict() for row in self.rows]
        size = {"community": self.community, "personas": self.personas, "seeds": self.seeds}
        return {**size, "failed": [row.knob for row in self.failed], "sentence": self.sentence, "rows": rows}


def audit(
    community: Community | str | Path, knobs: Sequence[str] = (), personas: int = PERSONAS, seeds: int = SEEDS, *,
    quick: bool = False, first_seed: int = 1, jobs: int = 1, progress: Callable[[int, int], None] | None = None,
) -> Audit:  # fmt: skip
    """Turn every knob, or those named, one notch over several seeds and judge it by what it promises.

    knobs: names or beginnings of names ("behaviour.contagion", "feed.weighted", "moderation.strikes"). quick: one seed, and all
    of them only for knobs that lack the promised sign in it, and twice as many more for those that these leave open. progress:
    called with (seeds done, of). Raises SpecError for a name that no knob has, or fewer than three seeds.
    """
    if not LEAST_SEEDS <= seeds <= 1000:
        raise SpecError(f"seeds = {seeds}: expected a whole number from {LEAST_SEEDS} to 1,000; an interval needs that many.")
    loaded = community if isinstance(community, Community) else load_community(community)
    chosen = _chosen(knobs)
    RunSpec(loaded, make_arm(loaded, QUIET), personas, 1, first_seed)  # its checks are ours
    live = [knob for knob in chosen if not knob.needs or _has(loaded, personas, knob)]
    near, known = topic_affinity(loaded), {}
    if quick:
        _, known[first_seed] = turn(live, loaded, near, personas, first_seed)
    looked = {id(knob): values for knob, values in zip(live, known.get(first_seed, ()), strict=quick)}
    doubted = [knob for knob in live if not (quick and _as_promised(knob, looked[id(knob)]))]
    by_knob: dict[int, list[tuple[float, float]]] = {id(knob): [] for knob in doubted}

    def play(knobs: Sequence[Knob], seeds: range) -> None:
        work, found = partial(turn, knobs, loaded, near, personas), dict[int, list[tuple[float, float]]]()
        for seed, values in spread(work, seeds if knobs else (), jobs):
            found[seed] = values
            if progress is not None:
                progress(len(found), len(seeds))
        for at, knob in enumerate(knobs):
            by_knob[id(knob)] += [found[seed][at] for seed in sorted(found)]

    play(doubted, range(first_seed, first_seed + seeds))
    if quick:
        open_still = [knob for knob in doubted if _is_open(_row(knob, by_knob[id(knob)]))]
        play(open_still, range(first_seed + seeds, first_seed + 3 * seeds))
    rows = tuple(
        _passed(knob, looked[id(knob)]) if id(knob) in looked and id(knob) not in by_knob else _row(knob, by_knob.get(id(knob)))
        for knob in chosen
    )
    return Audit(loaded.slug, personas, seeds, rows)


def turn(
    knobs: Sequence[Knob], community: Community, near: TopicAffinity, personas: int, seed: int
) -> tuple[int, list[tuple[float, float]]]:
    """(seed, for each knob what it moves before and after it is turned)."""
    with one_blas_thread():
        table = _Table(community, near, personas, seed, _wanted(knobs, community))
        return seed, [(table.value(knob, turned=False), table.value(knob, turned=True)) for knob in knobs]


def arms_of(knob: Knob, community: Community) -> tuple[Arm, Arm]:
    """The arm without and with the knob turned."""
    news = [NEWS[knob.news].format(topic=community.topics[0])] if knob.news else []
    before = [*QUIET.split(), *knob.context.split(), *news]
    turned = f"feed={knob.to}" if knob.key == "feed.mix.shares" else f"{knob.key}={knob.to}"
    return make_arm(community, before), make_arm(community, [*before, turned])


# -- one seed --------------------------------------------------------------------------------------------------------------


class _Key(NamedTuple):
    """What is played: equal keys are one arm."""

    design: str
    days: int


def _key(arm: Arm, days: int) -> _Key:
    return _Key(repr(sorted(arm.design().items())), days)


def _wanted(knobs: Sequence[Knob], community: Community) -> dict[_Key, set[str]]:
    """For every arm to be played, the quantities that somebody asks of it."""
    wanted: dict[_Key, set[str]] = {}
    for knob in knobs:
        for arm in arms_of(knob, community):
            wanted.setdefault(_key(arm, knob.days), set()).add(knob.moves)
    return wanted


class _Table:
    """The arms of one seed, each played once."""

    def __init__(
        self, community: Community, near: TopicAffinity, personas: int, seed: int, wanted: Mapping[_Key, set[str]]
    ) -> None:
        self._community, self._near, self._personas, self._seed, self._wanted = community, near, personas, seed, wanted
        self._values: dict[_Key, Mapping[str, float]] = {}
        self._pasts: dict[tuple[Behaviour, int], tuple[Stage, Simulation, MemoryRecorder]] = {}

    def value(self, knob: Knob, *, turned: bool) -> float:
        arm = arms_of(knob, self._community)[turned]
        key = _key(arm, knob.days)
        if key not in self._values:
            self._values[key] = quantities(sorted(self._wanted[key]), self._play(arm, knob.days))
        return self._values[key][knob.moves]

    def _play(self, arm: Arm, days: int) -> Played:
        spec = RunSpec(self._community, arm, self._personas, days, self._seed)
        past = spec.past_behaviour, days  # who joins later is drawn for the days of the run
        if past not in self._pasts:
            stage = set_stage(spec, self._near)
            self._pasts[past] = (stage, *past_of(spec, stage))
        _, before, memory = self._pasts[past]
        recorder = memory.fork()
        sim = before.fork(spec.wired(), recorder)
        sim.play(days)
        return Played(sim, recorder.frames())


# -- judging ---------------------------------------------------------------------------------------------------------------


def _row(knob: Knob, values: Sequence[tuple[float, float]] | None) -> AuditRow:
    turned = f"{knob.key.rpartition('.')[2]}={knob.to}"
    expected = "higher" if knob.sign > 0 else "lower"
    if values is None:
        nothing = math.nan
        note = f"not turned: this community has no {knob.needs.removeprefix('a ').replace('_', ' ')}"
        return AuditRow(knob.name, turned, knob.moves, expected, nothing, nothing, nothing, 0, None, note)
    before, after = zip(*values, strict=True)
    c = contrast(before, after)
    low, high = c.interval()
    ok = bool(c.paired and (low > 0 if knob.sign > 0 else high < 0))
    return AuditRow(knob.name, turned, knob.moves, expected, c.mean, low, high, c.seeds, ok)


def _as_promised(knob: Knob, values: tuple[float, float]) -> bool:
    before, after = values
    return (after - before) * knob.sign > _TRACE


def _is_open(row: AuditRow) -> bool:
    """It acts, but whether as promised these seeds do not say. (A dead knob moves nothing in any seed: its interval is a point.)"""
    return row.ok is False and row.low <= 0 <= row.high and row.high - row.low > _TRACE


def _passed(knob: Knob, values: tuple[float, float]) -> AuditRow:
    """A knob that showed the promised sign in the one seed that a quick audit plays."""
    row, (before, after) = _row(knob, None), values
    return replace(row, difference=after - before, seeds=1, ok=True, note="")


def _chosen(names: Sequence[str]) -> list[Knob]:
    chosen = [k for k in KNOBS if not names or any(k.name == n or k.name.startswith((f"{n}.", f"{n}=")) for n in names)]
    for name in names:
        if not any(k.name == name or k.name.startswith((f"{name}.", f"{name}=")) for k in chosen):
            raise SpecError(f"No knob called {name!r}.{nearest(name, [k.name for k in KNOBS])} See `simulacra parameters`.")
    return chosen


def _has(community: Community, personas: int, knob: Knob) -> bool:
    if knob.needs == "less than 1,000 members":
        return personas < USUAL
    if knob.needs == "sellers":
        return any(sells(sketch.sketch) for sketch in community.personas)
    if knob.needs.startswith(_TALK):
        return bool(relevance(community)[:, KINDS.index(knob.needs.removeprefix(_TALK))].any())
    return any(m.stance == "limits" and "self_promotion" in m.kinds for m in community.confirmed.values())
