"""Images of two stacks for visual inspection: planes at equal depths, and side views."""

from __future__ import annotations

from dataclasses import dataclass

from cop_core.records.arrays import Matrix, Vector


@dataclass(frozen=True)
class PlaneView:
    """One plane.

    Attributes
    ----------
    depth_um, power : float
        NaN where not stated.
    image : ndarray of shape (rows, columns)
        Means over square blocks of pixels in counts; NaN where a pixel has no value.
    """

    depth_um: float
    power: float
    image: Matrix


@dataclass(frozen=True)
class StackViews:
    """Images of one stack.

    Attributes
    ----------
    planes : tuple of PlaneView
        In order of depth.
    depth_um : ndarray of shape (planes,)
        Depths of the side view, ascending.
    side : ndarray of shape (planes, columns)
        The largest block mean along y in counts (x-z maximum projection); NaN where a plane
        cannot be read.
    plane_block_um, side_block_um : float
        Width of a block in `planes` and in `side`; NaN without a pixel size.
    """

    planes: tuple[PlaneView, ...]
    depth_um: Vector
    side: Matrix
    plane_block_um: float
    side_block_um: float
