"""The answer: two designs compared over seeds, with rows, sentences, limits, and where the records are."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulacra.analysis.comparison import Row, headline, paired_rows, pairing_note, rows_table
from simulacra.analysis.judge import NOBODY, Judged
from simulacra.analysis.limits import limits_of
from simulacra.analysis.turns import language_facts
from simulacra.designs import differences, levers
from simulacra.experiment import warnings_of
from simulacra.replicates.auto import stopping_rule
from simulacra.replicates.folder import ExperimentFolder, read_json
from simulacra.replicates.results import values_of
from simulacra.replicates.spec import BASELINE, VARIANT, ComparisonSpec
from simulacra.rules import same_to_the_sketch_mind

if TYPE_CHECKING:
    import pandas as pd

WORDING_ONLY = "The sketch mind cannot tell these wordings apart; use a language mind."


@dataclass(frozen=True)
class Comparison:
    """Two designs compared over seeds: rows, sentences, and where the records are."""

    folder: ExperimentFolder
    fresh: int = field(default=0, compare=False)  # replicates that this call played

    def __repr__(self) -> str:
        return f"<Comparison {self.id}: {self.status}, {self.spec.seeds} seeds>"

    @property
    def id(self) -> str:
        return self.folder.path.name

    @property
    def path(self) -> Path:
        return self.folder.path

    @property
    def status(self) -> str:
        return self.folder.status

    @cached_property
    def spec(self) -> ComparisonSpec:
        return self.folder.spec

    @cached_property
    def results(self) -> dict[str, dict[int, dict[str, float]]]:
        """arm -> seed -> measure -> value, NaN where undefined."""
        return values_of(self.folder.results(), self.spec)

    @property
    def judged(self) -> Judged:
        """Which measures another scorer must take, since an arm acts by the first, and which one did."""
        return Judged(self.spec.judged_measures, self.spec.judge or NOBODY)

    @property
    def digests(self) -> dict[str, dict[int, str]]:
        """arm -> seed -> digest of the run, whether its record was kept or not."""
        found = self.folder.results()
        return {arm: {seed: r[arm]["digest"] for seed, r in found.items() if arm in r} for arm in (BASELINE, VARIANT)}

    @property
    def runs(self) -> dict[str, list[str]]:
        """arm -> ids of its kept runs, in order of seeds."""
        found = self.folder.results().values()
        return {arm: [r[arm]["run"] for r in found if arm in r and r[arm]["run"]] for arm in (BASELINE, VARIANT)}

    @property
    def runs_dir(self) -> Path:
        return Path(self.folder.info["runs_dir"])

    @cached_property
    def row_list(self) -> list[Row]:
        """One row a measure."""
        return self._rows(segments=False)

    @cached_property
    def segment_list(self) -> list[Row]:
        """One row for each measure among each kind of members: exploration, unless the plan names it."""
        return self._rows(segments=True)

    def _rows(self, segments: bool) -> list[Row]:
        spec = self.spec
        return paired_rows(
            self.results[BASELINE], self.results[VARIANT], paired=spec.paired, changed=levers(spec.baseline, spec.variant),
            plan=spec.plan, judged=self.judged, segments=segments,
        )  # fmt: skip

    @property
    def rows(self) -> pd.DataFrame:
        """The rows as a frame, a column a field of `Row`."""
        return rows_table(self.row_list).to_pandas()

    @property
    def differences(self) -> list[str]:
        """What differs between the arms, one short line each."""
        return differences(self.spec.baseline, self.spec.variant)

    @property
    def sentence(self) -> str:
        """The answer in plain words."""
        told = headline(self.row_list, self.differences, self.seconds_per_seed)
        if (checked := self.robustness) and checked["assumption_driven"]:
            told = f"{told} Assumption-driven: the direction held in {checked['held']} of {checked['of']} draws of what is assumed."
        return f"{told} {WORDING_ONLY}" if self.wording_only else told

    @property
    def wording_only(self) -> bool:
        """Whether the arms differ in rules alone, and in nothing of them that the sketch mind knows."""
        a, b = self.spec.baseline, self.spec.variant
        return self.spec.language is None and levers(a, b) == {"rules"} and same_to_the_sketch_mind(a, b)

    @property
    def seconds_per_seed(self) -> float | None:
        """Wall seconds that one more replicate takes here, from those played; None before the first."""
        done = len(self.folder.results())
        return float(self.folder.info["seconds"]) / done or None if done else None

    @property
    def notes(self) -> list[str]:
        """What to keep in mind when reading the answer."""
        found = [pairing_note(self.row_list)] if self.spec.paired else ["Unpaired: each arm has seeds of its own."]
        if self._own_pasts:
            found.append("The arms differ in what acts before the first day, so each has a past of its own.")
        by_chance = max(1, round(len(self.row_list) / 20))
        found.append(
            f"Intervals are per measure: of {len(self.row_list)} rows about {by_chance} will exclude 0 by chance alone. Measures "
            "named before the run are tested together (Holm)."
        )
        return [note for note in [*found, stopping_rule(self.spec)] if note]

    @property
    def limits(self) -> list[str]:
        """What a reader must know before acting on the answer."""
        return limits_of(self.spec, self.row_list, self.results, self.language, self.robustness)

    @property
    def language(self) -> dict[str, Any] | None:
        """What a language mind did and took over all replicates; None for the sketch mind."""
        if self.spec.language is None:
            return None
        turns = [result["turns"] for replicate in self.folder.results().values() for result in replicate.values()]
        failures = sum((Counter(t["failures"]) for t in turns), Counter[str]())
        spent = self.folder.info.get("spent", {})
        return language_facts(self.spec.language, failures, sum(t["posts"] for t in turns), spent)

    @property
    def robustness(self) -> dict[str, Any] | None:
        """What `compare --robust` found (`robustness.Robustness.to_dict`); None where it was not asked."""
        file = self.path / "robust.json"
        return read_json(file) if file.exists() else None

    @property
    def warnings(self) -> list[str]:
        """How interests were matched where embeddings were missing, and rules that nothing models; of one arm alone, it says which."""
        similarity = self.folder.info["similarity"].get("warning", "")
        told = {arm: warnings_of(self.spec.run_spec(arm, self.spec.first_seed), similarity) for arm in (BASELINE, VARIANT)}
        shared = [line for line in told[BASELINE] if line in told[VARIANT]]
        return shared + [f"Under the {arm}: {line}" for arm, lines in told.items() for line in lines if line not in shared]

    @property
    def _own_pasts(self) -> bool:
        a, b = (self.spec.run_spec(arm, self.spec.first_seed).past_behaviour for arm in (BASELINE, VARIANT))
        return a != b

    def to_dict(self) -> dict[str, Any]:
        """What `simulacra compare --json` prints: plain values, NaN as None."""
        spec, info = self.spec, self.folder.info
        return {
            "experiment_id": self.id, "path": str(self.path), "status": self.status, "community": spec.community.slug,
            "baseline": spec.baseline.describe(), "variant": spec.variant.describe(), "differences": self.differences,
            "personas": spec.personas, "days": spec.days, "seeds": spec.seeds, "paired": spec.paired,
            "plan": spec.plan.to_dict(), "auto": spec.auto, "rows": [self._row_dict(row) for row in self.row_list],
            "sentence": self.sentence, "notes": self.notes, "limits": self.limits, "robustness": self.robustness,
            "judge": {"measures": sorted(self.judged.measures), "scorer": self.judged.scorer} if spec.acting else None,
            "warnings": self.warnings, "runs": self.runs, "runs_dir": str(self.runs_dir), "seconds": info["seconds"],
            **({"language": self.language} if spec.language is not None else {}),
        }  # fmt: skip

    def _row_dict(self, row: Row) -> dict[str, Any]:
        pace = self.seconds_per_seed
        minutes = None if row.more_seeds is None or pace is None else round(row.more_seeds * pace / 60, 1)
        return {**row.to_dict(), "more_minutes": minutes}
