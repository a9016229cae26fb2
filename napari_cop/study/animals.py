"""The animal of each stack of a study: guessed from names, confirmed by the user."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QLabel, QPushButton, QVBoxLayout, QWidget

from napari_cop.pages import flowing

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMED: Final = re.compile(
    r"(?:mouse|mice|animal|rat|subject|sub|fish|m)[-_ ]?\d+", flags=re.IGNORECASE
)
_SHOWN: Final = 4


def guess_animals(stacks: Sequence[str]) -> list[str] | None:
    """Return an animal for each path of a stack; None if names indicate none, or only one.

    Names of animals in a folder or file take precedence, else the folders themselves are used.
    """
    named = [match.group() if (match := _NAMED.search(path)) else "" for path in stacks]
    folders = [PurePath(path).parts[0] if len(PurePath(path).parts) > 1 else "" for path in stacks]
    for guess in (named, folders):
        if all(guess) and len({*guess}) > 1:
            return guess
    return None


class AnimalQuestion(QWidget):
    """A line that asks for the animal of each stack if the plan states none.

    Signals
    -------
    answered(object)
        A list with the animal of each stack; None if the user states that none is known.
    """

    answered = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._guess: list[str] | None = None
        self._declined = False
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.use = QPushButton("Use these")
        self.use.setToolTip("Fill in the column Animal; you can change it afterwards.")
        self.none = QPushButton("Not known")
        self.none.setToolTip("Every stack then counts as a different animal.")
        self.use.clicked.connect(lambda: self.answered.emit(self._guess))
        self.none.clicked.connect(self._decline)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, 0, 0, 0)
        lines.addWidget(self.text)
        lines.addLayout(flowing(self.use, self.none))
        self.hide()

    def ask(self, cells: Sequence[dict[str, str]]) -> None:
        """Ask, or hide if the plan states animals or there is nothing to pair."""
        stated = any(row.get("animal") for row in cells)
        self.setVisible(len(cells) > 1 and not stated and not self._declined)
        self._guess = guess_animals([row["stack"] for row in cells])
        self.use.setVisible(self._guess is not None)
        self.text.setText(_question(self._guess))

    @property
    def open(self) -> bool:
        """Whether the question is shown and not answered."""
        return not self.isHidden()

    def begin(self) -> None:
        """Ask again: other stacks are planned."""
        self._declined = False

    def _decline(self) -> None:
        self._declined = True
        self.hide()
        self.answered.emit(None)


def _question(guess: Sequence[str] | None) -> str:
    if guess is None:
        return "Which animal is each stack from? Fill in the column Animal."
    animals = list(dict.fromkeys(guess))
    listed = ", ".join(animals[:_SHOWN]) + (" …" if len(animals) > _SHOWN else "")
    return f"Which animal is each stack from? By their names: {listed}."
