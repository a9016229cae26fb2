"""Files as written by ScanImage: BigTIFF since 2016, classic TIFF before."""

from __future__ import annotations

import json
import struct

import numpy as np
import tifffile

SIDE = 16
SLOW_STACK = {
    "SI.VERSION_MAJOR": "'2016'",
    "SI.hChannels.channelSave": "1",
    "SI.hChannels.channelName": "{'green' 'red'}",
    "SI.hFastZ.enable": "0",
    "SI.hFastZ.numVolumes": "600",
    "SI.hScan2D.logAverageFactor": "1",
    "SI.hStackManager.framesPerSlice": "1",
}


def zs(positions) -> str:
    return "[" + " ".join(f"{z:g}" for z in positions) + "]"


def slow_stack(n, **changed):
    """Return the settings of a stack of slices 10 µm apart; names without ``SI.`` and dots."""
    listed = {"SI.hStackManager.zs": zs(10.0 * np.arange(n)), "SI.hStackManager.numSlices": n}
    return {**SLOW_STACK, **listed, **settings(**changed)}


def settings(**changed):
    """Return settings by their full names: ``hBeams_powers`` is ``SI.hBeams.powers``."""
    return {f"SI.{name.replace('_', '.')}": value for name, value in changed.items()}


def text_of(values) -> str:
    return "".join(f"{name} = {value}\n" for name, value in values.items())


def pages(n, *, seed=0, shape=(SIDE, SIDE)):
    """Return n different pages, brighter to the right."""
    noise = np.random.default_rng(seed).integers(1, 2000, (n, *shape))
    return (noise + np.linspace(0, 1900, shape[1])).astype(np.int16)


class ScanImageWriter:
    """Writes pages one after the other, each linked from the previous one when complete."""

    def __init__(self, path, values, rois=None):
        self._path, self._n, self._link = path, 0, 8
        self._software = text_of(values).encode() + b"\0"
        regions = json.dumps({"RoiGroups": rois or {}}).encode() + b"\0"
        block = struct.pack("<IIII", 0x07030301, 3, len(self._software), len(regions))
        head = b"II" + struct.pack("<HHHQ", 43, 8, 0, 0)
        path.write_bytes(head + block + self._software + regions)

    def append(self, page, *, frame=None, n_bytes=None):
        """Write a page, or the first bytes of its pixels."""
        frame, self._n = self._n + 1 if frame is None else frame, self._n + 1
        note = f"frameNumbers = {self._n}\nframeNumberAcquisition = {frame}\n".encode() + b"\0"
        with self._path.open("r+b") as file:
            at = file.seek(0, 2) + -file.tell() % 8
            pixels = at + 16 + 20 * 12 + len(note) + -len(note) % 8
            tags = self._tags(page, len(note), at + 16 + 20 * 12, pixels)
            directory = struct.pack("<Q", 12) + tags + struct.pack("<Q", 0)
            file.seek(at)
            file.write(directory + note + bytes(-len(note) % 8) + page.tobytes()[:n_bytes])
            file.seek(self._link)
            file.write(struct.pack("<Q", at))
        self._link = at + 8 + 20 * 12

    def _tags(self, page, n_note, note_at, pixels_at):
        (height, width), kind = page.shape, {"i": 2, "u": 1}[page.dtype.kind]
        values = [
            (256, 3, width), (257, 3, height), (258, 3, 8 * page.itemsize), (259, 3, 1),
            (262, 3, 1), (270, 2, note_at, n_note), (273, 16, pixels_at), (277, 3, 1),
            (278, 3, height), (279, 16, page.nbytes), (305, 2, 32, len(self._software)),
            (339, 3, kind),
        ]  # fmt: skip
        return b"".join(
            struct.pack("<HHQQ", tag, kind, count[0] if count else 1, value)
            for tag, kind, value, *count in values
        )


def write_scanimage(path, stack, values, rois=None):
    """Write pages as in ScanImage 2016 and later."""
    writer = ScanImageWriter(path, values, rois)
    for page in stack:
        writer.append(page)
    return path


def write_classic(path, stack, description):
    """Write pages as in ScanImage until 2015: the settings describe every page."""
    with tifffile.TiffWriter(path) as tif:
        for page in stack:
            tif.write(page, metadata=None, description=description, contiguous=False)
    return path
