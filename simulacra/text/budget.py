"""What a run may spend on a model and what it has spent: caps on money, calls and minutes, live counters, a price table."""

from __future__ import annotations

import math
import os
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from importlib.resources import files
from pathlib import Path
from threading import Lock
from time import monotonic
from typing import Any, NamedTuple

from simulacra.errors import Capped, SpecError
from simulacra.text.models import ModelSpec

PRICES_ENV = "SIMULACRA_PRICES"
"""Names a user's own price table, read instead of the one that comes along."""

CHARS_PER_TOKEN = 4.0
"""Of English, roughly; what a call is taken to cost until the server has said what it did."""


# -- prices ----------------------------------------------------------------------------------------------------------------


class Price(NamedTuple):
    """US dollars per million tokens."""

    input: float
    output: float

    def of(self, input_tokens: float, output_tokens: float) -> float:
        """US dollars for so many tokens."""
        return (self.input * input_tokens + self.output * output_tokens) / 1e6


FREE = Price(0.0, 0.0)


def price_table(path: str | Path | None = None) -> dict[str, Price]:
    """Prices by model name, from `path`, else the file that SIMULACRA_PRICES names, else the one that comes along."""
    own = path or os.environ.get(PRICES_ENV)
    source = Path(own) if own else files("simulacra").joinpath("data/prices.toml")
    where = str(own or "prices.toml")
    try:
        models = tomllib.loads(source.read_text(encoding="utf-8")).get("models", {})
    except OSError as error:
        raise SpecError(f"{where}: cannot be read ({error.strerror}). {PRICES_ENV} is to name a price table.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"{where}: is no valid TOML ({error}). Mend that line.") from None
    return {name: _price(where, name, entry) for name, entry in models.items()}


def _price(where: str, name: str, entry: Any) -> Price:
    values = [entry.get(key) if isinstance(entry, Mapping) else None for key in Price._fields]
    if not all(isinstance(v, int | float) and not isinstance(v, bool) and math.isfinite(v) and v >= 0 for v in values):
        raise SpecError(f'{where}: models."{name}": expected input and output, dollars per million tokens, such as 0.15.')
    return Price(*(float(v) for v in values if v is not None))


def price_of(model: ModelSpec, table: Mapping[str, Price] | None = None) -> Price | None:
    """What the model costs: nothing on this machine, by the table elsewhere; None where the table does not know it.

    A dated name (gpt-4o-mini-2024-07-18) falls back to the name without its date.
    """
    if model.on_this_machine:
        return FREE
    table = price_table() if table is None else table
    undated = model.name.rstrip("0123456789-")
    return table.get(model.name, table.get(undated))


# -- what has been spent ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Spent:
    """Counters of one run or comparison."""

    calls: int = 0  # requests sent, retries included
    retries: int = 0  # of those, how many asked again for an answer that had been asked for before
    answers: int = 0  # prompts that calls were made for
    stored: int = 0  # prompts answered from what was stored
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0  # US dollars, for models with a known price
    unpriced: int = 0  # calls to models whose price is unknown
    failures: Mapping[str, int] = field(default_factory=dict)  # prompts by the reason why they have no answer, stored ones too
    in_flight: int = 0
    seconds: float = 0.0  # since the first call

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    def to_dict(self) -> dict[str, Any]:
        return {**self.__dict__, "failures": dict(self.failures)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Spent:
        known = {name: data[name] for name in cls.__dataclass_fields__ if name in data}
        return cls(**{**known, "failures": dict(known.get("failures", {})), "in_flight": 0})

    def briefly(self) -> str:
        """In a few words, for a line of progress."""
        cost = f"${self.cost:.2f}" + ("+" if self.unpriced else "")
        parts = [f"{self.calls:,} calls", f"{(self.input_tokens + self.output_tokens) / 1000:,.0f}k tokens", cost]
        return ", ".join([*parts, *([f"{self.failed:,} failed"] if self.failed else [])])

    def told(self) -> str:
        """In one line, for people."""
        cost = f"${self.cost:.4f}" if not self.unpriced else f"${self.cost:.4f} and {self.unpriced:,} calls of unknown price"
        parts = [
            f"{self.calls:,} calls ({self.retries:,} retries)",
            f"{self.input_tokens:,} + {self.output_tokens:,} tokens",
            cost,
        ]
        parts += [f"{self.stored:,} from store"] if self.stored else []
        parts += [f"{self.failed:,} failed"] if self.failed else []
        return ", ".join(parts)


@dataclass
class Budget:
    """Caps, and a live count against them; any number of generators and threads of a process may share one.

    A cap is hard: a call that might break it is not made. `Capped` is raised once those under way have ended, so nothing paid
    is lost. Starting from an earlier `spent`, a resumed run counts on where the first one stopped. Minutes count from the first call.
    """

    max_cost: float | None = None  # US dollars
    max_calls: int | None = None
    max_minutes: float | None = None
    spent_before: Spent = field(default_factory=Spent)
    clock: Callable[[], float] = monotonic

    def __post_init__(self) -> None:
        self._check_caps()
        self._lock = Lock()
        self._reserved = 0.0
        self._started: float | None = None
        self._stop: str = ""
        self.count_on(self.spent_before)

    def count_on(self, before: Spent) -> None:
        """Begin from what was spent before, as a resumed run does."""
        self.spent_before = before
        self._spent = replace(before, failures={}, in_flight=0)
        self._failures = Counter(before.failures)

    def _check_caps(self) -> None:
        for name in ("max_cost", "max_calls", "max_minutes"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, int | float) and math.isfinite(value) and value >= 0):
                raise SpecError(f"{name} = {value!r}: expected a number from 0.")

    @property
    def spent(self) -> Spent:
        """The counters now."""
        with self._lock:
            return replace(self._spent, failures=dict(self._failures), seconds=self._seconds())

    def stop(self, why: str = "stopped") -> None:
        """From now on no call is made: whoever asks next gets `Capped`."""
        self._stop = why

    def check(self) -> None:
        """Raise Capped where a cap has been reached."""
        with self._lock:
            self._check(0.0)

    def reserve(self, cost: float) -> bool:
        """Set so many dollars aside for a call about to be made. False: not before some that are under way have ended, since they
        may leave too little. Raises Capped where no cap has room for it."""
        with self._lock:
            self._started = self.clock() if self._started is None else self._started
            over = self.max_cost is not None and self._spent.cost + self._reserved + cost > self.max_cost
            if over and self._reserved > 1e-12:
                return False
            self._check(cost)
            self._reserved += cost
            self._count(in_flight=1)
            return True

    def call(self) -> None:
        """One request is about to be sent. Raises Capped where it would be one too many."""
        with self._lock:
            self._check(0.0)
            self._count(calls=1)

    def settle(self, reserved: float, price: Price | None, calls: int, input_tokens: int, output_tokens: int) -> None:
        """The call has ended, in whatever way: what was set aside for it becomes what it cost."""
        with self._lock:
            self._reserved -= reserved
            cost = price.of(input_tokens, output_tokens) if price else 0.0
            self._count(
                in_flight=-1, input_tokens=input_tokens, output_tokens=output_tokens, cost=cost, unpriced=0 if price else calls
            )

    def answered(self, calls: int, failure: str) -> None:
        """A prompt has its answer, after so many calls (0: it was stored), or the reason why there is none."""
        with self._lock:
            self._count(answers=int(calls > 0), stored=int(calls == 0), retries=max(calls - 1, 0))
            if failure:
                self._failures[failure] += 1

    def _count(self, **more: float) -> None:
        self._spent = replace(self._spent, **{name: getattr(self._spent, name) + value for name, value in more.items()})

    def _seconds(self) -> float:
        running = 0.0 if self._started is None else self.clock() - self._started
        return self.spent_before.seconds + running

    def _check(self, cost: float) -> None:
        spent = self._spent
        if self._stop:
            raise Capped(self._stop)
        if self.max_calls is not None and spent.calls >= self.max_calls:
            raise Capped(f"The cap of {self.max_calls:,} calls is reached.")
        if self.max_cost is not None and spent.cost + self._reserved + cost > self.max_cost:
            raise Capped(
                f"The cap of ${self.max_cost:g} is reached: ${spent.cost:.4f} are spent and another call may cost more."
            )
        if self.max_minutes is not None and self._seconds() > self.max_minutes * 60:
            raise Capped(f"The cap of {self.max_minutes:g} minutes is reached.")
