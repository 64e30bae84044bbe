"""Tests run offline, on one BLAS thread, with a cache folder of their own."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"
for threads in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(threads, "1")
