"""The pipeline in a second process, the only one to import PyTorch.

Neither importing this nor a run imports PyTorch here. A thread that reads would share Python's
lock, its garbage collector and the processors' caches with a window; a second process shares none
of them.
"""

from cop_core.pipeline.process.client import ReadingProcess

__all__ = ["ReadingProcess"]
