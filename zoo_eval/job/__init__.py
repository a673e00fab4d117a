"""Jobs: what to evaluate, read from TOML files and checked."""

from zoo_eval.job.job import Job, ScoreRequest

__all__ = ["Job", "ScoreRequest"]
