"""A study read stack by stack, so that a killed one goes on where it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cop_core.errors import CancelledError, CopError, InputError
from cop_core.reading import Estimator, Reading, Settings, load_estimator
from cop_core.reading import profile as read_profile
from cop_core.report import repeat_command, write_report
from cop_core.report.placing import placed
from cop_core.stacks import open_stack
from cop_core.study.kept import PROFILE_FILE, Kept, is_same, keep, read_kept

if TYPE_CHECKING:
    import os

    from cop_core.stacks import Stack
    from cop_core.statistics.profile import DepthProfile
    from cop_core.study.plan import Row


@dataclass(frozen=True)
class StudyStack:
    """What became of one row of the plan.

    Attributes
    ----------
    row : Row
        The row.
    kept : Kept or None
        The finished stack, read back from its folder; None where it failed.
    error : str
        Why it failed; empty where it did not.
    resumed : bool
        Whether an earlier run had finished it.
    """

    row: Row
    kept: Kept | None
    error: str = ""
    resumed: bool = False

    @property
    def profile(self) -> DepthProfile | None:
        """The profile over the whole depth; None where it failed."""
        return None if self.kept is None else self.kept.profile


def run_study(
    rows: Sequence[Row],
    directory: str | os.PathLike[str],
    *,
    estimator: Estimator | str | Path = "default",
    settings: Settings | None = None,
    opening: Mapping[str, Any] | None = None,
    hashed: bool | None = None,
    stacks: Callable[[int, int], None] = lambda _done, _total: None,
    planes: Callable[[str, int, int], None] = lambda _place, _done, _total: None,
    finished: Callable[[StudyStack], None] = lambda _stack: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> tuple[StudyStack, ...]:
    """Read every stack of a plan into a folder of its own, with its report.

    Stacks that an earlier run finished are not read again, unless their file, settings,
    weights or versions are not those of now. One that cannot be opened or read does not stop
    the others.

    Parameters
    ----------
    rows : sequence of Row
        From `read_plan`.
    directory : path
        Folder of the study; stacks go to ``<arm>/<name>/``.
    estimator : Estimator, str or Path
        A loaded estimator, or what `load_estimator` takes.
    settings : Settings, optional
        Normalisation and crops, for all stacks.
    opening : mapping, optional
        Arguments of `open_stack` for rows that do not state them.
    hashed : bool, optional
        As for `write_report`.
    stacks : callable
        Told of stacks finished or failed, and of all.
    planes : callable
        Told of the place of the stack that is read, its steps done and in all; bytes where the
        SHA-256 of a moved file is compared.
    finished : callable
        Told what became of each stack, once it is known.
    cancelled : callable
        Asked after every step.

    Returns
    -------
    tuple of StudyStack
        One a row, in their order.

    Raises
    ------
    InputError
        The folder cannot be written to, or weights or settings cannot be used.
    CancelledError
        Where `cancelled` says so; the stacks finished before stay.
    """
    if not isinstance(estimator, Estimator):
        estimator = load_estimator(estimator)
    target = Path(directory).expanduser()
    with placed(target):  # refused now rather than after the first stack
        pass
    _clear_leftovers(target)
    reader = _Reader(target, estimator, settings or Settings(), opening or {}, hashed)
    # all are opened first: what is finished, and what cannot be opened, is known at once
    found: list[Stack | StudyStack] = []
    for row in rows:
        found.append(reader.look(row, partial(planes, row.place)))
        if cancelled():
            raise CancelledError("cancelled", where=row.place)
    known = {i: each for i, each in enumerate(found) if isinstance(each, StudyStack)}
    for outcome in known.values():
        finished(outcome)
    stacks(len(known), len(rows))
    for i, each in enumerate(found):
        if not isinstance(each, StudyStack):
            known[i] = reader.read(rows[i], each, partial(planes, rows[i].place), cancelled)
            finished(known[i])
            stacks(len(known), len(rows))
    return tuple(known[i] for i in range(len(rows)))


def _clear_leftovers(folder: Path) -> None:
    """Remove what a killed run was about to put in place (`placed`, `replace_files`)."""
    for left in folder.glob(f".cop-{'[0-9a-f]' * 32}"):
        shutil.rmtree(left, ignore_errors=True)
    (folder / f".{PROFILE_FILE}.part").unlink(missing_ok=True)


@dataclass(frozen=True)
class _Reader:
    """What all stacks of a study have in common."""

    target: Path
    estimator: Estimator
    settings: Settings
    opening: Mapping[str, Any]
    hashed: bool | None

    def look(self, row: Row, hashing: Callable[[int, int], None]) -> Stack | StudyStack:
        """Open a stack to be read; one that is finished, or cannot be opened, is an outcome."""
        try:
            stack = open_stack(row.stack, name=row.name, **{**self.opening, **row.opening})
            kept = read_kept(self.target / row.place)
            planned = Reading(stack, self.estimator, self.settings).profile
            same = kept is not None and is_same(kept, planned, hashing)
        except (CopError, OSError) as error:
            return StudyStack(row, None, str(error))
        return StudyStack(row, kept, resumed=True) if same else stack

    def read(
        self,
        row: Row,
        stack: Stack,
        progress: Callable[[int, int], None],
        cancelled: Callable[[], bool],
    ) -> StudyStack:
        """Read one stack into its folder."""
        folder = self.target / row.place
        try:
            profile = read_profile(
                stack,
                estimator=self.estimator,
                settings=self.settings,
                progress=progress,
                cancelled=cancelled,
            )
            _clear_leftovers(folder)
            # from here until all is written anew, nothing is finished in there
            (folder / PROFILE_FILE).unlink(missing_ok=True)
            write_report(profile, folder, command=_command(profile, folder), hashed=self.hashed)
            return StudyStack(row, keep(profile, folder))
        except CancelledError:
            raise
        except Exception as error:  # whatever is wrong with one stack must not stop the others
            what = error if isinstance(error, CopError) else f"{type(error).__name__}: {error}"
            return StudyStack(row, None, str(what))


def _command(profile: DepthProfile, folder: Path) -> str | None:
    """Return the command that reads one stack again; None where there is none."""
    try:
        return repeat_command(profile, folder)
    except InputError:  # the weights were made in Python
        return None
