"""Strategies that draw recipes from their fields, including any field added later."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel

from cop_core.recipes import (
    CohortPicture,
    CohortRecipe,
    GainedPower,
    Option,
    Part,
    PowerOptions,
    RecipeError,
    StudyRecipe,
    StudyStack,
    Window,
)
from cop_core.recipes.power import PowerGiven, ScaleGiven
from cop_core.recipes.values import PathText, folder_name

Drawn = st.SearchStrategy[Any]

NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=9)
PATHS = st.one_of(
    st.sampled_from(["a.tif", "-x", "metadata", "b/it's.zarr", "小鼠.tif", "a\udcff", "7", "~/x"]),
    NAMES.filter(bool),
)
_POSITIVE = st.floats(0, exclude_min=True, allow_infinity=False, allow_subnormal=False)
_POWERS = st.one_of(
    st.none(),
    st.floats(0, allow_infinity=False),
    st.builds(GainedPower, _POSITIVE, _POSITIVE, _POSITIVE),
    PATHS.map(Path),
)
_DEPTHS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
_WINDOWS = st.tuples(_DEPTHS, _DEPTHS).filter(
    lambda w: w != (None, None) and (None in w or w[0] < w[1])
)
_BY_VALIDATOR = {
    get_args(PowerGiven)[1]: _POWERS,
    get_args(ScaleGiven)[1]: st.one_of(st.none(), _POSITIVE, PATHS.map(Path)),
    get_args(PathText)[1]: PATHS,
}


@cache
def parts(kind: type[Part], *, sayable: bool = False) -> Drawn:
    """Draw parts or recipes of a kind.

    If `sayable`, fields without an option are not drawn, except paths, which always are.
    """
    fields = {}
    for name, info in kind.model_fields.items():
        drawn = _values(info.annotation, tuple(info.metadata), sayable)
        asked = any(isinstance(mark, Option) for mark in info.metadata)
        if sayable and not asked and not _is_part(info.annotation):
            drawn = (
                PATHS if name == "source" else st.builds(info.default_factory or info.get_default)
            )
            drawn = st.lists(PATHS, min_size=1, max_size=2) if name == "folders" else drawn
        fields[name] = drawn
    fitted = st.fixed_dictionaries(fields).map(_FITTED.get(kind, lambda given: given))
    return fitted.map(lambda given: _made(kind, given)).filter(bool)


def _with_a_name(given: dict[str, Any]) -> dict[str, Any]:
    """Give a stack of a study a valid folder name, and an arm that can be printed."""
    arm = "".join(filter(str.isprintable, given["arm"])).strip() or "gained"
    return {
        **given,
        "arm": arm,
        "stack": given["stack"].but(name=folder_name(given["stack"].name or "")),
    }


def _named_picture(given: dict[str, Any]) -> dict[str, Any]:
    """Give an image of a cohort a valid file name."""
    picture = given["picture"]
    return {**given, "picture": picture.but(name=folder_name(picture.name or ""))}


def _pictures_apart(given: dict[str, Any]) -> dict[str, Any]:
    """Give the images of a cohort different names, and a group stated by the first."""
    pictures = [
        one.but(picture=one.picture.but(name=f"{number}{one.name}"))
        for number, one in enumerate(given["pictures"])
    ]
    if group := given["group"]:
        settings = {**pictures[0].settings, group: "one"}
        pictures[0] = pictures[0].but(settings=settings)
    return {**given, "pictures": tuple(pictures)}


def _told_apart(given: dict[str, Any]) -> dict[str, Any]:
    """Give the stacks of a study different names and arms, and animals to all or none."""
    owned = all(row.animal for row in given["stacks"])
    arms = [row.arm for row in given["stacks"]]
    stacks = [
        row.but(
            stack=row.stack.but(name=folder_name(f"{row.name}{number}")),
            arm=f"{row.arm}{arms.index(row.arm)}",
            animal=row.animal if owned else "",
        )
        for number, row in enumerate(given["stacks"])
    ]
    return {**given, "stacks": tuple(stacks)}


def _with_one_limit(given: dict[str, Any]) -> dict[str, Any]:
    """Give a power one limit, in mW or in a unit of its own."""
    in_mw = given["max_power_mw"] is not None
    return {**given, "max_power": None if in_mw else given["max_power"] or 1.0}


_FITTED = {
    CohortPicture: _named_picture,
    CohortRecipe: _pictures_apart,
    StudyStack: _with_a_name,
    StudyRecipe: _told_apart,
    PowerOptions: _with_one_limit,
}


def _made(kind: type[Part], given: dict[str, Any]) -> Part | None:
    """Return None if fields that are valid by themselves are not valid together."""
    try:
        return kind(**given)
    except RecipeError as error:
        if not error.field:
            return None
        raise


def _is_part(annotation: Any) -> bool:
    each = [annotation, *get_args(annotation)]
    return any(isinstance(one, type) and issubclass(one, Part) for one in each)


def _values(annotation: Any, marks: tuple[Any, ...], sayable: bool) -> Drawn:
    for validator, strategy in _BY_VALIDATOR.items():
        if validator in marks:
            return strategy
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation == Window:
        drawn: Drawn = _WINDOWS
    elif origin is Annotated:
        drawn = _values(inner[0], (*inner[1:], *marks), sayable)
    elif origin in (Union, UnionType):
        each = [one for one in inner if not (sayable and one is NoneType and _is_part(annotation))]
        drawn = st.one_of([_values(one, marks, sayable) for one in each])
    elif origin is Literal:
        drawn = st.sampled_from(inner)
    elif origin in (dict, tuple):
        each = [_values(one, (), sayable) for one in inner if one is not ...]
        several = st.lists(each[0], min_size=1, max_size=3).map(tuple)
        drawn = several if ... in inner else st.tuples(*each)
        drawn = st.dictionaries(*each, max_size=2) if origin is dict else drawn
    elif issubclass(annotation, BaseModel):
        drawn = parts(annotation, sayable=sayable)
    else:
        drawn = _plain(annotation, marks)
    return drawn


def _plain(annotation: type, marks: tuple[Any, ...]) -> Drawn:
    limits: dict[str, Any] = {}
    for mark in marks:
        for one in getattr(mark, "metadata", [mark]):
            for name in ("ge", "gt", "le", "lt", "min_length"):
                if hasattr(one, name):
                    limits[name] = getattr(one, name)
    if annotation is float:
        return st.floats(
            limits.get("ge", limits.get("gt")), limits.get("le", limits.get("lt")),
            exclude_min="gt" in limits, exclude_max="lt" in limits,
            allow_nan=False, allow_infinity=False,
        )  # fmt: skip
    if annotation is int:
        return st.integers(limits.get("ge", 0), limits.get("le", limits.get("lt", 10**6 + 1) - 1))
    if annotation is str and limits.get("min_length"):
        return NAMES.filter(bool)
    return {NoneType: st.none(), bool: st.booleans(), str: NAMES}[annotation]
