"""Run of a cohort: read every image, resuming an earlier run, then analyse the settings."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from cop_core.cohort import analyse_cohort, quality_of, require_extra
from cop_core.errors import CancelledError, InputError
from cop_core.pipeline.alone import alone_in
from cop_core.pipeline.events import Means, Working
from cop_core.pipeline.reading import load, require_some
from cop_core.pipeline.resume import Kept, is_same, keep_reading, read_reading
from cop_core.pipeline.run import run_with
from cop_core.reading import Estimator, StackReader
from cop_core.reading.plane_blocks import BATCH
from cop_core.recipes import CohortPicture, CohortRecipe
from cop_core.recipes.terms import told
from cop_core.records import CohortRecord, DepthProfile, PictureQuality, PictureRecord
from cop_core.report.hashing import identified
from cop_core.stacks import Stack
from cop_core.stacks.image_file import open_image
from cop_core.writing import clear_leftovers

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOTHING: Final = np.empty((0, 0))
READINGS: Final = "readings"
"""Subfolder of the cohort's folder for the readings of images."""


@run_with.register
def _cohort(recipe: CohortRecipe, means: Means) -> CohortRecord:
    """Read every image, then analyse the settings.

    Images read by an earlier run are not read again unless something that affects their numbers has
    changed. An image that cannot be opened or read does not stop the others, and a reference that
    cannot be used leaves its image without quality. If cancelled, it keeps the readings and raises
    CancelledError. Without a folder nothing is kept.
    """
    require_extra(recipe)
    with alone_in(means):
        estimator = load(recipe.reading, means)
        recipe = recipe.but(reading=estimator.read_with(recipe.reading))
        pictures = tuple(_Pictures(recipe, means, estimator))
    means.on_event(Working("finding out what the settings drive"))
    return analyse_cohort(recipe, pictures, means.progress("permutations"))


@dataclass(frozen=True)
class _Pictures:
    """The images of a cohort, read one after the other."""

    recipe: CohortRecipe
    means: Means
    estimator: Estimator

    def __iter__(self) -> Iterator[PictureRecord]:
        total = len(self.recipe.pictures)
        if self.means.folder is not None:
            clear_leftovers(self.means.folder / READINGS)
        for number, row in enumerate(self.recipe.pictures):
            self._stop_where_cancelled(row)
            found = self._picture(number, row)
            self.means.on_event(found)
            self.means.on_event(Working("images", row.name, number + 1, total))
            yield found

    def _picture(self, number: int, row: CohortPicture) -> PictureRecord:
        if row.name in self.means.failed:
            return PictureRecord(row, error=self.means.failed[row.name])
        try:
            stack = self._open(number, row)
            reader = StackReader(
                stack,
                self.estimator,
                self.recipe.reading,
                name=row.name,
                batch_size=self.means.batch_size or BATCH,
            )
            kept = self._kept(row, reader.profile)
            found = kept or self._read(row, reader)
        except CancelledError:
            raise
        except Exception as error:  # no error of one image must stop the others
            return PictureRecord(row, error=told(error))
        quality, why = self._compared(stack, row)
        return PictureRecord(
            row,
            found.profile,
            resumed=kept is not None,
            inputs=found.inputs,
            quality=quality,
            reference_error=why,
        )

    def _compared(self, stack: Stack, row: CohortPicture) -> tuple[PictureQuality | None, str]:
        """Compare an image with its reference, if it has one, or record why that is impossible."""
        if row.reference is None:
            return None, ""
        try:
            return quality_of(stack, row.reference), ""
        except Exception as error:  # the image itself was read all the same
            return None, told(error)

    def _open(self, number: int, row: CohortPicture) -> Stack:
        given = self.means.sources[number] if number < len(self.means.sources) else None
        if isinstance(given, Stack):
            return given
        if row.picture.source is None:
            raise InputError("the recipe names no file for it", where=row.name)
        return open_image(Path(row.picture.source), row.picture)

    def _file(self, row: CohortPicture) -> Path | None:
        folder = self.means.folder
        return None if folder is None else folder / READINGS / f"{row.name}.json"

    def _kept(self, row: CohortPicture, planned: DepthProfile) -> Kept | None:
        file = self._file(row) if self.means.resume else None
        kept = read_reading(file) if file is not None else None
        return kept if kept is not None and is_same(kept, planned) else None

    def _read(self, row: CohortPicture, reader: StackReader) -> Kept:
        for step in reader:
            if step.ended:
                break
            self._stop_where_cancelled(row)
        profile = _without_crops(require_some(reader.profile))
        made = {row.name: profile.provenance} if profile.provenance else {}
        inputs = identified(made, hashed=self.means.hashed).get(row.name, {})
        reading = Kept(profile, inputs)
        if (file := self._file(row)) is not None:
            keep_reading(reading, file)
        return reading

    def _stop_where_cancelled(self, row: CohortPicture) -> None:
        if self.means.cancelled():
            raise CancelledError("cancelled", where=row.name)


def _without_crops(profile: DepthProfile) -> DepthProfile:
    """Return a profile without arrays that only depth profiles need: thousands fit in memory."""
    planes = tuple(
        replace(plane, strengths=_NOTHING, block_means=_NOTHING) for plane in profile.planes
    )
    return replace(profile, planes=planes)
