"""A whole study in one call: read, compared, reported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cop_core.reading import Estimator, Settings, load_estimator
from cop_core.reading.normalisation import NORMALISATIONS
from cop_core.statistics.component_effect import Choices
from cop_core.study.comparison import DEFAULT, ChannelComparison, compare_channels
from cop_core.study.document import study_document
from cop_core.study.run import StudyStack, run_study
from cop_core.study.write import write_study

if TYPE_CHECKING:
    import os

    from cop_core.statistics.depth_window import Window
    from cop_core.study.plan import Row

SENSITIVITY: Final = "sensitivity"
"""Folder of the stacks read with other normalisations, in that of the study."""


@dataclass(frozen=True)
class Study:
    """A study that is done.

    Attributes
    ----------
    folder : Path
        Holds ``study.html``, ``study.json``, ``study.csv`` and a folder for each stack.
    stacks : tuple of StudyStack
        One a row of the plan.
    comparisons : tuple of ChannelComparison
        One a channel.
    """

    folder: Path
    stacks: tuple[StudyStack, ...]
    comparisons: tuple[ChannelComparison, ...]


def make_study(
    rows: Sequence[Row],
    directory: str | os.PathLike[str],
    *,
    estimator: Estimator | str | Path = "default",
    settings: Settings | None = None,
    opening: Mapping[str, Any] | None = None,
    hashed: bool | None = None,
    window_um: Window | None = None,
    choices: Choices = DEFAULT,
    sensitivity: bool = False,
    command: str | None = None,
    stacks: Callable[[int, int], None] = lambda _done, _total: None,
    planes: Callable[[str, int, int], None] = lambda _place, _done, _total: None,
    finished: Callable[[StudyStack], None] = lambda _stack: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Study:
    """Read every stack of a plan, compare the arms and write the report of the study.

    Parameters
    ----------
    rows, directory, estimator, settings, opening, hashed, planes, cancelled
        As for `run_study`.
    window_um, choices
        As for `compare_channels`.
    sensitivity : bool
        Whether the stacks are read again with every other normalisation, into
        ``sensitivity/<normalisation>/``, and the report says how slopes differ.
    command : str, optional
        The command line that repeats it.
    stacks : callable
        Told of stacks finished or failed, and of all, those of other normalisations included.
    finished : callable
        Told what became of each stack, once it is known; not of those of other normalisations.

    Returns
    -------
    Study
        What was found, already on disk.

    Raises
    ------
    InputError
        The folder cannot be written to, or weights or settings cannot be used.
    CancelledError
        Where `cancelled` says so; the stacks finished before stay.
    """
    loaded = estimator if isinstance(estimator, Estimator) else load_estimator(estimator)
    chosen, target = settings or Settings(), Path(directory).expanduser()
    names = [n for n in NORMALISATIONS if n != chosen.normalisation] if sensitivity else []
    folders = {chosen.normalisation: target, **{n: target / SENSITIVITY / n for n in names}}
    found = {
        name: run_study(
            rows,
            folder,
            estimator=loaded,
            settings=replace(chosen, normalisation=name),
            opening=opening,
            hashed=hashed,
            stacks=lambda done, n, i=i: stacks(i * n + done, len(folders) * n),  # type: ignore[misc]
            planes=planes,
            finished=finished if folder is target else lambda _stack: None,
            cancelled=cancelled,
        )
        for i, (name, folder) in enumerate(folders.items())
    }
    compared: dict[str, tuple[ChannelComparison, ...]] = {
        name: compare_channels(read, window_um=window_um, choices=choices)
        for name, read in found.items()
    }
    read, own = found[chosen.normalisation], compared.pop(chosen.normalisation)
    document = study_document(read, own, window_um=window_um, others=compared, command=command)
    return Study(write_study(document, own, target), read, own)
