"""Analysis: pure functions from frames to measures, from measures to paired differences and verdicts."""
