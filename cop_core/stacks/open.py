"""`open_stack`: from a path or an array to a stack."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.errors import CopError, InputError
from cop_core.recipes import AS_FILE, StackOptions
from cop_core.recipes.terms import typed
from cop_core.recipes.values import is_address
from cop_core.records import ASSUMED, StoredImage
from cop_core.stacks.axes import (
    Selection,
    refuse_scan,
    require_position,
    select,
    with_planes,
)
from cop_core.stacks.course import Course, course_of, with_scale_beside
from cop_core.stacks.dataset import Opening
from cop_core.stacks.depth import GIVEN, step_remark
from cop_core.stacks.formats import format_of
from cop_core.stacks.formats.array import describe_array, is_array
from cop_core.stacks.formats.zarr import describe_address
from cop_core.stacks.limits import require_block, require_plane_count, require_real
from cop_core.stacks.mean import MeanOverTime, mean_dtype
from cop_core.stacks.model import LazyStack, Stack

ARRAY: Final = "array"
"""Source of a stack that is not in a file."""

if TYPE_CHECKING:
    from cop_core.stacks.dataset import Dataset, StatedDetector


def open_stack(source: Any, options: StackOptions | None = None, **chosen: Any) -> Stack:
    """Open a z-stack for reading plane by plane.

    Parameters
    ----------
    source : str, Path or array
        A file or folder of a known format (docs/formats.md), the address of a zarr store
        (``https://``, ``s3://``), or a numpy, dask or zarr array (planes, Y, X if ``axes`` is
        None).
    options : StackOptions, optional
        How it is opened.
    **chosen
        Fields of `StackOptions` in place of `options`: ``z_step_um`` (takes precedence over the
        metadata, and turns the frames of a movie, or planes of unknown meaning, into z planes; a
        single plane needs none, it lies at 0),
        ``power`` (by default that of the metadata), ``power_scale`` (from the file's own unit of
        power to mW), ``surface``, ``channel``, ``time``, ``position``, ``axes``, ``name``,
        ``level``, ``allow_partial`` (planes missing from a truncated TIFF are flagged).

    Returns
    -------
    Stack
        Planes are numbered as stored. Depths are measured from the plane assumed to be the surface,
        the first or the last (`find_surface`), and decrease with the plane number if it is the
        last. The validity of a plane states why it cannot be used; reading it raises only
        UnreachableError, if an address does not answer.

    Raises
    ------
    InputError
        If the source or an option cannot be used; the message says what to do.
    """
    options = (options or StackOptions()).but(**chosen)
    with readable_errors(source):
        return stack_of(open_dataset(source, opening_of(options)), options)


def opening_of(options: StackOptions) -> Opening:
    """Return the options that a format needs."""
    return Opening(
        axes=options.axes,
        level=options.level,
        position=options.position,
        allow_partial=options.allow_partial,
    )


def as_stack(source: Any, **chosen: Any) -> Stack:
    """Return a stack as it is, and open anything else.

    Raises
    ------
    InputError
        If it cannot be opened, or is already open and options are given.
    """
    if not isinstance(source, Stack):
        return open_stack(source, **chosen)
    if StackOptions(**chosen) != StackOptions():
        raise InputError(
            f"it is open already, without {', '.join(sorted(chosen))}",
            where=source.name,
            advice="pass what it was opened from, or open it with these options",
        )
    return source


@contextmanager
def readable_errors(source: Any) -> Iterator[None]:
    """Convert errors of libraries for a source into an InputError."""
    try:
        yield
    except CopError:
        raise
    except Exception as error:
        # libraries raise many errors for damaged files, which mean little to users
        raise InputError(
            f"it cannot be opened ({type(error).__name__}: {str(error)[:200]})",
            where=_label(source),
            advice="the file is damaged or of an unknown kind: export it again",
        ) from error


def stack_of(data: Dataset, options: StackOptions) -> LazyStack:
    """Choose one z-stack of a dataset."""
    data = with_planes(data)
    any_axis = options.z_step_um is not None or options.axes is not None
    selection = select(data, options.channel, options.time, any_axis=any_axis)
    n_planes, height, width = (data.size(axis) for axis in (selection.plane_axis, "Y", "X"))
    dtype = require_real(data.dtype, data.source)
    if not height or not width:
        raise InputError("its planes have no pixels", where=data.source)
    if 1 in (height, width):
        refuse_scan(f"it is a line scan, of {height} x {width} pixels", data.source)
    require_plane_count(n_planes, data.source)
    if data.source != ARRAY:
        require_block((height, width), dtype.itemsize, "plane", data.source)
    if data.positions is None and options.position is not None:
        require_position(options.position, 1, data.source)
    options = with_scale_beside(data, options)
    course = course_of(data, options, n_planes)
    detector, read = _detector(data, selection), data.read
    if selection.n_averaged > 1:
        dtype, read = mean_dtype(dtype), MeanOverTime(read, selection.n_averaged)
    return LazyStack(
        name=options.name or data.name,
        source=data.source,
        shape=(n_planes, height, width),
        dtype=np.dtype(dtype),
        depth_um=course.depth_um,
        power=course.power.values,
        power_unit=course.power.unit,
        pixel_size_um=data.scale.pixel_size_um,
        options=_as_opened(data, selection, options),
        image=_image(data, selection, course, detector, options),
        detector=detector,
        selection=selection,
        read=read,
        lossy=data.lossy,
    )


def open_dataset(source: Any, opening: Opening) -> Dataset:
    """Describe the content of a path or an array."""
    if is_array(source):
        return describe_array(source, opening.axes)
    if not isinstance(source, (str, os.PathLike)):
        raise InputError(
            f"a {type(source).__name__} cannot be opened as a stack",
            where="source",
            advice="pass a path, or a numpy, dask or zarr array",
        )
    if is_address(source):
        return describe_address(str(source), opening)
    path = Path(source)
    return format_of(path).describe(path, opening)


def _as_opened(data: Dataset, selection: Selection, options: StackOptions) -> StackOptions:
    """Return options that open the same stack again from any folder."""
    path = None if data.source == ARRAY else data.source
    channel, time = options.channel, options.time
    if isinstance(channel, str) and (channel.isdigit() or channel == AS_FILE):
        channel = selection.fixed.get("C", 0)  # a name that would be parsed as something else
    return options.but(source=path, channel=channel, time=time)


def _detector(data: Dataset, selection: Selection) -> StatedDetector | None:
    channel = selection.fixed.get("C", 0)
    return data.detectors[channel] if channel < len(data.detectors) else None


def _image(
    data: Dataset,
    selection: Selection,
    course: Course,
    detector: StatedDetector | None,
    options: StackOptions,
) -> StoredImage:
    channel = selection.fixed.get("C")
    named = channel is not None and channel < len(data.channels)
    movie = _movie_remark(data, course)
    doubts = step_remark(options.z_step_um, data.scale, course.depth_um), _sign_remark(data, course)
    decided = _time_remark(data, selection, options), movie, *doubts, course.surface.conflict
    return StoredImage(
        format=data.kind,
        axes=data.axes,
        shape=tuple(data.shape),
        dtype=str(require_real(data.dtype, data.source)),
        plane_shape=(data.size("Y"), data.size("X")),
        pixel_size_um=data.scale.pixel_size_um,
        plane_axis=selection.plane_axis,
        channel=channel,
        channel_name=data.channels[channel] if named and channel is not None else None,
        time=selection.fixed.get("T") if selection.n_averaged == 1 else None,
        position=options.position,
        depth_from=course.depth_from,
        surface=course.surface.end,
        surface_from=course.surface.why,
        power_from=course.power.origin,
        zero_counts=detector.zero_counts if detector else None,
        zero_from=detector.stated_by if detector else "",
        remarks=(*data.remarks, *filter(None, decided)),
    )


def _time_remark(data: Dataset, selection: Selection, options: StackOptions) -> str:
    n, time = data.size("T"), selection.fixed.get("T")
    if selection.n_averaged > 1:
        return f"each plane is the mean of its {n} time points"
    if options.time is None and time is not None and n > 1:
        return (
            f"time point {time} of {n} is read, as none was chosen: set the time{typed('time')} to "
            "another one, or to mean for the average of all"
        )
    return ""


def _movie_remark(data: Dataset, course: Course) -> str:
    if not data.scale.time_step or course.depth_from == GIVEN:
        return ""
    return f"besides its z step it states {data.scale.time_step}: frames of a movie have no depth"


def _sign_remark(data: Dataset, course: Course) -> str:
    scale, surface = data.scale, course.surface
    if not scale.z_step_negative or not scale.z_step_um or course.depth_from == GIVEN:
        return ""
    text = f"its z step is stated as -{scale.z_step_um:g} µm: the sign is ignored"
    if surface.why != ASSUMED:
        return text
    return f"{text}, and if it means that the last plane is the surface, set the surface to last"


def _label(source: Any) -> str:
    return str(source) if isinstance(source, (str, os.PathLike)) else "array"
