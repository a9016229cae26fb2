"""Excitation power: as stated, a number, a table or the depth-gained law."""

from __future__ import annotations

from typing import Any, Final

from magicgui.widgets import ComboBox, Container, FileEdit, FloatSpinBox

from cop_core.errors import InputError
from cop_core.stacks import GainedPower
from napari_cop._fields import chosen_path

AS_STATED: Final = "as the file states"
CONSTANT: Final = "constant"
TABLE: Final = "table (CSV)"
GAINED: Final = "grows with depth"

_MOST_MW: Final = 10_000.0
_MOST_UM: Final = 100_000.0


class PowerForm(Container[Any]):
    """Power at the sample, in the form that suits how it was recorded."""

    def __init__(self) -> None:
        self.mode = ComboBox(
            label="Power",
            choices=[AS_STATED, CONSTANT, TABLE, GAINED],
            tooltip="Excitation power at the sample. It is shown and reported; noise is read "
            "without it.",
        )
        self.constant_mw = FloatSpinBox(
            label="mW", value=10.0, min=0, max=_MOST_MW, tooltip="The same power at every depth."
        )
        self.table = FileEdit(
            label="CSV",
            mode="r",
            filter="*.csv",
            tooltip="A table with the columns depth_um and power_mw; linear in between.",
        )
        self.p0_mw = FloatSpinBox(
            label="P₀ (mW)", value=5.0, min=0, max=_MOST_MW, tooltip="Power at the first plane."
        )
        self.length_um = FloatSpinBox(
            label="length (µm)",
            value=300.0,
            min=0,
            max=_MOST_UM,
            tooltip="Depth over which the power grows 2.72 times.",
        )
        self.max_mw = FloatSpinBox(
            label="limit (mW)", value=60.0, min=0, max=_MOST_MW, tooltip="The power never exceeds."
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
        super().__init__(widgets=[self.mode, *fields], labels=True)
        self.margins = (0, 0, 0, 0)
        self.mode.changed.connect(self._show_fields)
        self._show_fields()

    @property
    def power(self) -> float | str | GainedPower | None:
        """What `open_stack` takes for power; None for what the file states.

        Raises
        ------
        InputError
            Where no table is chosen or the law's parameters are not positive.
        """
        mode = self.mode.value
        if mode == CONSTANT:
            return float(self.constant_mw.value)
        if mode == TABLE:
            path = chosen_path(self.table)
            if path is None:
                raise InputError("no power table is chosen", advice="Choose a CSV file")
            return str(path)
        if mode == GAINED:
            return GainedPower(self.p0_mw.value, self.length_um.value, self.max_mw.value)
        return None

    def _show_fields(self) -> None:
        for mode, fields in self._shown.items():
            for field in fields:
                field.visible = mode == self.mode.value
