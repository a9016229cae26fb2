"""From a folder to the rows of a plan, in the background: list stacks, examine files."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Final

from qtpy.QtCore import QObject, QTimer, Signal

from napari_cop.memory import remember
from napari_cop.processes import PROCESSES
from napari_cop.study.looks import PLAN, STUDY, is_plan, listed_cells, look_at
from napari_cop.worker import Worker

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cop_core.recipes import StackOptions
    from napari_cop.study.looks import Look
    from napari_cop.study.model import PlanModel

_PAUSE_MS: Final = 300
"""Time in ms after an edit before files are examined."""


class Planner(QObject):
    """Fills the table of a plan.

    Signals
    -------
    planned(Path, Path)
        Other rows are shown: the folder of the stacks, and a folder for the study.
    looked
        All files were examined.
    said(str), failed(Exception)
        Progress and failure.
    """

    planned = Signal(object, object)
    looked = Signal()
    said = Signal(str)
    failed = Signal(object)

    def __init__(self, model: PlanModel, parent: QObject) -> None:
        super().__init__(parent)
        self._model = model
        self._place: Path | None = None
        self._ended = Event()
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._pause.timeout.connect(self._look)
        model.edited.connect(self._pause.start)
        self.destroyed.connect(self._ended.set)

    def take(self, path: str | Path) -> None:
        """List the stacks below a folder as filled in earlier, or the rows of a plan."""
        if self._place is not None:
            return
        self._place = Path(path).expanduser().absolute()
        self.said.emit(f"Looking for stacks in {self._place.name} …")
        worker = Worker(PROCESSES.call, partial(listed_cells, self._place))
        worker.returned.connect(self._listed)
        worker.errored.connect(self._not_listed)
        worker.start()

    def _listed(self, cells: list[dict[str, str]]) -> None:
        place, self._place = self._place, None
        assert place is not None
        folder = place.parent if is_plan(place) else place
        of_study = place.name == PLAN and any(folder.glob("*/*/profile.json"))
        self._model.put(folder, cells)
        remember(study=str(folder))
        self.planned.emit(folder, folder if of_study else folder / STUDY)
        self._look()

    def _not_listed(self, error: Exception) -> None:
        self._place = None
        self.failed.emit(error)

    def _look(self) -> None:
        """Examine what files state, and whether they can be opened."""
        unseen = self._model.unseen()
        if unseen:
            worker = Worker(_looks, unseen, self._ended)
            worker.yielded.connect(self._looked)
            worker.finished.connect(self.looked)
            worker.start()

    def _looked(self, found: tuple[StackOptions, Look]) -> None:
        self._model.put_look(*found)


def _looks(stacks: Sequence[StackOptions], ended: Event) -> Iterator[tuple[StackOptions, Look]]:
    for options in stacks:
        if ended.is_set():
            return
        yield options, PROCESSES.call(partial(look_at, options))
