"""Atomic writing of files: after a failure the old ones are as they were."""

from __future__ import annotations

import errno
import os
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final
from uuid import uuid4

from filelock import FileLock, Timeout

from cop_core.errors import CopError, InputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_IN_USE: Final = "in use"
_FULL: Final = "free some space or choose another folder; existing files are unchanged"
_FORBIDDEN: Final = (
    "choose a folder that you can write to, or close the program that has its files open"
)
_IN_THE_WAY: Final = "choose a folder, not a file"
_ADVICE: Final = {errno.ENOSPC: _FULL, errno.EDQUOT: _FULL}
_USAGE: Final = {
    errno.EACCES: _FORBIDDEN,
    errno.EPERM: _FORBIDDEN,
    errno.EROFS: _FORBIDDEN,
    errno.EEXIST: _IN_THE_WAY,
    errno.ENOTDIR: _IN_THE_WAY,
    errno.EISDIR: _IN_THE_WAY,
    errno.ENAMETOOLONG: "choose a shorter name",
}


def replace_files(contents: Mapping[Path, bytes]) -> None:
    """Write files to one folder, all or none; raises the errors of `placed`."""
    (folder,) = {path.parent for path in contents}
    with placed(folder) as fresh:
        for path, data in contents.items():
            (fresh / path.name).write_bytes(data)


@contextmanager
def placed(directory: Path) -> Iterator[Path]:
    """Yield a staging folder whose files are moved into ``directory`` if the block succeeds.

    The staging folder lies inside ``directory``, so that both are on one file system even if
    ``directory`` is a mount point or its parent cannot be written to.

    Parameters
    ----------
    directory : Path
        Created if it does not exist. Other files in it are left alone.

    Yields
    ------
    Path
        An empty folder to write files and folders into.

    Raises
    ------
    InputError
        The folder cannot be written to.
    CopError
        Writing failed for another reason, such as a full disk.
    """
    made: list[Path] = []
    # an interrupt may come right after any call: each step is noted for undoing before it is taken
    staging = directory / f".cop-{uuid4().hex}"
    try:
        _make(directory, made)
        fresh, old = staging / "new", staging / "old"
        staging.mkdir()
        with FileLock(staging / _IN_USE):
            fresh.mkdir(parents=True)  # another process may have removed it before it was locked
            old.mkdir()
            yield fresh
            _move(fresh, directory, old, made)
        shutil.rmtree(staging)
    except BaseException as error:
        shutil.rmtree(staging, ignore_errors=True)
        for folder in reversed(made):
            with suppress(OSError):
                folder.rmdir()  # fails unless it is empty
        if isinstance(error.__context__, KeyboardInterrupt):
            raise error.__context__ from None  # shutil's own cleanup failed
        if isinstance(error, OSError):
            raise _readable(error, directory) from error
        raise


class _TriedError(Exception):
    """Ends the block of `placed` and undoes everything."""


def lock_in(directory: Path, name: str) -> FileLock:
    """Return a lock held by one process at a time; raises the errors of `placed`."""
    with placed(directory):
        pass
    return FileLock(directory / name)


def require_place(directory: Path) -> None:
    """Raise now the errors that `placed` would raise after the work; leave nothing behind."""
    wanted = directory.expanduser().absolute()
    # missing folders are tried elsewhere: another process may be making the same folder
    there = next(path for path in (wanted, *wanted.parents) if os.path.lexists(path))
    with suppress(_TriedError), placed(there) as fresh:
        try:
            (fresh / wanted.relative_to(there)).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _readable(error, directory) from error
        raise _TriedError


def require_place_of(file: Path) -> None:
    """Refuse now a file that could not be written after the work; leave nothing behind."""
    if file.is_dir():
        raise InputError("it is a folder", where=str(file), advice="Choose another name")
    require_place(file.parent)


def clear_leftovers(directory: Path) -> None:
    """Remove the staging folders (`placed`) of processes that were killed."""
    for staging in directory.glob(f".cop-{'[0-9a-f]' * 32}"):
        with suppress(Timeout), FileLock(staging / _IN_USE, timeout=0):  # else in use
            shutil.rmtree(staging, ignore_errors=True)


def _make(folder: Path, made: list[Path]) -> None:
    """Create a folder and its parents and note which ones are new, outermost first."""
    if folder.is_dir():
        return
    if folder.parent != folder:
        _make(folder.parent, made)
    made.append(folder)
    try:
        folder.mkdir()
    except FileExistsError:
        made.remove(folder)  # a file, or a folder that another process has just made
        if not folder.is_dir():
            raise


def _move(fresh: Path, directory: Path, old: Path, made: list[Path]) -> None:
    """Replace the files one by one, and restore the old ones if one cannot be replaced."""
    names = sorted(p.relative_to(fresh) for p in fresh.rglob("*") if p.is_file())
    done: list[Path] = []
    try:
        for name in names:
            target = directory / name
            _make(target.parent, made)
            if target.exists():
                (old / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(target, old / name)
            done.append(name)
            os.replace(fresh / name, target)  # noqa: PTH105 - the one call that must be atomic
    except BaseException:
        for name in done:
            if (old / name).exists():
                os.replace(old / name, directory / name)  # noqa: PTH105
            else:
                (directory / name).unlink(missing_ok=True)
        raise


def _readable(error: OSError, directory: Path) -> CopError:
    what = f"it cannot be written ({error.strerror or error})"
    if error.errno in _USAGE:
        return InputError(what, where=str(directory), advice=_USAGE[error.errno])
    advice = _ADVICE.get(error.errno or 0, "try again or choose another folder")
    return CopError(what, where=str(directory), advice=advice)
