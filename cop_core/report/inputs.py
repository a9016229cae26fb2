"""Finding the inputs of a document again: stacks, power tables and weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cop_core.errors import InputError
from cop_core.recipes import DetectorRecipe, StackOptions
from cop_core.recipes.base import Part
from cop_core.recipes.values import is_address
from cop_core.report.hashing import files_beside, sha256_of

if TYPE_CHECKING:
    from cop_core.recipes import Recipe
    from cop_core.records import Role
    from cop_core.report.document import Document

Place = tuple[str | int, ...]


@dataclass(frozen=True)
class InputFile:
    """One input of a document, as it is now.

    Attributes
    ----------
    name : str
        Name of its stack; empty for weights, which belong to all.
    field : tuple of str or int
        Where the recipe names it.
    stated : str
        Path or name in the recipe.
    path : Path, str or None
        Where it was found; None if it is gone. Addresses are not looked up.
    sha256_stated, sha256_found : str
        Hash in the document and now; empty if the document has none.
    """

    name: str
    role: Role
    field: Place
    stated: str
    path: Path | str | None
    sha256_stated: str = ""
    sha256_found: str = ""

    @property
    def title(self) -> str:
        """Description in words."""
        role = self.role.replace("_", " ")
        return f"{role} of {self.name}" if self.name else role

    @property
    def changed(self) -> bool:
        """Whether it exists and differs from that of the document."""
        return self.path is not None and self.sha256_stated != self.sha256_found

    @property
    def state(self) -> str:
        """State in words."""
        if self.path is None:
            return "missing"
        if not self.sha256_stated:
            return "not checked: the report has no SHA-256 for it"
        if not self.changed:
            return "the same"
        return f"changed: SHA-256 was {self.sha256_stated}, is {self.sha256_found}"


def find_inputs(
    document: Document,
    folder: Path,
    *,
    data: Path | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[InputFile, ...]:
    """Find the inputs of a document and compare their hashes with those it states.

    Parameters
    ----------
    folder : Path
        Where the document lies.
    data : Path, optional
        Where to look for the inputs by their names, before anywhere else.
    progress : callable
        Called with bytes hashed and bytes in all, as the document states them.

    Returns
    -------
    tuple of InputFile
        Stack and power table of every stack that was read, then the weights. A path is looked
        for in ``data``, as it stands, and below the document's folder and those above it; in
        ``data`` and the document's folder also with fewer of its own folders, its name alone in
        the end.

    Raises
    ------
    InputError
        A stack is in no file, or the document does not say how it was read.
    """
    hashes = {
        (role, entry.path): entry
        for one in document.provenance.inputs.values()
        for role, entry in one.items()
    }
    total = sum(entry.n_bytes or 0 for entry in hashes.values())
    digests: dict[Path, str] = {}
    read = 0

    def advance(n: int) -> None:
        nonlocal read
        read += n
        progress(min(read, total), total)

    def found(name: str, role: Role, field: Place, stated: str, was: str | None) -> InputFile:
        path = _locate(role, stated, folder, data)
        if was and isinstance(path, Path) and path not in digests:
            digests[path] = _hash(path, advance)
        now = digests[path] if was and isinstance(path, Path) else ""
        return InputFile(name, role, field, stated, path, was or "", now)

    files = [
        found(name, role, field, stated, entry.sha256 if entry else None)
        for name, role, field, stated in _stated(document)
        for entry in [hashes.get((role, stated))]
    ]
    weights = [m.weights for m in document.provenance.protocols.values() if m.weights is not None]
    if weights:
        used = document.recipe.plain()["reading"]["weights"]
        files.append(found("", "weights", ("reading", "weights"), used, weights[0].sha256))
    return tuple(files)


def with_found(recipe: Recipe, found: Sequence[InputFile]) -> Recipe:
    """Return a recipe that names its inputs where they were found.

    Raises
    ------
    InputError
        Some are missing.
    """
    missing = [f"{each.stated} ({each.title})" for each in found if each.path is None]
    if missing:
        raise InputError(
            f"it cannot be replayed without {', '.join(missing)}",
            advice="say in which folder they are: cop replay REPORT --data FOLDER",
        )
    plain: Any = recipe.plain()
    for each in found:
        if each.path is not None and each.stated not in _packaged():
            *outer, last = each.field
            reduce(getitem, outer, plain)[last] = str(each.path)
    return type(recipe).of(plain)


def _stated(document: Document) -> Iterator[tuple[str, Role, Place, str]]:
    """Yield name, role, place and path of the sources of the stacks."""
    names: dict[str | None, str] = {}
    for name, made in document.provenance.protocols.items():
        if made.opened.source is None:
            array = made.source == "array"
            what = "the stack was an array"
            _refuse(name, what if array else f"the planes came from {made.source}, not from a file")
        if not made.whole:
            _refuse(name, "the reading was stopped before the end")
        if made.weights is not None and not document.recipe.plain()["reading"]["weights"]:
            _refuse(name, "the weights were not loaded from a file")
        names[made.opened.source] = name
    for field, options in stacks_in(document.recipe):
        if options.source in names:  # what failed to open was not read from anything
            known = options.name in document.provenance.protocols
            name = str(options.name) if known else names[options.source]
            yield name, "stack", (*field, "source"), str(options.source)
            for role, path in files_beside(options):
                yield name, role, (*field, role), path
    if isinstance(document.recipe, DetectorRecipe):
        yield from _of_detector(document.recipe, names)


def _of_detector(
    recipe: DetectorRecipe, names: Mapping[str | None, str]
) -> Iterator[tuple[str, Role, Place, str]]:
    """Yield the movie and the dark frames from which a detector was measured."""
    places: dict[Place, str | None] = {
        ("stack", "source"): recipe.stack.source,
        ("dark",): recipe.dark,
    }
    for field, path in places.items():
        if path is not None and path in names:
            yield names[path], "stack", field, path


def stacks_in(recipe: Part, field: Place = ()) -> Iterator[tuple[Place, StackOptions]]:
    """Yield the stacks that a recipe names, with their places in it."""
    if isinstance(recipe, StackOptions):
        yield field, recipe
        return
    for key, value in recipe:
        parts = enumerate(value) if isinstance(value, tuple) else [(None, value)]
        for i, part in parts:
            if isinstance(part, Part):
                yield from stacks_in(part, (*field, key) if i is None else (*field, key, i))


def _refuse(name: str, what: str) -> None:
    raise InputError(
        f"it cannot be replayed: {what}",
        where=name,
        advice="repeat it in Python, where it was made",
    )


def _packaged() -> Mapping[str, Any]:
    from cop_core.network.weights import packaged

    return packaged()


def _locate(role: Role, stated: str, folder: Path, data: Path | None) -> Path | str | None:
    if role == "weights" and stated in _packaged():
        return Path(_packaged()[stated])
    path = Path(stated)
    # with as many of its folders as are there too: stacks of a study may share a name
    parts = path.parts[bool(path.anchor) :]
    ends = [Path(*parts[i:]) for i in range(len(parts))]
    places = [] if data is None else [data / end for end in ends]
    if not is_address(stated):
        above = folder.absolute().parents  # a report often lies beside the data of its command
        places += [path, folder / path, *(at / path for at in above)]
        places += [folder / end for end in ends]
    elsewhere = stated if is_address(stated) else None
    return next((place for place in places if _is_there(place)), elsewhere)


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # name too long, or with invalid characters
        return False


def _hash(path: Path, done: Callable[[int], None]) -> str:
    try:
        return sha256_of(path, done)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror or error})", where=str(path)) from error
