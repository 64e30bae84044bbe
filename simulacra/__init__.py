"""Simulacra: describe a community, let thousands of personas live in it, and ask what happens if you change the design.

    import simulacra

    run = simulacra.run("pittsburgh", personas=1000, days=7, seed=1)
    answer = simulacra.compare("pittsburgh", baseline="feed=chronological", variant="feed=engagement")

Names are loaded on first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from simulacra.analysis.comparison import Row
    from simulacra.analysis.measures import MEASURES
    from simulacra.analysis.verdict import Plan
    from simulacra.branches.forks import fork
    from simulacra.branches.multiverse import multiverse
    from simulacra.branches.whatif import whatif
    from simulacra.community import Community, bundled_communities, load_community
    from simulacra.designs import Arm, make_arm
    from simulacra.errors import SimulacraError, Stopped
    from simulacra.experiment import Run, RunSpec, open_run, resume, run
    from simulacra.replicates import Comparison, ComparisonSpec, compare, open_comparison, resume_comparison

_HOME = {
    "Community": "community", "bundled_communities": "community", "load_community": "community", "Row": "analysis.comparison",
    "Arm": "designs", "make_arm": "designs", "SimulacraError": "errors", "Stopped": "errors",
    "Run": "experiment", "RunSpec": "experiment", "open_run": "experiment", "resume": "experiment", "run": "experiment",
    "MEASURES": "analysis.measures", "Comparison": "replicates", "ComparisonSpec": "replicates", "compare": "replicates",
    "open_comparison": "replicates", "resume_comparison": "replicates", "Plan": "analysis.verdict",
    "fork": "branches.forks", "whatif": "branches.whatif", "multiverse": "branches.multiverse",
}  # fmt: skip

__all__ = [
    "MEASURES", "Arm", "Community", "Comparison", "ComparisonSpec", "Plan", "Row", "Run", "RunSpec", "SimulacraError",
    "Stopped", "__version__", "bundled_communities", "compare", "fork", "load_community", "make_arm",
    "multiverse", "open_comparison", "open_run", "resume", "resume_comparison", "run", "whatif",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'simulacra' has no attribute {name!r}")
    return getattr(import_module(f"simulacra.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
