"""open_stack: from a path or an array to a stack."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from cop_core.errors import CopError, InputError
from cop_core.stacks._given import given_options
from cop_core.stacks.axes import Selection, select
from cop_core.stacks.dataset import Opening
from cop_core.stacks.depth import depths_of, require_z_step
from cop_core.stacks.formats import format_of
from cop_core.stacks.formats.array import describe_array, is_array
from cop_core.stacks.limits import require_block, require_plane_count, require_real
from cop_core.stacks.model import LazyStack
from cop_core.stacks.power import resolve_power

if TYPE_CHECKING:
    from cop_core.stacks.dataset import Dataset
    from cop_core.stacks.model import Stack


def open_stack(
    source: Any,
    *,
    z_step_um: float | None = None,
    power: Any = None,
    channel: int | str | None = None,
    time: int | str | None = None,
    axes: str | None = None,
    name: str | None = None,
    level: int = 0,
    allow_partial: bool = False,
) -> Stack:
    """Open a z-stack, to be read plane by plane.

    Parameters
    ----------
    source : str, Path or array
        A TIFF file (OME, ImageJ, ScanImage, plain), the folder of an OME-Zarr image or a
        zarr array, a folder of TIFFs of one plane each, numbered in their names, or a numpy,
        dask or zarr array (planes, Y, X where ``axes`` is None).
    z_step_um : float, optional
        Distance of two planes in um; goes before the metadata. Needed where they say
        nothing. Makes the frames of a movie, or planes of unknown meaning, z planes.
    power : float, str, Path, GainedPower or array_like, optional
        Power at the sample: in mW, as ``gained:P0,l,Pmax``, as a CSV file with
        ``depth_um,power_mw``, or one value a plane. None takes ``power_mw`` from the
        metadata where present (zarr attribute, OME map annotation, TIFF description).
    channel, time : int or str, optional
        Index or name of the channel, index of the time point; needed where there are several.
    axes : str, optional
        One letter an axis out of TCZYXSIQ, in place of what the metadata say.
    name : str, optional
        What to call the stack; None takes the file's name.
    level : int, optional
        Resolution level of a pyramid, 0 being the finest.
    allow_partial : bool, optional
        True to open a truncated TIFF all the same, its lost planes flagged "truncated".

    Returns
    -------
    Stack
        Depths are relative to the first plane and in the order of the planes. A plane
        that cannot be used says why in its validity; reading it never raises. Its
        ``metadata["opened_with"]`` holds the options given here, as JSON types.

    Raises
    ------
    InputError
        Where the source or an option cannot be used; the message says what to do.
    """
    with readable_errors(source):
        require_z_step(z_step_um)
        data = open_dataset(source, Opening(axes, level, allow_partial))
        return stack_of(
            data,
            z_step_um=z_step_um,
            power=power,
            channel=channel,
            time=time,
            axes=axes,
            name=name,
            level=level,
            allow_partial=allow_partial,
        )


@contextmanager
def readable_errors(source: Any) -> Iterator[None]:
    """Turn what the libraries raise for a source into an InputError."""
    try:
        yield
    except CopError:
        raise
    except Exception as error:
        # the libraries' own errors for damaged files are many and say little to a user
        raise InputError(
            f"it cannot be opened ({type(error).__name__}: {str(error)[:200]})",
            where=_label(source),
            advice="the file is damaged or of an unknown kind: export it again",
        ) from error


def stack_of(
    data: Dataset,
    *,
    z_step_um: float | None = None,
    power: Any = None,
    channel: int | str | None = None,
    time: int | str | None = None,
    axes: str | None = None,
    name: str | None = None,
    level: int = 0,
    allow_partial: bool = False,
) -> LazyStack:
    """Choose one z-stack of a dataset; the options are those of `open_stack`."""
    step = require_z_step(z_step_um)
    selection = select(data, channel, time, any_axis=step is not None or axes is not None)
    stack = _stack(data, selection, step, power, name)
    stack.metadata["opened_with"] = given_options(
        selection, step, power, channel, time, axes, level, allow_partial=allow_partial
    )
    return stack


def open_dataset(source: Any, opening: Opening) -> Dataset:
    """Describe what a path or an array holds."""
    if is_array(source):
        return describe_array(source, opening.axes)
    if not isinstance(source, (str, os.PathLike)):
        raise InputError(
            f"a {type(source).__name__} cannot be opened as a stack",
            where="source",
            advice="pass a path, or a numpy, dask or zarr array",
        )
    path = Path(source)
    return format_of(path).describe(path, opening)


def _stack(
    data: Dataset, selection: Selection, step: float | None, power: Any, name: str | None
) -> LazyStack:
    n_planes, height, width = (data.size(axis) for axis in (selection.plane_axis, "Y", "X"))
    dtype = require_real(data.dtype, data.source)
    if not height or not width:
        raise InputError("its planes have no pixels", where=data.source)
    require_plane_count(n_planes, data.source)
    if data.source != "array":
        require_block((height, width), dtype.itemsize, "plane", data.source)
    depth_um, origin = depths_of(n_planes, step, data.scale, data.source)
    stated = data.power_mw if power is None else power
    power_mw = resolve_power(stated, depth_um, where=data.source)
    for values in (depth_um, power_mw):
        values.setflags(write=False)
    return LazyStack(
        name=name or data.name,
        source=data.source,
        shape=(n_planes, height, width),
        dtype=np.dtype(dtype),
        depth_um=depth_um,
        power_mw=power_mw,
        pixel_size_um=data.scale.pixel_size_um,
        metadata=_metadata(data, selection, origin),
        selection=selection,
        read=data.read,
    )


def _metadata(data: Dataset, selection: Selection, origin: str) -> dict[str, Any]:
    positions = data.scale.z_positions_um
    channel = selection.fixed.get("C")
    named = channel is not None and channel < len(data.channels)
    return {
        "format": data.kind,
        "axes": data.axes,
        "shape": list(data.shape),
        "plane_axis": selection.plane_axis,
        "channel": channel,
        "channel_name": data.channels[channel] if named and channel is not None else None,
        "time": selection.fixed.get("T"),
        "depth_from": origin,
        "z_positions_um": list(positions) if positions else None,
    }


def _label(source: Any) -> str:
    return str(source) if isinstance(source, (str, os.PathLike)) else "array"
