"""Read the noise in z-stacks: engine, network, depth analysis and reports.

Names are loaded on first use, which keeps the import of the package fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cop_core._version import __version__
from cop_core.errors import CancelledError, CopError, InputError

if TYPE_CHECKING:
    from cop_core.noise import Genome
    from cop_core.pipeline import run
    from cop_core.power import Recommendation, recommend_power
    from cop_core.reading import Estimator, load_estimator, profile
    from cop_core.recipes import GainedPower, Recipe, RecipeError, command_of
    from cop_core.records import AnalysedProfile, ArmsComparison, Comparison, DepthProfile
    from cop_core.report import read_document, recipe_of, write_document, write_report
    from cop_core.report.figures import figures_of
    from cop_core.stacks import Stack, open_stack
    from cop_core.statistics import compare, compare_arms

_MODULES = {
    "noise": ("Genome",),
    "pipeline": ("run",),
    "power": ("Recommendation", "recommend_power"),
    "reading": ("Estimator", "load_estimator", "profile"),
    "recipes": ("GainedPower", "Recipe", "RecipeError", "command_of"),
    "records": ("AnalysedProfile", "ArmsComparison", "Comparison", "DepthProfile"),
    "report": ("read_document", "recipe_of", "write_document", "write_report"),
    "report.figures": ("figures_of",),
    "stacks": ("Stack", "open_stack"),
    "statistics": ("compare", "compare_arms"),
}
_WHERE = {name: module for module, names in _MODULES.items() for name in names}

__all__ = [
    "AnalysedProfile",
    "ArmsComparison",
    "CancelledError",
    "Comparison",
    "CopError",
    "DepthProfile",
    "Estimator",
    "GainedPower",
    "Genome",
    "InputError",
    "Recipe",
    "RecipeError",
    "Recommendation",
    "Stack",
    "__version__",
    "command_of",
    "compare",
    "compare_arms",
    "figures_of",
    "load_estimator",
    "open_stack",
    "profile",
    "read_document",
    "recipe_of",
    "recommend_power",
    "run",
    "write_document",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'cop_core' has no attribute {name!r}")
    return getattr(import_module(f"cop_core.{_WHERE[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
