"""The strengths of every crop as image layers over the stack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.errors import InputError
from cop_core.report import label, noises

if TYPE_CHECKING:
    import numpy.typing as npt
    from napari.layers import Image
    from napari.viewer import Viewer

    from cop_core.records import DepthProfile

_COLORMAP: Final = "inferno"
_OPACITY: Final = 0.6


def noise_maps(profile: DepthProfile) -> dict[str, npt.NDArray[np.float32]]:
    """Return each noise's strength by plane and place.

    Returns
    -------
    dict
        Component to strengths in % of shape (planes, rows, columns); NaN on planes that are
        excluded, or of which only some crops were read.

    Raises
    ------
    InputError
        If the crops lay at random places, or no plane was read in full.
    """
    from cop_core.reading import grid_starts  # imports PyTorch, as reading did before

    if profile.reading.crops is not None:
        raise InputError(
            "random crops make no map",
            where=profile.name,
            advice="Leave Crops per plane under Advanced empty (every pixel) and run again",
        )
    height, width = _size(profile)
    rows, columns = len(grid_starts(height)), len(grid_starts(width))
    cells = np.full((len(profile), rows * columns, len(profile.components)), np.nan, np.float32)
    whole = [plane.n_crops == rows * columns for plane in profile.planes]
    if any(plane.n_crops for plane in profile.planes) and not any(whole):
        raise InputError(
            "no plane was read in full, so that no map can be made",
            where=profile.name,
            advice="Read the finished stack with Noise profile",
        )
    for row, plane, full in zip(cells, profile.planes, whole, strict=True):
        if full:
            row[:] = 100 * plane.strengths
    cells = cells.reshape(len(profile), rows, columns, -1)
    return {c: cells[..., profile.components.index(c)] for c in noises(profile.components)}


def add_noise_map(
    viewer: Viewer,
    layer: Image,
    place: tuple[int, tuple[int, ...]],
    profile: DepthProfile,
    *,
    visible: bool = True,
) -> list[Image]:
    """Add one layer a noise over the layer that was read.

    Parameters
    ----------
    layer : Image
        The layer that was read; scale, place and units are taken from it.
    place : (int, tuple of int)
        Its axis of planes, and where the stack lies on the other axes.
    visible : bool
        Whether the strongest noise is visible; the others are not.

    Raises
    ------
    InputError
        If the crops lay at random places.
    """
    maps = noise_maps(profile)
    means = {name: float(np.nanmean(m)) for name, m in maps.items() if np.isfinite(m).any()}
    strongest = max(means, key=lambda name: means[name]) if means else ""
    return [
        viewer.add_image(
            _in_shape(cells, layer.ndim, place[0]),
            name=f"{label(component)} noise (%) [{profile.name}]",
            visible=visible and component == strongest,
            contrast_limits=(0, max(1.0, float(np.nanmax(cells, initial=0)))),
            **_placed(layer, profile, cells.shape, place[1]),
        )
        for component, cells in maps.items()
    ]


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
    # napari puts the first pixel's centre at the origin
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
