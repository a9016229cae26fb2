"""The page shown with a result: the answer in a sentence, usable depths, the next step."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from cop_core.recipes.terms import untyped
from cop_core.records import Comparison
from cop_core.report import parts_of
from cop_core.report.plot_style import LOOKS
from napari_cop.pages import flowing, scrolled
from napari_cop.plots.usable import LEVEL_MARK, SIGNAL_MARK, usable_of
from napari_cop.words import depth_text, planes_text, settings_of, unbroken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cop_core.records import DepthLimit, Result
    from napari_cop.plots.depth import DepthPlots

_LARGE: Final = 1.25
"""Size of the first sentence relative to other text."""
CHANGED: Final = "The settings or stacks have changed since this run: run again."
GONE: Final = "What was read here is no longer chosen: choose it to run again."
FAILED: Final = "The last run failed; this is the answer of the run before."


class AnswerPage(QWidget):
    """Sentence, depths, next step, large figure, settings.

    Signals
    -------
    power, other, study, details
        The chosen next step: a recommended power, the other protocol, a study; or the caveats.
    side(bool)
        Whether to show both stacks side by side.
    """

    power = Signal()
    other = Signal()
    study = Signal()
    details = Signal()
    side = Signal(bool)

    def __init__(self, plots: DepthPlots) -> None:
        super().__init__()
        self.plots = plots
        self.headline = text_label(size=_LARGE, bold=True)
        self.rest = text_label()
        self.depths = text_label()
        self.next_power = text_label()
        self.settings = text_label()
        self.stale = text_label(bold=True)
        self.power_button = _button(
            "Recommend a power", "Compute a power for each depth, up to the highest power used."
        )
        self.other_button = _button(
            "Add the other protocol", "Compare this stack with one acquired with another protocol."
        )
        self.study_button = _button("Plan a study", "Compare protocols over several animals.")
        self.details_button = _button("Details", "Show the numbers and the caveats.")
        self.side_button = _button(
            "Side by side", "Show both stacks next to each other in the viewer, at equal depth."
        )
        self.side_button.setCheckable(True)
        for button, signal in (
            (self.side_button, self.side),
            (self.power_button, self.power),
            (self.other_button, self.other),
            (self.study_button, self.study),
            (self.details_button, self.details),
        ):
            button.clicked.connect(signal)
        self._arrange()
        self.clear()

    def show_result(self, result: Result, sources: Sequence[str]) -> None:
        """Show the answer of a result, and its source."""
        parts = parts_of(unbroken(untyped(result.verdict)))
        self.headline.setText(parts.headline)
        self.rest.setText(" ".join(filter(None, (parts.further, parts.next_step))))
        self.depths.setText(_depths(result))
        self.next_power.clear()
        self.settings.setText(_read_with(result, sources))
        pair = isinstance(result, Comparison)
        for button, shown in (
            (self.power_button, any(each.profile.kept.any() for each in result.analysed)),
            (self.other_button, not pair),
            (self.study_button, pair),
            (self.side_button, pair),
            (self.details_button, True),
        ):
            button.setVisible(shown)
        self._show_filled()

    def show_power(self, verdict: str) -> None:
        """Show the power to use next."""
        self.next_power.setText(unbroken(untyped(verdict)))
        self.next_power.show()

    def show_so_far(self, sentence: str) -> None:
        """Show the interim verdict; an empty one is hidden."""
        self.headline.setText(unbroken(untyped(sentence)))
        self.headline.setVisible(bool(sentence))

    def set_stale(self, why: str) -> None:
        """Show why the result is not for the present choice; empty if it is."""
        self.stale.setText(why)
        self.stale.setVisible(bool(why) and bool(self.depths.text()))

    def clear(self) -> None:
        """Clear the result."""
        for text in self._texts:
            text.clear()
        for button in self._buttons:
            button.hide()
        self._show_filled()

    @property
    def _texts(self) -> tuple[QLabel, ...]:
        return self.headline, self.rest, self.depths, self.next_power, self.settings

    @property
    def _buttons(self) -> tuple[QPushButton, ...]:
        first = (self.power_button, self.other_button, self.study_button)
        return (*first, self.side_button, self.details_button)

    def _show_filled(self) -> None:
        for text in self._texts:
            text.setVisible(bool(text.text()))
        self.stale.hide()

    def _arrange(self) -> None:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(6, 6, 6, 6)
        for text in (self.headline, self.stale, self.depths, self.next_power):
            layout.addWidget(text)
        layout.addLayout(flowing(self.power_button, self.other_button, self.study_button))
        layout.addWidget(self.plots, 1)
        for text in (self.rest, self.settings):
            layout.addWidget(text)
        layout.addLayout(flowing(self.details_button, self.side_button))
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(page))


def down_to(limit: DepthLimit) -> str:
    """Return the usable depth of a stack, as a cell of the table."""
    text = depth_text(limit)
    return f"to {text}" if text[0].isdigit() else text


def _depths(result: Result) -> str:
    """Return a table of the usable depth of each stack, in the colours of its curves."""
    usable = usable_of(result)
    level = f"{LEVEL_MARK[1]} shot noise below {100 * usable[0].at_strength:g} %"
    rows = [
        _row(
            f"<font color='{look.colour}'>●</font> {escape(each.name)}",
            down_to(of.level),
            down_to(of.signal),
        )
        for each, of, look in zip(result.analysed, usable, LOOKS, strict=False)
    ]
    return f"<table>{_row('', level, f'{SIGNAL_MARK[1]} signal')}{''.join(rows)}</table>"


def _row(*cells: str) -> str:
    return f"<tr>{''.join(f'<td style=padding-right:14px>{cell}</td>' for cell in cells)}</tr>"


def _read_with(result: Result, sources: Sequence[str]) -> str:
    """Return what was read, with which settings, and how much of it."""
    lines = []
    for each, source in zip(result.analysed, sources, strict=False):
        lines.append(f"{each.name}, from {source}: {planes_text([each.profile])}")
    return "\n".join([*lines, settings_of(result.analysed[0].profile.reading)])


def text_label(*, size: float = 1.0, bold: bool = False) -> QLabel:
    """Return a label that wraps its text, however narrow the dock."""
    label = QLabel()
    label.setWordWrap(True)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    style = f"font-size: {round(12 * size)}px;" + (" font-weight: bold;" if bold else "")
    label.setStyleSheet(style)
    return label


def _button(text: str, tooltip: str) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tooltip)
    return button
