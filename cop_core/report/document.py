"""Documents: recipe and results together, as JSON that is checked when it is read."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cop_core._version import __version__
from cop_core.errors import InputError
from cop_core.recipes import Recipe, RecipeError
from cop_core.recipes.base import checked
from cop_core.records import FileIdentity, Provenance, Role
from cop_core.report.columns import Name, Results
from cop_core.report.kinds import KINDS, kind_named, kind_of
from cop_core.text_file import read_text_file

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

_PACKAGES: Final = ("numpy", "scipy", "statsmodels", "tifffile", "zarr", "imagecodecs")
_ADVICE: Final = (
    "use a report that cop profile, compare, watch, batch, recommend, detector or cohort wrote "
    "with -o"
)
MAX_REPORT_BYTES: Final = 2**28


Inputs = dict[Name, dict[Role, FileIdentity]]
"""Files by their stack and their role."""


class Origin(Results):
    """Origin of a document.

    Attributes
    ----------
    command : str or None
        The command line that wrote it.
    versions : dict of str to str
        Of the packages that computed it.
    protocols : dict of str to Provenance
        Where each stack comes from.
    """

    command: str | None
    versions: dict[str, str]
    platform: str
    inputs: Inputs
    protocols: dict[Name, Provenance]


@dataclass(frozen=True)
class Document:
    """A request and its results.

    Attributes
    ----------
    kind, schema_version : str
    results : Results
        The results; their fields are at the top level of the JSON.
    caveats : tuple of str
        Caveats.
    recipe : Recipe
        What was asked for.
    provenance : Origin
    """

    kind: str
    schema_version: str
    results: Results
    caveats: tuple[str, ...]
    recipe: Recipe
    provenance: Origin

    @cached_property
    def tree(self) -> dict[str, Any]:
        """The document in JSON types."""
        return {
            "schema_version": self.schema_version,
            "kind": self.kind,
            **self.results.plain(),
            "caveats": list(self.caveats),
            "recipe": self.recipe.plain(),
            "provenance": self.provenance.plain(),
        }

    def to_json(self) -> str:
        """Return strict JSON text that ends in a newline."""
        return json.dumps(self.tree, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def document_of(
    record: Any, *, command: str | None = None, inputs: Inputs | None = None
) -> Document:
    """Return the complete contents of a report.

    Parameters
    ----------
    record : AnalysedProfile, Comparison, Recommendation, StudyRecord or DepthProfile
        What was found.
    command : str, optional
        The command line that wrote it.
    inputs : dict, optional
        Identities of the files, from `identified`.
    """
    kind, record = kind_of(record)
    return Document(
        kind=kind.name,
        schema_version=kind.schema_version,
        results=kind.state(record),
        caveats=kind.caveats(record),
        recipe=kind.recipe(record),
        provenance=Origin(
            command=command,
            versions={"napari-cop": __version__, **{name: version(name) for name in _PACKAGES}},
            platform=platform.platform(),
            inputs=inputs or {},
            protocols=dict(kind.provenances(record)),
        ),
    )


def read_document(path: str | os.PathLike[str]) -> Document:
    """Read a document.

    Parameters
    ----------
    path : path
        The file, or its folder.

    Raises
    ------
    InputError
        If it cannot be read, is not a document, or has a different schema; the message names the
        place in it.
    """
    file, tree = _json(Path(path))
    where = str(file)
    kind = kind_named(tree.get("kind"), where)
    stated = tree.get("schema_version")
    if str(stated).partition(".")[0] != kind.schema_version.partition(".")[0]:
        raise InputError(
            f"it has schema {stated!r:.20}, but this version reads {kind.schema_version}",
            where=where,
            advice="use the version that wrote it",
        )
    known = {"schema_version", "kind", "caveats", "recipe", "provenance"}
    try:
        return Document(
            kind=kind.name,
            schema_version=checked(str, stated, ("schema_version",)),
            results=kind.results.of({key: tree[key] for key in tree if key not in known}),
            caveats=checked(tuple[str, ...], tree.get("caveats"), ("caveats",)),
            recipe=_recipe(tree.get("recipe"), kind.name),
            provenance=checked(Origin, tree.get("provenance"), ("provenance",)),
        )
    except RecipeError as error:
        raise InputError(
            f"the report was edited: {error.what}",
            where=f"{where}, {error.where}",
            advice=error.advice or _ADVICE,
        ) from None


def _recipe(given: Any, kind: str) -> Recipe:
    recipe = Recipe.of_kind(given, ("recipe",))
    if recipe.kind != kind:
        raise RecipeError(f"it is the recipe of a {recipe.kind}", field=("recipe", "kind"))
    return recipe


def _json(file: Path) -> tuple[Path, Mapping[str, Any]]:
    """Return the JSON object in a file, or in that of a folder, and where it lies."""
    try:
        if file.is_dir():
            names = dict.fromkeys(file / kind.file_name for kind in KINDS.values())
            file = next((name for name in names if name.exists()), next(iter(names)))
        text = read_text_file(file, "report", most_bytes=MAX_REPORT_BYTES, advice=_ADVICE)
        if text.startswith('{"plane": '):
            raise InputError(
                "lines of cop watch --json do not state how they were computed",
                where=str(file),
                advice="use -o as well; the report can be replayed",
            )
        tree = json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        problem = getattr(error, "strerror", None) or str(error)
        raise InputError(
            f"the report cannot be read ({problem})", where=str(file), advice=_ADVICE
        ) from error
    if not isinstance(tree, dict) or "kind" not in tree:
        raise InputError("it is not a report", where=str(file), advice=_ADVICE)
    return file, tree
