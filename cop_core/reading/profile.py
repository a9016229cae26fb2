"""From a stack to its depth profile, in one call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cop_core.errors import CancelledError
from cop_core.reading.estimator import Estimator, estimator_for
from cop_core.reading.plane_blocks import BATCH
from cop_core.reading.reader import StackReader
from cop_core.recipes import ReadingOptions
from cop_core.records import DepthProfile
from cop_core.stacks import as_stack


def profile(
    source: Any,
    *,
    reading: ReadingOptions | None = None,
    estimator: Estimator | None = None,
    name: str | None = None,
    batch_size: int = BATCH,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
    cancelled: Callable[[], bool] = lambda: False,
    **options: Any,
) -> DepthProfile:
    """Read the noise of a stack as a function of depth.

    A `StackReader` does the same step by step, and keeps its readings when stopped.

    Parameters
    ----------
    source : Stack, path or array
        A path or an array is opened with those `options` that are fields of `StackOptions`.
    reading : ReadingOptions, optional
        Normalisation, crops and weights.
    estimator : Estimator, optional
        Used in place of the weights, device and precision of `reading`.
    name : str, optional
        Name of the profile; by default that of the stack.
    batch_size : int
        Crops at a time.
    progress : callable
        Called with the number of steps done and the total; surveying a plane is one step, reading
        it another.
    cancelled : callable
        Called after every step.
    **options
        Fields of `StackOptions` (``z_step_um``, ``power``, ``channel`` ...), and of
        `ReadingOptions` in place of those in `reading`.

    Raises
    ------
    InputError
        If the stack cannot be opened or an option cannot be used.
    CancelledError
        If `cancelled` returns True.
    """
    own = {key: options.pop(key) for key in ReadingOptions.model_fields if key in options}
    stack = as_stack(source, **options)
    chosen = (reading or ReadingOptions()).but(**own)
    reader = StackReader(
        stack, estimator or estimator_for(chosen), chosen, name=name, batch_size=batch_size
    )
    for step in reader:
        progress(step.done, step.total)
        if cancelled():
            raise CancelledError("cancelled", where=f"step {step.done} of {step.total}")
    return reader.profile
