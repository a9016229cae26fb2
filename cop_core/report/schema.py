"""The JSON Schema of documents, published as docs/document.schema.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.json_schema import models_json_schema

from cop_core.report.columns import Results
from cop_core.report.document import Origin
from cop_core.report.kinds import KINDS


def document_schema() -> dict[str, Any]:
    """Return the JSON Schema (2020-12) that every kind of document fits."""
    models: list[type[Results]] = [Origin, *(kind.results for kind in KINDS.values())]
    places, found = models_json_schema([(model, "serialization") for model in models])
    parts: dict[str, Any] = found["$defs"]

    def part(model: Any) -> Any:
        return parts.pop(places[model, "serialization"]["$ref"].rpartition("/")[2])

    origin = part(Origin)
    kinds = (_document(name, part(KINDS[name].results), origin) for name in sorted(KINDS))
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Document of napari-cop",
        "oneOf": list(kinds),
        "$defs": parts,
    }


def _document(name: str, results: Mapping[str, Any], origin: Any) -> dict[str, Any]:
    """Return the schema of one kind: its results, and the keys common to all documents."""
    first = KINDS[name].schema_version.partition(".")[0]
    beside = {
        "schema_version": {"type": "string", "pattern": rf"^{first}\.[0-9]+$"},
        "kind": {"const": name},
        "caveats": {"type": "array", "items": {"type": "string"}},
        "recipe": {"$ref": "recipe.schema.json"},
        "provenance": origin,
    }
    return {
        **results,
        "title": name,
        "properties": {**beside, **results["properties"]},
        "required": [*beside, *results["required"]],
    }
