"""From a stack to its depth profile: normalise, crop, read in batches, average by plane."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from cop_core.errors import CancelledError
from cop_core.reading.estimator import DEFAULT_BATCH, Estimator, load_estimator
from cop_core.reading.reader import Reading
from cop_core.reading.settings import Settings
from cop_core.stacks import Stack, open_stack
from cop_core.statistics.profile import DepthProfile

Progress = Callable[[int, int], None]
"""Called with steps done and steps in all; a plane is surveyed in one and read in another."""


def profile(
    source: Any,
    *,
    estimator: Estimator | str | Path = "default",
    settings: Settings | None = None,
    name: str | None = None,
    batch_size: int = DEFAULT_BATCH,
    device: str = "auto",
    progress: Progress = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
    **opening: Any,
) -> DepthProfile:
    """Read the noise of a stack as a function of depth.

    A `Reading` is the same step by step; stopped, it keeps what it has.

    Parameters
    ----------
    source : Stack, path or array
        What is not a stack yet goes through `open_stack` with the further arguments
        (``z_step_um``, ``power``, ``channel`` ...).
    estimator : Estimator, str or Path
        A loaded estimator, or what `load_estimator` takes.
    settings : Settings, optional
        Normalisation and crops.
    name : str, optional
        Name of the profile; the stack's where not given.
    batch_size : int
        Crops at a time.
    device : str
        For an estimator given by name.
    progress : callable
        Told of steps done and in all.
    cancelled : callable
        Asked after every step.

    Returns
    -------
    DepthProfile
        One entry a plane; excluded ones carry their reason.

    Raises
    ------
    InputError
        If the stack cannot be opened or the settings do not fit.
    CancelledError
        Where `cancelled` says so.
    """
    stack = source if isinstance(source, Stack) else open_stack(source, **opening)
    if not isinstance(estimator, Estimator):
        estimator = load_estimator(estimator, device=device)
    reading = Reading(stack, estimator, settings, name=name, batch_size=batch_size)
    for step in reading:
        progress(step.done, step.total)
        if cancelled():
            raise CancelledError("cancelled", where=f"step {step.done} of {step.total}")
    return reading.profile
