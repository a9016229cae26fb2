"""Read the noise in z-stacks: engine, network, depth analysis and reports.

Names are loaded when first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from cop_core._version import __version__
from cop_core.errors import CancelledError, CopError, InputError

if TYPE_CHECKING:
    from cop_core.noise import Genome
    from cop_core.power import Recommendation, recommend_power
    from cop_core.reading import Estimator, Reading, Settings, load_estimator, profile
    from cop_core.report import repeat_command, write_report
    from cop_core.stacks import GainedPower, Stack, open_stack
    from cop_core.statistics import ArmsComparison, Comparison, DepthProfile, compare, compare_arms

_WHERE = {
    "ArmsComparison": "cop_core.statistics",
    "Comparison": "cop_core.statistics",
    "DepthProfile": "cop_core.statistics",
    "Estimator": "cop_core.reading",
    "GainedPower": "cop_core.stacks",
    "Genome": "cop_core.noise",
    "Reading": "cop_core.reading",
    "Recommendation": "cop_core.power",
    "Settings": "cop_core.reading",
    "Stack": "cop_core.stacks",
    "compare": "cop_core.statistics",
    "compare_arms": "cop_core.statistics",
    "load_estimator": "cop_core.reading",
    "open_stack": "cop_core.stacks",
    "profile": "cop_core.reading",
    "recommend_power": "cop_core.power",
    "repeat_command": "cop_core.report",
    "write_report": "cop_core.report",
}

__all__ = [
    "ArmsComparison",
    "CancelledError",
    "Comparison",
    "CopError",
    "DepthProfile",
    "Estimator",
    "GainedPower",
    "Genome",
    "InputError",
    "Reading",
    "Recommendation",
    "Settings",
    "Stack",
    "__version__",
    "compare",
    "compare_arms",
    "load_estimator",
    "open_stack",
    "profile",
    "recommend_power",
    "repeat_command",
    "write_report",
]


def __getattr__(name: str) -> Any:
    try:
        module = _WHERE[name]
    except KeyError:
        raise AttributeError(f"module 'cop_core' has no attribute {name!r}") from None
    return getattr(import_module(module), name)
