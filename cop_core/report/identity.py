"""Which data a report is about: SHA-256 of stacks and power tables."""

from __future__ import annotations

import errno
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cop_core.report.protocols import Protocol

HASH_LIMIT_BYTES: Final = 20 * 10**9
"""Larger stacks are hashed only on request, so that a report does not take minutes."""
CHANGED: Final = "not computed: the files changed after they were read"
GONE: Final = "not computed: the files are gone"

_STATE = ("n_files", "n_bytes", "modified")
_PIECE = 1 << 20
_ESCAPED = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r"})


def sha256_of(source: str | Path, done: Callable[[int], None] = lambda _n: None) -> str:
    """Return the SHA-256 of a file, or of a folder as a tree.

    Parameters
    ----------
    source : path
        A file, or a folder such as that of an OME-Zarr image.
    done : callable
        Called with the number of bytes after each piece read.

    Returns
    -------
    str
        64 hexadecimal digits. That of a folder, or of a TIFF whose OME-XML names more files, is
        the SHA-256 of what ``sha256sum`` prints for its files as ``./path`` in the order of
        their bytes, so that it can be had without this package::

            find . -xtype f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum

    Raises
    ------
    OSError
        A file cannot be read.
    """
    from cop_core.stacks.files import source_files  # zarr and tifffile come with it

    path = Path(source)
    files = source_files(path)
    if not files:
        raise FileNotFoundError(errno.ENOENT, "no files", str(path))
    if len(files) == 1 and not path.is_dir():
        return _of_file(files[0], done)
    root = path if path.is_dir() else path.parent
    tree = hashlib.sha256()
    for file in files:
        tree.update(_line(file.relative_to(root), _of_file(file, done)))
    return tree.hexdigest()


def inputs_of(
    shown: Iterable[Protocol],
    *,
    hashed: bool | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what identifies the files of every protocol.

    Parameters
    ----------
    shown : iterable of Protocol
        One or two protocols.
    hashed : bool, optional
        Whether files are hashed; None hashes stacks of up to `HASH_LIMIT_BYTES`.
    progress : callable
        Called with bytes done and bytes in all.

    Returns
    -------
    dict
        ``<protocol>.stack`` and, where power came from a table, ``<protocol>.power``, each with
        ``path, n_files, n_bytes, modified, sha256`` and a ``note`` that says why there is no
        hash. Nothing for arrays.
    """
    made = {p.name: p.profile.provenance for p in shown}
    return identified(made, hashed=hashed, progress=progress)


def identified(
    made: Mapping[str, dict[str, Any]],
    *,
    hashed: bool | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> dict[str, dict[str, dict[str, Any]]]:
    """Return what identifies the files of protocols, by their provenance; see `inputs_of`."""
    limit = {None: HASH_LIMIT_BYTES, True: None, False: 0}[hashed]
    found = {name: dict(_files(one)) for name, one in made.items()}
    due = [e for one in found.values() for e in one.values() if _is_due(e, limit)]
    total, read = sum(e["n_bytes"] for e in due), 0

    def advance(n: int) -> None:
        nonlocal read
        read += n
        progress(read, total)

    for entry in due:
        _add_hash(entry, advance)
    return {name: one for name, one in found.items() if one}


def power_table(opened_with: dict[str, Any] | None) -> str | None:
    """Return the path of the power table that a stack was opened with, if it was."""
    from cop_core.stacks import POWER_ARRAY

    power = (opened_with or {}).get("power")
    if not isinstance(power, str) or power == POWER_ARRAY or power.startswith("gained:"):
        return None
    try:
        float(power)
    except ValueError:
        return power
    return None


def _files(made: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the stack and the power table of one protocol, as they are now."""
    source, table = made.get("source"), power_table(made.get("opened_with"))
    if source is not None and source != "array":
        yield "stack", _entry(source, made.get("files"))
    if table is not None:
        yield "power", _entry(table, None)


def _entry(path: str, when_read: dict[str, Any] | None) -> dict[str, Any]:
    """Return a file or folder without its hash, and a note where it is not as it was read."""
    from cop_core.stacks.files import file_state

    state = file_state(path)
    note = GONE if state is None else CHANGED if when_read not in (None, state) else ""
    return {
        "path": path,
        **(when_read or state or dict.fromkeys(_STATE)),
        "sha256": None,
        "note": note,
    }


def _is_due(entry: dict[str, Any], limit: int | None) -> bool:
    """Tell whether an entry is to be hashed, and note where it is too large."""
    if entry["note"]:
        return False
    if limit is None or entry["n_bytes"] <= limit:
        return True
    size = f"{entry['n_bytes'] / 1e9:.3g} GB"
    over = f"{size} are over the limit of {limit / 1e9:g} GB"
    entry["note"] = f"not computed: {over if limit else 'not asked for'}"
    return False


def _add_hash(entry: dict[str, Any], done: Callable[[int], None]) -> None:
    """Add the hash, or a note where the files cannot be read or changed meanwhile."""
    try:
        digest = sha256_of(entry["path"], done)
    except OSError as error:
        entry["note"] = f"not computed: {error.strerror or error}"
        return
    again = _entry(entry["path"], {key: entry[key] for key in _STATE})
    entry.update(again if again["note"] else {"sha256": digest})


def _of_file(path: Path, done: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        left = os.fstat(file.fileno()).st_size  # a file that grows is not followed for ever
        while piece := file.read(min(_PIECE, left)):
            digest.update(piece)
            left -= len(piece)
            done(len(piece))
    return digest.hexdigest()


def _line(path: Path, digest: str) -> bytes:
    """Return a file's line as ``sha256sum`` prints it."""
    name = f"./{path.as_posix()}"
    escaped = name.translate(_ESCAPED)
    mark = "\\" if escaped != name else ""
    return f"{mark}{digest}  {escaped}\n".encode("utf-8", "surrogateescape")
