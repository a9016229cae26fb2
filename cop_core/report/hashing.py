"""Identity of the data of a report: SHA-256 of stacks and power tables."""

from __future__ import annotations

import errno
import hashlib
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cop_core.recipes.values import is_address
from cop_core.records import FileIdentity

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cop_core.recipes import StackOptions
    from cop_core.records import FileState, Provenance, Role
    from cop_core.report.document import Inputs

HASH_LIMIT_BYTES: Final = 20 * 10**9
"""Larger stacks are hashed only on request, so that a report does not take minutes."""
CHANGED: Final = "not computed: the files changed after they were read"
AT_ADDRESS: Final = "not computed: it is at an address; size and time are those of its metadata"
GONE: Final = "not computed: the files no longer exist"

_BESIDE: Final[tuple[Role, ...]] = ("power", "power_scale", "detector")
"""Fields of `StackOptions` that may name a file; each is the role of its file too."""
_PIECE: Final = 1 << 20
_ESCAPED: Final = str.maketrans({"\\": r"\\", "\n": r"\n", "\r": r"\r"})


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
        their bytes, so it can be computed without this package::

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


def identified(
    made: Mapping[str, Provenance],
    *,
    hashed: bool | None = None,
    progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Inputs:
    """Return the identities of the files of stacks, by name.

    Parameters
    ----------
    made : mapping of str to Provenance
        Where each comes from.
    hashed : bool, optional
        Whether files are hashed; None hashes those of up to `HASH_LIMIT_BYTES`.
    progress : callable
        Called with bytes done and bytes in all.

    Returns
    -------
    dict
        For each, its stack, its power and power scale if they came from tables, and its detector
        if given. Nothing for arrays.
    """
    limit = {None: HASH_LIMIT_BYTES, True: None, False: 0}[hashed]
    found: Inputs = {
        name: {role: _limited(entry, limit) for role, entry in _files(one)}
        for name, one in made.items()
    }
    due = [e for one in found.values() for e in one.values() if not e.note]
    total, read = sum(e.n_bytes or 0 for e in due), 0

    def advance(n: int) -> None:
        nonlocal read
        read += n
        progress(read, total)

    return {
        name: {role: e if e.note else _with_hash(e, advance) for role, e in one.items()}
        for name, one in found.items()
        if one
    }


def _files(made: Provenance) -> Iterator[tuple[Role, FileIdentity]]:
    """Yield the stack, the tables and the detector of one protocol, as they are now."""
    if made.opened.source is not None:
        yield "stack", _entry(made.opened.source, made.files)
    for role, path in files_beside(made.opened):
        yield role, _entry(path, None)


def files_beside(options: StackOptions) -> Iterator[tuple[Role, str]]:
    """Yield role and path of the other files that the options of a stack name."""
    for role in _BESIDE:
        if isinstance(path := getattr(options, role), Path | str):
            yield role, str(path)


def _entry(path: str, when_read: FileState | None) -> FileIdentity:
    """Return a file or folder without its hash, with a note if it has changed since it was read."""
    from cop_core.stacks.files import file_state

    if is_address(path):
        return FileIdentity(path=path, note=AT_ADDRESS, **(vars(when_read) if when_read else {}))
    state = file_state(path)
    note = GONE if state is None else CHANGED if when_read not in (None, state) else ""
    known = when_read or state
    return FileIdentity(path=path, note=note, **(vars(known) if known else {}))


def _limited(entry: FileIdentity, limit: int | None) -> FileIdentity:
    """Note where an entry is too large to be hashed."""
    if entry.note or limit is None or (entry.n_bytes or 0) <= limit:
        return entry
    size = f"{(entry.n_bytes or 0) / 1e9:.3g} GB"
    over = f"{size} exceed the limit of {limit / 1e9:g} GB"
    return replace(entry, note=f"not computed: {over if limit else 'not asked for'}")


def _with_hash(entry: FileIdentity, done: Callable[[int], None]) -> FileIdentity:
    """Add the hash, or a note if the files cannot be read or have changed meanwhile."""
    from cop_core.stacks.files import file_state

    try:
        digest = sha256_of(entry.path, done)
    except OSError as error:
        return replace(entry, note=f"not computed: {error.strerror or error}")
    state = file_state(entry.path)
    if state is None or vars(state).items() - vars(entry).items():
        return replace(entry, note=CHANGED if state else GONE)
    return replace(entry, sha256=digest)


def _of_file(path: Path, done: Callable[[int], None]) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        left = os.fstat(file.fileno()).st_size  # a growing file is not followed for ever
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
