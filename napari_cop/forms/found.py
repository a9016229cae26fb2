"""What a stack states and lacks, shown before it is read.

Files are examined in a process beside napari's; nothing here imports Qt.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from cop_core.records import ITS_STACK, SINGLE_PLANE
from cop_core.records.crop_grid import CROP
from cop_core.stacks import open_stack
from cop_core.stacks.check import spread_over
from cop_core.statistics.caveats import saturation
from cop_core.words import capital, so_many
from napari_cop.layers import METADATA_KEY
from napari_cop.sources import axis_name, pixels_of

if TYPE_CHECKING:
    from napari.layers import Image

    from cop_core.recipes import StackOptions

_SINGLE: Final = capital(SINGLE_PLANE)


@dataclass(frozen=True)
class Found:
    """What is known of a stack before it is read.

    Attributes
    ----------
    states : str
        Planes, size, power.
    lacks : tuple of str
        Values to fill in before Run, or caveats.
    """

    states: str = ""
    lacks: tuple[str, ...] = ()

    def lacking(self, text: str) -> Found:
        """Return a copy with another entry in `lacks`."""
        return replace(self, lacks=(*self.lacks, text))

    @property
    def text(self) -> str:
        """The whole text, with what is lacking on separate lines."""
        return "\n".join([*([self.states] if self.states else []), *(f"▲ {x}" for x in self.lacks)])


def found_in_file(options: StackOptions) -> Found:
    """Return what a file states and lacks.

    Raises
    ------
    InputError
        If it cannot be opened.
    """
    stack = open_stack(options.source, options)
    planes, height, width = stack.shape
    return _found(planes, height, width, list(stack.power), stack.power_unit)


def saturation_of_file(options: StackOptions) -> str:
    """Return a note on saturation in some planes, spread over a file; empty without any.

    Raises
    ------
    InputError
        If they cannot be read.
    """
    stack = open_stack(options.source, options)
    n = len(stack)
    chosen = spread_over(n)
    planes = [stack.plane(index) for index in chosen]
    told = saturation([plane.validity.saturated_fraction for plane in planes], len(chosen))
    return told and capital(f"{so_many(len(chosen), n)} checked: {told}")


def found_in_layer(layer: Image, z_axis: int, at: tuple[int, ...]) -> Found:
    """Return what a layer states, and its position on other axes, without reading pixels."""
    shape = pixels_of(layer).shape
    stated = layer.metadata.get(METADATA_KEY, {})
    power = stated.get("power") or ()
    planes, height, width = (int(shape[axis]) for axis in (z_axis, -2, -1))
    unit = stated.get("power_unit", "")
    found = _found(planes, height, width, power if len(power) == planes else (), unit)
    others = [i for i in range(len(shape) - 2) if i != z_axis and shape[i] > 1]
    if not others:
        return found
    places = [f"{axis_name(layer, i)} = {at[i]} (of 0 to {shape[i] - 1})" for i in others]
    return found.lacking(
        f"Only {' and '.join(places)} is read, as shown: move the slider for another"
    )


def _found(planes: int, height: int, width: int, power: Any, unit: str) -> Found:
    known = [p for p in power if p is not None and np.isfinite(p)]
    stated = f"power {_range(min(known), max(known))} {unit}" if known else "power not stated"
    lacks: tuple[str, ...] = (f"{_SINGLE}: {ITS_STACK}",) if planes == 1 else ()
    if min(height, width) < CROP:
        lacks += (
            f"Planes smaller than {CROP} × {CROP} pixels are extended by reflection and read less "
            "reliably",
        )
    n_planes = f"{planes} plane{'s' if planes > 1 else ''}"
    return Found(f"{n_planes} of {height} × {width} pixels, {stated}", lacks)


def _range(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g} to {high:g}"
