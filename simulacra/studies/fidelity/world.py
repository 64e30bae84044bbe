"""What the figures are taken from: one seed of one community, with every arm that a figure asks for, each played once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from simulacra.analysis.facts import Facts
from simulacra.behaviour import Behaviour
from simulacra.community import Community
from simulacra.designs import make_arm
from simulacra.experiment import RunSpec, Stage, past_of, set_stage
from simulacra.record.frames import Frames, Source
from simulacra.record.recording import MemoryRecorder
from simulacra.scoring.semantic import TopicAffinity
from simulacra.seams import Exposure
from simulacra.simulation import Simulation
from simulacra.studies.quantities import Played

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
Pairs = str | tuple[str, ...]
"""Settings as one string of pairs, or pair by pair."""
EachHour = Callable[[Simulation], None]
"""What an experimenter does to the platform at the end of every hour."""


class Size(NamedTuple):
    """How large the worlds are."""

    personas: int = 1000  # of the run that levels are taken from
    days: int = 30  # of the same run
    arm_personas: int = 5000  # of the arms of experiments: an effect is smaller than a level and needs more members
    arm_days: int = 7  # of the same arms


@dataclass(frozen=True)
class FirstDays:
    """A run as it stood after some days."""

    whole: Source
    last: int

    @property
    def label_sets(self) -> dict[str, tuple[str, ...]]:
        return self.whole.label_sets

    @property
    def days(self) -> list[int]:
        return [day for day in self.whole.days if day <= self.last]

    def parts(self, table: str, day: int) -> pa.Table | Path | None:
        return self.whole.parts(table, day)

    def personas(self) -> pa.Table:
        return self.whole.personas()


class World:
    """One seed of one community. Arms share its past, its people and its chances."""

    def __init__(self, community: Community, near: TopicAffinity, size: Size, seed: int) -> None:
        self.community, self.size, self.seed = community, size, seed
        self._near = near
        self._pasts: dict[tuple[Behaviour, int, int], tuple[Stage, Simulation, MemoryRecorder]] = {}
        self._arms: dict[object, Played] = {}
        self._found: dict[str, Any] = {}

    @cached_property
    def _month(self) -> MemoryRecorder:
        return self._play("", self.size.days, self.size.personas)[1]

    @cached_property
    def month(self) -> Facts:
        """The community under its own design, over all days."""
        return Facts(self._month.frames())

    def first(self, days: int) -> Facts:
        """The same run after its first days."""
        return Facts(Frames(FirstDays(self._month, days)))

    def once(self, name: str, experiment: Callable[[World], T]) -> T:
        """What an experiment found, made when first asked for."""
        if name not in self._found:
            self._found[name] = experiment(self)
        found: T = self._found[name]
        return found

    def arm(self, settings: Pairs = "", personas: int | None = None, days: int | None = None) -> Played:
        """The community with other settings, over the days of an experiment; played when first asked for."""
        key = settings, personas, days
        if key not in self._arms:
            sim, recorder = self._play(settings, days or self.size.arm_days, personas or self.size.arm_personas)
            self._arms[key] = Played(sim, recorder.frames())
        return self._arms[key]

    def treated(self, settings: Pairs, *, each_hour: EachHour | None = None, exposure: Exposure | None = None) -> Played:
        """The same arm with an experimenter at work in it."""
        sim, recorder = self._play(settings, self.size.arm_days, self.size.arm_personas, each_hour, exposure)
        return Played(sim, recorder.frames())

    def _play(
        self, settings: Pairs, days: int, personas: int, each_hour: EachHour | None = None, exposure: Exposure | None = None
    ) -> tuple[Simulation, MemoryRecorder]:
        # Who joins is drawn for the longest run, so that an arm of a few days has the same newcomers as the month.
        spec = RunSpec(
            self.community,
            make_arm(self.community, settings.split() if isinstance(settings, str) else list(settings)),
            personas,
            max(days, self.size.days),
            self.seed,
        )
        key = spec.past_behaviour, personas, spec.days
        if key not in self._pasts:
            stage = set_stage(spec, self._near)
            self._pasts[key] = (stage, *past_of(spec, stage))
        _, past, memory = self._pasts[key]
        recorder = memory.fork()
        sim = past.fork(spec.wired()._replace(exposure=exposure), recorder)
        for hour in range(days * 24) if each_hour else ():
            sim.play_until(hour + 1)
            each_hour(sim)  # type: ignore[misc]
        sim.play(days)
        return sim, recorder
