"""Folders of a zarr store: their interface, and local folders."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from cop_core.errors import InputError
from cop_core.stacks.dataset import BrokenPlaneError, stamp_of
from cop_core.text_file import read_text_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cop_core.stacks.dataset import Stamp
    from cop_core.stacks.formats.zarr.chunk_size import ChunkSizes

MAX_JSON_BYTES: Final = 64 * 2**20
HALF_WRITTEN: Final = "the file is half-written or damaged: copy or export the store again"
INSIDE: Final = "only open stores whose images lie inside them"
TOO_LARGE: Final = "damaged: a chunk decodes to far more than is declared"
METADATA: Final = ("zarr.json", ".zarray", ".zgroup", ".zattrs")


class Folder(Protocol):
    """A folder of a zarr store; as a string, its name in messages."""

    @property
    def name(self) -> str:
        """Its own name, without those of its parents."""

    def read(self, name: str) -> str | None:
        """Return the text of a metadata file; None if it does not exist.

        Raises
        ------
        InputError
            It exists but cannot be read.
        """

    def child(self, name: str) -> Folder:
        """Return a folder below it.

        Raises
        ------
        InputError
            It is a link out of the store.
        """

    def children(self) -> Iterator[Folder]:
        """Yield the folders directly below it, by name; none if they cannot be listed."""

    def store(self) -> Any:
        """Return the argument of `zarr.open_array` for its array."""

    def chunks(self, sizes: ChunkSizes) -> Chunks:
        """Return the files of its array."""


class Chunks(Protocol):
    """The files of an array with pixels."""

    @property
    def told(self) -> bool:
        """Whether reading a missing file raises AbsentChunkError.

        If not, zarr returns the fill value.
        """

    def exists(self, key: str) -> bool:
        """Return whether a file was ever written.

        Raises
        ------
        BrokenPlaneError
            It must not be read.
        """

    def stamp(self, keys: Iterable[str]) -> Stamp | None:
        """Return a stamp that changes with every writing of files; None if one is missing."""


class AbsentChunkError(BrokenPlaneError):
    """A chunk was never written."""


@dataclass(frozen=True)
class LocalFolder:
    """A local folder; links that lead out of the store are not followed."""

    path: Path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def name(self) -> str:
        return self.path.resolve().name

    def read(self, name: str) -> str | None:
        file = self.path / name
        if not file.exists():
            return None
        return read_text_file(file, "metadata", most_bytes=MAX_JSON_BYTES, advice=HALF_WRITTEN)

    def child(self, name: str) -> LocalFolder:
        folder = self.path / name
        if not folder.resolve().is_relative_to(self.path.resolve()):
            raise InputError(
                f"the dataset {name!r} is a link out of the store",
                where=str(self),
                advice=INSIDE,
            )
        return LocalFolder(folder)

    def children(self) -> Iterator[LocalFolder]:
        folders = (p for p in self.path.iterdir() if p.is_dir() and not p.is_symlink())
        return map(LocalFolder, sorted(folders))

    def store(self) -> str:
        return str(self.path)

    def chunks(self, sizes: ChunkSizes) -> LocalChunks:
        return LocalChunks(Path(os.path.realpath(self.path)), sizes)


@dataclass(frozen=True)
class LocalChunks:
    """Files of an array in a local folder."""

    folder: Path
    sizes: ChunkSizes
    told: bool = False

    def exists(self, key: str) -> bool:
        if not os.path.isfile(f"{self.folder}/{key}"):  # noqa: PTH113 (asked for every plane)
            return False
        path = self.folder / key
        if not Path(os.path.realpath(path)).is_relative_to(self.folder):
            raise BrokenPlaneError("damaged: a chunk is a link out of the store")
        if self.sizes.too_large(path):
            raise BrokenPlaneError(TOO_LARGE)
        return True

    def stamp(self, keys: Iterable[str]) -> Stamp | None:
        try:
            return tuple(stamp_of(self.folder / key) for key in keys)
        except OSError:
            return None
