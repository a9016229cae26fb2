"""Fields of forms, each with its value for the recipe: a text, a choice, a file, a power."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from magicgui.widgets import ComboBox, Container, FileEdit, FloatSpinBox, LineEdit

from cop_core.errors import InputError

_FILE: Final = "file"
AS_STATED: Final = "as the file states"
CONSTANT: Final = "constant"
TABLE: Final = "table (CSV)"
GAINED: Final = "increases with depth"
_MOST_MW: Final = 10_000.0
_MOST_UM: Final = 100_000.0


class TextField(LineEdit):
    """A line of text for the recipe, empty if nothing is given; keeps numbers exactly as put in.

    Parameters
    ----------
    empty : str
        Text of an empty field.
    number : bool
        Whether a comma is a decimal comma.
    """

    def __init__(self, *, empty: str = "", number: bool = False, **look: Any) -> None:
        super().__init__(**look)
        self._put: tuple[str, Any] = ("", None)
        self._number = number
        self.say_when_empty(empty)

    def say_when_empty(self, text: str) -> None:
        """Show a text while the field is empty."""
        self.native.setPlaceholderText(text)

    def put(self, number: float | None) -> None:
        """Show a number, rounded to six digits, and keep it exactly until it is edited."""
        text = "" if number is None else f"{number:.6g}"
        self._put = (text, number)
        self.value = text

    @property
    def edited(self) -> bool:
        """Whether the user has changed the value."""
        return bool(self.value.strip() != self._put[0])

    @property
    def given(self) -> Any:
        """A text, a number that was put in, or None if the field is empty."""
        text = self.value.strip()
        if not self.edited:
            return self._put[1]
        return (text.replace(",", ".") if self._number else text) or None


class FileChoice(Container[Any]):
    """One of several words, or a file.

    Parameters
    ----------
    choices : list of (str, str)
        Text shown, and the word.
    pattern : str
        Pattern of the names of files.
    """

    def __init__(
        self, choices: list[tuple[str, str]], *, pattern: str, label: str, tooltip: str, name: str
    ) -> None:
        self.choice = ComboBox(choices=[*choices, ("a file …", _FILE)], tooltip=tooltip)
        self.file = FileEdit(mode="r", filter=pattern, tooltip=tooltip)
        super().__init__(widgets=[self.choice, self.file], name=name, label=label, labels=False)
        self.margins = (0, 0, 0, 0)
        self.choice.changed.connect(self._show_file)
        self._show_file()

    @property
    def given(self) -> str:
        """The word, or the path.

        Raises
        ------
        InputError
            If a file is required and none is chosen.
        """
        if self.choice.value != _FILE:
            return str(self.choice.value)
        path = chosen_path(self.file)
        if path is None:
            raise InputError("no file is chosen", where=self.label, advice="Choose one")
        return str(path)

    def choose_file(self, path: Path) -> None:
        """Choose a file."""
        self.choice.value = _FILE
        self.file.value = path

    def _show_file(self) -> None:
        self.file.visible = self.choice.value == _FILE


class PowerForm(Container[Any]):
    """Power at the sample, in the form in which it was recorded."""

    def __init__(self, *, label: str = "Power", tooltip: str = "", name: str = "power") -> None:
        self.mode = ComboBox(choices=[AS_STATED, CONSTANT, TABLE, GAINED], tooltip=tooltip)
        self.constant_mw = FloatSpinBox(
            label="mW", value=10.0, min=0, max=_MOST_MW, tooltip="The same power at every depth."
        )
        self.table = FileEdit(
            label="CSV",
            mode="r",
            filter="*.csv",
            tooltip="A table with the columns depth_um and power_mw, interpolated linearly.",
        )
        self.p0_mw = FloatSpinBox(
            label="P₀ (mW)", value=5.0, min=0, max=_MOST_MW, tooltip="Power at depth 0."
        )
        self.length_um = FloatSpinBox(
            label="length (µm)",
            value=300.0,
            min=0,
            max=_MOST_UM,
            tooltip="Depth over which the power increases by a factor of 2.72.",
        )
        self.max_mw = FloatSpinBox(
            label="limit (mW)", value=60.0, min=0, max=_MOST_MW, tooltip="Upper limit of the power."
        )
        self._shown = {
            AS_STATED: (),
            CONSTANT: (self.constant_mw,),
            TABLE: (self.table,),
            GAINED: (self.p0_mw, self.length_um, self.max_mw),
        }
        for field in (self.constant_mw, self.p0_mw, self.length_um, self.max_mw):
            field.native.setDecimals(3)
        fields = [field for group in self._shown.values() for field in group]
        self._fields = Container(widgets=fields, labels=True)
        super().__init__(widgets=[self.mode, self._fields], name=name, label=label, labels=False)
        for part in (self, self._fields):
            part.margins = (0, 0, 0, 0)
        self.mode.changed.connect(self._show_fields)
        self._show_fields()

    @property
    def given(self) -> float | str | Path | None:
        """A power as read by recipes; None for the value in the file.

        Raises
        ------
        InputError
            If no table is chosen.
        """
        mode = self.mode.value
        if mode == CONSTANT:
            return float(self.constant_mw.value)
        if mode == TABLE:
            path = chosen_path(self.table)
            if path is None:
                raise InputError("no power table is chosen", advice="Choose a CSV file")
            return path
        if mode == GAINED:
            law = (field.value for field in self._shown[GAINED])
            return "gained:" + ",".join(map(repr, law))
        return None

    def _show_fields(self) -> None:
        self._fields.visible = bool(self._shown[self.mode.value])
        for mode, fields in self._shown.items():
            for field in fields:
                field.visible = mode == self.mode.value


def chosen_path(field: FileEdit) -> Path | None:
    """Return the absolute path that is chosen; None if the field is empty."""
    path = Path(field.value or "")
    return None if path == Path() else path.expanduser().absolute()
