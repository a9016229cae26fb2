"""What is read: the stack behind a napari layer, or a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.errors import InputError
from cop_core.stacks import POWER_ARRAY, open_stack
from napari_cop._layers import METADATA_KEY, image_layer

if TYPE_CHECKING:
    from napari.layers import Image

    from cop_core.stacks import Stack
    from napari_cop._layers import LayerData

_STEP_TOLERANCE: Final = 1e-6


@dataclass(frozen=True)
class Source:
    """A stack to read, as the user chose it; opening it may take long.

    Attributes
    ----------
    name : str or None
        What the stack is called; None for the name that its file gives.
    path : str or None
        The file; None for the pixels of a layer that are not (or no longer) a file's.
    pixels : array or None
        Pixels (planes, y, x) of such a layer.
    options : dict
        For `open_stack`.
    layer : Image or None
        The layer that shows the stack.
    z_axis : int
        The layer's axis along which planes follow one another.
    at : tuple of int
        Where on the layer's other axes the stack lies; 0 on z, y and x.
    """

    name: str | None
    path: str | None
    pixels: Any
    options: dict[str, Any]
    layer: Image | None = None
    z_axis: int = 0
    at: tuple[int, ...] = (0, 0, 0)

    def open(self) -> Stack:
        """Open the stack.

        Raises
        ------
        InputError
            Where it cannot be read; the message says what to do.
        """
        if self.path is not None:
            return open_stack(self.path, name=self.name, **self.options)
        if self.pixels is None:
            raise InputError("its layer was removed while it was watched", where=self.name)
        return open_stack(self.pixels, name=self.name, **self.options)

    def layer_data(self) -> LayerData:
        """Describe the stack as a layer that shows it."""
        return image_layer(self.open())


def file_source(path: str, **options: Any) -> Source:
    """Return the source for a file; options that are None are left to its metadata."""
    if not path.strip():
        raise InputError("no file is chosen", advice="Choose a TIFF or the folder of a zarr image")
    given = {key: value for key, value in options.items() if value is not None}
    return Source(None, path, None, given)


def layer_source(
    layer: Image,
    *,
    z_axis: int | None,
    z_step_um: float | None,
    power: Any = None,
    position: tuple[float, ...] = (),
    as_pixels: bool = False,
) -> Source:
    """Return the source for a layer: its file where it still shows that, else its pixels.

    Parameters
    ----------
    layer : Image
        The layer.
    z_axis : int or None
        Axis of the planes; None where the user has not said.
    z_step_um : float or None
        Distance of two planes in um; None where neither layer nor user say.
    power : float, str, GainedPower or None
        As for `open_stack`; None for what file and layer state.
    position : tuple of float
        Where in the layer's data the viewer stands, for axes beside z, y and x.
    as_pixels : bool
        Whether to take the pixels although the layer shows its file.

    Raises
    ------
    InputError
        For colour layers, layers without depth and layers whose z axis or step is not known.
    """
    axis, step_um = _require_stack(layer, z_axis, z_step_um)
    stated = layer.metadata.get(METADATA_KEY, {})
    options: dict[str, Any] = {}
    if power is not None:
        options["power"] = power
    if not as_pixels and _shows_its_file(layer):
        options = {**_given(stated["opened_with"], stated["power_mw"]), **options}
        if not _same_step(stated["depth_um"], step_um):
            options["z_step_um"] = step_um
        return Source(None, stated["source"], None, options, layer, axis)
    at = _indices(layer, axis, position)
    pixels = _planes(layer, axis, at)
    options["z_step_um"] = step_um
    if power is None and _powers_fit(stated.get("power_mw"), len(pixels)):
        options["power"] = stated["power_mw"]
    return Source(_name(layer, axis, at), None, pixels, options, layer, axis, at)


def z_axis_of(layer: Image) -> int | None:
    """Return the axis that labels or metadata name as z, or None where none does."""
    named = [i for i in _named_z(layer) if i < layer.ndim - 2]
    if len(named) == 1:
        return named[0]
    return 0 if METADATA_KEY in layer.metadata and layer.ndim == 3 else None


def _named_z(layer: Image) -> list[int]:
    labels = [str(label).strip().lower() for label in layer.axis_labels]
    return [i for i, label in enumerate(labels) if label in ("z", "depth", "plane")]


def z_step_um_of(layer: Image, z_axis: int) -> float | None:
    """Return the distance of two planes in um from the layer's scale, None where not in length."""
    unit = np.eye(layer.ndim)[z_axis]
    step = np.asarray(layer.data_to_world(unit)) - layer.data_to_world(0 * unit)
    along = np.flatnonzero(step)  # more than one axis where the layer is rotated
    try:
        um = [float((step[i] * layer.units[i]).to("um").magnitude) for i in along]
    except Exception:  # pint has an error of its own for every misfit
        return None
    length = float(np.linalg.norm(um))
    return length if np.isfinite(length) and length > 0 else None


def _require_stack(layer: Image, z_axis: int | None, z_step_um: float | None) -> tuple[int, float]:
    where = f"layer {layer.name!r}"
    if getattr(layer, "rgb", False):
        raise InputError(
            "its pixels are colours (RGB), not one intensity",
            where=where,
            advice="Split the channels (right click on the layer) and choose one",
        )
    if layer.ndim < 3:
        raise InputError(
            "it is a single image, not a z-stack", where=where, advice="Choose a z-stack"
        )
    if any(i >= layer.ndim - 2 for i in _named_z(layer)):
        raise InputError(
            f"its axes are {', '.join(layer.axis_labels)}: z must stand before y and x",
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


def _shows_its_file(layer: Image) -> bool:
    stated = layer.metadata.get(METADATA_KEY, {})
    shown = getattr(layer.data, "name", None)
    in_file = stated.get("source") not in (None, "array")
    return in_file and bool(shown) and stated.get("pixels") == shown


def _given(opened_with: dict[str, Any], power_mw: list[float | None] | None) -> dict[str, Any]:
    """Return the options that open the file again; powers that were given as numbers are known."""
    if opened_with.get("power") != POWER_ARRAY:
        return opened_with
    return {**opened_with, "power": power_mw}


def _same_step(depth_um: list[float] | None, z_step_um: float | None) -> bool:
    if depth_um is None or z_step_um is None or len(depth_um) < 2:
        return False
    mean = float(np.ptp(depth_um)) / (len(depth_um) - 1)
    return abs(mean - z_step_um) <= _STEP_TOLERANCE * mean


def _powers_fit(power_mw: list[float | None] | None, planes: int) -> bool:
    return power_mw is not None and len(power_mw) == planes and None not in power_mw


def _indices(layer: Image, z_axis: int, position: tuple[float, ...]) -> tuple[int, ...]:
    """Return where the viewer stands on the axes beside z, y and x, and 0 on those."""
    shape = _data(layer).shape
    at = [0] * layer.ndim
    for axis in range(layer.ndim - 2):
        if axis != z_axis and axis < len(position):
            at[axis] = int(np.clip(round(position[axis]), 0, shape[axis] - 1))
    return tuple(at)


def _planes(layer: Image, z_axis: int, at: tuple[int, ...]) -> Any:
    """Return pixels (planes, y, x): z in front, other axes at given positions."""
    kept = (z_axis, layer.ndim - 2, layer.ndim - 1)
    if len(kept) == layer.ndim:
        return _data(layer)  # slicing would read a zarr array whole
    return _data(layer)[tuple(slice(None) if i in kept else at[i] for i in range(layer.ndim))]


def _data(layer: Image) -> Any:
    return layer.data[0] if layer.multiscale else layer.data


def _name(layer: Image, z_axis: int, at: tuple[int, ...]) -> str:
    """Return the layer's name, with the position on further axes."""
    further = [i for i in range(layer.ndim - 2) if i != z_axis]
    places = ", ".join(f"{layer.axis_labels[i]} {at[i]}" for i in further)
    return f"{layer.name} [{places}]" if places else str(layer.name)
