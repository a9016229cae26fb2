"""Stacks as napari image layers: lazy pixels, physical scale, contrast, provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import uuid4

import dask.array as da
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from cop_core.stacks import Stack

LayerData: TypeAlias = tuple[Any, dict[str, Any], str]
"""Layer data of napari: pixels, arguments of the layer, type of the layer."""

METADATA_KEY: Final = "cop"
"""Key of a layer's metadata for source, depth and power."""

_AXES: Final = ("z", "y", "x")
_CONTRAST_PLANES: Final = 5
CONTRAST_PERCENTILES: Final = (0.1, 99.9)
_CHANNEL_COLORMAPS: Final = ("green", "magenta", "cyan", "yellow", "blue", "red")


def image_layer(stack: Stack, *, z_known: bool = True) -> LayerData:
    """Describe a stack as an image layer; a few planes are read for the contrast limits.

    Parameters
    ----------
    z_known : bool, optional
        False if the stack's depths are only plane numbers; the layer's units are then pixels on
        every axis.

    Returns
    -------
    tuple
        Lazy pixels of shape (planes, height, width), the layer's arguments, ``"image"``.
        ``metadata["cop"]`` holds ``source, options, pixels, depth_um, power, power_unit, channel,
        format``: ``options`` as `StackOptions` in JSON types, depths None if not known, and powers
        None if not stated. ``pixels`` names the dask array, to distinguish edited pixels from the
        file's.
    """
    scale, units = _scale(stack, z_known=z_known)
    arguments: dict[str, Any] = {
        "name": layer_name(stack),
        "scale": scale,
        "units": units,
        "axis_labels": _AXES,
        "metadata": {METADATA_KEY: _provenance(stack, z_known=z_known)},
    }
    limits = contrast_limits(stack)
    if limits is not None:
        arguments["contrast_limits"] = limits
    planes = lazy_planes(stack)
    arguments["metadata"][METADATA_KEY]["pixels"] = planes.name
    return planes, arguments, "image"


def channel_layers(stacks: Sequence[Stack], *, z_known: bool = True) -> list[LayerData]:
    """Describe the channels of one file: a single one in grey, several as additive colours."""
    layers = [image_layer(stack, z_known=z_known) for stack in stacks]
    if len(layers) > 1:
        for index, (_, arguments, _) in enumerate(layers):
            arguments["blending"] = "additive"
            arguments["colormap"] = _CHANNEL_COLORMAPS[index % len(_CHANNEL_COLORMAPS)]
    return layers


def lazy_planes(stack: Stack) -> da.Array:
    """Return a stack's pixels as a dask array (planes, y, x), one chunk per plane, read when shown.

    A plane that cannot be read is zeros.
    """
    planes, height, width = stack.shape

    def read(block_id: tuple[int, int, int] | None = None) -> npt.NDArray[Any]:
        index = block_id[0] if block_id else 0
        return stack.plane(index).data[np.newaxis]

    return da.map_blocks(
        read,
        chunks=((1,) * planes, (height,), (width,)),
        dtype=stack.dtype,
        meta=np.empty((0, 0, 0), stack.dtype),
        # a new name: the same path may have other pixels when it is opened again
        name=f"cop-planes-{uuid4().hex}",
    )


def contrast_limits(stack: Stack) -> tuple[float, float] | None:
    """Return limits in counts that suit the brightest of a few planes spread over the stack.

    None if none of those planes is usable.
    """
    chosen = np.unique(np.linspace(0, len(stack) - 1, _CONTRAST_PLANES).round().astype(int))
    planes = [stack.plane(int(index)) for index in chosen]
    pairs = [np.percentile(p.data, CONTRAST_PERCENTILES) for p in planes if p.validity.ok]
    if not pairs:
        return None
    low = float(min(pair[0] for pair in pairs))
    high = float(max(pair[1] for pair in pairs))
    return (low, high) if high > low else None


def layer_name(stack: Stack) -> str:
    """Name a layer after its stack and, if the file names it, its channel."""
    channel = stack.image.channel_name
    return f"{stack.name} [{channel}]" if channel else stack.name


def _scale(
    stack: Stack, *, z_known: bool
) -> tuple[tuple[float, float, float], tuple[str, str, str]]:
    if not z_known:
        # a depth in pixels and a width in µm would be drawn on the same scale
        return (1.0, 1.0, 1.0), ("pixel", "pixel", "pixel")
    depth_um = stack.depth_um
    step_um = float(np.ptp(depth_um)) / (len(depth_um) - 1) if len(depth_um) > 1 else 1.0
    if stack.pixel_size_um is None:
        return (step_um, 1.0, 1.0), ("um", "pixel", "pixel")
    return (step_um, *stack.pixel_size_um), ("um", "um", "um")


def _provenance(stack: Stack, *, z_known: bool) -> dict[str, Any]:
    power = [float(p) if np.isfinite(p) else None for p in stack.power]
    return {
        "source": stack.source,
        "format": stack.image.format,
        "channel": stack.image.channel,
        "depth_um": stack.depth_um.tolist() if z_known else None,
        "power": power if any(p is not None for p in power) else None,
        "power_unit": stack.power_unit,
        "options": stack.options.plain(),
    }
