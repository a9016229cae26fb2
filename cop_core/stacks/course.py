"""Depth and power along a stack, as given or as stated in the file, with their sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from cop_core.recipes import MW
from cop_core.stacks.depth import distances_of
from cop_core.stacks.power import PlanePower, power_by_plane, power_of_planes, scale_beside
from cop_core.stacks.surface import Surface, find_surface

if TYPE_CHECKING:
    from cop_core.recipes import StackOptions
    from cop_core.stacks.dataset import Dataset


@dataclass(frozen=True)
class Course:
    """Depth and power of every plane.

    Attributes
    ----------
    depth_um : ndarray of shape (planes,)
        Measured from the surface, in the order of the planes.
    depth_from : str
        Source of the distance between planes.
    surface : Surface
        Plane at depth 0.
    power : PlanePower
        With its unit.
    """

    depth_um: npt.NDArray[np.float64]
    depth_from: str
    surface: Surface
    power: PlanePower


def course_of(data: Dataset, options: StackOptions, n_planes: int) -> Course:
    """Return depth and power of the planes of a dataset.

    Raises
    ------
    InputError
        If the z step is not known, or a power or its scale cannot be used.
    """
    from_first_um, depth_from = distances_of(n_planes, options.z_step_um, data.scale, data.source)
    surface = find_surface(options.surface, data.surface, power_by_plane(data.power, options.power))
    depth_um = surface.depth_um(from_first_um)
    power = power_of_planes(data.power, options, depth_um, where=data.source)
    for values in (depth_um, power.values):
        values.setflags(write=False)
    return Course(depth_um, depth_from, surface, power)


def with_scale_beside(data: Dataset, options: StackOptions) -> StackOptions:
    """Use the power scale beside a file, if one is needed and none was given."""
    if options.power is not None or options.power_scale is not None:
        return options
    if data.power is None or data.power.unit == MW:
        return options
    return options.but(power_scale=scale_beside(data.source))
