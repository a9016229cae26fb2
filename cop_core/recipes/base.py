"""Base of all recipes: frozen, validated when made, with an option for each field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, PydanticSerializationError

from cop_core.errors import InputError

Plain: TypeAlias = dict[str, Any]
"""A recipe, or a part of one, in JSON types."""


@dataclass(frozen=True)
class Option:
    """How a field is entered: in `cop`, in napari's forms and in the columns of a plan.

    Attributes
    ----------
    help : str
        One sentence, for ``--help``, tool tips and the reference.
    label : str
        In forms, with the unit; if empty, from the field's name.
    metavar : str
        Placeholder for the value in ``--help``.
    empty : str
        Text shown in an empty field of a form.
    words : mapping of str to str
        Choices in words, for forms.
    flags : tuple of str
        On the command line, if not ``--field-name``.
    column : bool
        Whether plans have a column for it.
    path : bool
        Whether it may be the path of a file if it is none of `words`.
    pattern : str
        Pattern of the names of such files.
    """

    help: str
    label: str = ""
    metavar: str = ""
    empty: str = ""
    words: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    column: bool = True
    path: bool = False
    pattern: str = ""

    def __get_pydantic_json_schema__(self, schema: Any, handler: Any) -> Plain:
        found: Plain = handler(schema)
        return {"description": self.help, **found}


class RecipeError(InputError):
    """A field of a recipe that cannot be used.

    Attributes
    ----------
    field : tuple of str or int
        Path of the field: names and positions in lists, outermost first.
    """

    def __init__(
        self, what: str, *, field: tuple[str | int, ...] = (), advice: str | None = None
    ) -> None:
        super().__init__(what, where=".".join(map(str, field)) or None, advice=advice)
        self.field = field


class RefusedValueError(InputError, ValueError):
    """Raised by validators: what is wrong with a value and, separately, the advice."""


class Part(BaseModel):
    """Part of a request; values are validated when it is made.

    Raises
    ------
    RecipeError
        Names the field, what was expected and what to do.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", allow_inf_nan=False, ser_json_inf_nan="constants"
    )

    def __init__(self, **given: Any) -> None:
        try:
            super().__init__(**given)
        except ValidationError as error:
            raise recipe_error(error) from None

    # nested parts are then validated with their path instead of being made one by one
    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]

    @classmethod
    def of(cls, given: Any) -> Self:
        """Return the part described by JSON types, validated."""
        part: Self = checked(cls, given)
        return part

    def but(self, **changed: Any) -> Self:
        """Return a copy with some fields changed, validated."""
        return type(self)(**{**dict(self), **changed})

    def plain(self) -> Plain:
        """Return the fields as JSON types."""
        try:
            return self.model_dump(mode="json")
        except PydanticSerializationError as error:
            if "KeyboardInterrupt" in str(error):  # Ctrl-C during a serializer
                raise KeyboardInterrupt from error
            raise

    @classmethod
    def options(cls) -> Iterator[tuple[str, FieldInfo, Option]]:
        """Yield name, field and option of all fields that can be entered."""
        for name, info in cls.model_fields.items():
            for found in info.metadata:
                if isinstance(found, Option):
                    yield name, info, found


def checked(kind: Any, given: Any, where: tuple[str | int, ...] = ()) -> Any:
    """Return the recipe, part or record that JSON types describe, validated.

    Parameters
    ----------
    kind : type
        Expected type.
    given : object
        JSON types.
    where : tuple of str or int
        Path of keys to it, for errors.

    Raises
    ------
    RecipeError
        With the path, the expected and the actual value.
    """
    try:
        return _adapter(kind).validate_python(given)
    except ValidationError as error:
        raise recipe_error(error, where) from None


def problems_in(kind: Any, given: Any) -> tuple[RecipeError, ...]:
    """Return all errors in JSON types that should describe a recipe, a part or a record."""
    try:
        _adapter(kind).validate_python(given)
    except ValidationError as error:
        return tuple(_in_words(one, ()) for one in error.errors(include_url=False))
    return ()


_adapter = cache(TypeAdapter)
_SHOWN = 60


def shown(value: object) -> str:
    """Return a value as quoted in messages, shortened if long."""
    try:
        text = repr(value)
    except ValueError:  # an integer with more digits than Python converts
        text = f"a {type(value).__name__} too long to show"
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."


def recipe_error(error: ValidationError, where: tuple[str | int, ...] = ()) -> RecipeError:
    """Return pydantic's first error in this package's words."""
    return _in_words(error.errors(include_url=False)[0], where)


def _in_words(first: ErrorDetails, where: tuple[str | int, ...]) -> RecipeError:
    place = (*where, *first["loc"])
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, RefusedValueError):
        return RecipeError(cause.what, field=place, advice=cause.advice)
    if first["type"] == "missing":
        return RecipeError("it is missing", field=place)
    if first["type"] == "extra_forbidden":
        return RecipeError("there is no such field", field=place, advice="leave it out")
    if first["type"] == "literal_error":
        expected = f"use {first['ctx']['expected'].replace(chr(39), '')}"
    else:
        expected = str(first["msg"]).replace("Input ", "It ", 1).partition(", unable to")[0]
    return RecipeError(f"{shown(first['input'])} cannot be used", field=place, advice=expected)


class Recipe(Part):
    """A complete request, with one JSON form for every kind."""

    kinds: ClassVar[dict[str, type[Recipe]]] = {}
    kind: str

    @classmethod
    def __pydantic_init_subclass__(cls, **more: Any) -> None:
        super().__pydantic_init_subclass__(**more)
        Recipe.kinds[cls.model_fields["kind"].default] = cls

    @staticmethod
    def from_json(text: str | bytes) -> Recipe:
        """Return the recipe in a JSON text.

        Raises
        ------
        InputError
            If it is not JSON, or not a recipe; the message names the path.
        """
        try:
            given = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"not JSON ({error})", where="recipe") from None
        return Recipe.of_kind(given)

    @staticmethod
    def of_kind(given: Any, where: tuple[str | int, ...] = ()) -> Recipe:
        """Return the recipe described by JSON types, of the kind that they state."""
        kind = given.get("kind") if isinstance(given, dict) else None
        if not isinstance(kind, str) or kind not in Recipe.kinds:
            raise RecipeError(
                f"{kind!r} is not a kind of recipe",
                field=(*where, "kind"),
                advice=f"use one of {', '.join(sorted(Recipe.kinds))}",
            )
        recipe: Recipe = checked(Recipe.kinds[kind], given, where)
        return recipe

    def to_json(self) -> str:
        """Return the recipe as JSON text that `from_json` reads."""
        text = json.dumps(self.plain(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        # file names that are not UTF-8 are escaped to be read back
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
