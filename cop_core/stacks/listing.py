"""The stacks below a folder, listed as a plan to fill in."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import tifffile

from cop_core.errors import InputError
from cop_core.recipes import ARMS
from cop_core.recipes.plan import columns, save_plan, stack_name
from cop_core.recipes.values import folder_name
from cop_core.stacks.files import source_files
from cop_core.stacks.formats import FORMATS, format_of, micromanager, olympus, tiff_folder
from cop_core.stacks.formats.tiff.planes import quiet_tifffile
from cop_core.stacks.image_file import TIFF

_BESIDE_OTHERS: Final = (tiff_folder, olympus, micromanager)
"""Formats of several files whose folder may hold other stacks too."""


@dataclass(frozen=True)
class Listing:
    """Stacks below a folder.

    Attributes
    ----------
    folder : Path
        The folder; hidden folders below it are left out.
    stacks : tuple of Path
        In the order of their paths: files and folders of known formats, and folders whose TIFFs
        have one plane each. Files of the same set are one stack.
    loops : tuple of Path
        Links to folders that had already been searched, which were not followed.
    """

    folder: Path
    stacks: tuple[Path, ...]
    loops: tuple[Path, ...]

    @property
    def arms(self) -> list[str]:
        """Arm of each stack; empty if no word of its path indicates one, or words indicate both."""
        return [_arm_of(stack.relative_to(self.folder)) for stack in self.stacks]

    @property
    def cells(self) -> list[dict[str, str]]:
        """Rows of a plan, text by column; paths are relative, cells not known from names empty."""
        below, arms = [stack.relative_to(self.folder) for stack in self.stacks], self.arms
        return [
            {**dict.fromkeys(columns(), ""), "stack": path.as_posix(), "arm": arm, "name": name}
            for path, arm, name in zip(below, arms, _names(below, arms), strict=True)
        ]


def list_stacks(folder: str | os.PathLike[str]) -> Listing:
    """List the stacks below a folder; links to folders are followed once.

    Raises
    ------
    InputError
        There is no stack, or a folder cannot be read.
    """
    root = Path(folder).absolute()
    if not os.path.isdir(root):  # noqa: PTH112 - false for names that are too long
        raise InputError(
            "no such folder", where=str(root), advice="use the folder that contains the stacks"
        )
    stacks: list[Path] = []
    loops: list[Path] = []
    folders, links, seen = deque([root]), deque[Path](), set[str]()
    try:
        while folders or links:  # real folders before the targets of links
            below = folders.popleft() if folders else links.popleft()
            if (real := os.path.realpath(below)) in seen:
                loops.append(below)
                continue
            seen.add(real)
            if _is_stack(below):
                stacks.append(below)
                continue
            shown = sorted(path for path in below.iterdir() if not path.name.startswith("."))
            stacks += _in(below, [path for path in shown if path.is_file() and _is_stack(path)])
            for path in shown:
                if path.is_dir() and not olympus.has_frames_of_another(path):
                    (links if path.is_symlink() else folders).append(path)
    except OSError as error:
        raise InputError(
            f"it cannot be listed ({error.strerror or error})", where=str(error.filename or root)
        ) from error
    if not stacks:
        raise InputError("no stack below it", where=str(folder))
    return Listing(root, tuple(sorted(stacks)), tuple(loops))


def write_plan(folder: str | os.PathLike[str], plan: str | os.PathLike[str]) -> Listing:
    """Write a plan with the stacks below a folder, to fill in.

    Parameters
    ----------
    folder : path
        Folder of the stacks.
    plan : path
        The CSV file to write; it must not exist, to protect one already filled in.

    Raises
    ------
    InputError
        There is no stack, or the plan exists or cannot be written.
    """
    file = Path(plan).absolute()
    if os.path.lexists(file):
        raise InputError("it already exists", where=str(plan), advice="Choose another name")
    found = list_stacks(folder)
    save_plan(found.cells, file, found.folder)
    return found


def _arm_of(path: Path) -> str:
    words = re.split(r"[^a-z]+", str(path).lower())
    found = [arm for arm in ARMS if arm in words]
    return found[0] if len(found) == 1 else ""


def _is_stack(path: Path) -> bool:
    """Return whether a path is a file of a known format, or a folder that is one stack."""
    try:
        beside_others = _BESIDE_OTHERS if path.is_dir() else ()
        return any(known.recognises(path) for known in FORMATS if known not in beside_others)
    except OSError:  # reading may be forbidden
        return False


def _in(folder: Path, files: Sequence[Path]) -> Iterator[Path]:
    """Yield the files that are stacks; for files that are one stack together, their folder."""
    tiffs = [path for path in files if path.suffix.lower() in TIFF]
    known: set[Path] = set()
    if len(files) > 1 and _is_one_set(files):
        known.update(files)
    elif len(tiffs) > 1 and _is_one_plane(tiffs[0]) and format_of(folder) is tiff_folder:
        known.update(tiffs)
    if known:
        yield folder
    for path in files:
        if path not in known:
            yield path
        known.update(source_files(path))


def _is_one_set(files: Sequence[Path]) -> bool:
    return micromanager.recognises(files[0]) and set(files) <= set(source_files(files[0]))


def _is_one_plane(path: Path) -> bool:
    try:
        with quiet_tifffile(), tifffile.TiffFile(path) as tif:
            return bool(tif.series[0].ndim == 2)
    except Exception:  # damaged in one of many ways: listed, and reported when it is read
        return False


def _names(paths: Sequence[Path], arms: Sequence[str]) -> list[str]:
    """Return a name for each path, including folders if that of the file is not unique.

    While arms are still to be filled in, names must be unique in the whole study.
    """
    short = [folder_name(stack_name(path)) for path in paths]
    keys = [(arm if all(arms) else "", s.casefold()) for arm, s in zip(arms, short, strict=True)]
    return [
        name if keys.count(key) == 1 else folder_name(stack_name("_".join(path.parts)))
        for name, key, path in zip(short, keys, paths, strict=True)
    ]
