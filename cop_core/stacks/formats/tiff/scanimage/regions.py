"""Regions of interest, which are stacked vertically in one page."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError
from cop_core.stacks.units import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cop_core.stacks.formats.tiff.scanimage.header import Header
    from cop_core.stacks.formats.tiff.scanimage.slices import Slices

_NEAR_UM: Final = 1e-3
_POWER: Final = ("powers", "powerFractions", "pzAdjust", "Lzs")
_ADVICE: Final = "export each region as a file of its own"


@dataclass(frozen=True, eq=False)
class Region:
    """One region of interest; identical regions are distinct.

    Attributes
    ----------
    name : str
        The user's name for it.
    shape : tuple of int
        Rows and columns.
    size_deg : tuple of float or None
        Height and width in degrees of the scanner.
    z_um : tuple of float
        Positions at which it is drawn; a single position stands for all, unless it is `discrete`.
    discrete : bool
        Whether it is scanned only at these positions, not between them.
    own_power : bool
        Whether it has its own power settings.
    """

    name: str
    shape: tuple[int, int]
    size_deg: tuple[float, float] | None
    z_um: tuple[float, ...]
    discrete: bool
    own_power: bool

    def scanned_at(self, z_um: float) -> bool:
        """Return whether it is scanned at a position."""
        if self.discrete:
            return any(abs(z_um - z) <= _NEAR_UM for z in self.z_um)
        low, high = min(self.z_um) - _NEAR_UM, max(self.z_um) + _NEAR_UM
        return len(self.z_um) == 1 or low <= z_um <= high


@dataclass(frozen=True)
class Strip:
    """One region, and its first row in the pages of each slice that contains it."""

    region: Region
    first_rows: Mapping[int, int]


def read_strips(
    header: Header, slices: Slices, page: tuple[int, int], where: str
) -> tuple[Strip, ...]:
    """Read which regions were scanned; none if a page is one image.

    Parameters
    ----------
    page : tuple of int
        Rows and columns of a page.

    Raises
    ------
    InputError
        If they are not stated, or do not fill a page.
    """
    if not header.flag("hRoiManager.mroiEnable"):
        return ()
    regions, z_um = _regions(header, where), _seen_um(header, slices)
    shown = [[r for r in regions if z is None or r.scanned_at(z)] for z in z_um]
    fullest = max(shown, key=lambda one: sum(region.shape[0] for region in one))
    gap = _gap(fullest, page[0])
    if gap is None or any(region.shape[1] > page[1] for region in fullest):
        sizes = ", ".join(f"{r.shape[0]} x {r.shape[1]}" for r in fullest[:20])
        raise InputError(
            f"its regions of interest ({sizes or 'none'}) do not fill its pages of"
            f" {page[0]} x {page[1]} pixels",
            where=where,
            advice=_ADVICE,
        )
    strips = (Strip(region, _first_rows(region, shown, gap)) for region in regions)
    return tuple(strip for strip in strips if strip.first_rows)


def _regions(header: Header, where: str) -> list[Region]:
    group = header.rois.get("imagingRoiGroup")
    rois = _objects(group.get("rois")) if isinstance(group, dict) else []
    found = [_region(roi, where) for roi in rois if roi.get("enable", 1)]
    if not found:
        problem = "it shows regions of interest, and its header does not say which"
        raise InputError(problem, where=where, advice=_ADVICE)
    return found


def _objects(value: Any) -> list[dict[str, Any]]:
    """Return a list of objects; ScanImage writes a single one without a list."""
    return [one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict)]


def _region(roi: Mapping[str, Any], where: str) -> Region:
    name, fields = str(roi.get("name") or "without name"), _objects(roi.get("scanfields"))
    shapes = {_pair(field.get("pixelResolutionXY")) for field in fields}
    zs = roi.get("zs")
    z_um = [number(z) for z in (zs if isinstance(zs, list) else [zs])]
    shape = shapes.pop() if len(shapes) == 1 else None
    if shape is None or min(shape) < 1 or not z_um or None in z_um:
        problem = f"size or position of its region of interest {name!r} cannot be read"
        raise InputError(problem, where=where, advice=_ADVICE)
    return Region(
        name=name,
        shape=(int(shape[0]), int(shape[1])),
        size_deg=_pair(fields[0].get("sizeXY")),
        z_um=tuple(z for z in z_um if z is not None),
        discrete=bool(roi.get("discretePlaneMode")),
        own_power=any(roi.get(key) not in (None, [], "") for key in _POWER),
    )


def _pair(value: object) -> tuple[float, float] | None:
    """Return (y, x) from [x, y]."""
    if not isinstance(value, list) or len(value) != 2:
        return None
    x, y = map(number, value)
    return None if x is None or y is None else (y, x)


def _seen_um(header: Header, slices: Slices) -> Sequence[float | None]:
    """Return the position of each slice in the frame of the regions, that of the scanner."""
    seen = header.numbers("hStackManager.zsRelative")[:: slices.repeats]
    if len(seen) == slices.number:
        return seen
    return slices.z_um or (None,) * slices.number


def _gap(regions: Sequence[Region], n_rows: int) -> int | None:
    """Return the number of rows between two regions while the scanner moves; None if none fits."""
    left = n_rows - sum(region.shape[0] for region in regions)
    if len(regions) < 2:
        return 0 if regions and left >= 0 else None
    gap, rest = divmod(left, len(regions) - 1)
    return gap if gap >= 0 and not rest else None


def _first_rows(region: Region, shown: Sequence[Sequence[Region]], gap: int) -> dict[int, int]:
    return {
        i: sum(other.shape[0] + gap for other in slice_[: slice_.index(region)])
        for i, slice_ in enumerate(shown)
        if region in slice_
    }
