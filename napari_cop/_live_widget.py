"""Noise against depth while the stack is being acquired."""

from __future__ import annotations

import time
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Final

from cop_core.errors import CopError
from cop_core.report import protocols
from cop_core.stacks import growing
from cop_core.statistics import Comparison
from napari_cop._compare_widget import CompareWidget
from napari_cop._depth_plots import DepthPlots
from napari_cop._live_feeds import LayerFeed
from napari_cop._live_form import DEMO, WatchForm
from napari_cop._live_panel import LivePanel
from napari_cop._live_reading import LiveRequest, watch
from napari_cop._runner import State

if TYPE_CHECKING:
    from napari.viewer import Viewer

    from napari_cop._live_feeds import Feed
    from napari_cop._live_reading import Watched
    from napari_cop._reading import Outcome

_TELL_S: Final = 0.4
"""Least time in s between two changes of the figures and of the viewer."""


class LivePlots(DepthPlots):
    """Panels that show a plane as soon as it is read."""

    EMPTY = "Choose what is acquired and press Watch."
    REDRAW_MS: ClassVar = 100
    REFIT_S: ClassVar = 0.5


class LiveWidget(CompareWidget):
    """Dock widget: the noise of a stack, plane by plane as it is acquired."""

    arms = ((None, "Acquisition"),)
    run_title = "Watch"
    plots_type = LivePlots
    form_type = WatchForm

    def __init__(self, napari_viewer: Viewer) -> None:
        self.panel = LivePanel()
        self._feeds: list[Feed] = []
        self._last: dict[int, Watched] = {}
        self._told, self._cut = 0.0, 0
        super().__init__(napari_viewer)
        self.runner.watched.connect(self._watched)
        self.plots.drawn.connect(self.panel.drawn)
        for end in (self.runner.failed, self.destroyed):
            end.connect(partial(_let_go, self._feeds))

    def watch_demo(self) -> None:
        """Watch the simulated three-photon microscope."""
        self.forms[0].chosen.value = DEMO
        self.run()

    def run(self) -> None:
        """Watch what is chosen; an error is told and leaves everything idle."""
        if self.runner.state is not State.IDLE:
            return
        form, options = self.forms[0], self.options
        try:
            feeds = form.feeds()
            request = LiveRequest(
                feeds,
                options.settings,
                options.weights_name,
                options.device.value,
                options.rule.value,
            )
        except CopError as error:
            self._failed(error)
            return
        _let_go(self._feeds)
        self._feeds += feeds
        self._reading = [feed.shown() for feed in feeds]
        self._steps.clear()
        self._last.clear()
        self.panel.clear()
        self.runner.start(request, watch)

    def taken_out(self) -> None:
        """Let go of what is watched."""
        _let_go(self._feeds)

    # --- layout ---------------------------------------------------------------------------

    def _arrange(self) -> None:
        super()._arrange()
        self.layout().insertWidget(1, self.panel)
        self.bar.run_button.setToolTip("Read the noise of every plane as it comes (Ctrl+Return).")
        self.bar.cancel_button.setText("Stop")
        self.bar.cancel_button.setToolTip("Stop watching, and keep what has been read (Esc).")
        self._show_effects(shown=False)

    def _show_effects(self, *, shown: bool) -> None:
        self.tabs.setTabVisible(self.tabs.indexOf(self.effects), shown)

    # --- while it is acquired -------------------------------------------------------------

    def _watched(self, news: Watched) -> None:
        before = self._last.get(news.protocol)
        self._last[news.protocol] = news
        self.panel.expect(news)
        self.plots.plan(news.protocol, news.planned)
        now = time.monotonic()
        same = before is not None and before.state is news.state
        if same and now - self._told < _TELL_S:
            return
        self._told = now
        self.panel.show_news(news)
        feed = self._feeds[news.protocol]
        self.bar.set_progress(f"Watching {feed.name} …", news.planes, news.planned or 0)
        if news.planes:
            feed.came(news.planes)
            self._follow()

    def _follow(self) -> None:
        """Link plots and viewer to the planes so far."""
        self._reading = [feed.shown() for feed in self._feeds]
        counts = [self._last[i].planes if i in self._last else 0 for i in range(len(self._feeds))]
        self.link.follow(self._reading, counts)

    def _layer_removed(self, event: Any) -> None:
        for feed in self._feeds:
            if isinstance(feed, LayerFeed) and feed.layer == event.value:
                feed.removed()
                self.bar.status.setText(f"{event.value.name} was removed; what came is read")

    # --- the end --------------------------------------------------------------------------

    def _finished(self, outcome: Outcome) -> None:
        for number, news in self._last.items():
            self.panel.show_news(news)
            self._feeds[number].came(news.planes)
        put_off = sum(news.crops_put_off for news in self._last.values())
        self._cut = put_off if outcome.stopped else 0
        self._follow()
        self._reading = self._reading[: len(protocols(outcome.result))]
        for feed in self._feeds:
            feed.ended()
        self._show_effects(shown=isinstance(outcome.result, Comparison))
        super()._finished(outcome)

    def _edited(self) -> list[str]:
        """Say what was cut short: crops that were put off, and then not wanted any more."""
        if not self._cut:
            return []
        return [
            f"watching was stopped with {self._cut} crops still to be read: the planes that they "
            "belong to are means over fewer crops"
        ]

    def _say_the_end(self, outcome: Outcome) -> None:
        super()._say_the_end(outcome)
        states = {news.state for news in self._last.values()}
        if not outcome.stopped and states == {growing.State.STOPPED}:
            said = f"{self.bar.status.text()}; the acquisition stopped growing"
            self.bar.status.setText(said)


def _let_go(feeds: list[Feed], _: object = None) -> None:
    """End and close feeds, and forget them."""
    for feed in feeds:
        feed.ended()
        feed.close()
    feeds.clear()
