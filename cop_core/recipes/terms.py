"""Names of options in messages: on the command line, and in forms."""

from __future__ import annotations

import re
from functools import cache
from typing import Final

from cop_core.errors import CopError, in_terms
from cop_core.recipes.base import Part, Recipe
from cop_core.recipes.detector import MovieOptions
from cop_core.recipes.flags import Flag, flags_of
from cop_core.recipes.reading import ReadingOptions
from cop_core.recipes.stack import StackOptions

_TYPED: Final = re.compile(r" \((?:--[a-z][^ ()]*(?: [^ ()]+)?)\)")


@cache
def flag_of_field(field: str) -> Flag:
    """Return the command-line option of a field; a stack's if several options have its name."""
    kinds: tuple[type[Part], ...] = (
        StackOptions,
        MovieOptions,
        ReadingOptions,
        *Recipe.kinds.values(),
    )
    flags = (flag for kind in kinds for flag in flags_of(kind))
    return next(f for f in flags if any(place[-1] == field for place in f.places))


def as_flag(field: str, value: str = "") -> str:
    """Return an option as on the command line: ``--axes ZCYX``."""
    flag = flag_of_field(field)
    return f"{flag.spelled[0]} {value}" if value and flag.n_words else flag.spelled[0]


def as_label(field: str, value: str = "") -> str:
    """Return an option as in forms: the field "Axes": ZCYX."""
    flag = flag_of_field(field)
    label = flag.option.label or field.replace("_", " ").capitalize()
    text = flag.option.words.get(value, value)
    return f'"{label}": {text}' if value and flag.n_words else f'"{label}"'


def in_flags(problem: CopError | str) -> str:
    """Return a message, or a part of one, with options as on the command line."""
    return problem.said(as_flag) if isinstance(problem, CopError) else in_terms(problem, as_flag)


def typed(field: str, value: str = "") -> str:
    """Return the option to type for a thing just named in a text: `` (--surface last)``.

    For results, which are kept with their texts; windows remove it with `untyped`.
    """
    return f" ({as_flag(field, value)})"


def untyped(text: str) -> str:
    """Return a text without the options to type on the command line."""
    return _TYPED.sub("", text)


def told(error: Exception) -> str:
    """Return an error as stated in a document: in the words of the command that repeats it."""
    return in_flags(error) if isinstance(error, CopError) else f"{type(error).__name__}: {error}"
