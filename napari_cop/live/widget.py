"""Widget for noise against depth while a stack is being acquired."""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from cop_core.errors import CopError
from cop_core.recipes import CompareRecipe, WatchRecipe
from cop_core.records import Comparison
from cop_core.stacks import growing
from napari_cop.forms.recipe_form import make
from napari_cop.live.feeds import LayerFeed
from napari_cop.live.panel import LivePanel
from napari_cop.live.watch_form import CORE, DEMO, WAITS, WatchForm
from napari_cop.plots.depth import DepthPlots
from napari_cop.runner import State
from napari_cop.widgets import CompareWidget

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np
    import numpy.typing as npt
    from napari.viewer import Viewer

    from cop_core.pipeline import Opened, Stepped
    from cop_core.power.acquisition_plan import PowerSequence
    from cop_core.recipes import Recipe
    from napari_cop.live.feeds import Feed
    from napari_cop.runner import Outcome

_TELL_S: Final = 0.4
"""Minimum time in s between two updates of the figures and of the viewer."""
_BATCH: Final = 4
"""Crops per batch, for which a new plane has to wait: larger batches are hardly faster."""


class LivePlots(DepthPlots):
    """Panels that show a plane as soon as it is read."""

    EMPTY = "Choose what to watch and press Watch."
    REDRAW_MS: ClassVar = 100
    REFIT_S: ClassVar = 0.5


class LiveWidget(CompareWidget):
    """Dock widget: the noise of a stack, plane by plane during acquisition."""

    arms = ((None, "Acquisition"),)
    run_title = "Watch"
    recipe = WatchRecipe
    asked_elsewhere = ("stack", *WAITS)
    plots_type = LivePlots
    form_type = WatchForm

    def __init__(self, napari_viewer: Viewer) -> None:
        self.panel = LivePanel()
        self._feeds: list[Feed] = []
        self._last: dict[int, Stepped] = {}
        self._begun: dict[int, set[int]] = {}
        self._told, self._cut = 0.0, 0
        super().__init__(napari_viewer)
        self.runner.stepped.connect(self._stepped)
        for plots in self._both_plots:
            plots.drawn.connect(self.panel.drawn)
        for end in (self.runner.failed, self.destroyed):
            end.connect(partial(_let_go, self._feeds))
        self.runner.failed.connect(self.panel.show_stopped)

    def watch_demo(self) -> None:
        """Watch the simulated three-photon microscope."""
        self.forms[0].chosen.value = DEMO
        self.run()

    def acquire(self, plan: PowerSequence) -> None:
        """Acquire a plan with the Micro-Manager core of this program, and watch it."""
        form = self.forms[0]
        form.chosen.value = CORE
        form.power.mode.value = form.power.mode.choices[0]
        form.power_property.value = "-".join(plan.laser)
        form.plan = plan
        self.run()

    def run(self) -> None:
        """Watch the chosen acquisition; an error is shown and leaves everything idle."""
        if self.runner.state is not State.IDLE:
            return
        self._forget_errors()
        try:
            feeds = self.forms[0].feeds()
            recipe = self._asked(feeds)
        except CopError as error:
            self._failed(error)
            return
        _let_go(self._feeds)
        self._feeds += feeds
        self._reading = [feed.shown() for feed in feeds]
        self._steps.clear()
        self._last.clear()
        self._begun = {number: set() for number in range(len(feeds))}
        self.panel.clear()
        self.runner.start(recipe, partial(_opened, feeds), batch_size=_BATCH, so_far=True)

    def taken_out(self) -> None:
        """Release the feeds too."""
        super().taken_out()
        _let_go(self._feeds)

    def _asked(self, feeds: Sequence[Feed]) -> Recipe:
        """Return the recipe for one stack, or for two acquired one after the other."""
        stacks = [feed.shown().options for feed in feeds]
        watch: WatchRecipe = make(WatchRecipe, self.options, self.forms[0], stack=stacks[0])
        return watch if len(feeds) == 1 else CompareRecipe(stacks=stacks, reading=watch.reading)

    # --- layout ---------------------------------------------------------------------------

    def _arrange(self) -> None:
        super()._arrange()
        self.layout().insertWidget(1, self.panel)
        self.bar.run_button.setToolTip("Read the noise of every plane as it arrives (Ctrl+Return).")
        self.bar.cancel_button.setText("Stop")
        self.bar.cancel_button.setToolTip("Stop watching and keep what has been read (Esc).")
        self._show_effects(shown=False)

    def _show_effects(self, *, shown: bool) -> None:
        self.tabs.setTabVisible(self.tabs.indexOf(self.effects_page), shown)

    # --- during the acquisition -----------------------------------------------------------

    def planned_depths(self, _: Opened) -> Sequence[npt.NDArray[np.float64]]:
        """Return depths of each stack's planes, if the acquisition has a plan."""
        return [feed.depth_um for feed in self._feeds]

    def _stepped(self, news: Stepped, told_at: float) -> None:
        before = self._last.get(news.stack)
        self._last[news.stack] = news
        if news.step.estimate is not None:
            self._begun[news.stack].add(news.step.estimate.index)
        self.panel.expect(news, told_at)
        for plots in self._both_plots:
            plots.plan(news.stack, news.planned)
        now = time.monotonic()
        same = before is not None and before.step.state is news.step.state
        if same and now - self._told < _TELL_S:
            return
        self._told = now
        planes = len(self._begun[news.stack])
        self.panel.show_news(news, planes)
        self.bar.set_progress(f"Watching {news.name} …", planes, news.planned or 0)
        if planes:
            self._feeds[news.stack].came(planes)
            self._follow()

    def _follow(self) -> None:
        """Link plots and viewer to the planes so far."""
        self._reading = [feed.shown() for feed in self._feeds]
        self.link.follow(self._reading, [len(planes) for planes in self._begun.values()])

    def _why_stale(self) -> str:
        return ""  # an acquisition does not change afterwards

    def _layer_removed(self, event: Any) -> None:
        for feed in self._feeds:
            if isinstance(feed, LayerFeed) and feed.layer == event.value:
                feed.removed()
                self.bar.status.setText(
                    f"{event.value.name} was removed; planes already received will still be read"
                )

    # --- the end --------------------------------------------------------------------------

    def _finished(self, outcome: Outcome) -> None:
        for number, news in self._last.items():
            planes = len(self._begun[number])
            self.panel.show_news(news, planes)
            if planes:
                self._feeds[number].came(planes)
        put_off = sum(news.step.crops_put_off for news in self._last.values())
        self._cut = put_off if outcome.stopped else 0
        record = outcome.record
        if isinstance(record, Comparison) and not len(record.second.profile):
            record = record.first  # stopped before the second acquisition
        shown = record.analysed if record else ()
        self._reading = [feed.shown() for feed in self._feeds[: len(shown)]]
        planes = [len(each.profile) for each in shown]
        # after any drawing that is still due from the start
        self._later(partial(self.link.follow, self._reading, planes))
        for feed in self._feeds:
            feed.ended()
        self._show_effects(shown=isinstance(record, Comparison))
        super()._finished(replace(outcome, record=record))

    def _edited(self) -> list[str]:
        """Report what was cut short: crops that were put off and then cancelled."""
        if not self._cut:
            return []
        return [
            f"watching was stopped with {self._cut} crops not yet read: strengths of their "
            "planes are means over fewer crops"
        ]

    def _say_the_end(self, outcome: Outcome) -> None:
        super()._say_the_end(outcome)
        states = {news.step.state for news in self._last.values()}
        if outcome.stopped or outcome.problem:
            self.panel.show_stopped()
        elif states == {growing.State.STOPPED}:
            said = f"{self.bar.status.text()}; the acquisition stopped growing"
            self.bar.status.setText(said)


def _opened(
    feeds: Sequence[Any], tell: Callable[[str], None], cancelled: Callable[[], bool]
) -> list[growing.Source | None]:
    """Return the sources; acquisitions after the first connect on the first request for planes."""
    return [feeds[0].open(tell, cancelled), *feeds[1:]]


def _let_go(feeds: list[Feed], _: object = None) -> None:
    """End, close and drop feeds."""
    for feed in feeds:
        feed.ended()
        feed.close()
    feeds.clear()
