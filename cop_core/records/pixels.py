"""What of a plane's pixels is not picture, and what was done to them before they were stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FILL: Final = "fill left out at the edges"
MASKED: Final = "fixed hot or dead pixels masked"
FLOOR: Final = "floor cut off"
LOSSY: Final = "lossy compression"
SMOOTHED: Final = "interpolated or smoothed"


@dataclass(frozen=True)
class PixelFacts:
    """What was found in the pixels of one plane.

    Attributes
    ----------
    fill_rows, fill_columns : int
        Rows and columns at the edges that hold fill, left out of range and crops.
    masked : int
        Hot or dead pixels of the stack, whose neighbours stand in for them.
    floor_fraction : float
        Fraction of the pixels at the lowest value, where they pile up there; else 0.
    lossy : bool
        Whether the file states lossy compression, or blocks of 8x8 pixels show it.
    smoothed : bool
        Whether neighbouring pixels share their noise, as interpolation, upsampling and smoothing
        make them.
    """

    fill_rows: int = 0
    fill_columns: int = 0
    masked: int = 0
    floor_fraction: float = 0.0
    lossy: bool = False
    smoothed: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What to know of the plane, each with its number in brackets where it has one."""
        sides = ((self.fill_rows, "row"), (self.fill_columns, "column"))
        fill = " and ".join(f"{n} {side}{'s' if n > 1 else ''}" for n, side in sides if n)
        found = (
            (bool(fill), f"{FILL} ({fill})"),
            (self.masked > 0, f"{MASKED} ({self.masked})"),
            (self.floor_fraction > 0, f"{FLOOR} ({100 * self.floor_fraction:.0f} % of pixels)"),
            (self.lossy, LOSSY),
            (self.smoothed, SMOOTHED),
        )
        return tuple(text for holds, text in found if holds)
