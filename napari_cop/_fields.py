"""Fields that may be left open: a number, a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from magicgui.widgets import FileEdit, LineEdit

from cop_core.errors import InputError


class NumberField(LineEdit):
    """A line for a number, empty where it is not known; keeps what it is given exactly.

    Parameters
    ----------
    label, tooltip : str
        As for every field.
    empty : str
        What an empty field shows.
    """

    def __init__(self, *, label: str, tooltip: str, empty: str) -> None:
        super().__init__(label=label, tooltip=tooltip)
        self._exact: tuple[str, float | None] = ("", None)
        self.say_when_empty(empty)

    def say_when_empty(self, text: str) -> None:
        """Show a text where there is no number."""
        self.native.setPlaceholderText(text)

    def put(self, number: float | None) -> None:
        """Show a number, rounded to six digits, and keep it as it is until it is edited."""
        text = "" if number is None else f"{number:.6g}"
        self._exact = (text, number)
        self.value = text

    @property
    def edited(self) -> bool:
        """Whether the user has changed what was put in."""
        return bool(self.value.strip() != self._exact[0])

    @property
    def number(self) -> float | None:
        """The number, None where the field is empty.

        Raises
        ------
        InputError
            For a text that is no number.
        """
        text: Any = self.value.strip()
        if not self.edited:
            return self._exact[1]
        if not text:
            return None
        try:
            return float(text.replace(",", "."))
        except ValueError:
            raise InputError(
                f"{text!r} is not a number", where=self.label, advice="Write it as 2.5"
            ) from None


def chosen_path(field: FileEdit) -> Path | None:
    """Return the absolute path that is chosen, None where the field is empty."""
    path = Path(field.value or "")
    return None if path == Path() else path.expanduser().absolute()
