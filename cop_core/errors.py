"""Errors whose messages are written for users."""

from __future__ import annotations

import copyreg
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Self, TypeAlias

from cop_core.words import capital

Terms: TypeAlias = Callable[[str, str], str]
"""Names a field of a recipe, and its value (empty for none), as the reader knows them."""

_OPEN, _CLOSE = "\ue000", "\ue001"  # private-use character: occurs in no name of a file or channel
_OPTION: Final = re.compile(f"{_OPEN}(\\w+)=([^{_CLOSE}]*){_CLOSE}")


def option(field: str, value: str = "") -> str:
    """Return the placeholder of an option in a message; each interface puts its own name there.

    Parameters
    ----------
    field : str
        Of a recipe, ``"z_step_um"``.
    value : str
        As typed on the command line; ``"True"`` for a flag.
    """
    return f"{_OPEN}{field}={value}{_CLOSE}"


def in_terms(text: str, terms: Terms) -> str:
    """Return a text with its options named as the reader knows them."""
    return _OPTION.sub(lambda found: terms(found[1], found[2]), text)


def as_argument(field: str, value: str) -> str:
    """Return an option as Python writes it: ``axes="ZCYX"``."""
    if not value:
        return field
    return f"{field}={value}" if value == "True" or value.isdigit() else f'{field}="{value}"'


class CopError(Exception):
    """An error that the user can understand and act on.

    Parameters
    ----------
    what : str
        What happened, as one sentence without a full stop.
    where : str, optional
        The path, plane or option it happened at.
    advice : str, optional
        What to do about it, as one sentence without a full stop; its first letter is
        capitalised. Options in it are named by `option`.

    Attributes
    ----------
    stack : int or None
        Index of the stack concerned among those requested, if set by `about_stack`; each interface
        names the stack in its own way.
    """

    stack: int | None = None

    def __init__(self, what: str, *, where: str | None = None, advice: str | None = None) -> None:
        self.what = " ".join(what.split())
        self.where = where
        self.advice = capital(" ".join(advice.split())) if advice else None
        super().__init__(self.said())

    def within(self, place: str) -> Self:
        """Return the error with a place, such as a form, prepended to where it happened."""
        self.where = ": ".join(filter(None, (place, self.where))) or None
        self.args = (self.said(),)
        return self

    def said(self, terms: Terms = as_argument) -> str:
        """Return the message, with options named as its reader knows them."""
        message = f"{self.where}: {self.what}" if self.where else self.what
        return in_terms(f"{message}. {self.advice}." if self.advice else f"{message}.", terms)

    def __reduce__(self) -> tuple[Any, ...]:
        """Support pickling: the only argument is the message, not its parts."""
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


class InputError(CopError):
    """Bad input or usage (exit code 2 of the command line)."""


class UnreachableError(InputError):
    """Data at an address cannot be fetched now, so nothing is known about them."""


class WorkersGoneError(CopError):
    """The workers that read for this process are gone: no stack can be read now."""


class MissingOptionError(InputError):
    """A required option was not given.

    Parameters
    ----------
    option : str
        Field of `StackOptions` to set.
    """

    def __init__(
        self, what: str, *, option: str, where: str | None = None, advice: str | None = None
    ) -> None:
        super().__init__(what, where=where, advice=advice)
        self.option = option


class CancelledError(CopError):
    """The user cancelled; what was complete is kept (exit code 130 of the command line)."""


@contextmanager
def about_stack(number: int) -> Iterator[None]:
    """Record in the errors of a block which of the requested stacks they concern."""
    try:
        yield
    except CopError as error:
        error.stack = number
        raise
