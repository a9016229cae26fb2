"""Writes small sets of files as vendors' programs lay them out."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_SUMMARY = 2_355_492
Entry = tuple[Mapping[str, Any], np.ndarray, Mapping[str, Any]]
"""Axes, pixels and metadata of a frame."""


def _directory(picture: np.ndarray, note: bytes, start: int) -> tuple[bytes, int, int]:
    """Return a TIFF directory with its pixels and metadata, and where these two begin."""
    height, width = picture.shape
    n_tags = 11
    pixels_at = start + 2 + 12 * n_tags + 4
    note_at = pixels_at + picture.nbytes
    tags = [
        (256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8 * picture.itemsize),
        (259, 3, 1, 1), (262, 3, 1, 1), (273, 4, 1, pixels_at), (277, 3, 1, 1),
        (278, 4, 1, height), (279, 4, 1, picture.nbytes), (339, 3, 1, 1),
        (51123, 2, len(note), note_at),
    ]  # fmt: skip
    table = struct.pack("<H", n_tags) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    end = note_at + len(note)
    end += end % 2
    body = table + struct.pack("<I", end) + picture.tobytes() + note
    return body.ljust(end - start, b"\0"), pixels_at, note_at


def _write_tiff(
    path: Path, head: Callable[[int], bytes], frames: Sequence[Entry]
) -> list[tuple[int, int, int, int]]:
    """Write frames; return where directory, pixels and metadata of each begin, and its length."""
    start = len(head(0))
    start += start % 2
    places, body = [], b""
    for _, picture, note in frames:
        text = json.dumps(note).encode() + b"\0"
        at = start + len(body)
        piece, pixels_at, note_at = _directory(picture, text, at)
        places.append((at, pixels_at, note_at, len(text) - 1))
        body += piece
    whole = bytearray(head(start + len(body)).ljust(start, b"\0") + body)
    last = places[-1][0] + 2 + 12 * 11
    whole[last : last + 4] = struct.pack("<I", 0)
    path.write_bytes(whole)
    return places


def write_ndtiff(
    folder: Path, frames: Sequence[Entry], summary: Mapping[str, Any], name: str = "a"
) -> Path:
    """Write a set of NDTiff 3.3 into one file."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(summary).encode()

    def head(_: int) -> bytes:
        first = 28 + len(text) + len(text) % 2
        return (
            struct.pack("<2sHIIIIII", b"II", 42, first, 483_729, 3, 3, _SUMMARY, len(text)) + text
        )

    path = folder / f"{name}_NDTiffStack.tif"
    places = _write_tiff(path, head, frames)
    with (folder / "NDTiff.index").open("wb") as index:
        for (axes, picture, _), (_, pixels_at, note_at, n_note) in zip(frames, places, strict=True):
            for part in (json.dumps(dict(axes)).encode(), path.name.encode()):
                index.write(struct.pack("<I", len(part)) + part)
            kind = 0 if picture.itemsize == 1 else 1
            height, width = picture.shape
            index.write(
                struct.pack("<IiiiiIii", pixels_at, width, height, kind, 0, note_at, n_note, 0)
            )
    return folder


def write_mmstack(path: Path, frames: Sequence[Entry], summary: Mapping[str, Any]) -> Path:
    """Write one file of an MMStack set; axes are numbers of channel, z, time and position."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(summary).encode()

    def head(map_at: int) -> bytes:
        first = 40 + len(text) + len(text) % 2
        start = struct.pack("<2sHIII", b"II", 42, first, 54_773_648, map_at)
        return start + struct.pack("<IIIIII", 0, 0, 0, 0, _SUMMARY, len(text)) + text

    places = _write_tiff(path, head, frames)
    with path.open("ab") as file:
        file.write(struct.pack("<II", 3_453_623, len(frames)))
        for (axes, _, _), (at, *_) in zip(frames, places, strict=True):
            order = (axes.get(key, 0) for key in ("channel", "z", "time", "position"))
            file.write(struct.pack("<IIIII", *order, at))
    return path
