"""Temporary file for arriving planes, which keeps memory constant."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt

from cop_core.errors import InputError


class Spool:
    """Planes of one shape, appended to a temporary file and read back by index.

    It reads like an array of shape (planes, height, width), which `open_stack` opens. One thread
    may append while others read. If the system allows it, the file has no name, and disappears with
    the process however that ends.

    Parameters
    ----------
    shape : tuple of int
        (height, width) of every plane.
    dtype : numpy dtype
        Type of the pixels.
    folder : path, optional
        Folder of the file; by default the system's temporary folder.
    """

    ndim = 3

    def __init__(
        self, shape: tuple[int, ...], dtype: npt.DTypeLike, folder: Path | None = None
    ) -> None:
        self.dtype = np.dtype(dtype)
        self._plane = shape
        self._bytes = math.prod(shape) * self.dtype.itemsize
        self._planes = 0
        self._lock = Lock()
        self._file = tempfile.TemporaryFile(prefix="cop-", dir=folder, buffering=0)  # noqa: SIM115

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of planes appended so far, height and width."""
        return (self._planes, *self._plane)

    def __len__(self) -> int:
        return self._planes

    def append(self, plane: npt.NDArray[Any]) -> None:
        """Append a plane.

        Raises
        ------
        InputError
            If shape or type are not those of the others.
        OSError
            If the disk is full; earlier planes stay readable.
        """
        if plane.shape != self._plane or plane.dtype != self.dtype:
            raise InputError(
                f"a plane of {plane.shape} {plane.dtype} follows planes of {self._plane} "
                f"{self.dtype}",
                advice="Do not change the field of view or the camera settings during a stack",
            )
        left = np.ascontiguousarray(plane).data.cast("B")
        with self._lock:
            self._file.seek(self._planes * self._bytes)
            while left:  # without a buffer a write may be short
                left = left[self._file.write(left) :]
            self._planes += 1

    def __getitem__(self, key: int | tuple[Any, ...]) -> npt.NDArray[Any]:
        """Read from one plane: its index first, then its rows and columns."""
        index, *rest = key if isinstance(key, tuple) else (key,)
        if not 0 <= index < self._planes:
            raise IndexError(f"plane {index} of {self._planes}")
        plane = np.empty(self._plane, self.dtype)
        with self._lock:
            self._file.seek(index * self._bytes)
            if self._file.readinto(plane.data) != self._bytes:
                raise OSError(f"plane {index} of the temporary file is truncated")
        return np.asarray(plane[tuple(rest)])

    def close(self) -> None:
        """Remove the file; further calls do nothing."""
        with self._lock:
            self._file.close()
