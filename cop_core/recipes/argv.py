"""Conversion between recipes and command lines of `cop`."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from cop_core.errors import InputError
from cop_core.recipes.base import Part, Plain, Recipe, RecipeError
from cop_core.recipes.flags import Flag, Place, blank, flags_of, get_at
from cop_core.recipes.power_options import AcquisitionOptions
from cop_core.recipes.values import AS_FILE, below

PartT = TypeVar("PartT", bound=Part)

_COMMANDS: Final[dict[str, tuple[str, tuple[Place, ...]]]] = {
    "cohort": ("cohort", (("source",),)),
    "profile": ("profile", (("stack", "source"),)),
    "comparison": ("compare", (("stacks", 0, "source"), ("stacks", 1, "source"))),
    "detector": ("detector", (("stack", "source"),)),
    "recommendation": ("recommend", (("stack", "source"),)),
    "study": ("batch", (("plan",),)),
    "watch": ("watch", (("stack", "source"),)),
    "check": ("check", (("stack", "source"),)),
    "simulation": ("simulate", ()),
    "simulated-cohort": ("simulate-cohort", ()),
    "acquisition": ("demo-live", ()),
    "training": ("train", ()),
    "evaluation": ("evaluate", (("folders",),)),
    "bench": ("bench", ()),
}
"""Command of every kind, and its positional fields."""
_FROM_TABLE: Final = ("stacks", "pictures")
"""Fields filled from a table, in recipes with defaults for its rows."""


def recipe_from(
    kind: type[Recipe],
    fixed: Sequence[str | list[str]],
    given: Mapping[str, Any],
    make: Callable[[Plain], Recipe] | None = None,
) -> Recipe:
    """Return the recipe of a command line.

    Parameters
    ----------
    kind : type
        Of the recipe.
    fixed : sequence of str or list of str
        Positional arguments.
    given : mapping
        By the name of a `Flag`, a text or a list of texts; True for a flag without words. Options
        not given are absent, None or empty.
    make : callable, optional
        Makes the recipe from the fields of the command line, if those are not all its fields.

    Raises
    ------
    InputError
        With options named as on the command line.
    """
    plain = blank(kind)
    for place, text in zip(_command(kind)[1], fixed, strict=True):
        _put(plain, place, text)
    return _filled(kind, plain, given, make or kind.of)


def part_from(kind: type[PartT], given: Mapping[str, Any]) -> PartT:
    """Return a part that belongs to no recipe, from a command line; see `recipe_from`."""
    return _filled(kind, {}, given, kind.of)


def _filled(
    kind: type[Part], plain: Plain, given: Mapping[str, Any], make: Callable[[Plain], PartT]
) -> PartT:
    flags = flags_of(kind)
    for flag in flags:
        value = given.get(flag.name)
        if value not in (None, False, (), []):
            for place, one in zip(flag.places, _one_each(flag, value), strict=True):
                _put(plain, place, one)
    try:
        return make(plain)
    except RecipeError as error:
        raise _in_flags(error, flags) from None


def argv_of(
    recipe: Recipe,
    output: str | os.PathLike[str] | None = None,
    *,
    to_fill_in: Sequence[str] = (),
) -> list[str]:
    """Return the words after ``cop`` of the command that runs a recipe.

    Parameters
    ----------
    recipe : Recipe
        Default values are omitted.
    output : path, optional
        Folder for the report.
    to_fill_in : sequence of str
        Missing fields; words in capitals stand for values that the user must supply.

    Raises
    ------
    InputError
        If a stack is not in a file, or no option can express part of the request.
    """
    kind, plain = type(recipe), _sayable(recipe.plain())
    command, places = _command(kind)
    fixed = [get_at(plain, place) for place in places]
    if None in fixed:
        raise _unsaid("the stack is not in a file", "save it as a file")
    words: list[str] = []
    given: Plain = {}
    for flag in flags_of(kind):
        said = _said(flag, [get_at(plain, place) for place in flag.places])
        words += [word for following in said for word in (flag.spelled[0], *following)]
        given[flag.name] = _parsed(flag, said)
    rows = {n: plain[n] for n in _FROM_TABLE if n in plain and "defaults" in plain}
    again = recipe_from(kind, fixed, given, lambda said: kind.of({**said, **rows})).plain()
    for name in plain:
        if again[name] != plain[name]:
            raise _unsaid(f"no options can express all of {name!r}")
    known = {flag.places[0][-1]: flag for flag in flags_of(kind)}
    for field in to_fill_in:
        words += [known[field].spelled[0], known[field].option.metavar or field.upper()]
    to = [] if output is None else ["-o", str(output)]
    first = [word for one in fixed for word in (one if isinstance(one, list) else [one])]
    if any(word.startswith("-") for word in first):
        return [command, *to, *words, "--", *first]
    return [command, *first, *to, *words]


def command_of(recipe: Recipe, output: str | os.PathLike[str] | None = None) -> str:
    """Return the shell command that runs a recipe, from any folder.

    Parameters
    ----------
    recipe : Recipe
        As for `argv_of`.
    output : path, optional
        Folder for the report.

    Returns
    -------
    str
        Quoted for the shell of this system, with absolute paths.
    """
    kind, plain = type(recipe), recipe.plain()
    paths: dict[Place, Mapping[str, str]] = {place: {} for place in _command(kind)[1]}
    for flag in flags_of(kind):
        paths |= {place: flag.option.words for place in flag.places if flag.option.path}
    for place, words in paths.items():
        value = get_at(recipe, place)
        if isinstance(value, str | Path) and value not in words:
            _put(plain, place, _absolute(value))
        elif place == ("folders",):
            _put(plain, place, [_absolute(one) for one in value])
    to = None if output is None else _absolute(Path(output).expanduser())
    return typed_as(kind.of(plain), to)


def typed_as(recipe: Recipe, output: str | os.PathLike[str] | None = None) -> str:
    """Return the shell command that runs a recipe, as `command_of` but with unchanged paths."""
    return command_line(["cop", *argv_of(recipe, output)])


def command_line(words: Sequence[str]) -> str:
    """Return words as typed: quoted for Windows on Windows, otherwise for a POSIX shell."""
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def as_text(value: Any) -> str:
    """Return a field's value, in JSON types, as a text that its validator reads."""
    if isinstance(value, list):
        return ":".join("" if one is None else as_text(one) for one in value)
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return AS_FILE if value is None else str(value)


def _command(kind: type[Recipe]) -> tuple[str, tuple[Place, ...]]:
    return _COMMANDS[kind.model_fields["kind"].default]


def _absolute(path: str | Path) -> str:
    return below(Path.cwd(), str(path))


def _put(whole: Plain, place: Place, value: Any) -> None:
    get_at(whole, place[:-1])[place[-1]] = value


def _one_each(flag: Flag, value: Any) -> list[Any]:
    """Return the value for each of a flag's places."""
    n = len(flag.places)
    if not flag.each:
        return [value] * n
    values = list(value) if isinstance(value, list | tuple) else [value]
    if len(values) not in (1, n):
        raise InputError(
            f"given {len(values)} times for {n} stack{'s' if n > 1 else ''}",
            where=flag.spelled[0],
        )
    return values * (n // len(values))


def _in_flags(error: RecipeError, flags: Sequence[Flag]) -> InputError:
    """Return the same error, naming the option."""
    about = [
        flag.spelled[0]
        for flag in flags
        if any(error.field[: len(place)] == place for place in flag.places)
    ]
    return InputError(error.what, where=about[0] if about else None, advice=error.advice)


def _sayable(plain: Plain) -> Plain:
    """Return the recipe with fields that do not affect its numbers set as by a command line."""
    reading, other = plain.get("reading"), plain.get("comparison", plain).get("seed")
    if reading and reading["crops"] is None and other is not None:
        reading["seed"] = other  # only random crops need a seed
    stacks = plain["stacks"] if plain["kind"] == "comparison" else ()
    for stack in stacks:  # a complete stack is read the same
        stack["allow_partial"] = any(one["allow_partial"] for one in stacks)
    if plain.get("acquisition", ...) is None:
        plain["acquisition"] = AcquisitionOptions().plain()
    return plain


def _said(flag: Flag, values: list[Any]) -> list[list[str]]:
    """Return the words that follow each occurrence of a flag."""
    if tuple(values) == flag.usual:
        return []
    same = all(value == values[0] for value in values)
    if not (flag.each or same):
        raise _unsaid(f"{flag.spelled[0]} cannot be both {values[0]} and {values[-1]}")
    if not flag.n_words:
        return [[]]
    if flag.n_words > 1:
        return [[as_text(one) for one in (values if flag.each else values[0])]]
    if flag.repeated and not flag.each:
        return [[as_text(one)] for one in values[0]]
    return [[as_text(value)] for value in (values[:1] if same else values)]


def _parsed(flag: Flag, said: list[list[str]]) -> Any:
    """Return the parsed words of a flag."""
    if flag.repeated or not said:
        return [word for following in said for word in following]
    return said[0] if flag.n_words > 1 else said[0][0] if flag.n_words else True


def _unsaid(why: str, advice: str = "run it from Python") -> InputError:
    return InputError(f"there is no command for this: {why}", advice=advice)
