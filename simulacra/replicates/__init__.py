"""Arms times replicates: play two designs over several seeds, in parallel, resumably, and compare them.

    experiments/<id>/ experiment.json      what is compared, over which seeds, where records are kept, status
                      seed-0001.json ...   measures and digests of a finished replicate, written whole or not at all
                      rows.parquet         the answer

A replicate is one seed: population and burn-in are played once and forked into both arms, so arms share a past and, by
construction of `Streams`, every chance that the design does not touch. Replicates are independent of each other, so joblib runs
them on cores, or Ray on a cluster, and a killed comparison lacks whole replicates and nothing else.

`spec` says what is compared, `comparing` plays it: `backends` decide where, `playing` plays a replicate, `results` hold what it
says, `auto` how many there are, `folder` keeps it all, `answer` reads it.
"""

from simulacra.replicates.answer import WORDING_ONLY, Comparison
from simulacra.replicates.backends import played
from simulacra.replicates.comparing import Replicated, compare, finish_comparison, open_comparison, resume_comparison
from simulacra.replicates.folder import EXPERIMENT_FILE, ROWS_FILE, ExperimentFolder, experiments_beside
from simulacra.replicates.judging import judge_of
from simulacra.replicates.playing import Task, replicate_of
from simulacra.replicates.spec import AUTO, BASELINE, VARIANT, ComparisonSpec

__all__ = [
    "AUTO", "BASELINE", "EXPERIMENT_FILE", "ROWS_FILE", "VARIANT", "WORDING_ONLY", "Comparison", "ComparisonSpec",
    "ExperimentFolder", "Replicated", "Task", "compare", "experiments_beside", "finish_comparison", "judge_of",
    "open_comparison", "played", "replicate_of", "resume_comparison",
]  # fmt: skip
