"""What personas remember: a memory stream each, reflections drawn from it, and plans for days to come.

After Generative Agents (Park et al. 2023, UIST): what is recalled is what scores highest in recency + importance + relevance;
once the importance of what a persona has lived through since its last reflection adds up to a threshold, it reflects. Unlike
theirs a stream is bounded: the least valuable memory gives way, so that a run of any length costs the same. Only personas
that were given a memory have one, and a text that many have read is kept and embedded once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from simulacra.scoring.semantic import DIMENSIONS, WeightsError, embed, word_nearness
from simulacra.seams import Bools, Floats, Ints, State

SOURCES = ("read", "answered", "wrote", "news", "reflection", "life")
"""Where a memory comes from: a post read, an answer to one's own, a post of one's own, a piece of news, a thought, a start."""

CAPACITY = 96
"""Memories that a persona keeps."""
THRESHOLD = 150.0
"""Importance since the last reflection at which a persona reflects (Park et al. 2023)."""
DECAY = 0.995
"""Recency an hour after a memory was last called to mind (Park et al. 2023)."""
PLANS = 8
"""Plans that a persona keeps; the earliest give way."""
INSIGHT = 8.0
"""Importance of a reflection: above nearly all that is merely read."""

Embedder = Callable[[Sequence[str]], Floats]


class Memory:
    """The memories of all personas of one run that have any.

    embedder: texts to unit vectors [n, 384]; by default MiniLM. Where it raises WeightsError, relevance is the overlap of words
    and `warning` says so. threshold: see THRESHOLD; capacity: see CAPACITY.
    """

    def __init__(self, capacity: int = CAPACITY, threshold: float = THRESHOLD, embedder: Embedder = embed) -> None:
        self.capacity, self.threshold, self.embedder = capacity, threshold, embedder
        self.warning = ""  # one line where relevance is by words only
        self._texts = _Texts()
        self._streams: dict[int, int] = {}  # persona -> row of the arrays below
        self._count = np.zeros(0, np.int32)  # [streams] memories held
        self._unreflected = np.zeros(0, np.float32)  # [streams] importance since the last reflection
        self._text = np.zeros((0, capacity), np.int32)  # [streams, capacity] number of a text
        self._step = np.zeros((0, capacity), np.int32)  # when it happened
        self._called = np.zeros((0, capacity), np.int32)  # when it was last called to mind
        self._importance = np.zeros((0, capacity), np.float32)
        self._source = np.zeros((0, capacity), np.int8)
        self._plans: dict[int, list[tuple[int, str]]] = {}  # persona -> (step, what), by step

    def __len__(self) -> int:
        """Memories held, over all personas."""
        return int(self._count.sum())

    def has_any(self, persona: Ints) -> Bools:
        """Which of those personas remember anything [n]."""
        return np.isin(persona, np.fromiter(self._streams, np.int64, len(self._streams)))

    def holds(self, persona: int, words: str) -> bool:
        """Whether the persona remembers something in exactly those words."""
        row, number = self._streams.get(persona, -1), self._texts.find(words)
        return row >= 0 and number >= 0 and bool((self._text[row, : self._count[row]] == number).any())

    # -- taking in --

    def observe(
        self, persona: ArrayLike, step: int, text: Sequence[str], importance: ArrayLike, source: str | Sequence[str] = "read"
    ) -> None:
        """Remember, one row a memory, in order.

        persona: [n] ids, any number of times each. text: [n], empty ones are passed over. importance: [n] or one for all,
        clipped to 1..10. source: of SOURCES, one for all or [n]. What a persona already remembers in the same words is called
        to mind instead of stored twice. Raises ValueError for an unknown source.
        """
        who = np.atleast_1d(np.asarray(persona, np.int64))
        weight = np.clip(np.broadcast_to(np.asarray(importance, np.float32), who.shape), 1, 10)
        codes = [SOURCES.index(source)] * len(who) if isinstance(source, str) else [SOURCES.index(s) for s in source]
        for person, words, value, code in zip(who.tolist(), text, weight.tolist(), codes, strict=True):
            if words.strip():
                self._remember(person, step, words, value, code)
        self._texts.tidy(self._text, self._count)

    def _remember(self, persona: int, step: int, words: str, importance: float, source: int) -> None:
        row = self._row(persona)
        if source != SOURCES.index("reflection"):
            self._unreflected[row] += importance
        number, held = self._texts.number(words), int(self._count[row])
        again = np.flatnonzero(self._text[row, :held] == number)
        if len(again):
            self._called[row, again[0]] = step
            return
        at = held if held < self.capacity else int(np.argmin(self._value(row, step)))
        self._count[row] = max(held, at + 1)
        self._text[row, at], self._step[row, at], self._called[row, at] = number, step, step
        self._importance[row, at], self._source[row, at] = importance, source

    def _row(self, persona: int) -> int:
        row = self._streams.setdefault(persona, len(self._streams))
        if row >= len(self._count):
            self._grow(max(16, 2 * len(self._count)))
        return row

    def _grow(self, rows: int) -> None:
        for name in _ARRAYS:
            old = getattr(self, name)
            wider = np.zeros((rows, *old.shape[1:]), old.dtype)
            wider[: len(old)] = old
            setattr(self, name, wider)

    def _value(self, row: int, step: int) -> NDArray[np.float64]:
        """What each memory of a stream is worth keeping [held]: recency and importance, each on [0, 1]; age breaks ties."""
        held = self._count[row]
        recency = DECAY ** (step - self._called[row, :held]).astype(np.float64)
        return recency + self._importance[row, :held] / 10 + 1e-9 * self._step[row, :held]

    # -- calling to mind --

    def recall(
        self,
        persona: ArrayLike,
        queries: Sequence[str],
        step: int,
        k: int = 5,
        without: Sequence[Collection[str]] | None = None,
    ) -> list[list[str]]:
        """For each row the k memories that matter most for its query, best first; fewer where fewer are held, [] without any.

        persona: [n] ids; queries: [n] what the persona has before it, "" for what matters in general. A memory scores the sum
        of recency (DECAY to the hours since it was last called to mind), importance and relevance (cosine with the query), each
        stretched to [0, 1] over the persona's memories as Park et al. do. What is recalled counts as called to mind. without: [n]
        memories that are passed over, since the persona has the same before it.
        """
        who = np.atleast_1d(np.asarray(persona, np.int64)).tolist()
        rows = [self._streams.get(person, -1) for person in who]
        asked = self._vectors_of(rows, queries)
        out: list[list[str]] = []
        passed = without if without is not None else [()] * len(rows)
        for row, query, vector, there in zip(rows, queries, asked, passed, strict=True):
            best = self._best(row, query, vector, step) if row >= 0 else np.zeros(0, np.int64)
            best = np.array(
                [at for at in best[: k + len(there)] if self._texts.words[self._text[row, at]] not in there][:k], np.int64
            )
            out.append([self._texts.words[self._text[row, at]] for at in best])
            if len(best):
                self._called[row, best] = step
        return out

    def _best(self, row: int, query: str, vector: Floats | None, step: int) -> NDArray[np.int64]:
        """Places of all memories, what matters most first [held]."""
        held = int(self._count[row])
        recency = DECAY ** (step - self._called[row, :held]).astype(np.float64)
        score = _stretched(recency) + _stretched(self._importance[row, :held].astype(np.float64))
        score += _stretched(self._relevance(self._text[row, :held], query, vector))
        # Rounded, newest first among equals: the last digits of a cosine are no reason to prefer one memory.
        return np.lexsort((np.arange(held), -self._step[row, :held], -np.round(score, 3))).astype(np.int64)

    def _relevance(self, texts: Ints, query: str, vector: Floats | None) -> NDArray[np.float64]:
        if not query.strip():
            return np.zeros(len(texts))
        if vector is None:
            return np.asarray(word_nearness(query, [self._texts.words[n] for n in texts]), np.float64)
        return np.asarray(self._texts.vectors[texts].astype(np.float32) @ vector, np.float64)

    def _vectors_of(self, rows: Sequence[int], queries: Sequence[str]) -> list[Floats | None]:
        """The queries' vectors; those of memories that these personas hold are made on the way, in the same batch."""
        nothing: list[Floats | None] = [None] * len(queries)
        if self.warning or not queries:
            return nothing
        held = [self._text[row, : self._count[row]] for row in rows if row >= 0]
        fresh = self._texts.without_vector(np.concatenate(held) if held else np.zeros(0, np.int32))
        texts = [self._texts.words[n] for n in fresh]
        try:
            vectors = self.embedder([*texts, *(query or " " for query in queries)])
        except WeightsError as error:
            self.warning = f"What personas recall was matched by shared words only. {error}"
            return nothing
        self._texts.keep_vectors(fresh, vectors[: len(fresh)])
        return list(vectors[len(fresh) :])

    def recent(self, persona: int, n: int) -> list[str]:
        """The last n memories of a persona, the latest first; [] without any."""
        row = self._streams.get(int(persona), -1)
        if row < 0:
            return []
        held = int(self._count[row])
        order = np.lexsort((np.arange(held), self._step[row, :held]))[::-1][:n]
        return [self._texts.words[self._text[row, at]] for at in order]

    # -- reflecting --

    def due(self) -> Ints:
        """Personas, ascending, who have lived through enough since their last reflection to reflect now."""
        owners = np.fromiter(self._streams, np.int32, len(self._streams))
        return np.sort(owners[self._unreflected[: len(owners)] >= self.threshold])

    def reflected(self, persona: int, insights: Sequence[str], step: int) -> None:
        """The persona has reflected: its insights are memories from now on, and the count towards the next reflection starts anew
        (also with no insights, so that a failed reflection is not asked for every hour)."""
        self.observe([persona] * len(insights), step, insights, INSIGHT, "reflection")
        self._unreflected[self._row(int(persona))] = 0

    # -- planning --

    def intend(self, persona: int, when: int, what: str) -> None:
        """The persona means to do something at that step. The same again changes nothing."""
        plans = self._plans.setdefault(int(persona), [])
        if what.strip() and (when, what) not in plans:
            plans.append((when, what))
            plans.sort(key=lambda plan: plan[0])
            del plans[:-PLANS]

    def planned_ahead(self, persona: int, step: int) -> list[tuple[int, str]]:
        """(step, what) of all that the persona means to do after that step, the earliest first; [] for most people."""
        return [(when, what) for when, what in self._plans.get(int(persona), []) if when > step]

    # -- checkpoint --

    def state(self) -> State:
        """Everything, as named arrays."""
        rows = len(self._streams)
        plans = [(person, when, what) for person, known in self._plans.items() for when, what in known]
        own: State = {name.lstrip("_"): getattr(self, name)[:rows].copy() for name in _ARRAYS}
        own |= {"owner": np.array(list(self._streams), np.int64), "plan_steps": _pairs((p, w) for p, w, _ in plans)}
        own |= packed("plan", [what for *_, what in plans]) | packed("warning", [self.warning] if self.warning else [])
        return own | self._texts.state()

    def restore(self, state: State) -> None:
        for name in _ARRAYS:
            setattr(self, name, state[name.lstrip("_")].copy())
        self._streams = {int(person): row for row, person in enumerate(state["owner"])}
        self._plans = {}
        for (person, when), what in zip(state["plan_steps"].tolist(), unpacked("plan", state), strict=True):
            self._plans.setdefault(person, []).append((when, what))
        self.warning = "".join(unpacked("warning", state))
        self._texts.restore(state)


_ARRAYS = ("_count", "_unreflected", "_text", "_step", "_called", "_importance", "_source")


class _Texts:
    """Texts by number, each once, with the vector of those that were ever compared."""

    def __init__(self) -> None:
        self.words: list[str] = []
        self.vectors = np.zeros((0, DIMENSIONS), np.float16)
        self._known = np.zeros(0, bool)
        self._numbers: dict[str, int] = {}

    def number(self, words: str) -> int:
        number = self._numbers.setdefault(words, len(self.words))
        if number == len(self.words):
            self.words.append(words)
        return number

    def find(self, words: str) -> int:
        """The text's number; -1 where nobody remembers it."""
        return self._numbers.get(words, -1)

    def without_vector(self, numbers: Ints) -> Ints:
        """Those of the texts whose vector is not known yet, ascending, each once."""
        self._fit()
        wanted = np.unique(numbers)
        return wanted[~self._known[wanted]].astype(np.int32)

    def keep_vectors(self, numbers: Ints, vectors: Floats) -> None:
        self.vectors[numbers], self._known[numbers] = vectors, True

    def _fit(self) -> None:
        if len(self._known) < len(self.words):
            room = 2 * len(self.words)
            vectors, known = np.zeros((room, DIMENSIONS), np.float16), np.zeros(room, bool)
            vectors[: len(self.vectors)], known[: len(self._known)] = self.vectors, self._known
            self.vectors, self._known = vectors, known

    def tidy(self, text: Ints, count: Ints) -> None:
        """Drop texts that nobody remembers any more, once they are half of all; renumbers `text` in place."""
        if len(self.words) < 1024 or 2 * int(count.sum()) > len(self.words):
            return
        self._fit()
        held = np.arange(text.shape[1]) < count[:, None]
        live = np.unique(text[held])
        text[held] = np.searchsorted(live, text[held])
        self.words = [self.words[n] for n in live]
        self._numbers = {words: n for n, words in enumerate(self.words)}
        self.vectors, self._known = self.vectors[live], self._known[live]

    def state(self) -> State:
        self._fit()
        known = self._known[: len(self.words)]
        return {
            **packed("text", self.words),
            "embedded": known.copy(),
            "vectors": self.vectors[: len(self.words)][known].copy(),
        }

    def restore(self, state: State) -> None:
        self.words = unpacked("text", state)
        self._numbers = {words: n for n, words in enumerate(self.words)}
        self._known = state["embedded"].copy()
        self.vectors = np.zeros((len(self.words), DIMENSIONS), np.float16)
        self.vectors[self._known] = state["vectors"]


def importance(
    valence: Floats, toxicity: Floats, answers_me: Any, follows: Any, affinity: Floats | float = 0.0, votes: Any = 0
) -> Floats:
    """How much a post that was read matters to its reader [n], 1 to 10, where no model is asked: everyday things are 1 or 2, a
    strong feeling, an insult, an answer to oneself, somebody one follows, a topic one cares for or what many voted on are more.

    affinity: cosine of the reader's taste and the post's topic. votes: up and down together. 1 + 3 |valence| + 3 toxicity + 2.5
    answers me + .5 follows + affinity above 0 + .3 log2(1 + votes). Weights are ours.
    """
    strong = 3 * np.abs(valence) + 3 * np.asarray(toxicity, np.float32)
    mine = 2.5 * np.asarray(answers_me, bool) + 0.5 * np.asarray(follows, bool) + np.maximum(affinity, 0)
    return np.clip(1 + strong + mine + 0.3 * np.log2(1 + np.asarray(votes, np.float64)), 1, 10).astype(np.float32)


def _stretched(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Min-max to [0, 1]; all equal become 0, since they decide nothing."""
    low, high = values.min(initial=np.inf), values.max(initial=-np.inf)
    return (values - low) / (high - low) if high - low > 1e-9 else np.zeros(len(values))


def _pairs(rows: Iterable[tuple[int, int]]) -> NDArray[np.int64]:
    return np.array(list(rows), np.int64).reshape(-1, 2)


def packed(name: str, texts: Sequence[str]) -> State:
    """Texts as two arrays of a state: their bytes in UTF-8, and where each ends."""
    encoded = [text.encode("utf-8", "replace") for text in texts]
    ends = np.cumsum([len(e) for e in encoded], dtype=np.int64)
    return {name + "_bytes": np.frombuffer(b"".join(encoded), np.uint8).copy(), name + "_ends": ends}


def unpacked(name: str, state: State) -> list[str]:
    """The texts that `packed` put there."""
    blob, ends = state[name + "_bytes"].tobytes(), state[name + "_ends"].tolist()
    return [blob[a:b].decode("utf-8") for a, b in zip([0, *ends], ends, strict=False)]
