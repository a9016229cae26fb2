"""A digital block of mouse cortex, cut one plane at a time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.ndimage import map_coordinates

from cop_core.errors import InputError
from cop_core.simulator.anatomy import CellPopulation, grow_cells, neuropil_at, white_matter_at
from cop_core.simulator.drawing import Extent, FloatArray, PlaneGrid, Spheres, Texture
from cop_core.simulator.vessels import grow_vessels

_FIBRE_RAD = 0.45
_SWERVE_UM = 9.0


@dataclass(frozen=True)
class Phantom:
    """Labelled mouse cortex below a cranial window, with the external capsule and CA1 below.

    Structures are kept as lists of spheres, and a plane is drawn on request: a stack of any length
    takes the memory of one plane.

    Attributes
    ----------
    shape : tuple of int
        (height, width) of a plane in pixels.
    field_um : float
        Width of a plane.
    depth_um : float
        Depth down to which there is tissue.
    labelled_fraction : float
        Fraction of cells that carry the label, in [0, 1].
    filled_fraction : float
        Fraction of labelled cells with bright dendrites, in [0, 1].
    vessels : {"dark", "labelled"}
        Whether blood is dark (label in the cells) or fluorescent (dextran in the plasma).
    section_um : float
        Thickness of the optical section.

    Raises
    ------
    InputError
        If an attribute makes no sense.
    """

    shape: tuple[int, int] = (512, 512)
    field_um: float = 1600.0
    depth_um: float = 1320.0
    seed: int = 0
    labelled_fraction: float = 0.45
    filled_fraction: float = 0.05
    vessels: Literal["dark", "labelled"] = "dark"
    section_um: float = 2.5

    def __post_init__(self) -> None:
        if min(self.shape) < 1 or self.field_um <= 0 or self.depth_um <= 0:
            raise InputError(
                f"a phantom of {self.shape} px, {self.field_um} µm wide and {self.depth_um} µm "
                "deep holds nothing",
                advice="use positive sizes",
            )
        fractions = (self.labelled_fraction, self.filled_fraction)
        if self.seed < 0 or not (min(fractions) >= 0 and max(fractions) <= 1):
            raise InputError(
                f"a phantom cannot have seed {self.seed} and fractions {fractions}",
                advice="use a seed of 0 or more and fractions from 0 to 1",
            )
        if self.vessels not in {"dark", "labelled"}:
            raise InputError(
                f"vessels cannot be {self.vessels!r}", advice="use 'dark' or 'labelled'"
            )

    @property
    def pixel_um(self) -> float:
        """Side of a pixel."""
        return self.field_um / self.shape[1]

    def fluorophore(self, depth_um: float) -> FloatArray:
        """Fluorophore in the plane at a depth below the pia, (height, width).

        Concentrations are relative to a bright structure: mostly in [0, 1].
        """
        vessel = self._vessels.draw(self._grid, depth_um)
        tissue = self._tissue(depth_um)
        if self.vessels == "labelled":
            return np.asarray(0.25 * tissue * (1 - vessel) + 0.9 * vessel, np.float32)
        return np.asarray(tissue * (1 - 0.96 * vessel), np.float32)

    def _tissue(self, depth_um: float) -> FloatArray:
        """Everything but the vessels."""
        cells, grid = self._cells, self._grid
        plane = self._background(depth_um)
        plane *= 1 - 0.5 * cells.unlabelled.draw(grid, depth_um)
        # A process thinner than a pixel fills only part of it.
        thin = min(1.0, 2.0 / self.pixel_um)
        plane += thin * cells.neurites.draw(grid, depth_um)
        np.maximum(plane, cells.somata.draw(grid, depth_um), out=plane)
        plane *= 1 - 0.5 * cells.nuclei.draw(grid, depth_um)
        return plane

    def _background(self, depth_um: float) -> FloatArray:
        """Neuropil, which gives way to bundles of fibres in the white matter."""
        coarse, middle, fine = (texture.at(depth_um) for texture in self._neuropil)
        # Pixels wider than the grain of neuropil average it out.
        grain = 0.13 * min(1.0, 1.6 / self.pixel_um)
        plane = np.exp(0.10 * coarse + 0.12 * middle + grain * fine)
        fibres = white_matter_at(depth_um)
        if fibres:
            plane = (1 - fibres) * plane + fibres * self._fibre_bundles(depth_um)
        return np.asarray(neuropil_at(depth_um) * plane, np.float32)

    def _fibre_bundles(self, depth_um: float) -> FloatArray:
        """Nearly parallel fibres: straight ones, bent by a slow sideways displacement."""
        bundle, fibre, swerve = (texture.at(depth_um) for texture in self._fibres)
        rows, columns = np.indices(self.shape, np.float32)
        shift_px = _SWERVE_UM / self.pixel_um * swerve
        bent = [rows + np.cos(_FIBRE_RAD) * shift_px, columns - np.sin(_FIBRE_RAD) * shift_px]
        straight = np.exp(0.12 * bundle + 0.24 * fibre)
        return np.asarray(map_coordinates(straight, bent, order=1, mode="grid-wrap"), np.float32)

    @cached_property
    def _grid(self) -> PlaneGrid:
        return PlaneGrid(self.shape, self.pixel_um, max(self.pixel_um, self.section_um))

    @cached_property
    def _extent_um(self) -> Extent:
        return (self.depth_um, self.shape[0] * self.pixel_um, self.field_um)

    @cached_property
    def _vessels(self) -> Spheres:
        return grow_vessels(np.random.default_rng((self.seed, 1)), self._extent_um)

    @cached_property
    def _cells(self) -> CellPopulation:
        return grow_cells(
            np.random.default_rng((self.seed, 2)),
            self._extent_um,
            self._vessels,
            self.labelled_fraction,
            self.filled_fraction,
        )

    @cached_property
    def _neuropil(self) -> tuple[Texture, ...]:
        finest_um = max(1.1, 0.7 * self.pixel_um)
        sizes_um = ((45.0, 60.0), (6.0, 12.0), (finest_um, 4.0))
        return tuple(
            self._texture(3 + i, size, size, knot) for i, (size, knot) in enumerate(sizes_um)
        )

    @cached_property
    def _fibres(self) -> tuple[Texture, ...]:
        finest_um = max(1.2, 0.6 * self.pixel_um)
        return (
            self._texture(6, 40.0, 9.0, 25.0),
            self._texture(7, 16.0, finest_um, 5.0),
            self._texture(8, 90.0, 90.0, 60.0),
        )

    def _texture(self, stream: int, along_um: float, across_um: float, knot_um: float) -> Texture:
        seed = (self.seed, stream)
        return Texture(self.shape, self.pixel_um, along_um, across_um, _FIBRE_RAD, knot_um, seed)
