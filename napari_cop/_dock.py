"""What the Profile and the Compare widget have in common: input, run, plots, export."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtGui import QKeySequence, QShortcut
from qtpy.QtWidgets import (
    QApplication,
    QComboBox,
    QFileDialog,
    QGroupBox,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QScrollArea,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)
from superqt import QCollapsible
from superqt.utils import create_worker

from cop_core.errors import CopError
from cop_core.report import protocols, repeat_command, warnings_of
from napari_cop._depth_plots import DepthPlots
from napari_cop._effect_plots import EffectTable
from napari_cop._export import export
from napari_cop._following import Following
from napari_cop._layers import image_layer
from napari_cop._link import ViewerLink
from napari_cop._memory import remember, remembered
from napari_cop._noise_map import add_noise_map
from napari_cop._options_form import OptionsForm
from napari_cop._reading import Opened, Outcome, Request
from napari_cop._run_bar import RunBar
from napari_cop._runner import Runner, State, tell
from napari_cop._source_form import SourceForm

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.layers import Image, Layer
    from napari.viewer import Viewer

    from cop_core.report import Result
    from napari_cop._sources import Source

_TURN_MS: Final = 50
_SECONDARY: Final = (("none", "none"), ("power (mW)", "power"), ("mean signal (counts)", "signal"))


class NoiseDock(QWidget):
    """Input, run, plots and export of one or two stacks.

    Parameters
    ----------
    viewer : Viewer
        Whose layers are read.
    """

    arms: ClassVar[tuple[tuple[str | None, str], ...]]
    """Name of each protocol (None: the stack's own) and title of its form."""
    run_title: ClassVar[str]

    def __init__(self, viewer: Viewer) -> None:
        super().__init__()
        self.viewer = viewer
        self.result: Result | None = None
        self._sources: list[Source] = []
        self._following = Following()
        self._steps: list[Callable[[], None]] = []
        self._turns = QTimer(self)
        self._turns.timeout.connect(self._next_step)
        self.forms = [SourceForm(viewer, self._following) for _ in self.arms]
        self.options = OptionsForm(comparison=len(self.arms) == 2)
        self.plots = DepthPlots(theme=viewer.theme)
        self.table = EffectTable()
        self.remarks = QPlainTextEdit(readOnly=True)
        self.remarks.setPlaceholderText("What to know beside the numbers appears here.")
        self.runner = Runner(self)
        self.link = ViewerLink(viewer, self._following, self)
        self.bar = RunBar(self.run_title)
        self.tabs = QTabWidget()
        self._arrange()
        self._connect()
        self._suggest()

    # --- layout ---------------------------------------------------------------------------

    def _arrange(self) -> None:
        self.tabs.addTab(self._input_tab(), "Input")
        self.tabs.addTab(self._depth_tab(), "Depth")
        for title, page in self.further_tabs():
            self.tabs.addTab(page, title)
        self.tabs.addTab(self._table_tab(), "Table")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.addWidget(self.tabs, 1)
        layout.addWidget(self.bar)
        self.setMinimumWidth(440)

    def further_tabs(self) -> list[tuple[str, QWidget]]:
        """Return titles and pages beside those of every dock."""
        return []

    def _input_tab(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        for form, (_, title) in zip(self.forms, self.arms, strict=True):
            group = QGroupBox(title)
            QVBoxLayout(group).addWidget(form.native)
            layout.addWidget(group)
        advanced = QCollapsible("Advanced")
        advanced.addWidget(self.options.native)
        layout.addWidget(advanced)
        layout.addStretch(1)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(page)
        return scroll

    def _depth_tab(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        line = QHBoxLayout()
        self.secondary = QComboBox()
        self.secondary.setToolTip("What to draw on a second axis of every panel.")
        for text, what in _SECONDARY:
            self.secondary.addItem(text, what)
        line.addWidget(QLabel("Second axis:"))
        line.addWidget(self.secondary)
        line.addStretch(1)
        layout.addLayout(line)
        layout.addWidget(self.plots, 1)
        return page

    def _table_tab(self) -> QWidget:
        page = QWidget()
        layout = QVBoxLayout(page)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self.table, 2)
        layout.addWidget(QLabel("What to know beside the numbers"))
        layout.addWidget(self.remarks, 3)
        return page

    # --- connections ----------------------------------------------------------------------

    def _connect(self) -> None:
        bar, runner = self.bar, self.runner
        bar.run.connect(self.run)
        bar.cancel.connect(runner.stop)
        bar.export.connect(self.ask_and_export)
        bar.copy.connect(self.copy_command)
        bar.map.connect(self.add_noise_maps)
        runner.state_changed.connect(self._state_changed)
        runner.progressed.connect(bar.set_progress)
        runner.opened.connect(self._opened)
        runner.plane_read.connect(self.plots.add)
        runner.finished.connect(self._finished)
        runner.failed.connect(self._failed)
        self.plots.plane_clicked.connect(self._plane_clicked)
        self.link.plane_shown.connect(self._plane_shown)
        self.secondary.currentIndexChanged.connect(
            lambda: self.plots.set_secondary(self.secondary.currentData())
        )
        self._following.on(self.viewer.events.theme, self._theme_changed)
        self._following.on(self.viewer.layers.events.inserted, self._suggest)
        self._following.on(self.viewer.layers.events.removed, self._layer_removed)
        self.destroyed.connect(self._following.end)
        for keys, action in (("Ctrl+Return", self.run), ("Escape", runner.stop)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)

    def event(self, event: QEvent) -> bool:
        """Let go of the viewer when napari takes the widget out of its dock."""
        taken_out = event.type() == QEvent.Type.ParentChange and self.parent() is None
        if taken_out and hasattr(self, "_following"):
            self.runner.abandon()
            self._following.end()
            self.deleteLater()
        return super().event(event)

    # --- a run ----------------------------------------------------------------------------

    def run(self) -> None:
        """Read what is chosen; an error is told and leaves everything idle."""
        if self.runner.state is not State.IDLE:
            return
        try:
            sources = [form.source() for form in self.forms]
            request = Request(
                tuple((name, s) for (name, _), s in zip(self.arms, sources, strict=True)),
                self.options.settings,
                self.options.weights_name,
                self.options.device.value,
                self.options.rule.value,
            )
        except CopError as error:
            self._failed(error)
            return
        self._sources = sources
        self._steps.clear()
        self._forget_result()
        self._watch_edits(sources)
        self.runner.start(request)

    def _opened(self, news: Opened) -> None:
        self.plots.begin(news.names, news.components, news.depth_um)
        planes = [len(depths) for depths in news.depth_um]
        self._later(
            lambda: self.link.follow(self._sources, planes),
            lambda: self.tabs.setCurrentIndex(1),
        )

    def _finished(self, outcome: Outcome) -> None:
        self.result = outcome.result
        self.bar.status.setText("Drawing …")
        self._later(*self.showing(outcome.result), lambda: self._say_the_end(outcome))

    def _say_the_end(self, outcome: Outcome) -> None:
        shown = protocols(outcome.result)
        read = sum(plane.n_crops > 0 for p in shown for plane in p.profile.planes)
        planes = sum(len(p.profile) for p in shown)
        end = "Stopped" if outcome.stopped else "Done"
        self.bar.status.setText(f"{end}: {read} of {planes} planes read")
        self.bar.set_state(State.IDLE, has_result=True)

    def showing(self, result: Result) -> list[Callable[[], None]]:
        """Return what shows a result in plots, table and words, in steps."""
        return [
            lambda: self.plots.show_result(result),
            lambda: self.table.show_result(result),
            lambda: self._show_remarks(result),
        ]

    def _later(self, *steps: Callable[[], None]) -> None:
        """Do steps one after the other, with time for the window in between."""
        self._steps += steps
        self._turns.start(_TURN_MS)

    def _next_step(self) -> None:
        if self._steps:
            self._steps.pop(0)()
        else:
            self._turns.stop()

    def _show_remarks(self, result: Result) -> None:
        said = [*warnings_of(result), *self._edited()]
        self.remarks.setPlainText("\n\n".join(f"• {text[:1].upper()}{text[1:]}." for text in said))

    def _forget_result(self) -> None:
        self.result = None
        self.table.clear()
        self.remarks.clear()

    def _failed(self, error: Exception) -> None:
        self.bar.status.setText(f"Failed: {error}")
        tell(error)

    def _state_changed(self, state: State) -> None:
        self.bar.set_state(state, has_result=self.result is not None)

    # --- layers that change under way -----------------------------------------------------

    def _watch_edits(self, sources: list[Source]) -> None:
        self._edits: list[str] = []
        for source in sources:
            if source.layer is not None:
                self._following.on(source.layer.events.data, self._layer_edited)

    def _layer_edited(self, event: Any) -> None:
        if self.runner.state is not State.IDLE and event.source.name not in self._edits:
            self._edits.append(event.source.name)

    def _edited(self) -> list[str]:
        return [
            f"layer {name!r} was edited while it was read: earlier planes are of the old pixels"
            for name in getattr(self, "_edits", [])
        ]

    def _layer_removed(self, event: Any) -> None:
        if self.runner.state is State.IDLE:
            return
        if any(source.layer == event.value for source in self._sources):
            self.bar.status.setText(f"{event.value.name} was removed; reading its pixels goes on")

    def _suggest(self) -> None:
        """Choose layers for forms in which nothing is chosen: by name, else the next one."""
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

    def _plane_clicked(self, protocol: int, plane: int) -> None:
        if self.link.go_to(protocol, plane):
            return
        source = self._sources[protocol]
        if source.path is None:
            tell(CopError("the layer is no longer in the viewer", advice="Add it and run again"))
            return
        try:
            self.link.set_layer(protocol, self._open_layer(source))
        except CopError as error:
            tell(error)
            return
        self.link.go_to(protocol, plane)

    def _open_layer(self, source: Source) -> Image:
        data, arguments, _ = image_layer(source.open())
        layer: Image = self.viewer.add_image(data, **arguments)
        return layer

    def _plane_shown(self, protocol: int, plane: int) -> None:
        self.plots.mark_plane(protocol, None if plane < 0 else plane)

    def _theme_changed(self) -> None:
        self.plots.set_theme(self.viewer.theme)

    # --- results out ----------------------------------------------------------------------

    def ask_and_export(self) -> None:
        """Ask for a folder and write the report there."""
        last = str(remembered().get("folder", ""))
        folder = QFileDialog.getExistingDirectory(self, "Folder for the report", last)
        if folder:
            remember(folder=folder)
            self.export_to(folder)

    def export_to(self, folder: str) -> None:
        """Write the report into a folder, in the background."""
        if self.result is None:
            return
        self.bar.export_button.setEnabled(False)
        self.bar.status.setText("Writing the report …")
        worker = create_worker(export, self.result, folder, _ignore_errors=True)
        worker.returned.connect(lambda path: self.bar.status.setText(f"Report written to {path}"))
        worker.errored.connect(self._failed)
        worker.finished.connect(lambda: self._state_changed(self.runner.state))
        worker.start()

    def copy_command(self) -> None:
        """Put the command line that repeats the result on the clipboard."""
        if self.result is None:
            return
        try:
            command = repeat_command(self.result, "report")
        except CopError as error:
            self._failed(error)
            return
        QApplication.clipboard().setText(command)
        self.bar.status.setText("Copied: paste it into a terminal")

    def add_noise_maps(self) -> None:
        """Add the strengths of every crop as layers over the stacks."""
        if self.result is None:
            return
        active = self.link.protocol
        try:
            for index, shown in enumerate(protocols(self.result)):
                layer = self.link.layer(index)
                if layer is None:
                    layer = self._open_layer(self._sources[index])
                    self.link.set_layer(index, layer)
                add_noise_map(
                    self.viewer,
                    layer,
                    self.link.z_axis(index),
                    shown.profile,
                    visible=index == (active or 0),
                )
        except CopError as error:
            self._failed(error)


def _may_be_stack(layer: Layer) -> bool:
    from napari.layers import Image

    return (
        isinstance(layer, Image)
        and layer.ndim >= 3
        and not layer.rgb
        and "noise (%)" not in layer.name
    )
