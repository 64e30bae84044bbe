"""Growing thousands of distinct personas from a designer's few sketches, as one struct of arrays (persona.Population).

Every trait of persona i is drawn from streams keyed by i, so it is the same person in a population of a thousand and of a
million, and newcomers are the same whatever the length of the run. What a sketch says shifts the distributions of its
descendants; what it leaves open comes from the joint counts of US adults and from the population-wide distributions below.

Sources. Age band x sex x degree x party: data/us_adults_joint.csv (General Social Survey via the demographic bank of genagents;
see its header). Big Five correlations: signs and rounded sizes as in meta-analyses of self-reports (van der Linden, te
Nijenhuis, Bakker 2010, J. Res. Pers. 44:315, K = 212). Heavy-tailed activity: lognormal, as posts per user in forum archives,
its spread set so that as many post, once or much, as there (docs/odd.md); all other numbers here are assumptions, each named where it
stands.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simulacra.community import Community
from simulacra.errors import SpecError
from simulacra.people.bios import Facts, bios
from simulacra.people.lists import RETIRED, Index, occupations
from simulacra.people.names import handles
from simulacra.people.sketches import TRAITS, Reading, read_sketch
from simulacra.persona import OLD_HAND, Population
from simulacra.scoring.semantic import TopicAffinity, word_affinity
from simulacra.streams import F64, Streams

MAX_PERSONAS = 2_000_000
_CHUNK = 1 << 16  # rows grown at a time: bounds memory, changes nothing

AGE_BANDS = ((18, 29), (30, 44), (45, 59), (60, 90))
DEGREES = ("Less than high school", "High school", "Associate/junior college", "Bachelor's", "Graduate")
# Openness, conscientiousness, extraversion, agreeableness, neuroticism.
BIG_FIVE_CORRELATIONS = np.array([
    [1.00, 0.15, 0.30, 0.15, -0.10],
    [0.15, 1.00, 0.20, 0.30, -0.30],
    [0.30, 0.20, 1.00, 0.20, -0.25],
    [0.15, 0.30, 0.20, 1.00, -0.25],
    [-0.10, -0.30, -0.25, -0.25, 1.00],
])  # fmt: skip
WITHIN_SKETCH_SD = 0.85  # of a trait around its sketch, so that the whole population keeps an SD of about 1
AGE_SD = 4.5  # years around the sketch's age
VISITS_A_DAY = 2.4  # mean of the lognormal, before the cap
ACTIVITY_SIGMA = 1.7  # of log visits: the median member comes every other day, one in ten less than every two weeks
MAX_VISITS_A_DAY = 12.0
KEEPS_WORK, RELATED_WORK = 0.5, 0.9  # cumulative: the sketch's occupation, one of its field; else any
KEEPS_HABIT = 0.88  # share of descendants who write as their sketch says
INTEREST_SHARPNESS, INTEREST_NOISE = 0.9, 0.9  # of the sketch's nearness to topics, and of persons around it
GROUP_SIZES = (0.35, 0.65)  # expected share of home group 1 is kept in here; the realised one stays within 30 to 70 %
GROUP_PULL = 2.0  # log odds of home group 1 per unit of lean
GROUP_PARTY = {"Democrat": 0.5, "Independent": 0.0, "Republican": -0.5}  # and by party
PARTY_PULL = 1.0  # log weight of a party per unit of the sketch's lean
_SHIFTS = (*TRAITS, "baseline", "irritability", "compliance", "susceptibility", "activity")
_STYLES = ("verbosity", "punctuation", "emoji", "capitals")


def grow(
    community: Community,
    personas: int,
    streams: Streams,
    days: int = 7,
    newcomer_rate: float = 0.0,
    similarity: TopicAffinity | None = None,
) -> Population:
    """A population of `personas` old hands and round(personas * newcomer_rate * days) newcomers, in this order.

    personas: 1 to 2,000,000 who are there when the simulation begins. days: measured days, over which newcomers arrive evenly
    (step 0 to days * 24 - 1). newcomer_rate: newcomers a day per old hand, 0 to 1. similarity: nearness of sketches to topics
    (scoring.semantic.topic_affinity); None compares words. Raises SpecError for counts that make no sense.
    """
    _check(personas, days, newcomer_rate)
    total = personas + round(personas * newcomer_rate * days)
    lineage = _lineage(community, similarity or word_affinity(community), streams)
    chunks = [_chunk(community, lineage, np.arange(low, min(low + _CHUNK, total)), streams) for low in range(0, total, _CHUNK)]
    columns = {f.name: np.concatenate([c[f.name] for c in chunks]) for f in fields(Population) if f.name != "arrival"}
    return Population(**columns, arrival=_arrivals(personas, total, newcomer_rate, streams))


def _check(personas: int, days: int, newcomer_rate: float) -> None:
    if isinstance(personas, bool) or not 1 <= personas <= MAX_PERSONAS:
        raise SpecError(f"personas is {personas!r}, expected a whole number from 1 to {MAX_PERSONAS:,}. Choose another.")
    if not 1 <= days <= 10_000:
        raise SpecError(f"days is {days!r}, expected a whole number from 1 to 10,000. Choose another.")
    if not 0 <= newcomer_rate <= 1:
        raise SpecError(f"newcomer_rate is {newcomer_rate!r}, expected a number from 0 to 1 (newcomers a day per old hand).")


def _arrivals(personas: int, total: int, rate: float, streams: Streams) -> NDArray[np.int32]:
    """OLD_HAND, then steps of an endless even sequence of newcomers: the j-th does not depend on how many follow."""
    arrival = np.full(total, OLD_HAND, np.int32)
    if total > personas:
        j = np.arange(total - personas)
        # Jitter by half a gap at most: then the round(...) first newcomers all come before the last day ends.
        when = (j + 0.5 * streams.uniform("arrival", j)) / (personas * rate)
        arrival[personas:] = (24 * when).astype(np.int32)
    return arrival


# -- what sketches say, as arrays ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Lineage:
    """The sketches (S) of a community as arrays, and tables to draw their descendants from."""

    ends: F64  # [S] cumulative shares
    shift: F64  # [S, len(_SHIFTS)]
    age: F64  # [S] years, NaN where open
    is_retired: NDArray[np.bool_]  # [S]
    style: F64  # [S, 4] levels in the order of _STYLES, NaN where open
    lean: F64  # [S] towards home group 1, -1 to 1
    group_offset: float
    interests: F64  # [S, T] standardised nearness to topics
    mix: F64  # [T, T] makes the noise of near topics alike
    works: tuple[str, ...]  # all occupations: titles of the lists, then those of the sketches
    work: Index  # [S] index into works, -1 where open
    field: Index  # [S] field of occupation, -1 where unknown
    degree: Index  # [works] least degree
    cells: F64  # [S, bands, degrees, cells] cumulative chances of a cell of the joint counts


def _lineage(community: Community, similarity: TopicAffinity, streams: Streams) -> _Lineage:
    readings = [read_sketch(s.sketch) for s in community.personas]
    weights = np.array([s.weight for s in community.personas])
    lean = _leans(readings, streams)
    jobs = occupations()
    own = [r.work.removeprefix(RETIRED).removeprefix(RETIRED.title()) for r in readings]
    works = (*jobs.titles, *own)
    return _Lineage(
        ends=np.cumsum(weights) / weights.sum(),
        shift=np.array([[r.shifts.get(t, 0.0) for t in _SHIFTS] for r in readings]),
        age=np.array([np.nan if r.age is None else r.age for r in readings]),
        is_retired=np.array(["retire" in r.work.lower() for r in readings]),
        style=np.array([[r.style.get(s, np.nan) for s in _STYLES] for r in readings]),
        lean=lean,
        group_offset=_group_offset(readings, lean, weights / weights.sum()),
        interests=_standardised(similarity.sketches),
        mix=_noise_mix(similarity.topics),
        works=works,
        work=np.array([len(jobs.titles) + i if work else -1 for i, work in enumerate(own)]),
        field=np.array([jobs.field_of(r.work) for r in readings]),
        degree=np.array([*jobs.degree, *(jobs.degree_of(work) for work in own)]),
        cells=_cell_chances(readings, lean),
    )


def _standardised(near: NDArray[np.floating[Any]]) -> F64:
    """Rows with mean 0 and SD 1; 0 where a sketch is equally near to all topics."""
    centred = near - near.mean(axis=1, keepdims=True)
    spread = centred.std(axis=1, keepdims=True)
    standard: F64 = np.where(spread > 1e-6, centred / np.maximum(spread, 1e-6), 0.0).astype(np.float64)
    return standard


def _noise_mix(topics: NDArray[np.floating[Any]]) -> F64:
    """[T, T]: independent noise times this is correlated as the topics are near, each topic's variance 1."""
    values, vectors = np.linalg.eigh(topics.astype(np.float64))
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    # rounded, since eigenvectors differ in their last digits between processors
    return np.round(root / np.maximum(np.linalg.norm(root, axis=0), 1e-9), 6)


def _leans(readings: list[Reading], streams: Streams) -> F64:
    """Each sketch leans to a home group: by its stance words, else a little, by a coin."""
    coin = np.where(streams.uniform("sketch lean", np.arange(len(readings))) < 0.5, -0.35, 0.35)
    return np.array([c if r.lean is None else r.lean for r, c in zip(readings, coin, strict=True)])


def _group_offset(readings: list[Reading], lean: F64, shares: F64) -> float:
    """What to add to every log odds so that the expected size of group 1 stays within GROUP_SIZES (bisection)."""
    counts = us_adults()
    weight = counts.people * _party_weight(readings, lean)  # [S, cells]
    chance = shares[:, None] * weight / weight.sum(axis=1, keepdims=True)
    odds = GROUP_PULL * lean[:, None] + np.array([GROUP_PARTY[party] for party in counts.party])

    def size(offset: float) -> float:
        return float((chance * _logistic(odds + offset)).sum())

    target = float(np.clip(size(0.0), *GROUP_SIZES))
    low, high = -8.0, 8.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if size(middle) < target else (low, middle)
    return round(low, 6)


def _party_weight(readings: list[Reading], lean: F64) -> F64:
    """How the stance of a sketch weighs the parties of the joint counts, [S, cells]; 1 where it takes none."""
    party = us_adults().party
    side = (party == "Democrat").astype(float) - (party == "Republican")
    stance = np.array([[0.0] if r.lean is None else [x] for r, x in zip(readings, lean, strict=True)])
    weight: F64 = np.exp(PARTY_PULL * stance * side)
    return weight


# -- demographics ----------------------------------------------------------------------------------------------------------


class _Counts(NamedTuple):
    """The joint counts: one row a cell."""

    band: Index
    sex: NDArray[np.object_]
    degree: Index  # index into DEGREES
    party: NDArray[np.object_]
    people: F64


@cache
def us_adults() -> _Counts:
    """Counts of US adults by age band, sex, degree and party (data/us_adults_joint.csv; source in its header)."""
    content = files("simulacra").joinpath("data/us_adults_joint.csv").read_text("utf-8")
    rows = list(csv.DictReader(line for line in content.splitlines() if not line.startswith("#")))
    bands = sorted({r["age_band"] for r in rows})
    return _Counts(
        np.array([bands.index(r["age_band"]) for r in rows]),
        np.array([r["sex"] for r in rows], object),
        np.array([DEGREES.index(r["degree"]) for r in rows]),
        np.array([r["party"] for r in rows], object),
        np.array([float(r["count"]) for r in rows]),
    )


def _cell_chances(readings: list[Reading], lean: F64) -> F64:
    """Cumulative chances of each cell for a sketch, an age band and a least degree, [S, bands, degrees, cells].

    A sketch's sex is nearly always kept, its stance weighs parties, its occupation bounds the degree from below.
    """
    counts = us_adults()
    sexes = np.array([[1.0 if not r.sex else 0.95 if s == r.sex else 0.05 for s in counts.sex] for r in readings])
    weight = counts.people * sexes * _party_weight(readings, lean)
    in_band = counts.band == np.arange(len(AGE_BANDS))[:, None]
    enough = counts.degree >= np.arange(len(DEGREES))[:, None]
    chances = weight[:, None, None] * in_band[None, :, None] * enough[None, None]
    sums = np.cumsum(chances, axis=-1)
    return sums / sums[..., -1:]


def _cells(lineage: _Lineage, sketch: Index, band: Index, degree: Index, ids: Index, streams: Streams) -> Index:
    """A cell of the joint counts for each persona: inverse of the cumulative chances, all rows in one search."""
    n_cells = lineage.cells.shape[-1]
    table = (sketch * len(AGE_BANDS) + band) * len(DEGREES) + degree
    flat = (lineage.cells.reshape(-1, n_cells) + np.arange(lineage.cells.size // n_cells)[:, None]).ravel()
    found = np.searchsorted(flat, table + streams.uniform("demographics", ids))
    return np.minimum(found - table * n_cells, n_cells - 1)


def _ages(lineage: _Lineage, sketch: Index, ids: Index, streams: Streams) -> Index:
    """Years: around the sketch's, else from the joint counts' bands (above 60 with an exponential tail of mean 10)."""
    counts = us_adults()
    share = np.cumsum(np.bincount(counts.band, counts.people)) / counts.people.sum()
    band = np.searchsorted(share, streams.uniform("age band", ids))
    low, high = np.array(AGE_BANDS).T
    inside = low[band] + streams.uniform("age", ids) * (high[band] - low[band] + 1)
    elder = 60 + np.minimum(10 * streams.exponential("age", ids), 30)
    drawn = np.where(band == len(AGE_BANDS) - 1, elder, inside)
    around = lineage.age[sketch] + AGE_SD * streams.normal("age around", ids)
    return np.clip(np.where(np.isnan(around), drawn, np.round(around)), 18, 90).astype(np.int64)


def _works(lineage: _Lineage, sketch: Index, age: Index, ids: Index, streams: Streams) -> Index:
    """Occupation (index into lineage.works): the sketch's, one of its field, or any; nobody is a student for life."""
    jobs = occupations()
    own, area = lineage.work[sketch], lineage.field[sketch]
    u = streams.uniform("work", ids)
    study = jobs.fields.index("study")
    general = streams.integers(jobs.start[study], "work general", ids)  # study is the last field
    related = _related(lineage, area, own, ids, streams)
    work = np.where((u < RELATED_WORK) & (area >= 0), related, general)
    work = np.where((work >= jobs.start[study]) & (work < len(jobs.titles)) & (age > 32), general, work)
    # Below 23 most have no degree yet: an occupation that asks for one becomes a student's.
    learning = jobs.start[study] + streams.integers(len(jobs.titles) - jobs.start[study], "work study", ids)
    work = np.where((age < 23) & (lineage.degree[work] >= 3), learning, work)
    too_old = (area == study) & (age > 35)
    return np.where((u < KEEPS_WORK) & (own >= 0) & ~too_old, own, work)


def _related(lineage: _Lineage, area: Index, own: Index, ids: Index, streams: Streams) -> Index:
    """An occupation of the same field: of two drawn, the one whose degree is nearer to that of the sketch's.

    Rows without a field (-1) get one of the first field, which the caller does not use.
    """
    start, area = occupations().start, np.maximum(area, 0)
    size = (start[1:] - start[:-1])[area]
    first, second = (start[area] + streams.integers(size, "work related", ids, lane) for lane in range(2))
    gap = [np.abs(lineage.degree[draw] - lineage.degree[own]) for draw in (first, second)]
    return np.where(gap[0] <= gap[1], first, second)


def _retired(lineage: _Lineage, sketch: Index, age: Index, ids: Index, streams: Streams) -> NDArray[np.bool_]:
    """Whether an occupation lies in the past: with a retired sketch from 57 on, else by age (assumed .35 at 63, .8 at 67)."""
    chance = np.select([age >= 67, age >= 63], [0.8, 0.35], 0.0)
    by_age = (streams.uniform("retired", ids) < chance) & (np.isnan(lineage.age[sketch]) | lineage.is_retired[sketch])
    return by_age | (lineage.is_retired[sketch] & (age >= 57))


# -- persons ---------------------------------------------------------------------------------------------------------------


def _chunk(community: Community, lineage: _Lineage, ids: Index, streams: Streams) -> dict[str, NDArray[Any]]:
    """All columns but arrival for the personas with these ids."""
    sketch = _sketches(lineage, ids, streams)
    age = _ages(lineage, sketch, ids, streams)
    work = _works(lineage, sketch, age, ids, streams)
    is_retired = _retired(lineage, sketch, age, ids, streams)
    band = np.searchsorted([high for _, high in AGE_BANDS], age)
    least_degree = np.where(age < 22, np.minimum(lineage.degree[work], 1), lineage.degree[work])
    cell = _cells(lineage, sketch, band, least_degree, ids, streams)
    counts = us_adults()
    traits = _traits(lineage, sketch, ids, streams)
    style = _style(lineage, sketch, age, ids, streams)
    interests = _interests(lineage, sketch, ids, streams)
    works = np.array([*lineage.works, *(RETIRED + w for w in lineage.works)], object)
    columns = {
        "handle": handles(ids, counts.sex[cell] == "Female", streams),
        "bio": bios(_facts(community, lineage, ids, age, work, is_retired, interests, traits, style), streams),
        "sketch": sketch.astype(np.int16),
        "age": age.astype(np.int8),
        "sex": counts.sex[cell],
        "degree": np.array(DEGREES, object)[counts.degree[cell]],
        "party": counts.party[cell],
        "work": works[work + len(lineage.works) * is_retired],
        "interests": interests,
        "group": _groups(lineage, sketch, counts.party[cell], ids, streams),
    }
    return columns | {name: _quantised(values) for name, values in (traits | style).items()}


def _quantised(values: F64) -> NDArray[np.float32]:
    """Four decimals: exp and log differ in their last digits between processors."""
    return np.round(values, 4).astype(np.float32)


def _sketches(lineage: _Lineage, ids: Index, streams: Streams) -> Index:
    """Which sketch each descends from: a golden-ratio sequence, so that even thirty personas show the shares asked for."""
    u = (ids * 0.6180339887498949 + streams.uniform("sketch", 0)) % 1.0
    return np.searchsorted(lineage.ends[:-1], u, side="right")


def _traits(lineage: _Lineage, sketch: Index, ids: Index, streams: Streams) -> dict[str, F64]:
    """Big Five as correlated z scores around the sketch, and what follows from them (weights are assumptions)."""
    shift = dict(zip(_SHIFTS, lineage.shift[sketch].T, strict=True))
    noise = np.stack([streams.normal("big five", ids, i) for i in range(5)], axis=1)
    own = noise @ np.linalg.cholesky(BIG_FIVE_CORRELATIONS).T
    o, c, e, a, n = (WITHIN_SKETCH_SD * own[:, i] + shift[t] for i, t in enumerate(TRAITS))
    eps = {name: streams.normal(name, ids) for name in ("baseline", "irritability", "compliance", "susceptibility", "activity")}
    log_visits = ACTIVITY_SIGMA * (0.25 * own[:, 2] + np.sqrt(1 - 0.25**2) * eps["activity"]) + shift["activity"]
    return {
        "openness": o, "conscientiousness": c, "extraversion": e, "agreeableness": a, "neuroticism": n,
        "baseline": np.clip(0.1 + shift["baseline"] + 0.05 * own[:, 2] - 0.08 * own[:, 4] + 0.13 * eps["baseline"], -0.9, 0.9),
        "irritability": _logistic(0.6 * n - 0.6 * a + 0.5 * shift["irritability"] + 0.5 * eps["irritability"]),
        "susceptibility": _logistic(0.3 * own[:, 4] + 0.5 * shift["susceptibility"] + 0.7 * eps["susceptibility"]),
        "compliance": _logistic(0.5 * a + 0.5 * c + shift["compliance"] + 0.5 * eps["compliance"]),
        # exp(mu + sigma z) has mean exp(mu + sigma^2 / 2)
        "activity": np.minimum(VISITS_A_DAY * np.exp(log_visits - ACTIVITY_SIGMA**2 / 2), MAX_VISITS_A_DAY),
    }  # fmt: skip


def _logistic(x: F64) -> F64:
    return 1.0 / (1.0 + np.exp(-x))


def _style(lineage: _Lineage, sketch: Index, age: Index, ids: Index, streams: Streams) -> dict[str, F64]:
    """Writing habits in [0, 1]: the sketch's for most of its descendants, else as people vary (assumed shares)."""
    u, kind = streams.uniform("style level", ids[:, None], np.arange(4)), streams.uniform("style kind", ids)
    eps = streams.normal("style", ids[:, None], np.arange(4))
    young, old = age < 30, age >= 60
    general = np.stack([
        _logistic(0.9 * eps[:, 0]),
        np.where(u[:, 1] < 0.08, 0.12, 0.5 + 0.13 * eps[:, 1]),
        u[:, 2] ** 5 * np.select([young, old], [1.0, 0.5], 0.8),
        np.select([u[:, 3] < np.where(young, 0.2, 0.08), u[:, 3] > 0.97], [0.04, 0.85], 0.5 + 0.05 * eps[:, 3]),
    ], axis=1)  # fmt: skip
    asked = lineage.style[sketch]
    spread = np.where((asked < 0.05) | (asked == 0.5), 0.02, 0.07)  # "never" and "as in school" leave little room
    as_sketched = asked + spread * eps
    levels = np.where(np.isnan(asked) | (kind > KEEPS_HABIT)[:, None], general, as_sketched)
    return dict(zip(_STYLES, np.clip(levels, 0.0, 1.0).T, strict=True))


def _interests(lineage: _Lineage, sketch: Index, ids: Index, streams: Streams) -> NDArray[np.float32]:
    """Shares of attention over topics, [n, T], rows sum to 1: near topics share their noise."""
    noise = streams.normal("interest", ids[:, None], np.arange(len(lineage.mix))) @ lineage.mix
    logits = INTEREST_SHARPNESS * lineage.interests[sketch] + INTEREST_NOISE * noise
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    return _quantised(shares / shares.sum(axis=1, keepdims=True))


def _groups(lineage: _Lineage, sketch: Index, party: NDArray[np.object_], ids: Index, streams: Streams) -> NDArray[np.int8]:
    """Home group by the sketch's lean, party and a coin."""
    by_party = sum(value * (party == name) for name, value in GROUP_PARTY.items())
    odds = GROUP_PULL * lineage.lean[sketch] + lineage.group_offset + by_party
    return (streams.uniform("group", ids) < _logistic(odds)).astype(np.int8)


def _facts(
    community: Community, lineage: _Lineage, ids: Index, age: Index, work: Index, is_retired: NDArray[np.bool_],
    interests: NDArray[np.float32], traits: dict[str, F64], style: dict[str, F64],
) -> Facts:  # fmt: skip
    first = np.argmax(interests, axis=1)
    rest = interests.copy()
    np.put_along_axis(rest, first[:, None], -1.0, axis=1)
    mood = (traits["baseline"] - 0.1) / 0.2
    temper = np.stack([
        mood, -traits["agreeableness"] - 0.5 * mood, traits["neuroticism"], -traits["neuroticism"], traits["extraversion"],
        -traits["extraversion"], traits["conscientiousness"], traits["openness"],
        4 * (style["verbosity"] - 0.5), 4 * (0.5 - style["verbosity"]),
    ], axis=1)  # fmt: skip
    return Facts(ids, age, lineage.works, work, is_retired, community.topics, first, np.argmax(rest, axis=1), temper,
                 style["capitals"].astype(np.float32), style["punctuation"].astype(np.float32),
                 style["emoji"].astype(np.float32))  # fmt: skip
