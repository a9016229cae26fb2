"""The truth of a pair, as a table and as a document."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from cop_core.simulator.truth import (
    PERCENTILES,
    PlaneTruth,
    Strengths,
    histogram,
    plane_truth,
    stack_strengths,
)

if TYPE_CHECKING:
    from cop_core.simulator.imaging import Exposure
    from cop_core.simulator.presets import Preset


class Record:
    """The truth of a pair, gathered while it is acquired."""

    def __init__(self, preset: Preset) -> None:
        self._preset = preset
        self._detector = preset.microscope.detector
        self._pixels: dict[str, npt.NDArray[np.int64]] = {}
        self.planes: dict[str, list[PlaneTruth]] = {name: [] for name in preset.powers_mw}

    def add(self, index: int, exposures: dict[str, Exposure]) -> None:
        """Note one plane of every protocol."""
        depth_um = float(self._preset.depths_um[index])
        for name, (counts, expected) in exposures.items():
            power_mw = float(self._preset.powers_mw[name][index])
            truth = plane_truth(
                self._detector,
                counts,
                expected,
                plane=index,
                depth_um=depth_um,
                power_mw=power_mw,
                full_photons=float(self._preset.microscope.optics.signal(power_mw, depth_um)),
            )
            self.planes[name].append(truth)
            self._pixels[name] = self._pixels.get(name, 0) + histogram(counts, self._detector)

    def by_stack(self, protocol: str) -> Strengths:
        """Strengths when a protocol's whole stack is normalised together."""
        mean_photons = float(np.mean([plane.mean_photons for plane in self.planes[protocol]]))
        return stack_strengths(self._detector, self._pixels[protocol], mean_photons)

    def rows(self) -> list[dict[str, Any]]:
        """One flat row a protocol and plane, as the CSV has them."""
        rows = []
        for protocol, planes in self.planes.items():
            by_stack = _suffixed(self.by_stack(protocol), "stack")
            for plane in planes:
                row = asdict(plane)
                row.pop("by_plane")
                row |= _suffixed(plane.by_plane, "plane") | by_stack
                rows.append({"protocol": protocol, **_rounded(row)})
        return rows

    def document(self, seed: int) -> dict[str, Any]:
        """Everything true of the pair and every setting, as plain JSON."""
        preset, microscope = self._preset, self._preset.microscope
        return {
            "schema": 1,
            "preset": preset.name,
            "seed": seed,
            "z_step_um": preset.z_step_um,
            "pixel_um": microscope.phantom.pixel_um,
            "fixed_mw": preset.fixed_mw,
            "gained": {**asdict(preset.gained), "cap_depth_um": preset.cap_depth_um},
            "phantom": asdict(microscope.phantom),
            "optics": asdict(microscope.optics),
            "detector": asdict(microscope.detector),
            "percentiles": list(PERCENTILES),
            "protocols": {name: self._protocol(name) for name in self.planes},
        }

    def _protocol(self, name: str) -> dict[str, Any]:
        """Give one protocol's part of the document."""
        planes = [
            _rounded(asdict(plane)) | {"by_plane": _rounded(asdict(plane.by_plane))}
            for plane in self.planes[name]
        ]
        return {"by_stack": _rounded(asdict(self.by_stack(name))), "planes": planes}


def _suffixed(strengths: Strengths, suffix: str) -> dict[str, float]:
    """Strengths as columns that tell how the plane was normalised."""
    return {f"{name}_by_{suffix}": value for name, value in asdict(strengths).items()}


def _rounded(row: dict[str, Any]) -> dict[str, Any]:
    """Floats to seven digits, enough for any test and shorter to read."""
    return {
        name: float(f"{value:.7g}") if isinstance(value, float) else value
        for name, value in row.items()
    }
