"""Names of files as patterns: words in braces are settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cop_core.csv_table import with_point
from cop_core.errors import InputError, option
from cop_core.stacks.units import number

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cop_core.recipes import SettingValue

_WORD: Final = re.compile(r"\{([A-Za-z_]\w*)\}")
_ADVICE: Final = (
    "use a form such as {camera}_iso{iso}_{scene}_real: a name in each pair of braces, used once"
)


def compile_pattern(pattern: str) -> re.Pattern[str]:
    """Return a regular expression that finds settings in file names without suffix.

    Raises
    ------
    InputError
        It has no word in braces, or one twice.
    """
    names = _WORD.findall(pattern)
    fixed = _WORD.split(pattern)[::2]
    if not names or len(set(names)) < len(names) or any(set(text) & {*"{}"} for text in fixed):
        raise InputError(f"{pattern!r} is not a pattern", where=option("pattern"), advice=_ADVICE)
    parts = [re.escape(fixed[0])]
    for name, text in zip(names, fixed[1:], strict=True):
        parts.append(f"(?P<{name}>.+?){re.escape(text)}")
    return re.compile("".join(parts))


def reference_name(pattern: str, settings: Mapping[str, str]) -> str:
    """Return the name of a reference image.

    Raises
    ------
    InputError
        It needs a word that the file names do not state.
    """
    for name in _WORD.findall(pattern):
        if name not in settings:
            raise InputError(
                f"file names do not state {name!r}", where=option("reference"), advice=_ADVICE
            )
    return _WORD.sub(lambda match: settings[match[1]], pattern)


def as_value(text: str) -> SettingValue:
    """Return the value of a cell or part of a name: a number, possibly with a comma, or a word.

    An apostrophe before a word marks it as neither a formula nor a number.
    """
    found = number(with_point(text))
    return text.removeprefix("'") if found is None else found
