"""The table of a cohort: one row for each image, or each plane of a stack."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.csv_table import column_name
from cop_core.records import CohortRow
from cop_core.statistics.photons import ROUGHLY_READABLE, photons_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cop_core.recipes import SettingValue
    from cop_core.records import DepthProfile, PictureRecord, PlaneEstimate

BLOCKS: Final = 10
"""Number of blocks of neighbouring planes into which a single stack is grouped."""
DEPTH: Final = "depth_um"


def rows_of(pictures: Sequence[PictureRecord], group: str | None) -> tuple[CohortRow, ...]:
    """Return the planes that can be used, with their settings.

    Depth and power come from the planes unless the images' settings state them. Without a grouping
    setting, each stack is a group; a single stack is grouped into blocks of neighbouring planes.
    """
    rows = [row for picture in pictures for row in _of_picture(picture, group)]
    if group is None and len({row.group for row in rows}) == 1:
        rows = [_in_block(row, i, len(rows)) for i, row in enumerate(rows)]
    return tuple(rows)


def _of_picture(picture: PictureRecord, group: str | None) -> Iterator[CohortRow]:
    profile, name = picture.profile, picture.row.name
    if profile is None:
        return
    told = photons_of(profile, ROUGHLY_READABLE)
    named = {*map(column_name, picture.row.settings)}
    quality = picture.quality
    for i, plane in enumerate(profile.planes):
        if plane.reason:
            continue
        stated = _of_plane(plane, profile).items()
        settings = {k: v for k, v in stated if k not in named} | picture.row.settings
        yield CohortRow(
            picture=name,
            plane=plane.index,
            group=str(settings.get(group, "")) if group else name,
            settings={key: value for key, value in settings.items() if key != group},
            strengths=plane.mean,
            uncertainty=profile.uncertainty[i],
            photons=float(told.at_full_scale[i]) if told else np.nan,
            psnr_db=quality.psnr_db if quality else np.nan,
            ssim=quality.ssim if quality else np.nan,
        )


def _of_plane(plane: PlaneEstimate, profile: DepthProfile) -> dict[str, SettingValue]:
    """Return the settings of one plane of a stack; powers in different units are separate."""
    power = "_".join(["power", *plane.power_unit.lower().split()])
    found = {DEPTH: plane.depth_um if len(profile) > 1 else np.nan, power: plane.power}
    return {name: float(value) for name, value in found.items() if np.isfinite(value)}


def _in_block(row: CohortRow, number: int, n: int) -> CohortRow:
    block = number * min(BLOCKS, n) // n
    return CohortRow(**{**vars(row), "group": f"{row.group} block {block + 1}"})


def sizes(rows: Sequence[CohortRow]) -> Counter[str]:
    """Return the number of rows of each group."""
    return Counter(row.group for row in rows)
