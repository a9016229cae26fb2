"""Base of the widgets for one or two stacks: input, run, plots, export."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QPlainTextEdit

from cop_core.errors import CopError
from cop_core.recipes.terms import untyped
from napari_cop.answer_page import CHANGED, FAILED, GONE, AnswerPage
from napari_cop.docking import lay_out
from napari_cop.forms.recipe_form import RecipeForm
from napari_cop.forms.stack import StackForm
from napari_cop.noise_map import is_map
from napari_cop.pages import depth_page, input_page, table_page
from napari_cop.plots.depth import DepthPlots
from napari_cop.power_page import PowerPage
from napari_cop.result_table import ResultTable
from napari_cop.results import Results
from napari_cop.run_bar import RunBar
from napari_cop.run_widget import RunWidget
from napari_cop.runner import State
from napari_cop.sources import opened_in_memory
from napari_cop.viewer_link import Following, ViewerLink
from napari_cop.words import planes_text, said

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import numpy.typing as npt
    from napari.layers import Layer
    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

    from cop_core.pipeline import Opened, Stepped
    from cop_core.power.acquisition_plan import PowerSequence
    from cop_core.recipes import Recipe
    from cop_core.records import PlaneEstimate, Result
    from napari_cop.runner import Outcome
    from napari_cop.sources import ChosenStack

_TURN_MS: Final = 50


class NoiseDock(RunWidget):
    """Input, run, plots and export of one or two stacks."""

    arms: ClassVar[tuple[tuple[str | None, str], ...]]
    """Name of each protocol (None: the stack's own) and title of its form."""
    run_title: ClassVar[str]
    recipe: ClassVar[type[Recipe]]
    asked_elsewhere: ClassVar[tuple[str, ...]] = ("stack", "stacks")
    """Fields of the recipe that are not under Advanced."""
    form_type: ClassVar[type[StackForm]] = StackForm
    plots_type: ClassVar[type[DepthPlots]] = DepthPlots

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(viewer, RunBar(self.run_title))
        self._layers = Following()
        self._reading: list[ChosenStack] = []
        self._edits: list[str] = []
        self._steps: list[Callable[[], None]] = []
        self._turns = QTimer(self)
        self._turns.timeout.connect(self._next_step)
        self.forms = [self.form_type(viewer, self._following) for _ in self.arms]
        for form, (_, title) in zip(self.forms, self.arms, strict=True):
            form.label = title
        self.options = RecipeForm(self.recipe, without=self.asked_elsewhere)
        self.plots = self.plots_type(theme=viewer.theme)
        self.answer = AnswerPage(self.plots_type(theme=viewer.theme, lead=True))
        self._asked_for: Recipe | None = None
        self._read: Recipe | None = None
        self._failed_since = False
        self._pixels_changed = False
        self.table = ResultTable()
        self.remarks = QPlainTextEdit()
        self.link = ViewerLink(viewer, self._following, self)
        self.results = Results(viewer, self.link, self)
        self.power = PowerPage(self.results, theme=viewer.theme)
        self._arrange()
        self._connect()
        self._suggest()
        self.runner.warm_up()

    # --- layout ---------------------------------------------------------------------------

    def _arrange(self) -> None:
        titles = [title for _, title in self.arms]
        forms = list(zip(titles, self.forms, strict=True))
        self.tabs.addTab(input_page(forms, self.options), "Input")
        self.tabs.addTab(self.answer, "Answer")
        self.tabs.addTab(depth_page(self.plots), "Depth")
        for title, page in self.further_tabs():
            self.tabs.addTab(page, title)
        self.tabs.addTab(table_page(self.table, self.remarks), "Table")
        self.tabs.addTab(self.power, "Power")
        lay_out(self, self.tabs, self.bar)

    def further_tabs(self) -> list[tuple[str, QWidget]]:
        """Return titles and pages in addition to those of every dock."""
        return []

    # --- connections ----------------------------------------------------------------------

    def _connect(self) -> None:
        self._connect_run()
        bar, runner = self.bar, self.runner
        bar.map.connect(self.results.show_noise_maps)
        self.results.said.connect(self._say)
        self.results.failed.connect(self._failed)
        runner.state_changed.connect(self._state_changed)
        runner.opened.connect(self._opened)
        runner.plane_read.connect(self._plane_read)
        runner.finished.connect(self._finished)
        runner.failed.connect(self._run_failed)
        for plots in self._both_plots:
            plots.plane_clicked.connect(self.results.show_plane)
        runner.said.connect(lambda so_far: self.answer.show_so_far(so_far.said))
        runner.stepped.connect(self._forget_so_far)
        answer = self.answer
        answer.power.connect(self._recommend)
        answer.other.connect(self._compare)
        answer.study.connect(lambda: self._open("Plan a study"))
        answer.side.connect(self.results.show_side_by_side)
        answer.details.connect(lambda: self._show_page("Table"))
        for form in (self.options, *self.forms, *(form.more for form in self.forms)):
            form.changed.connect(self._look_for_changes)
            form.changed.connect(bar.forget_failure)
        self.link.plane_shown.connect(self._plane_shown)
        self._following.on(
            self.viewer.grid.events.enabled,
            lambda event: answer.side_button.setChecked(event.value),
        )
        self.power.acquire.connect(self._acquire)
        self.power.recommended.connect(lambda found: answer.show_power(found.verdict))
        self._following.on(self.viewer.layers.events.inserted, self._suggest)
        self._following.on(self.viewer.layers.events.removed, self._layer_removed)
        self.destroyed.connect(self._layers.end)

    @property
    def _both_plots(self) -> tuple[DepthPlots, DepthPlots]:
        return self.answer.plots, self.plots

    def taken_out(self) -> None:
        """Release layers, and cancel a recommendation in progress."""
        self.power.runner.abandon()
        self._layers.end()

    def export(self) -> None:
        """Ask for a folder, and write the report to it."""
        self.results.ask_and_export()

    def copy_command(self) -> None:
        """Copy the command line that gives the same numbers to the clipboard."""
        self.results.copy_command()

    # --- a run ----------------------------------------------------------------------------

    def run(self) -> None:
        """Read the chosen stacks; an error is shown and leaves everything idle."""
        if self.runner.state is not State.IDLE:
            return
        self._forget_errors()
        with self._telling_errors():
            stacks, recipe = self._asked_now()
            self._reading, self._asked_for = stacks, recipe
            self._steps.clear()
            self._watch_edits(stacks)
            self.runner.start(recipe, lambda *_: opened_in_memory(stacks), so_far=True)

    def _asked_now(self) -> tuple[list[ChosenStack], Recipe]:
        stacks = [form.stack() for form in self.forms]
        return stacks, self.asked(stacks)

    def asked(self, stacks: Sequence[ChosenStack]) -> Recipe:
        """Return the recipe for stacks, with the values in the forms."""
        raise NotImplementedError

    def planned_depths(self, news: Opened) -> Sequence[npt.NDArray[np.float64]]:
        """Return depths of each stack's planes; empty if they are still to come."""
        return news.depth_um

    def _opened(self, news: Opened) -> None:
        depth_um = self.planned_depths(news)
        reading, planes = self._reading, [len(depths) for depths in depth_um]
        begun = [
            step
            for plots in self._both_plots
            for step in plots.begin(news.names, news.components, depth_um)
        ]
        self._later(
            *begun,
            lambda: self.link.follow(reading, planes),
            lambda: self._show_page("Answer"),
            self.clear_result,
        )

    def _plane_read(self, protocol: int, estimate: PlaneEstimate) -> None:
        for plots in self._both_plots:
            plots.add(protocol, estimate)

    def _nothing_read(self, outcome: Outcome) -> None:
        """Restore the last result, if any: there is none to replace it."""
        last, self._failed_since = self.results.result, outcome.problem is not None
        if last is None:
            self._later(*(plots.clear for plots in self._both_plots), self.answer.clear)
        else:
            sources, planes = self.results.sources, [len(each.profile) for each in last.analysed]
            self._later(lambda: self.link.follow(sources, planes), *self.showing(last))
        problem = outcome.problem
        self._say(f"Failed: {said(problem)}" if problem else "Stopped: no plane was read")

    def _failed(self, error: Exception) -> None:
        super()._failed(self._placed(error))

    def _run_failed(self) -> None:
        self._failed_since = True
        self.answer.set_stale(FAILED)

    def _placed(self, error: Exception) -> Exception:
        """Return an error of a stack with its layer and the form in which it was chosen."""
        if isinstance(error, CopError) and error.stack is not None:
            number, error.stack = error.stack, None
            if number < len(self._reading) and self._reading[number].layer is not None:
                error.within(self._reading[number].said)
            error.within(self.forms[min(number, len(self.forms) - 1)].label)
        return error

    def _finished(self, outcome: Outcome) -> None:
        if outcome.problem is not None:
            self._tell(self._placed(outcome.problem))
        if outcome.stopped and outcome.empty:
            self._nothing_read(outcome)
            return
        self.results.result, self.results.sources = outcome.record, self._reading
        self._read, self._pixels_changed, self._failed_since = self._asked_for, False, False
        self._say("Drawing …")
        end = partial(self._say_the_end, outcome)
        self._later(*self.showing(outcome.record), end, self.power.recommend_unasked)

    def _say_the_end(self, outcome: Outcome) -> None:
        planes = planes_text(each.profile for each in outcome.record.analysed)
        end = "Stopped" if outcome.stopped else "Done"
        end = end if outcome.problem is None else f"Failed ({said(outcome.problem)})"
        self._say(f"{end}: {planes}")
        self.bar.offer_maps(self.results.mapped)
        self.bar.set_state(State.IDLE, has_result=True)

    def showing(self, result: Result) -> list[Callable[[], None]]:
        """Return the steps that show a result in plots, table and words."""
        return [
            lambda: self.answer.show_result(result, [each.said for each in self.results.sources]),
            lambda: self.answer.plots.show_result(result),
            self._look_for_changes,
            lambda: self.plots.show_result(result),
            lambda: self.table.show_record(result),
            lambda: self._show_remarks(result),
            self.power.renew,
        ]

    def _later(self, *steps: Callable[[], None]) -> None:
        """Run steps one after the other, with time for the window in between."""
        self._steps += steps
        self._turns.start(_TURN_MS)

    def _next_step(self) -> None:
        drawing = any(plots.canvas.drawing for plots in self._both_plots)
        if not self._steps:
            self._turns.stop()
        elif not drawing:  # otherwise the window would wait for both
            self._steps.pop(0)()

    def _show_remarks(self, result: Result) -> None:
        remarks = [f"• {untyped(text)}." for text in (*result.caveats, *self._edited())]
        self.remarks.setPlainText("\n\n".join(remarks) or "None.")

    def clear_result(self) -> None:
        """Clear the numbers."""
        self.answer.clear()
        self.table.clear()
        self.remarks.clear()

    def _forget_so_far(self, news: Stepped, _told_at: float) -> None:
        """Remove the interim verdict: the curve shows all planes."""
        if news.step.ended and news.step.total:
            self.answer.show_so_far("")

    # --- next steps after an answer -------------------------------------------------------

    def _show_page(self, title: str) -> None:
        pages = (i for i in range(self.tabs.count()) if self.tabs.tabText(i) == title)
        self.tabs.setCurrentIndex(next(pages))

    def _recommend(self) -> None:
        """Recommend a power within the power used, unless another limit is given."""
        self._show_page("Power")
        self.power.recommend_within_used()

    def _compare(self) -> None:
        """Compare the stack with another one, to be chosen in a widget of its own."""
        dock = self._open("Compare protocols")
        first, second = dock.forms
        layer, other = self.forms[0].layer, first.layer
        if layer is not None and layer != other:
            first.choose_layer(layer)
            if second.layer == layer and other is not None:
                second.choose_layer(other)

    def _acquire(self, plan: PowerSequence) -> None:
        """Acquire a plan, and watch it in the widget for acquisitions."""
        self._open("Live noise").acquire(plan)

    def _open(self, name: str) -> Any:
        dock, widget = self.viewer.window.add_plugin_dock_widget("napari-cop", name)
        dock.show()
        dock.raise_()
        return widget

    def _look_for_changes(self, _: object = None) -> None:
        """Show whether the result is still that of the chosen inputs."""
        if self.runner.state is State.IDLE and self.results.result is not None:
            self.answer.set_stale(self._why_stale() or (FAILED if self._failed_since else ""))

    def _why_stale(self) -> str:
        try:
            asked = self._asked_now()[1]
        except CopError:
            return GONE
        changed = self._pixels_changed or _unnamed(asked) != _unnamed(self._read)
        return CHANGED if changed else ""

    def _state_changed(self, state: State) -> None:
        self.bar.set_state(state, has_result=self.results.result is not None)

    # --- layers that change during a run --------------------------------------------------

    def _watch_edits(self, stacks: Sequence[ChosenStack]) -> None:
        self._edits.clear()
        self._layers.end()
        for stack in stacks:
            if stack.layer is not None:
                self._layers.on(stack.layer.events.data, self._layer_edited)

    def _layer_edited(self, event: Any) -> None:
        if self.runner.state is State.IDLE:
            self._pixels_changed = True
            self._look_for_changes()
        elif event.source.name not in self._edits:
            self._edits.append(event.source.name)

    def _edited(self) -> list[str]:
        return [
            f"layer {name!r} was edited while it was being read; the numbers belong to the "
            "pixels before the edit"
            for name in self._edits
        ]

    def _layer_removed(self, event: Any) -> None:
        if self.runner.state is State.IDLE:
            return
        if any(stack.layer == event.value for stack in self._reading):
            self._say(f"{event.value.name} was removed; its pixels are still being read")

    def _suggest(self) -> None:
        """Choose layers for forms without a choice: by name, else the next one."""
        stacks = [x for x in self.viewer.layers if _may_be_stack(x)]
        taken = [form.layer for form in self.forms]
        for form, (name, _) in zip(self.forms, self.arms, strict=True):
            if not form.open_for_suggestions:
                continue
            free = [x for x in stacks if x not in taken]
            named = [x for x in free if name and name in x.name.lower()]
            others = [x for x in free if not any(n and n in x.name.lower() for n, _ in self.arms)]
            fitting = named or (others if name else free)
            if fitting:
                form.choose_layer(fitting[0])
                taken.append(fitting[0])

    # --- plots and viewer -----------------------------------------------------------------

    def _plane_shown(self, protocol: int, plane: int) -> None:
        for plots in self._both_plots:
            plots.mark_plane(protocol, None if plane < 0 else plane)

    def _theme_changed(self) -> None:
        for plots in self._both_plots:
            plots.set_theme(self.viewer.theme)
        self.power.plot.set_theme(self.viewer.theme)


def _unnamed(recipe: Any) -> Any:
    """Return a recipe without the names of its stacks, which change no number."""
    if hasattr(recipe, "stacks"):
        return recipe.but(stacks=[s.but(name=str(i)) for i, s in enumerate(recipe.stacks)])
    return recipe.but(stack=recipe.stack.but(name=None))


def _may_be_stack(layer: Layer) -> bool:
    from napari.layers import Image

    return isinstance(layer, Image) and layer.ndim >= 3 and not layer.rgb and not is_map(layer)
