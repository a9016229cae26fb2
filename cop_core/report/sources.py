"""The inputs of a report found again: stacks, power tables and weights, changed or gone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import InputError
from cop_core.report.identity import power_table, sha256_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STACK: Final = "stack"
POWER: Final = "power"
WEIGHTS: Final = "weights"


@dataclass(frozen=True)
class Source:
    """One input of a report, as it is now.

    Attributes
    ----------
    protocol : str
        Whose input it is.
    role : str
        `STACK`, `POWER` or `WEIGHTS`.
    stated : str
        Path or name in the report.
    path : Path or None
        Where it was found; None where it is gone.
    sha256_stated, sha256_found : str
        Hash in the report and now; empty where the report has none.
    """

    protocol: str
    role: str
    stated: str
    path: Path | None
    sha256_stated: str = ""
    sha256_found: str = ""

    @property
    def changed(self) -> bool:
        """Whether it is there and another than that of the report."""
        return self.path is not None and self.sha256_stated != self.sha256_found

    @property
    def state(self) -> str:
        """How it stands, in words."""
        if self.path is None:
            return "gone"
        if not self.sha256_stated:
            return "not checked: the report has no SHA-256 of it"
        if not self.changed:
            return "the same"
        return f"changed: SHA-256 was {self.sha256_stated}, is {self.sha256_found}"


def find_sources(
    document: dict[str, Any],
    folder: Path,
    *,
    data: Path | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> tuple[Source, ...]:
    """Find the inputs of a report and compare their hashes with those it states.

    Parameters
    ----------
    document : dict
        The report.
    folder : Path
        Where the report lies.
    data : Path, optional
        Where to look for the inputs by their names, before anywhere else.
    progress : callable
        Called with bytes hashed and bytes in all, as the report states them.

    Returns
    -------
    tuple of Source
        Stack, power table and weights, where there are any, of every protocol. A path is looked
        for in ``data``, as it stands, and below the report's folder; in the folders with as many
        of its own as are there too, its name alone in the end.

    Raises
    ------
    InputError
        A protocol was read from an array, or the report does not say how.
    """
    found, inputs = [], document["provenance"].get("inputs") or {}
    digests: dict[Path, str] = {}
    total = sum(e.get("n_bytes") or 0 for one in inputs.values() for e in one.values())
    read = 0

    def advance(n: int) -> None:
        nonlocal read
        read += n
        progress(min(read, total), total)

    for name, made in document["provenance"]["protocols"].items():
        hashes = inputs.get(name) or {}
        for role, stated in _stated(name, made):
            known = (made["weights"] if role == WEIGHTS else hashes.get(role)) or {}
            path = _locate(role, stated, folder, data)
            was = known.get("sha256") or ""
            if was and path is not None and path not in digests:
                digests[path] = _hash(path, advance)
            now = digests[path] if was and path is not None else ""
            found.append(Source(name, role, stated, path, was, now))
    return tuple(found)


def _stated(name: str, made: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield role and path or name of what one protocol was read from."""
    if made.get("source") in (None, "array"):
        _refuse(name, "the stack was an array")
    if "loaded_with" in made and not (made["loaded_with"] or {}).get("weights"):
        _refuse(name, "the weights were not loaded from a file")
    in_no_file = made.get("files", "") is None
    if made.get("opened_with") is None and in_no_file:
        _refuse(name, f"its planes came from {made['source']} and are in no file")
    if made.get("opened_with") is None:
        _refuse(name, "how the stack was opened is not known")
    if in_no_file:
        _refuse(name, "its reading was stopped before the end")
    yield STACK, made["source"]
    table = power_table(made["opened_with"])
    if table is not None:
        yield POWER, table
    if "loaded_with" in made:  # the signal alone is measured without a network
        yield WEIGHTS, made["loaded_with"]["weights"]


def _refuse(name: str, what: str) -> None:
    raise InputError(
        f"it cannot be replayed: {what}", where=name, advice="Repeat it in Python as it was made"
    )


def _locate(role: str, stated: str, folder: Path, data: Path | None) -> Path | None:
    from cop_core.network.weights import packaged

    if role == WEIGHTS and stated in packaged():
        return packaged()[stated]
    path = Path(stated)
    # with as many of its folders as are there too: stacks of a study may share a name
    parts = path.parts[bool(path.anchor) :]
    ends = [Path(*parts[i:]) for i in range(len(parts))]
    places = [] if data is None else [data / end for end in ends]
    places += [path, folder / path, *(folder / end for end in ends)]
    return next((place for place in places if place.exists()), None)


def _hash(path: Path, done: Callable[[int], None]) -> str:
    try:
        return sha256_of(path, done)
    except OSError as error:
        raise InputError(f"cannot be read ({error.strerror or error})", where=str(path)) from error
