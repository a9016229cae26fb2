"""Writes small sets of files in the layouts of vendors' programs."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

_SUMMARY = 2_355_492
Entry = tuple[Mapping[str, Any], np.ndarray, Mapping[str, Any]]
"""Axes, pixels and metadata of a frame."""


def _directory(picture: np.ndarray, note: bytes, start: int) -> tuple[bytes, int, int]:
    """Return a TIFF directory with its pixels and metadata, and the offsets of these two."""
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
    """Write frames; return offsets of directory, pixels and metadata of each, and its length."""
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


def write_oif(path: Path, frames: Mapping[tuple[int, int], np.ndarray], **settings: Any) -> Path:
    """Write an .oif with its folder: frames by channel and z, a step of 1.5 µm between them."""
    n_channels, n_planes = (1 + max(numbers) for numbers in zip(*frames, strict=True))
    height, width = next(iter(frames.values())).shape
    axes = {"X": width, "Y": height, "C": n_channels, "Z": n_planes, "T": 0}
    sections: dict[str, Mapping[str, Any]] = {
        "ProfileSaveInfo": {"Name": "Profile", "Version": "1.0.0.0"},
        "Axis Parameter Common": {"AxisCount": 4, "AxisOrder": settings.pop("order", "XYCZ")},
        "Reference Image Parameter": {
            "ValidBitCounts": 12,
            **{f"{side}ConvertValue": 0.25 for side in ("Height", "Width")},
            **{f"{side}Unit": "um" for side in ("Height", "Width")},
        },
        "Acquisition Parameters Common": settings,
    }
    for i, (code, size) in enumerate(axes.items()):
        more = {"Interval": 1500, "PixUnit": "nm"} if code == "Z" else {}
        sections[f"Axis {i} Parameters Common"] = {"AxisCode": code, "MaxSize": size, **more}
    for i in range(n_channels):
        sections[f"Channel {i + 1} Parameters"] = {"CH Name": f"CH{i + 1}"}
    path.write_text(
        "\r\n".join(
            line
            for name, entries in sections.items()
            for line in (f"[{name}]", *(_entry(key, value) for key, value in entries.items()))
        ),
        encoding="utf-16",
    )
    folder = Path(f"{path}.files")
    folder.mkdir()
    for (channel, z), picture in frames.items():
        tifffile.imwrite(folder / f"s_C{channel + 1:03d}Z{z + 1:03d}.tif", picture)
    return path


def _entry(key: str, value: Any) -> str:
    return f'{key}="{value}"' if isinstance(value, str) else f"{key}={value}"


_LIF_XML = """<LMSDataContainerHeader Version="2"><Element Name="{name}"><Children>{images}
</Children></Element></LMSDataContainerHeader>"""
_LIF_IMAGE = """<Element Name="{name}"><Data><Image><ImageDescription><Channels>{channels}
</Channels><Dimensions>{dimensions}</Dimensions></ImageDescription>
<Attachment Name="HardwareSetting"><ATLConfocalSettingDefinition ZCompensationModes="{compensated}">
{lasers}</ATLConfocalSettingDefinition></Attachment></Image></Data>
<Memory Size="{size}" MemoryBlockID="{block}"/></Element>"""
_LIF_CHANNEL = """<ChannelDescription DataType="0" ChannelTag="0" Resolution="12"
NameOfMeasuredQuantity="" Min="0" Max="4095" Unit="" LUTName="Green" IsLUTInverted="0"
BytesInc="{at}" BitInc="0"><ChannelProperty><Key>DyeName</Key><Value>{dye}</Value>
</ChannelProperty></ChannelDescription>"""
_LIF_DIMENSION = """<DimensionDescription DimID="{number}" NumberOfElements="{n}" Origin="0"
Length="{length}" Unit="m" BitInc="0" BytesInc="{bytes}"/>"""
_LIF_LASER = '<LaserLineSetting LaserLine="{nm}" IntensityDev="{percent}" IsLineChecked="1"/>'


def write_lif(
    path: Path,
    images: Mapping[str, np.ndarray],
    lasers: Mapping[int, float],
    compensated: int = 0,
) -> Path:
    """Write a .lif of stacks (C, Z, Y, X) uint16, voxels of 2 x 0.5 x 0.5 µm."""
    texts = [
        _lif_image(i, name, pixels, lasers, compensated)
        for i, (name, pixels) in enumerate(images.items())
    ]
    xml = _LIF_XML.format(name=path.stem, images="".join(texts)).encode("utf-16-le")
    body = struct.pack("<IIBI", 0x70, len(xml) + 5, 0x2A, len(xml) // 2) + xml
    for i, pixels in enumerate(images.values()):
        name = f"MemBlock_{i}".encode("utf-16-le")
        size = struct.pack("<BQBI", 0x2A, pixels.nbytes, 0x2A, len(name) // 2) + name
        body += struct.pack("<II", 0x70, len(size)) + size + pixels.tobytes()
    path.write_bytes(body)
    return path


def _lif_image(
    i: int, name: str, pixels: np.ndarray, lasers: Mapping[int, float], compensated: int
) -> str:
    steps = {1: 0.5e-6, 2: 0.5e-6, 3: 2e-6}
    axes = {1: 3, 2: 2, 3: 1}
    channels = (
        _LIF_CHANNEL.format(at=k * pixels.strides[0], dye=f"dye {k}") for k in range(len(pixels))
    )
    dimensions = (
        _LIF_DIMENSION.format(
            number=number,
            n=pixels.shape[axis],
            length=steps[number] * (pixels.shape[axis] - 1),
            bytes=pixels.strides[axis],
        )
        for number, axis in axes.items()
    )
    lines = (_LIF_LASER.format(nm=nm, percent=percent) for nm, percent in lasers.items())
    return _LIF_IMAGE.format(
        name=name,
        channels="".join(channels),
        dimensions="".join(dimensions),
        lasers="".join(lines),
        compensated=compensated,
        size=pixels.nbytes,
        block=f"MemBlock_{i}",
    )


def write_ims(path: Path, pixels: np.ndarray) -> Path:
    """Write an .ims of a movie (T, C, Z, Y, X): voxels of 2 x 0.5 x 0.25 µm, chunks filled up."""
    import h5py

    def text(group: Any, **values: object) -> None:
        for key, value in values.items():
            group.attrs[key] = np.array(list(str(value)), dtype="S1")

    z, y, x = pixels.shape[2:]
    with h5py.File(path, "w") as file:
        image = file.create_group("DataSetInfo/Image")
        text(image, X=x, Y=y, Z=z, Unit="um", ExtMin0=10, ExtMin1=0, ExtMin2=-4)
        text(image, ExtMax0=10 + 0.25 * x, ExtMax1=0.5 * y, ExtMax2=2 * z - 4)
        for (t, c), stack in zip(
            np.ndindex(pixels.shape[:2]), pixels.reshape(-1, z, y, x), strict=True
        ):
            text(file.require_group(f"DataSetInfo/Channel {c}"), Name=f"dye {c}")
            place = f"DataSet/ResolutionLevel 0/TimePoint {t}/Channel {c}"
            group = file.create_group(place)
            text(group, ImageSizeX=x, ImageSizeY=y, ImageSizeZ=z)
            filled = np.pad(stack, ((0, -z % 4), (0, -y % 8), (0, -x % 8)))
            group.create_dataset("Data", data=filled, chunks=(4, 8, 8), compression="gzip")
    return path


def write_czi(path: Path, scenes: Sequence[np.ndarray], channels: Mapping[int, str]) -> Path:
    """Write a .czi of scenes (C, Z, Y, X) uint16 side by side, voxels of 2 x 0.5 x 0.5 µm."""
    from pylibCZIrw import czi

    with czi.create_czi(str(path)) as file:
        for scene, pixels in enumerate(scenes):
            for c, z in np.ndindex(pixels.shape[:2]):
                file.write(
                    pixels[c, z][..., None],
                    location=(scene * 100, 0),
                    plane={"C": c, "Z": z},
                    scene=scene,
                )
        file.write_metadata(
            path.stem, scale_x=0.5e-6, scale_y=0.5e-6, scale_z=2e-6, channel_names=dict(channels)
        )
    return path
