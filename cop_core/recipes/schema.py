"""The JSON Schema of recipes, published as docs/recipe.schema.json."""

from __future__ import annotations

from typing import Annotated, Any, Union

from pydantic import Field, TypeAdapter

from cop_core.recipes import Recipe
from cop_core.recipes.base import Plain


def recipe_schema() -> Plain:
    """Return the JSON Schema (2020-12) of all kinds of recipes."""
    kinds: Any = Union[tuple(Recipe.kinds[name] for name in sorted(Recipe.kinds))]  # noqa: UP007
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[kinds, Field(discriminator="kind")])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Recipe of napari-cop",
        **adapter.json_schema(),
    }
