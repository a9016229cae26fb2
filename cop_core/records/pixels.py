"""Facts about a plane's pixels: those that are not image, and their processing before storage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cop_core.words import in_so_many, so_many, up_to

FILL: Final = "fill left out at the edges"
MASKED: Final = "fixed hot or dead pixels masked"
FLOOR: Final = "floor cut off"
LOSSY: Final = "lossy compression"
SMOOTHED: Final = "interpolated or smoothed"


@dataclass(frozen=True)
class PixelFacts:
    """Findings in the pixels of one plane.

    Attributes
    ----------
    fill_rows, fill_columns : int
        Rows and columns at the edges that hold fill, left out of range and crops.
    masked : int
        Hot or dead pixels of the stack, replaced by their neighbours.
    floor_fraction : float
        Fraction of the pixels at the lowest value, where they pile up there; else 0.
    lossy : bool
        Whether the file states lossy compression, or blocks of 8x8 pixels show it.
    smoothed : bool
        Whether neighbouring pixels share their noise, as after interpolation, upsampling or
        smoothing.
    """

    fill_rows: int = 0
    fill_columns: int = 0
    masked: int = 0
    floor_fraction: float = 0.0
    lossy: bool = False
    smoothed: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes on the plane, each with its number in brackets if it has one."""
        fill = _lines(self.fill_rows, self.fill_columns)
        found = (
            (bool(fill), f"{FILL} ({fill})"),
            (self.masked > 0, f"{MASKED} ({self.masked})"),
            (self.floor_fraction > 0, f"{FLOOR} ({100 * self.floor_fraction:.0f} % of pixels)"),
            (self.lossy, LOSSY),
            (self.smoothed, SMOOTHED),
        )
        return tuple(text for holds, text in found if holds)


def changed_noise(planes: Sequence[PixelFacts]) -> tuple[str, ...]:
    """Return the processing that changed the noise of a whole stack, sentences without a full stop.

    Compression and smoothing are reported if half of the planes show them: one alone may show them
    by chance.
    """
    n = len(planes)
    n_lossy, n_smoothed = sum(p.lossy for p in planes), sum(p.smoothed for p in planes)
    found = (
        (
            2 * n_lossy >= max(n, 1),
            f"{LOSSY} changed or removed the noise of {so_many(n_lossy, n)}: "
            f"{'their' if n_lossy > 1 else 'its'} strengths are not reliable",
        ),
        (
            2 * n_smoothed >= max(n, 1),
            f"{so_many(n_smoothed, n)} {'were' if n_smoothed > 1 else 'was'} {SMOOTHED}: "
            "neighbouring pixels share their noise, which is read too low",
        ),
    )
    return tuple(text for holds, text in found if holds)


def told_of_pixels(planes: Sequence[PixelFacts]) -> tuple[str, ...]:
    """Return the findings in the pixels of a stack's planes, `changed_noise` first."""
    n = len(planes)
    filled = [p for p in planes if p.fill_rows or p.fill_columns]
    floors = [p.floor_fraction for p in planes if p.floor_fraction]
    fill = _lines(*(max((getattr(p, side) for p in filled), default=0) for side in _SIDES))
    masked = max((p.masked for p in planes), default=0)
    every = " in every plane" if n > 1 else ""
    found = (
        (
            bool(floors),
            f"{in_so_many(len(floors), n)}"
            f"{up_to(len(floors), f'{100 * max(floors, default=0):.0f} %')} of the pixels are at "
            "the lowest value: values below it seem to be cut off, so noise in dark regions is "
            "read wrongly (except with photon counting)",
        ),
        (masked > 0, f"{masked} hot or dead pixel{'s' * (masked > 1)} masked{every}"),
        (
            bool(filled),
            f"fill left out at the edges of {so_many(len(filled), n)}: {up_to(len(filled), fill)}",
        ),
    )
    return (*changed_noise(planes), *(text for holds, text in found if holds))


_SIDES: Final = ("fill_rows", "fill_columns")


def _lines(rows: int, columns: int) -> str:
    sides = ((rows, "row"), (columns, "column"))
    return " and ".join(f"{n} {side}{'s' if n > 1 else ''}" for n, side in sides if n)
