"""Counter-based randomness: every draw is a hash of (seed, purpose, keys), never the next number of a shared sequence.

So an extra draw in one arm of a comparison shifts no other draw (common random numbers by construction), and any part can be
computed in any order. Keys name who and when (author, step, lane), never a post id, a row number or a count of draws, because
those differ as soon as two arms write differently.

The hash is the finaliser of SplitMix64 (Steele, Lea, Flood 2014) chained over the keys.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import ArrayLike, NDArray

U64 = NDArray[np.uint64]
F64 = NDArray[np.float64]

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_M1 = np.uint64(0xBF58476D1CE4E5B9)
_M2 = np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31, _S11 = (np.uint64(s) for s in (30, 27, 31, 11))
_MASK = 2**64 - 1
_GAMMA_INT, _M1_INT, _M2_INT = int(_GAMMA), int(_M1), int(_M2)


def _mix(h: U64) -> U64:
    """SplitMix64's finaliser, in place on a fresh array."""
    h ^= h >> _S30
    h *= _M1
    h ^= h >> _S27
    h *= _M2
    h ^= h >> _S31
    return h


class Streams:
    """All randomness of one replicate. Two objects with equal seeds are equal; nothing is consumed by drawing."""

    def __init__(self, seed: int) -> None:
        self.seed = int(seed)
        self._roots: dict[str, int] = {}

    def bits(self, purpose: str, *keys: ArrayLike) -> U64:
        """64 random bits for every row of the broadcast keys.

        purpose: what the draw is for; draws of different purposes are independent. keys: integers, scalars or arrays that
        broadcast together (negative ones are fine). Returns an array of the broadcast shape; with only scalars, shape ().
        """
        root = self._roots.get(purpose)
        if root is None:
            root = self._roots[purpose] = self._root(purpose)
        # Scalars first, in plain integers: most keys but one are scalars and one array pass is saved for each.
        h, arrays = root, []
        for key in keys:
            if isinstance(key, int) or np.ndim(key) == 0:
                h = _mix_int((h ^ (int(key) & _MASK)) + _GAMMA_INT)  # type: ignore[arg-type]
            else:
                arrays.append(np.asarray(key))
        out: U64 | np.uint64 = np.uint64(h)
        for array in arrays:
            mixed = array.astype(np.int64, copy=False).view(np.uint64) ^ out
            mixed += _GAMMA
            out = _mix(mixed)
        return out  # type: ignore[return-value]

    def _root(self, purpose: str) -> int:
        """Where the chain of a purpose begins."""
        return int.from_bytes(blake2b(f"{self.seed}:{purpose}".encode(), digest_size=8).digest(), "little")

    def uniform(self, purpose: str, *keys: ArrayLike) -> F64:
        """Uniform on (0, 1), neither end included."""
        drawn = (self.bits(purpose, *keys) >> _S11).astype(np.float64)
        drawn += 0.5
        drawn *= 2.0**-53
        return drawn

    def normal(self, purpose: str, *keys: ArrayLike) -> F64:
        """Standard normal (Box and Muller 1958)."""
        u = self.uniform(purpose, *keys, 1)
        return np.sqrt(-2.0 * np.log(self.uniform(purpose, *keys, 0))) * np.cos(2.0 * np.pi * u)

    def exponential(self, purpose: str, *keys: ArrayLike) -> F64:
        """Exponential with mean 1."""
        return -np.log(self.uniform(purpose, *keys))

    def gumbel(self, purpose: str, *keys: ArrayLike) -> F64:
        """Standard Gumbel noise: the argmax of logits plus this noise is a categorical draw, keyed per category."""
        return -np.log(-np.log(self.uniform(purpose, *keys)))

    def integers(self, high: ArrayLike, purpose: str, *keys: ArrayLike) -> NDArray[np.int64]:
        """Uniform on 0 .. high-1 (high may be an array; every high at least 1)."""
        return (self.uniform(purpose, *keys) * np.asarray(high)).astype(np.int64)

    def pick(self, logits: ArrayLike, purpose: str, *keys: ArrayLike) -> NDArray[np.int64]:
        """A categorical draw per row of logits [m, c]; keys are scalars or arrays of length m. Category c has its own lane."""
        logits = np.asarray(logits)
        columns = np.arange(logits.shape[-1])
        rows = [k if np.ndim(k) == 0 else np.asarray(k)[:, None] for k in keys]
        return np.argmax(logits + self.gumbel(purpose, *rows, columns), axis=-1)

    def derive(self, purpose: str) -> Streams:
        """An independent family of streams, for a part that is shared by runs of other seeds or nested in this one."""
        return Streams(int(self.bits(purpose, 0)))


class Rerolled(Streams):
    """Other chances for what happens from a moment on, among the same people: what a draw fixes about a person for good stays."""

    LASTING = frozenset(("writer", "lurker", "manner", "life", "reach", "unfold"))
    """Purposes whose draws make a person or what it keeps to: how readily it writes and in which manner, what its life outside does
    to its mood, which posts of limited reach or folded away it is shown and opens."""

    def __init__(self, seed: int, lane: int) -> None:
        """lane: 0 draws as `Streams` does; every other number is another roll."""
        super().__init__(seed)
        self.lane = int(lane)

    def _root(self, purpose: str) -> int:
        return super()._root(purpose if not self.lane or purpose in self.LASTING else f"{purpose} again {self.lane}")


def _mix_int(h: int) -> int:
    h &= _MASK
    h = ((h ^ (h >> 30)) * _M1_INT) & _MASK
    h = ((h ^ (h >> 27)) * _M2_INT) & _MASK
    return h ^ (h >> 31)
