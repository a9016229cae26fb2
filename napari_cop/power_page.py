"""The power to use next, from the stack that was read: limit, curve, expected values, export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from magicgui.widgets import ComboBox
from qtpy.QtCore import Signal
from qtpy.QtWidgets import (
    QGridLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from cop_core.errors import CopError, InputError
from cop_core.power import deepest, next_options, useq_plan
from cop_core.recipes import MW, PowerOptions, RecommendRecipe, StackOptions
from cop_core.recipes.terms import as_label, untyped
from cop_core.records import Comparison, power_text
from cop_core.statistics.verdict_powers import most_used
from napari_cop.forms.recipe_form import RecipeForm, make
from napari_cop.loaded_core import core_for, said_of
from napari_cop.pages import folded, scrolled
from napari_cop.plots.records import PowerPlots
from napari_cop.plots.usable import usable_of
from napari_cop.results import Export
from napari_cop.runner import Runner, State, tell
from napari_cop.words import said, unbroken

if TYPE_CHECKING:
    from cop_core.power import Recommendation
    from cop_core.power.acquisition_plan import PowerSequence
    from cop_core.records import Result
    from napari_cop.forms.fields import TextField
    from napari_cop.results import Results
    from napari_cop.runner import Outcome

_RECOMMEND: Final = "Recommend a power"
_ACQUIRE: Final = "Acquire …"
_NOTES_PX: Final = 120
_OFTEN: Final = (
    "max_power_mw", "max_power", "surface_power", "hold", "follow_um", "excitation_order",
)  # fmt: skip
_ASK_AGAIN_MW: Final = 250.0
"""Limit in mW above which a confirmation is required: more heats a living brain too much [1]_.

.. [1] K. Podgorski, G. Ranganathan, "Brain heating induced by near-infrared lasers during
   multiphoton microscopy", J. Neurophysiol. 116, 2016.
"""
_STALE: Final = "The settings have changed since this recommendation: recommend again."
_READ: Final = ("stack", "reading")
"""Parts of the recipe that are taken from the result."""
_ANY_STACK: Final = {"stack": StackOptions()}


class PowerPage(QWidget):
    """Asks for a limit, recommends a power for every depth of the stack read, and exports it.

    Signals
    -------
    recommended(Recommendation), failed(Exception)
        A recommendation, or why there is none.
    acquire(PowerSequence)
        The recommended power is to be acquired, as confirmed by the user.
    """

    recommended = Signal(object)
    acquire = Signal(object)
    failed = Signal(object)

    def __init__(self, results: Results, *, theme: str) -> None:
        super().__init__()
        self._results = results
        self._asked: tuple[Result, int, PowerOptions] | None = None
        self._found_for: tuple[int, PowerOptions] | None = None
        self._unasked = False
        self._confirmed: float | None = None
        self._plan: PowerSequence | None = None
        self.found: Recommendation | None = None
        self.runner = Runner(self)
        self.export = Export(self, "Power written to {}", "Folder for the power")
        self.of = ComboBox(label="Stack", choices=self._stacks, tooltip="Stack to use.")
        self.form = RecipeForm(RecommendRecipe, only=_OFTEN)
        self.form.insert(0, self.of)
        self.more = RecipeForm(RecommendRecipe, without=(*_READ, *_OFTEN))
        self.button = QPushButton(_RECOMMEND)
        self.button.setToolTip(
            "Compute the power from the decay of the signal with depth at the stated powers."
        )
        self.export_button = QPushButton("Export power …")
        self.export_button.setToolTip(
            "Write power.csv, plan.json (useq-schema), recommendation.json and the figure into a "
            "folder."
        )
        self.acquire_button = QPushButton(_ACQUIRE)
        self.acquire_button.setToolTip(
            "Acquire a stack with this power through the Micro-Manager core of this program, and "
            "watch its noise. You can review the plan first."
        )
        self.status, self.limit_note, self.plan_note = QLabel(), QLabel(), QLabel()
        for text in (self.status, self.limit_note, self.plan_note):
            text.setWordWrap(True)
            text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.plot = PowerPlots(theme=theme)
        self.notes = QPlainTextEdit()
        self.notes.setReadOnly(True)
        self.notes.setPlaceholderText("Caveats appear here.")
        self._arrange()
        for changed in (self._ask_in_unit, self._settings_changed):
            self.of.changed.connect(changed)
        for limit in ("max_power_mw", "max_power"):
            self.form[limit].changed.connect(self._limit_changed)
        self.button.clicked.connect(self.recommend)
        self.export_button.clicked.connect(lambda: self.export.ask(self.found))
        self.acquire_button.clicked.connect(self._acquire)
        self.export.said.connect(self._say)
        self.export.failed.connect(self._failed)
        for form in (self.form, self.more):
            form.changed.connect(self._settings_changed)
        self.runner.state_changed.connect(self._offer)
        self.runner.progressed.connect(lambda text, *_: self._say(text))
        self.runner.finished.connect(self._finished)
        self.runner.failed.connect(self._failed)
        remembered_mw = self.form["max_power_mw"].given
        self._note_limit(f"{remembered_mw:g} mW: from last time." if remembered_mw else "")
        self.renew()

    def renew(self) -> None:
        """Offer the stacks of the last result, and clear an earlier recommendation."""
        self.runner.stop()
        self.found = None
        self._forget_plan()
        self.of.reset_choices()
        self.of.visible = len(self.of.choices) > 1
        self._suggest()
        self._ask_in_unit()
        self.plot.clear()
        self.notes.clear()
        self._say("" if self.of.choices else "Read a stack first.")

    def _suggest(self) -> None:
        """Choose the stack and the quantity to hold as in the answer."""
        result = self._results.result
        if result is None:
            return
        self.of.value = deepest(usable_of(result))
        spoken_of = next_options(result) if isinstance(result, Comparison) else None
        if spoken_of is not None:
            self.form["hold"].value = spoken_of.hold
            self.more["level"].put(spoken_of.level)

    def recommend_within_used(self) -> None:
        """Recommend a power as the answer suggests: within that used, unless a limit is given."""
        result = self._results.result
        if self._busy or result is None:
            self._unasked = False  # what is being recommended is waited for now
            return
        self._suggest()
        field, used = self._limit_field, most_used([each.profile for each in result.analysed])
        if field.given is None and used is not None:
            field.put(used[0])
            self._note_limit(f"{power_text(*used)}: the highest power used.")
        if field.given is not None:
            self.recommend()

    def recommend_unasked(self) -> None:
        """Recommend within the power used for the answer on a pair; nobody waits for an error."""
        result = self._results.result
        if self._busy or not isinstance(result, Comparison) or next_options(result) is None:
            return
        self._unasked = True
        self.recommend_within_used()
        self._unasked = self._busy

    def recommend(self) -> None:
        """Recommend in the background; errors are shown, and high limits must be confirmed."""
        result, number = self._results.result, self.of.value
        if self._busy or result is None:
            return
        profile, source = result.analysed[number].profile, self._results.sources[number]
        try:
            self._require_limit()
            recipe = self._recipe(stack=source.options, reading=profile.reading)
        except CopError as error:
            self._failed(error)
            return
        if not self._sure_of(recipe.power.max_power_mw):
            return
        self._asked = result, number, recipe.power
        self.runner.start(recipe, lambda *_: [source.in_memory()], profile=profile)

    def _recipe(self, **known: Any) -> RecommendRecipe:
        recipe: RecommendRecipe = make(RecommendRecipe, self.form, self.more, **known)
        return recipe

    @property
    def stale(self) -> bool:
        """Whether the settings have changed since the recommendation."""
        if self.found is None:
            return False
        try:
            power = self._recipe(**_ANY_STACK).power
        except CopError:
            return True
        return (self.of.value, power) != self._found_for

    def _settings_changed(self, _: object = None) -> None:
        if self.found is not None:
            self._forget_plan()
            self._say("")

    def _acquire(self) -> None:
        """State what the acquisition will do; if already stated, request it."""
        if self.found is None:
            return
        try:
            plan = useq_plan(self.found, self._recipe(**_ANY_STACK).acquisition)
            core_for(plan)
        except CopError as error:
            self._forget_plan()
            self._failed(error)
            return
        if plan == self._plan:
            self._forget_plan()
            self.acquire.emit(plan)
            return
        self._plan = plan
        self.acquire_button.setText("Start the acquisition")
        self.plan_note.setText(f"{said_of(plan)}. Press again to start.")
        self.plan_note.show()

    def _forget_plan(self) -> None:
        self._plan = None
        self.acquire_button.setText(_ACQUIRE)
        self.plan_note.hide()

    def _arrange(self) -> None:
        buttons = QGridLayout()
        buttons.addWidget(self.button, 0, 0, 1, 2)
        buttons.addWidget(self.export_button, 1, 0)
        buttons.addWidget(self.acquire_button, 1, 1)
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.addWidget(self.form.native)
        layout.addWidget(self.limit_note)
        layout.addWidget(folded("More", self.more))
        layout.addLayout(buttons)
        layout.addWidget(self.plan_note)
        layout.addWidget(self.status)
        layout.addWidget(self.plot, 4)
        layout.addWidget(self.notes, 1)
        self.notes.setMinimumHeight(_NOTES_PX)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(scrolled(page))

    def _require_limit(self) -> None:
        field = self._limit_field
        if field.given is None:
            advice = "enter the highest power allowed"
            raise InputError("no limit is set", where=field.label, advice=advice)

    def _sure_of(self, limit_mw: float | None) -> bool:
        """Return whether a limit can be used as it is, or was confirmed by a second press."""
        if limit_mw is None or limit_mw <= _ASK_AGAIN_MW or limit_mw == self._confirmed:
            return True
        self._confirmed = limit_mw
        self._note_limit(
            f"{limit_mw:g} mW is more than living tissue tolerates. Press again if you really "
            "want this."
        )
        self.button.setText(f"Use {limit_mw:g} mW anyway")
        return False

    @property
    def _limit_field(self) -> TextField:
        mw = self.form["max_power_mw"]
        return mw if mw.visible or not self.form["max_power"].visible else self.form["max_power"]

    def _limit_changed(self) -> None:
        self._confirmed = None
        self.button.setText(_RECOMMEND)
        self._note_limit("")

    def _note_limit(self, text: str) -> None:
        self.limit_note.setText(text)
        self.limit_note.setVisible(bool(text))

    @property
    def _busy(self) -> bool:
        return self.export.writing or self.runner.state is not State.IDLE

    def _stacks(self, _: Any) -> list[tuple[str, int]]:
        result = self._results.result
        shown = () if result is None else result.analysed
        return [(each.name, number) for number, each in enumerate(shown)]

    def _ask_in_unit(self, _: object = None) -> None:
        """Show the limit in the unit in which the power of the stack is known."""
        result, number = self._results.result, self.of.value
        of = None if result is None or number is None else result.analysed[number].profile
        unit = MW if of is None else of.power_unit
        self.form.hide({"max_power" if unit == MW else "max_power_mw"})
        self.form["max_power"].label = f"Limit ({unit})"

    def _offer(self, _: object = None) -> None:
        self.button.setEnabled(not self._busy and bool(self.of.choices))
        usable = not self._busy and self.found is not None and not self.stale
        for button in (self.export_button, self.acquire_button):
            button.setEnabled(usable)

    def _finished(self, outcome: Outcome) -> None:
        self._unasked = False
        found: Recommendation | None = outcome.record
        if found is None or self._asked is None or self._asked[0] is not self._results.result:
            self._say("")
            return
        self.found, self._found_for = found, self._asked[1:]
        self._forget_plan()
        self.plot.show_record(found)
        self.notes.setPlainText("\n\n".join(f"• {untyped(note)}." for note in found.notes))
        self._say("")
        self.recommended.emit(found)

    def _say(self, text: str) -> None:
        found = self.found
        shown = "" if found is None else f"{found.verdict} {_summary(found)}"
        stale = _STALE if self.stale else ""
        self.status.setText(unbroken("\n".join(filter(None, (stale, shown, text)))))
        self._offer()

    def _failed(self, error: Exception) -> None:
        if self._unasked:
            self._unasked = False
            self._say("")
            return
        self._say(f"Failed: {said(error, self._label)}")
        tell(error, self._label)
        self.failed.emit(error)

    def _label(self, field: str, value: str = "") -> str:
        """Return the name of an option, and its place unless it is on this page."""
        here = any(own.name == field for form in (self.form, self.more) for own in form)
        return as_label(field, value) if here else f"{as_label(field, value)} (on Input)"


def _summary(found: Recommendation) -> str:
    lengths = "; ".join(layer.text for layer in found.attenuation.layers)
    return f"Attenuation length [95 % CI]: {lengths}."
