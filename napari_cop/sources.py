"""Sources of stacks: napari layers and files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.errors import InputError, about_stack
from cop_core.recipes import MW, MovieOptions, StackOptions
from cop_core.records import ITS_STACK, SINGLE_PLANE
from cop_core.stacks import open_movie, open_stack
from napari_cop.layers import METADATA_KEY, image_layer

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from napari.layers import Image

    from cop_core.stacks import Stack
    from napari_cop.layers import LayerData

ASKED_OF_LAYERS: Final = ("name", "power", "power_scale", "detector", "surface")
"""Advice if a layer does not state the option."""
_TIME: Final = ("t", "time")
_NOT_Z: Final = (*_TIME, "c", "channel", "p", "position", "scene")
_NOT_INTENSITIES: Final = {"b": "true or false", "c": "complex numbers"}
_STEP_TOLERANCE: Final = 1e-6


@dataclass(frozen=True)
class ChosenMovie:
    """A movie to measure, as the user chose it.

    Attributes
    ----------
    options : MovieOptions
        How it is opened; has no source for the pixels of a layer.
    pixels : array
        Frames (n, y, x) of such a layer.
    """

    options: MovieOptions
    pixels: Any = None

    def in_memory(self) -> Stack | None:
        """Return the movie if it is not in a file, and a recipe cannot name it."""
        return None if self.pixels is None else open_movie(self.pixels, self.options)


@dataclass(frozen=True)
class ChosenStack:
    """A stack to read, as the user chose it; opening it may take long.

    Attributes
    ----------
    options : StackOptions
        How it is opened; has no source for the pixels of a layer that are not (or no longer) those
        of a file.
    pixels : array
        Pixels (planes, y, x) of such a layer.
    layer : Image or None
        The layer that shows the stack.
    z_axis : int
        The layer's axis of planes.
    at : tuple of int
        Position of the stack on the layer's other axes; 0 on z, y and x.
    """

    options: StackOptions
    pixels: Any = None
    layer: Image | None = None
    z_axis: int = 0
    at: tuple[int, ...] = (0, 0, 0)

    @property
    def said(self) -> str:
        """A short description of its source."""
        if self.layer is not None:
            return f"layer {self.layer.name!r}"
        return Path(self.options.source or "memory").name

    def open(self) -> Stack:
        """Open the stack.

        Raises
        ------
        InputError
            If it cannot be read; the message states what to do.
        """
        if self.options.source is not None:
            return open_stack(self.options.source, self.options)
        if self.pixels is None:
            what = "the layer was removed while it was being watched"
            raise InputError(
                what, where=self.options.name, advice="choose a layer that is open, and run again"
            )
        return open_stack(self.pixels, self.options)

    def in_memory(self) -> Stack | None:
        """Return the stack if it is not in a file, and a recipe cannot name it."""
        return None if self.options.source is not None else self.open()

    def layer_data(self) -> LayerData:
        """Describe the stack as a layer that shows it."""
        return image_layer(self.open())


def opened_in_memory(stacks: Sequence[ChosenStack]) -> list[Stack | None]:
    """Return the stacks that a recipe cannot name; an error states which of them it concerns."""
    found = []
    for number, stack in enumerate(stacks):
        with about_stack(number):
            found.append(stack.in_memory())
    return found


def layer_stack(
    layer: Image,
    asked: StackOptions,
    *,
    z_axis: int | None,
    position: tuple[float, ...] = (),
    as_pixels: bool = False,
) -> ChosenStack:
    """Return the stack of a layer: its file if the layer still shows it, else its pixels.

    Parameters
    ----------
    asked : StackOptions
        Name, z step, power and surface. None stands for the value in file or layer; the z step must
        be known.
    z_axis : int or None
        Axis of the planes; None if the user has not chosen one.
    position : tuple of float
        Position of the viewer in the layer's data, for axes other than z, y and x.
    as_pixels : bool
        Whether to take the pixels although the layer shows its file.

    Raises
    ------
    InputError
        For colour layers, layers without depth and layers whose z axis or step is not known.
    """
    axis, step_um = require_stack(layer, z_axis, asked.z_step_um)
    stated = layer.metadata.get(METADATA_KEY, {})
    given = {key: value for key, value in asked if key in ASKED_OF_LAYERS and value is not None}
    if not as_pixels and _shows_its_file(layer):
        if not _same_step(stated["depth_um"], step_um):
            given["z_step_um"] = step_um
        return ChosenStack(StackOptions.of(stated["options"]).but(**given), None, layer, axis)
    at = _indices(layer, axis, position)
    pixels = _planes(layer, axis, at)
    planes = int(pixels.shape[0])  # arrays of zarr have no length
    if stated.get("power_unit") == MW and _powers_fit(stated.get("power"), planes):
        given.setdefault("power", stated["power"])
    if _falls(stated.get("depth_um"), planes):
        given.setdefault("surface", "last")
    options = StackOptions(**{"name": _name(layer, axis, at), "z_step_um": step_um, **given})
    return ChosenStack(options, pixels, layer, axis, at)


def layer_movie(layer: Image, asked: MovieOptions, position: tuple[float, ...]) -> ChosenMovie:
    """Return the frames that a layer shows, at a position on axes other than time, y and x.

    Raises
    ------
    InputError
        For colour layers, and if no axis can be that of time.
    """
    axis = _require_time(layer)
    at = _indices(layer, axis, position)
    named = asked.but(name=asked.name or _name(layer, axis, at))
    return ChosenMovie(named, _planes(layer, axis, at))


def is_movie(layer: Image) -> bool:
    """Return whether an axis of a layer can be that of time."""
    try:
        _require_time(layer)
    except InputError:
        return False
    return True


def _require_time(layer: Image) -> int:
    """Return the axis named time, else the only possible one."""
    _require_intensities(layer)
    named = [i for i in _named(layer, _TIME) if i < layer.ndim - 2]
    stated = layer.metadata.get(METADATA_KEY)
    other = _named_z(layer) if stated is None or stated["depth_um"] else []
    other += _named(layer, _NOT_Z)
    if len(named) == 1:
        return named[0]
    if layer.ndim == 3 and not other:
        return 0
    raise InputError(
        f"no axis is named time: its axes are {', '.join(layer.axis_labels)}",
        where=f"layer {layer.name!r}",
        advice="choose a layer with the axes t, y and x, or the file of the movie",
    )


def z_axis_of(layer: Image) -> int | None:
    """Return the axis named z, else the first of three unless named otherwise; None for neither."""
    named = [i for i in _named_z(layer) if i < layer.ndim - 2]
    if len(named) == 1:
        return named[0]
    return 0 if layer.ndim == 3 and not layer.rgb and not _named(layer, _NOT_Z) else None


def _named_z(layer: Image) -> list[int]:
    return _named(layer, ("z", "depth", "plane"))


def _named(layer: Image, names: Collection[str]) -> list[int]:
    """Return the axes whose labels are among some names."""
    labels = [str(label).strip().lower() for label in layer.axis_labels]
    return [i for i, label in enumerate(labels) if label in names]


def axis_name(layer: Image, axis: int) -> str:
    """Return the name of an axis; napari numbers those without a name from the last."""
    label = str(layer.axis_labels[axis])
    return f"axis {axis}" if label.removeprefix("-").isdecimal() else label


def z_step_um_of(layer: Image, z_axis: int) -> float | None:
    """Return the distance of two planes in µm from the layer's scale; None if it states none.

    A scale other than 1 without a unit is in µm, as most readers omit the unit.
    """
    unit = np.eye(layer.ndim)[z_axis]
    step = np.asarray(layer.data_to_world(unit)) - layer.data_to_world(0 * unit)
    along = np.flatnonzero(step)  # more than one axis if the layer is rotated
    try:
        um = [float(_in_um(step[i], layer.units[i])) for i in along]
    except Exception:  # pint has a separate error for every mismatch
        return None
    length = float(np.linalg.norm(um))
    return length if np.isfinite(length) and length > 0 else None


def _in_um(step: float, unit: Any) -> float:
    """Return a distance in µm; NaN for a mere count of pixels."""
    if str(unit) == "pixel":
        return step if step != 1 else np.nan
    return float((step * unit).to("um").magnitude)


def require_stack(layer: Image, z_axis: int | None, z_step_um: float | None) -> tuple[int, float]:
    """Return axis and step of a layer's planes.

    Raises
    ------
    InputError
        If it is not a z-stack, or one of them is not known.
    """
    where = f"layer {layer.name!r}"
    _require_intensities(layer)
    if layer.ndim < 3:
        raise InputError(
            f"it is {SINGLE_PLANE}",
            where=where,
            advice=f"{ITS_STACK}, or choose its file here to read its noise alone",
        )
    if any(i >= layer.ndim - 2 for i in _named_z(layer)):
        raise InputError(
            f"its axes are {', '.join(layer.axis_labels)}: z must come before y and x",
            where=where,
            advice="Move the z axis to the front, for example with numpy.moveaxis",
        )
    if z_axis is None:
        raise InputError("its z axis is not known", where=where, advice="Choose the z axis")
    if not z_step_um:
        raise InputError(
            "its z step is not known", where=where, advice="Enter the z step in µm under Input"
        )
    return z_axis, z_step_um


def _require_intensities(layer: Image) -> None:
    if getattr(layer, "rgb", False):
        raise InputError(
            "its pixels are colours (RGB), not intensities",
            where=f"layer {layer.name!r}",
            advice="split the channels (right-click the layer) and choose one",
        )
    kind = np.dtype(pixels_of(layer).dtype).kind
    if kind in _NOT_INTENSITIES:
        raise InputError(
            f"its pixels are {_NOT_INTENSITIES[kind]}, not intensities",
            where=f"layer {layer.name!r}",
            advice="choose a layer of numbers",
        )


def _shows_its_file(layer: Image) -> bool:
    stated = layer.metadata.get(METADATA_KEY, {})
    shown = getattr(layer.data, "name", None)
    in_file = stated.get("source") not in (None, "array")
    return in_file and bool(shown) and stated.get("pixels") == shown


def _same_step(depth_um: list[float] | None, z_step_um: float | None) -> bool:
    if depth_um is None or z_step_um is None or len(depth_um) < 2:
        return False
    mean = float(np.ptp(depth_um)) / (len(depth_um) - 1)
    return abs(mean - z_step_um) <= _STEP_TOLERANCE * mean


def _powers_fit(power: list[float | None] | None, planes: int) -> bool:
    return power is not None and len(power) == planes and None not in power


def _falls(depth_um: list[float] | None, planes: int) -> bool:
    """Return whether a layer states that its last plane is the surface."""
    return depth_um is not None and len(depth_um) == planes > 1 and depth_um[0] > depth_um[-1]


def _indices(layer: Image, z_axis: int, position: tuple[float, ...]) -> tuple[int, ...]:
    """Return the position of the viewer on other axes, and 0 on z, y and x."""
    shape = pixels_of(layer).shape
    at = [0] * layer.ndim
    for axis in range(layer.ndim - 2):
        if axis != z_axis and axis < len(position):
            at[axis] = int(np.clip(round(position[axis]), 0, shape[axis] - 1))
    return tuple(at)


def _planes(layer: Image, z_axis: int, at: tuple[int, ...]) -> Any:
    """Return pixels (planes, y, x): z in front, other axes at given positions."""
    kept = (z_axis, layer.ndim - 2, layer.ndim - 1)
    if len(kept) == layer.ndim:
        return pixels_of(layer)  # slicing would read the whole zarr array
    return pixels_of(layer)[tuple(slice(None) if i in kept else at[i] for i in range(layer.ndim))]


def pixels_of(layer: Image) -> Any:
    """Return the pixels of a layer, at full resolution if it has several."""
    return layer.data[0] if layer.multiscale else layer.data


def _name(layer: Image, z_axis: int, at: tuple[int, ...]) -> str:
    """Return the layer's name, with the position on further axes."""
    further = [i for i in range(layer.ndim - 2) if i != z_axis]
    places = ", ".join(f"{axis_name(layer, i)} = {at[i]}" for i in further)
    return f"{layer.name} [{places}]" if places else str(layer.name)
