"""The stacks below a folder, listed as a plan to be filled in."""

from __future__ import annotations

import csv
import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import tifffile

from cop_core.errors import InputError
from cop_core.files import replace_files
from cop_core.stacks._tiff_folder import tiffs_in
from cop_core.stacks._tiff_planes import quiet_tifffile
from cop_core.stacks.files import source_files
from cop_core.study.cells import ARMS, folder_name, stack_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_HEADER: Final = ("stack", "arm", "animal", "channel", "power", "z_step_um", "name")
_ZARR: Final = ("zarr.json", ".zarray", ".zgroup", ".zattrs")
_FORMULA: Final = ("=", "+", "-", "@")


def list_stacks(folder: str | os.PathLike[str]) -> tuple[Path, ...]:
    """Return the stacks below a folder, in the order of their paths.

    Parameters
    ----------
    folder : path
        Searched with the folders below it, hidden ones left out.

    Returns
    -------
    tuple of Path
        TIFF files, zarr folders, and folders whose TIFFs hold one plane each. The other files
        that an OME-TIFF names are part of it.
    """
    root = Path(folder)
    if not root.is_dir():
        raise InputError("no such folder", where=str(root), advice="Give the folder of the stacks")
    return tuple(_below(root))


def write_plan(folder: str | os.PathLike[str], plan: str | os.PathLike[str]) -> tuple[int, int]:
    """Write a plan with the stacks below a folder; what no name says is left empty.

    Parameters
    ----------
    folder : path
        Where the stacks are.
    plan : path
        The CSV file to write; it must not exist, so that none is lost that was filled in.

    Returns
    -------
    n_stacks, n_without_arm : int
        Rows written, and those whose arm is to be filled in: neither, or both, of ``fixed``
        and ``gained`` is a word of the path.

    Raises
    ------
    InputError
        There is no stack, or the plan exists or cannot be written.
    """
    file, root = Path(plan).absolute(), Path(folder).absolute()
    if file.exists():
        raise InputError("it exists already", where=str(plan), advice="Choose another name")
    stacks = list_stacks(root)
    if not stacks:
        raise InputError("no TIFF or zarr below it", where=str(folder))
    below = [stack.relative_to(root) for stack in stacks]
    arms = [arm_of(path) for path in below]
    shown = [_relative(stack, file.parent) for stack in stacks]
    text = _text(zip(shown, arms, _names(below, arms), strict=True))
    try:
        replace_files({file: text.encode("utf-8-sig")})  # the mark tells spreadsheets that it is
    except (OSError, UnicodeEncodeError) as error:
        raise InputError(f"the plan cannot be written ({error})", where=str(plan)) from error
    return len(stacks), arms.count("")


def arm_of(path: Path) -> str:
    """Return the arm that is a word of a path; empty where none is, or both are."""
    words = re.split(r"[^a-z]+", str(path).lower())
    found = [arm for arm in ARMS if arm in words]
    return found[0] if len(found) == 1 else ""


def _below(folder: Path) -> Iterator[Path]:
    if any((folder / name).exists() for name in _ZARR):
        yield folder
        return
    tiffs = sorted(tiffs_in(folder))
    if len(tiffs) > 1 and _is_one_plane(tiffs[0]):
        yield folder
        tiffs = []
    seen: set[Path] = set()
    for path in tiffs:
        if path not in seen:
            yield path
        seen.update(source_files(path))
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.name.startswith("."):
            yield from _below(path)


def _is_one_plane(path: Path) -> bool:
    try:
        with quiet_tifffile(), tifffile.TiffFile(path) as tif:
            return bool(tif.series[0].ndim == 2)
    except Exception:  # damaged in one of many ways: listed, so that reading it says how
        return False


def _relative(stack: Path, folder: Path) -> str:
    try:
        text = Path(os.path.relpath(stack, folder)).as_posix()
    except ValueError:  # on another drive
        text = str(stack)
    return f"./{text}" if text.startswith(_FORMULA) else text


def _names(paths: Sequence[Path], arms: Sequence[str]) -> list[str]:
    """Return a name for each path, with its folders where the file's alone is not unique.

    While arms are to be filled in, a name must be unique in the whole study.
    """
    short = [folder_name(stack_name(path)) for path in paths]
    keys = [(arm if all(arms) else "", s.casefold()) for arm, s in zip(arms, short, strict=True)]
    return [
        name if keys.count(key) == 1 else folder_name(stack_name("_".join(path.parts)))
        for name, key, path in zip(short, keys, paths, strict=True)
    ]


def _text(rows: Iterable[tuple[str, str, str]]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_HEADER)
    writer.writerows([stack, arm, "", "", "", "", name] for stack, arm, name in rows)
    return text.getvalue()
