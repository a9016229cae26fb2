"""Kinds of documents: how each kind of record becomes results, tables, files and a page."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

from cop_core.errors import InputError
from cop_core.records import DepthProfile
from cop_core.statistics import analyse

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cop_core.recipes import Recipe
    from cop_core.records import FileIdentity, Provenance, Role
    from cop_core.report.columns import Results, TextTable, Tree

RecordT = TypeVar("RecordT")


class Kind(ABC, Generic[RecordT]):
    """One kind of document; an instance of each is registered in `KINDS` by its name.

    Attributes
    ----------
    name, schema_version : str
        As the document states them. The first number of the version is raised when a key changes
        its meaning or goes away, the second when keys are added.
    record : type
        Type of the record.
    results : type of Results
        Type of its results in the document.
    file_name : str
        Of the document, and with another suffix of the page.
    template : str
        Of the page; none where empty.
    owned : tuple of str
        Patterns of files in the folder that belong to the document: those of an earlier one that
        are not written again are removed, since they would contradict it.
    """

    name: ClassVar[str]
    schema_version: ClassVar[str]
    record: ClassVar[type[Any]]
    results: ClassVar[type[Results]]
    file_name: ClassVar[str] = "report.json"
    template: ClassVar[str] = ""
    owned: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def state(self, record: RecordT) -> Results:
        """Return the results of a record for the document."""

    @abstractmethod
    def caveats(self, record: RecordT) -> tuple[str, ...]:
        """Return the caveats."""

    @abstractmethod
    def recipe(self, record: RecordT) -> Recipe:
        """Return the request."""

    @abstractmethod
    def obstacles(self, record: RecordT) -> Iterator[str]:
        """Yield the reasons why running the recipe would not give the same result."""

    @abstractmethod
    def provenances(self, record: RecordT) -> Mapping[str, Provenance]:
        """Return where the stacks come from, by name."""

    def inputs(self, record: RecordT) -> dict[str, dict[Role, FileIdentity]]:
        """Return the identities of their files, as far as already known."""
        return {}

    @abstractmethod
    def tables(self, record: RecordT, document: Tree, *, brief: bool) -> list[TextTable]:
        """Return the results as tables; brief ones fit a terminal of 80 columns."""

    @abstractmethod
    def texts(self, record: RecordT, document: Tree) -> Mapping[str, str]:
        """Return further files, by name."""

    @abstractmethod
    def figures(self, record: RecordT) -> Mapping[str, Callable[[], Figure]]:
        """Return functions that draw the figures, by name."""


KINDS: Final[dict[str, Kind[Any]]] = {}


def register(kind: Kind[Any]) -> None:
    """Make a kind of document known."""
    KINDS[kind.name] = kind


def kind_of(record: Any) -> tuple[Kind[Any], Any]:
    """Return the kind of document that a record becomes, and the record; a profile is analysed."""
    if isinstance(record, DepthProfile):
        record = analyse(record)
    for kind in KINDS.values():
        if isinstance(record, kind.record):
            return kind, record
    raise TypeError(f"there is no document of a {type(record).__name__}")


def recipe_of(record: Any) -> Recipe:
    """Return the recipe that a record carries."""
    kind, record = kind_of(record)
    return kind.recipe(record)


def why_not_repeatable(record: Any) -> str:
    """Return why running a record's recipe again would give another result; else empty."""
    kind, record = kind_of(record)
    return next(kind.obstacles(record), "")


def kind_named(name: Any, where: str) -> Kind[Any]:
    """Return a kind by the name in a document; InputError where there is none."""
    if not isinstance(name, str) or name not in KINDS:
        raise InputError(
            f"{name!r:.40} is not a kind of report",
            where=where,
            advice=f"use one of {', '.join(KINDS)}",
        )
    return KINDS[name]
