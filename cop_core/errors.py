"""The errors that users are meant to read."""

from __future__ import annotations

import copyreg
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Self, TypeAlias

from cop_core.words import capital

Terms: TypeAlias = Callable[[str, str], str]
"""What somebody calls a field of a recipe, and a value of it (empty for none)."""

_OPEN, _CLOSE = "\ue000", "\ue001"  # for private use: in no name of a file or channel
_OPTION: Final = re.compile(f"{_OPEN}(\\w+)=([^{_CLOSE}]*){_CLOSE}")


def option(field: str, value: str = "") -> str:
    """Return an option as a message names it: each surface puts its own word there.

    Parameters
    ----------
    field : str
        Of a recipe, ``"z_step_um"``.
    value : str
        As the command line reads it; ``"True"`` for one that is only there or not.
    """
    return f"{_OPEN}{field}={value}{_CLOSE}"


def in_terms(text: str, terms: Terms) -> str:
    """Return a text with the options in it called as somebody calls them."""
    return _OPTION.sub(lambda found: terms(found[1], found[2]), text)


def as_argument(field: str, value: str) -> str:
    """Return an option as Python writes it: ``axes="ZCYX"``."""
    if not value:
        return field
    return f"{field}={value}" if value == "True" or value.isdigit() else f'{field}="{value}"'


class CopError(Exception):
    """Something went wrong that the user can understand and act on.

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
        Number of the stack that it is about, of those that were asked for, where `about_stack`
        knows it: each surface calls it as its user does.
    """

    stack: int | None = None

    def __init__(self, what: str, *, where: str | None = None, advice: str | None = None) -> None:
        self.what = " ".join(what.split())
        self.where = where
        self.advice = capital(" ".join(advice.split())) if advice else None
        super().__init__(self.said())

    def within(self, place: str) -> Self:
        """Return the error with a place, such as a form, put before where it happened."""
        self.where = ": ".join(filter(None, (place, self.where))) or None
        self.args = (self.said(),)
        return self

    def said(self, terms: Terms = as_argument) -> str:
        """Return the message, with options named as its reader knows them."""
        message = f"{self.where}: {self.what}" if self.where else self.what
        return in_terms(f"{message}. {self.advice}." if self.advice else f"{message}.", terms)

    def __reduce__(self) -> tuple[Any, ...]:
        """Say how to pickle it: its one argument is the message, not what that was made of."""
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


class InputError(CopError):
    """Bad input or usage (exit code 2 of the command line)."""


class UnreachableError(InputError):
    """Data at an address that cannot be fetched now, so that nothing is known about them."""


class WorkersGoneError(CopError):
    """Those who read for this process are gone: no stack can be read now."""


class MissingOptionError(InputError):
    """A choice that an input requires but that was not made.

    Parameters
    ----------
    option : str
        Field of `StackOptions` that makes it.
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
    """Let the errors of a block say which of the stacks asked for they are about."""
    try:
        yield
    except CopError as error:
        error.stack = number
        raise
