"""The errors that users are meant to read."""

from __future__ import annotations

import copyreg
from typing import Any


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
        capitalised.
    """

    def __init__(self, what: str, *, where: str | None = None, advice: str | None = None) -> None:
        self.what = " ".join(what.split())
        self.where = where
        self.advice = _sentence(advice) if advice else None
        message = f"{where}: {self.what}" if where else self.what
        super().__init__(f"{message}. {self.advice}." if self.advice else f"{message}.")

    def __reduce__(self) -> tuple[Any, ...]:
        """Say how to pickle it: its one argument is the message, not what that was made of."""
        return copyreg.__newobj__, (type(self), *self.args), vars(self)  # type: ignore[attr-defined]


def _sentence(text: str) -> str:
    plain = " ".join(text.split())
    return plain[:1].upper() + plain[1:]


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
