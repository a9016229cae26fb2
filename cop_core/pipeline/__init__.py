"""The pipeline: runs a recipe, reports progress as events, and returns a record.

Importing it does not import PyTorch; the first run does.
"""

from cop_core.pipeline.events import Event, Means, Opened, SoFar, Stepped, Working
from cop_core.pipeline.run import run

__all__ = ["Event", "Means", "Opened", "SoFar", "Stepped", "Working", "run"]
