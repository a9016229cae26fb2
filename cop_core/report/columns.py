"""Name, unit and meaning of the numbers in a report."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, TypeAlias

import numpy as np
from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, GetJsonSchemaHandler
from pydantic_core import CoreSchema

from cop_core.components import CLEAN, COMPONENT_NAMES
from cop_core.recipes.base import Part
from cop_core.statistics.effect_size import F2_SUFFIX
from cop_core.words import INFINITE

UNDEFINED: Final = "–"
P: Final = "p"
"""Form of p values: three digits, ``<0.001`` where smaller."""
PER_CENT: Final = 100.0
PER_CENT_PER_100_UM: Final = 1e4
SLOPE_UNIT: Final = "% per 100 µm"

Tree: TypeAlias = Mapping[str, Any]
"""A JSON object, as in a document."""


@dataclass(frozen=True)
class Column:
    """Display of a number of a document; defined beside its field in the document's models.

    Attributes
    ----------
    head : str
        Name in plain words.
    meaning : str
        Explanation for readers of the report.
    unit : str
        Unit of the displayed number.
    scale : float
        Displayed number for 1 in the document.
    form : str
        Python format, or `P`.
    interval, size : str
        Keys of the 95 % interval and of the class in words that belong to it.
    note : str
        Key of the reason why it is undefined.
    """

    head: str
    meaning: str = ""
    unit: str = ""
    scale: float = 1.0
    form: str = ".4g"
    interval: str = ""
    size: str = ""
    note: str = ""

    def text(self, value: float | None) -> str:
        """Return a value as text; a dash where it is undefined."""
        if value is None or math.isnan(value):
            return UNDEFINED
        if self.form == P:
            return "<0.001" if value < 0.001 else f"{value:.3f}"
        return format(value if self.scale == 1 else value * self.scale, self.form)

    def cell(self, key: str, values: Tree) -> str:
        """Return a value with its interval and class, ``+1.14 [-0.92, +3.20] small``.

        An interval without an upper end reaches infinity, which JSON cannot state.
        """
        value = at(values, key)
        if value is None and self.note:
            return str(at(values, self.note)) or UNDEFINED
        parts = [self.text(value)]
        low, high = (at(values, self.interval) if self.interval else None) or (None, None)
        if (low, high) != (None, None):
            parts.append(f"[{self.text(low)}, {INFINITE if high is None else self.text(high)}]")
        if self.size and value is not None:
            parts.append(str(at(values, self.size)).removesuffix(F2_SUFFIX))
        return " ".join(parts)

    def __get_pydantic_json_schema__(
        self, core: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """Describe the number in the schema of documents too."""
        return {**handler(core), "description": self.meaning or self.head}

    @property
    def title(self) -> str:
        """Head with the other contents of a `cell`, and the unit."""
        head = f"{self.head} [95 % CI]" if self.interval else self.head
        return f"{head}, {self.unit}" if self.unit else head


def at(values: Any, key: str) -> Any:
    """Return the value at keys separated by dots; None if there is none."""
    for part in key.split("."):
        values = values.get(part) if isinstance(values, Mapping) else None
    return values


def _number(value: Any) -> Any:
    """Return NumPy numbers as Python's, with non-finite ones undefined."""
    plain = value.item() if isinstance(value, np.generic) else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


Number = Annotated[float | None, Field(strict=True), BeforeValidator(_number)]
"""None where undefined."""
Whole = Annotated[int, Field(strict=True), BeforeValidator(_number)]
Truth = Annotated[bool, Field(strict=True), BeforeValidator(_number)]
Interval = tuple[Number, Number]
Name = Annotated[str, AfterValidator(lambda name: name.encode(errors="backslashreplace").decode())]
"""Key of a stack; bytes of a file name that are not UTF-8 are written as escapes."""


class Results(Part):
    """A part of a document, checked when it is made and when it is read."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    @classmethod
    def columns(cls) -> Iterator[tuple[str, Column]]:
        """Yield keys and columns of the fields that have one, nested keys separated by dots."""
        for name, info in cls.model_fields.items():
            key = info.alias or name
            yield from ((key, found) for found in info.metadata if isinstance(found, Column))
            if isinstance(info.annotation, type) and issubclass(info.annotation, Results):
                for below, found in info.annotation.columns():
                    interval = f"{key}.{found.interval}" if found.interval else ""
                    yield f"{key}.{below}", replace(found, interval=interval)

    @classmethod
    def chosen(cls, *keys: str) -> dict[str, Column]:
        """Return some columns, by key."""
        known = dict(cls.columns())
        return {key: known[key] for key in keys}


def noises(components: tuple[str, ...]) -> tuple[str, ...]:
    """Return the components without clean."""
    return tuple(c for c in components if c != CLEAN)


def label(component: str) -> str:
    """Return a component's name as a figure or table shows it."""
    return COMPONENT_NAMES.get(component, component.replace("_", " ").capitalize())


@dataclass(frozen=True)
class TextTable:
    """A table whose cells are text.

    Attributes
    ----------
    title : str
    head : tuple of str
        Of the columns, with their units.
    rows : tuple of tuple of str
    caption : str
        Caption; may be empty.
    """

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""


def table_by_component(
    title: str, columns: Mapping[str, Column], components: Mapping[str, Tree], caption: str = ""
) -> TextTable:
    """Return a table with a row for each component."""
    return TextTable(
        title,
        ("component", *(column.title for column in columns.values())),
        tuple(
            (label(name), *(column.cell(key, values) for key, column in columns.items()))
            for name, values in components.items()
        ),
        caption,
    )
