"""The strength of one noise in every crop, as a layer over the stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.errors import InputError
from cop_core.records.crop_grid import grid_starts
from cop_core.report import noises
from napari_cop.words import spoken

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    from napari.layers import Image, Layer
    from napari.viewer import Viewer

    from cop_core.records import DepthProfile

MAP_KEY: Final = "cop_noise_map"
"""Key of the metadata of a noise map for the layer to which it belongs."""
_COLORMAP: Final = "inferno"
_OPACITY: Final = 0.6


def noise_maps(profile: DepthProfile) -> dict[str, npt.NDArray[np.float32]]:
    """Return each noise's strength by plane and place.

    Returns
    -------
    dict
        By component, strengths in %, shape (planes, rows, columns); NaN for planes that are left
        out, or of which only some crops were read.

    Raises
    ------
    InputError
        If the crops are at random places, or no plane was read completely.
    """
    if profile.reading.crops is not None:
        raise InputError(
            "a map cannot be made from random crops",
            where=profile.name,
            advice="Leave Crops per plane under Advanced empty (every pixel) and run again",
        )
    height, width = _size(profile)
    rows, columns = len(grid_starts(height)), len(grid_starts(width))
    cells = np.full((len(profile), rows * columns, len(profile.components)), np.nan, np.float32)
    whole = [plane.n_crops == rows * columns for plane in profile.planes]
    if any(plane.n_crops for plane in profile.planes) and not any(whole):
        raise InputError(
            "no plane was read in full, so no map can be made",
            where=profile.name,
            advice="Read the finished stack with Noise profile",
        )
    for row, plane, full in zip(cells, profile.planes, whole, strict=True):
        if full:
            row[:] = 100 * plane.strengths
    cells = cells.reshape(len(profile), rows, columns, -1)
    return {c: cells[..., profile.components.index(c)] for c in noises(profile.components)}


def show_noise_map(
    viewer: Viewer,
    layer: Image,
    place: tuple[int, tuple[int, ...]],
    profile: DepthProfile,
    component: str,
    *,
    highest: float,
    visible: bool = True,
) -> Image:
    """Show one noise over the layer that was read, replacing an earlier map.

    Parameters
    ----------
    layer : Image
        The layer that was read; scale, place and units are taken from it.
    place : (int, tuple of int)
        Its axis of planes, and the position of the stack on the other axes.
    highest : float
        Upper contrast limit in %; the lower one is 0.

    Raises
    ------
    InputError
        If the crops are at random places.
    """
    cells = noise_maps(profile)[component]
    for old in [x for x in viewer.layers if is_map_of(x, layer)]:
        viewer.layers.remove(old)
    shown = viewer.add_image(
        _in_shape(cells, layer.ndim, place[0]),
        name=f"{profile.name}: {spoken(component)}, %",
        visible=visible,
        contrast_limits=(0, highest),
        metadata={MAP_KEY: layer.unique_id},
        **_placed(layer, profile, cells.shape, place[1]),
    )
    if hasattr(shown, "colorbar"):  # napari before 0.6.3 has none
        shown.colorbar.visible = True
    return shown


def is_map(layer: Layer) -> bool:
    """Return whether a layer is a noise map."""
    return MAP_KEY in layer.metadata


def is_map_of(layer: Layer, read: Layer) -> bool:
    """Return whether a layer is the noise map over another."""
    return bool(layer.metadata.get(MAP_KEY) == read.unique_id)


def highest_of(profiles: Sequence[DepthProfile], component: str) -> float:
    """Return the largest strength of a noise in the maps of all stacks, in %; at least 1."""
    cells = (noise_maps(profile)[component] for profile in profiles)
    return max(1.0, *(float(np.nanmax(some, initial=0)) for some in cells))


def _size(profile: DepthProfile) -> tuple[int, int]:
    """Return height and width of the planes in pixels."""
    return profile.provenance.image.plane_shape if profile.provenance else (0, 0)


def _in_shape(cells: npt.NDArray[np.float32], ndim: int, z_axis: int) -> npt.NDArray[np.float32]:
    shape = [1] * ndim
    shape[z_axis], shape[-2], shape[-1] = cells.shape
    return cells.reshape(shape)


def _placed(
    layer: Image, profile: DepthProfile, shape: tuple[int, ...], at: tuple[int, ...]
) -> dict[str, Any]:
    """Return arguments that stretch the cells over the layer's pixels, edge to edge."""
    height, width = _size(profile)
    cell = np.ones(layer.ndim)
    cell[-2:] = height / shape[1], width / shape[2]  # pixels
    # napari places the centre of the first pixel at the origin
    first = layer.data_to_world(np.asarray(at) + (cell - 1) / 2)
    return {
        "scale": np.asarray(layer.scale) * cell,
        "translate": layer.affine.inverse(np.asarray(first)),
        "rotate": layer.rotate,
        "shear": layer.shear,
        "affine": layer.affine,
        "units": layer.units,
        "axis_labels": layer.axis_labels,
        "colormap": _COLORMAP,
        "opacity": _OPACITY,
        "blending": "translucent",
        "interpolation2d": "nearest",
    }
