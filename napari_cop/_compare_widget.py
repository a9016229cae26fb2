"""Two protocols compared: does noise grow less with depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cop_core.statistics import Comparison
from napari_cop._dock import NoiseDock
from napari_cop._effect_plots import EffectPlots

if TYPE_CHECKING:
    from collections.abc import Callable

    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

    from cop_core.report import Result


class CompareWidget(NoiseDock):
    """Dock widget: a stack at fixed power against one whose power grows with depth."""

    arms = (("fixed", "Fixed power"), ("gained", "Gained power"))
    run_title = "Compare"

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)

    def further_tabs(self) -> list[tuple[str, QWidget]]:
        """Return the page of slopes, R2 and effect sizes."""
        self.effects = EffectPlots(theme=self.viewer.theme)
        return [("Effects", self.effects)]

    def showing(self, result: Result) -> list[Callable[[], None]]:
        """Return what shows a comparison, in steps, effects included."""
        steps = super().showing(result)
        if isinstance(result, Comparison):
            steps.append(lambda: self.effects.show_result(result))
        return steps

    def clear_result(self) -> None:
        """Show no numbers and no effects."""
        super().clear_result()
        self.effects.clear()

    def _theme_changed(self) -> None:
        super()._theme_changed()
        self.effects.set_theme(self.viewer.theme)
