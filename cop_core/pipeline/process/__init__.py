"""The pipeline in a process beside this one, which PyTorch is left to.

Neither importing this nor a run imports PyTorch here. A thread that reads shares Python's lock,
its garbage collector and the processors' caches with a window; a process beside it shares none.
"""

from cop_core.pipeline.process.client import ReadingProcess

__all__ = ["ReadingProcess"]
