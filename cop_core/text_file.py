"""Files named by users: regular files only, of a plausible size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cop_core.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

MAX_BYTES: Final = 16 * 2**20
"""Default limit on the size of a text file."""


def require_regular(path: Path, what: str, *, most_bytes: int, advice: str | None = None) -> None:
    """Refuse files on which reading would block or never end: pipes, devices, very large files.

    Parameters
    ----------
    path : Path
        Of any length.
    what : str
        Its name in messages.

    Raises
    ------
    InputError
        It is not a regular file, too large, or missing.
    """
    try:
        size = path.stat().st_size
        if not path.is_file():
            problem = "not a regular file"
        elif size > most_bytes:
            problem = f"over {most_bytes >> 20} MB"
        else:
            return
    except (OSError, ValueError) as error:  # ValueError: a name with a null character
        problem = getattr(error, "strerror", None) or str(error)
    raise InputError(f"the {what} cannot be read ({problem})", where=str(path), advice=advice)


def read_text_file(
    path: Path, what: str, *, most_bytes: int = MAX_BYTES, advice: str | None = None
) -> str:
    """Read UTF-8 with or without byte order mark.

    Raises
    ------
    InputError
        It is not UTF-8, or as for `require_regular`.
    """
    require_regular(path, what, most_bytes=most_bytes, advice=advice)
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        problem = "not UTF-8"
    except OSError as error:
        problem = error.strerror or str(error)
    raise InputError(f"the {what} cannot be read ({problem})", where=str(path), advice=advice)
