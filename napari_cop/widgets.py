"""The widgets for finished stacks: one, or two compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cop_core.errors import InputError
from cop_core.recipes import CompareRecipe, ProfileRecipe
from cop_core.records import Comparison
from napari_cop.dock import NoiseDock
from napari_cop.forms.recipe_form import make
from napari_cop.pages import scrolled
from napari_cop.plots.records import EffectPlots

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Sequence

    from napari.viewer import Viewer
    from qtpy.QtWidgets import QWidget

    from cop_core.records import Result
    from napari_cop.sources import ChosenStack


class ProfileWidget(NoiseDock):
    """Dock widget: the noise of one stack, plane by plane."""

    arms = ((None, "Z-stack"),)
    run_title = "Run"
    recipe = ProfileRecipe

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)

    def asked(self, stacks: Sequence[ChosenStack]) -> ProfileRecipe:
        """Return the recipe for a stack."""
        (stack,) = stacks
        found: ProfileRecipe = make(ProfileRecipe, self.options, stack=stack.options)
        return found


class CompareWidget(NoiseDock):
    """Dock widget: a comparison of two stacks, under any names."""

    arms = (("fixed", "First stack"), ("gained", "Second stack"))
    run_title = "Compare"
    recipe = CompareRecipe

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)

    def asked(self, stacks: Sequence[ChosenStack]) -> CompareRecipe:
        """Return the recipe for two stacks, named after their layers unless given names."""
        if len({_what(stack) for stack in stacks}) < len(stacks):
            raise InputError(
                "the same stack is selected for both protocols",
                advice="choose a different stack for one of them",
            )
        pairs = zip(stacks, _names(stacks), strict=True)
        named = [stack.options.but(name=name) for stack, name in pairs]
        found: CompareRecipe = make(CompareRecipe, self.options, stacks=named)
        return found

    def further_tabs(self) -> list[tuple[str, QWidget]]:
        """Return the page of slopes, R2 and effect sizes."""
        self.effects = EffectPlots(theme=self.viewer.theme)
        self.effects_page = scrolled(self.effects)
        return [("Effects", self.effects_page)]

    def showing(self, result: Result) -> list[Callable[[], None]]:
        """Return the steps that show a comparison, including effects."""
        steps = super().showing(result)
        if isinstance(result, Comparison):
            steps.append(lambda: self.effects.show_record(result))
        return steps

    def clear_result(self) -> None:
        """Clear numbers and effects."""
        super().clear_result()
        self.effects.clear()

    def _theme_changed(self) -> None:
        super()._theme_changed()
        self.effects.set_theme(self.viewer.theme)


def _names(stacks: Sequence[ChosenStack]) -> list[str | None]:
    """Return the name of each stack: as given, else its layer's; None for its file's."""
    return [s.options.name or (s.layer.name if s.layer is not None else None) for s in stacks]


def _what(stack: ChosenStack) -> Hashable:
    opened = stack.options
    in_file = (opened.source, opened.channel, opened.time)
    return in_file if opened.source is not None else (stack.layer, stack.at)
