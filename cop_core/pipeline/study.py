"""Run of a study: read every stack, resuming an earlier run, then compare the arms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from cop_core.errors import CancelledError, CopError, InputError, WorkersGoneError
from cop_core.pipeline.alone import alone_in
from cop_core.pipeline.events import Means, Opened, Working
from cop_core.pipeline.reading import follow, load, open_one, reader_of, require_some
from cop_core.pipeline.resume import PROFILE_FILE, is_same, keep, read_kept
from cop_core.pipeline.run import run_with
from cop_core.reading import Estimator, StackReader
from cop_core.recipes import (
    NORMALISATIONS,
    Normalisation,
    ProfileRecipe,
    ReadingOptions,
    StudyRecipe,
    StudyStack,
)
from cop_core.recipes.argv import command_of
from cop_core.recipes.terms import told
from cop_core.records import DepthProfile, StudyRecord, StudyStackRecord
from cop_core.report import write_report
from cop_core.stacks import Stack
from cop_core.stacks.growing import Source
from cop_core.statistics import analyse_stack, compare_channels
from cop_core.writing import clear_leftovers

SENSITIVITY: Final = "sensitivity"
"""Subfolder of the study's folder for stacks read with other normalisations."""
_HASHING: Final = "SHA-256, bytes"


@run_with.register
def _study(recipe: StudyRecipe, means: Means) -> StudyRecord:
    """Read every stack into ``<arm>/<name>/`` of the folder, with its report; compare the arms.

    Stacks finished by an earlier run are not read again unless something that affects their numbers
    has changed. A stack that cannot be opened or read does not stop the others. If cancelled, it
    keeps finished stacks and raises CancelledError. Without a folder nothing is kept.
    """
    own = recipe.reading.normalisation
    names = [own, *(n for n in NORMALISATIONS if n != own and recipe.sensitivity)]
    with alone_in(means):
        estimator = load(recipe.reading, means)
        recipe = recipe.but(reading=estimator.read_with(recipe.reading))
        passes = [_Pass(recipe, names, number, means, estimator) for number in range(len(names))]
        read = [one.stacks() for one in passes]
    means.on_event(Working("comparing the arms"))
    found = {
        str(name): tuple(
            analyse_stack(stack, recipe.window_um, level=recipe.comparison.level)
            for stack in stacks
        )
        for name, stacks in zip(names, read, strict=True)
    }
    compared = {n: compare_channels(stacks, recipe.comparison) for n, stacks in found.items()}
    stacks, comparisons = found.pop(own), compared.pop(own)
    for name, others in found.items():
        stacks = tuple(_with_lines(*pair, name) for pair in zip(stacks, others, strict=True))
    return StudyRecord(recipe, stacks, comparisons, compared)


def _with_lines(stack: StudyStackRecord, other: StudyStackRecord, name: str) -> StudyStackRecord:
    """Return a stack with its lines under another normalisation, if it has any."""
    if stack.analysed is None or other.analysed is None:
        return stack
    known = {**stack.analysed.sensitivity, name: other.analysed.lines}
    return replace(stack, analysed=replace(stack.analysed, sensitivity=known))


@dataclass(frozen=True)
class _Pass:
    """All stacks of a study under one of the normalisations; the first is the study's own."""

    recipe: StudyRecipe
    names: Sequence[Normalisation]
    number: int
    means: Means
    estimator: Estimator

    @property
    def reading(self) -> ReadingOptions:
        return self.recipe.reading.but(normalisation=self.names[self.number])

    @property
    def folder(self) -> Path | None:
        folder = self.means.folder
        if folder is None or self.number == 0:
            return folder
        return folder / SENSITIVITY / self.names[self.number]

    def stacks(self) -> tuple[StudyStackRecord, ...]:
        """Return the result of every stack."""
        rows = self.recipe.stacks
        if self.folder is not None:
            clear_leftovers(self.folder)
        # all are opened first: those finished, and those that cannot be opened, are known at once
        looked: list[Stack | Source | StudyStackRecord] = []
        for number, row in enumerate(rows):
            looked.append(self._look(number, row))
            if self.means.cancelled():
                raise CancelledError("cancelled", where=row.place)
        self._tell_depths(looked)
        known = {i: each for i, each in enumerate(looked) if isinstance(each, StudyStackRecord)}
        self._tell(len(known), *known.values())
        left = {i: one for i, one in enumerate(looked) if not isinstance(one, StudyStackRecord)}
        # workers begin with all of them at once
        readers = {number: self._reader(rows[number], one) for number, one in left.items()}
        for number, each in left.items():
            known[number] = self._read(number, rows[number], each, readers.pop(number))
            self._tell(len(known), known[number])
        return tuple(known[number] for number in range(len(rows)))

    def _look(self, number: int, row: StudyStack) -> Stack | Source | StudyStackRecord:
        """Open a stack to be read; return a record if it is finished or cannot be opened."""
        if row.place in self.means.failed:
            return StudyStackRecord(row, error=self.means.failed[row.place])
        try:
            source = open_one(number, row.stack, self.means)
            resumes = self.means.resume and self.folder
            kept = read_kept(resumes / row.place) if resumes else None
            planned = StackReader(source, self.estimator, self.reading, name=row.name).profile
            if kept is None or not is_same(kept, planned, self.means.progress(_HASHING, row.place)):
                return source
        except CancelledError:
            raise
        except (CopError, OSError) as error:
            return StudyStackRecord(row, error=told(error))
        return StudyStackRecord(row, kept.profile, inputs=kept.inputs, resumed=True)

    def _read(
        self, number: int, row: StudyStack, source: Stack | Source, reader: StackReader
    ) -> StudyStackRecord:
        """Read one stack into its folder."""
        try:
            if not follow(number, source, reader, self.means, row.place):
                raise CancelledError("cancelled", where=row.place)
            return self._finish(row, require_some(reader.profile))
        except (CancelledError, WorkersGoneError):
            raise
        except Exception as error:  # no error of one stack must stop the others
            return StudyStackRecord(row, error=told(error))

    def _finish(self, row: StudyStack, profile: DepthProfile) -> StudyStackRecord:
        if self.folder is None:
            return StudyStackRecord(row, profile)
        folder = self.folder / row.place
        clear_leftovers(folder)
        # from here until everything is rewritten, nothing in there counts as finished
        (folder / PROFILE_FILE).unlink(missing_ok=True)
        write_report(
            profile,
            folder,
            command=_command(row, profile, folder),
            hashed=self.means.hashed,
            progress=self.means.progress(_HASHING, row.place),
        )
        kept = keep(profile, folder)
        return StudyStackRecord(row, kept.profile, inputs=kept.inputs)

    def _reader(self, row: StudyStack, source: Stack | Source) -> StackReader:
        return reader_of(source, self.estimator, self.reading, row.name, self.means)

    # --- reports ------------------------------------------------------------------------------

    def _tell(self, n_known: int, *stacks: StudyStackRecord) -> None:
        """Report each stack once, and the progress over all passes."""
        n, n_passes = len(self.recipe.stacks), len(self.names)
        for stack in stacks if self.number == 0 else ():
            self.means.on_event(stack)
        done = Working("stacks", done=self.number * n + n_known, total=n_passes * n)
        self.means.on_event(done)

    def _tell_depths(self, looked: Sequence[Stack | Source | StudyStackRecord]) -> None:
        """Report the depths of the stacks that can be read or were read."""
        known = [each.profile if isinstance(each, StudyStackRecord) else each for each in looked]
        depths = tuple(
            one.depth_um if isinstance(one, Stack | DepthProfile) else np.empty(0) for one in known
        )
        places = tuple(row.place for row in self.recipe.stacks)
        self.means.on_event(Opened(places, self.estimator.components, depths))


def _command(row: StudyStack, profile: DepthProfile, folder: Path) -> str | None:
    """Return the command that reads one stack again; None if there is none."""
    try:
        return command_of(ProfileRecipe(stack=row.stack, reading=profile.reading), folder)
    except InputError:  # it is not in a file, or the weights were made in Python
        return None
