"""Which values in metadata can be used as settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from cop_core.stacks.units import number

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cop_core.recipes import SettingValue

_OF_ANY_SIGN: Final = re.compile(r"(em_)?gain(_\w+)?|detector_v|attenuation|temperature_c|\w+_ev")
"""Settings that may be 0 or less; for others, such as exposures, this means "not known"."""


def agreed(pairs: Iterable[tuple[str, Any]]) -> dict[str, SettingValue]:
    """Return the numeric settings, if all sources that state one agree."""
    stated: dict[str, set[float]] = {}
    for name, value in pairs:
        found = number(value)
        if found is not None and (found > 0 or _OF_ANY_SIGN.fullmatch(name)):
            stated.setdefault(name, set()).add(found)
    return {name: values.pop() for name, values in stated.items() if len(values) == 1}
