"""The pipeline: a recipe goes in, events tell of the work, a record comes out."""

from cop_core.pipeline import (  # noqa: F401 - each module says what it runs
    cohort,
    detector,
    simulated,
    study,
    training,
)
from cop_core.pipeline.events import Event, Means, Opened, Stepped, Working
from cop_core.pipeline.run import run

__all__ = ["Event", "Means", "Opened", "Stepped", "Working", "run"]
