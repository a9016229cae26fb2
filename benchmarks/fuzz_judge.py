"""Judgement of a damaged file that was opened and read completely, for `fuzz.py`.

A file that opens in spite of the damage must not be silently wrong. Permitted differences:

- pixels of a plane whose own bytes were hit, if the format has no checksum over them;
- values that the damaged file itself states: a plain second reading of its text, tags and JSON,
  which shares no code with the readers, finds the new value and no place with another.

Any other difference that enters a fit is a silently wrong result.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import tifffile

from cop_core.errors import CopError
from cop_core.stacks import open_stack, read_power_table

if TYPE_CHECKING:
    from pathlib import Path

    from fuzz_files import Damage, Sample

GOOD = ("same", "flagged", "other pixels", "says otherwise", "error")
BAD = ("silent", "traceback", "memory", "hang", "crash")
_UM = {
    "µm": 1.0,
    "um": 1.0,
    "micrometer": 1.0,
    "nm": 1e-3,
    "mm": 1e3,
    "cm": 1e4,
    "m": 1e6,
    "pm": 1e-6,
}
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)


@dataclass(frozen=True)
class Seen:
    """A stack as read: its properties, and every plane's reason and hash of pixels."""

    facts: dict[str, object]
    planes: tuple[tuple[str, bytes], ...]


def see(sample: Sample) -> Any:
    """Open and read a complete file, as its user would."""
    if sample.path.suffix == ".csv":
        return tuple(values.tolist() for values in read_power_table(sample.path))
    if sample.path.suffix == ".safetensors":
        from cop_core.network import load_network

        network, card = load_network(sample.path)
        state = {name: value.numpy().tobytes() for name, value in network.state_dict().items()}
        return network.config, card.components, state
    stack = open_stack(sample.path, **sample.options)
    n, height, width = stack.shape
    step = abs(float(stack.depth_um[1] - stack.depth_um[0])) if n > 1 else None
    facts = {"planes": n, "height": height, "width": width, "type": str(stack.dtype), "step": step}
    read = ((p.validity.reason, p.data.tobytes()) for p in stack)
    return Seen(facts, tuple((why, hashlib.sha256(data).digest()) for why, data in read))


def judge(sample: Sample, whole: Any, done: Damage) -> tuple[str, str]:
    """Read a damaged file; return a verdict from GOOD or BAD, and the message or finding."""
    try:
        found = see(sample)
    except CopError as error:
        text = str(error)
        if "MemoryError" in text:
            return "memory", text
        return ("traceback", f"unclear: {text}") if _unclear(sample, text) else ("error", text)
    except Exception as error:  # what a user must never see
        return "traceback", f"{type(error).__name__}: {error}"
    if not isinstance(whole, Seen):
        return _judge_values(sample, whole, found)
    if any("MemoryError" in why for why, _ in found.planes):
        return "memory", next(why for why, _ in found.planes if "MemoryError" in why)
    return _judge_stack(sample, whole, found, done)


def _unclear(sample: Sample, text: str) -> bool:
    """Return whether a message lacks the file's name or has several lines."""
    return "\n" in text or str(sample.path.with_suffix("")) not in text


def _judge_stack(sample: Sample, whole: Seen, found: Seen, done: Damage) -> tuple[str, str]:
    kept = {i for i, (why, _) in enumerate(found.planes) if not why}
    changed = {fact for fact, value in found.facts.items() if value != whole.facts[fact]}
    if changed and kept:
        stated = statements(sample)
        wrong = [f for f in changed if stated.get(f) != {found.facts[f]}]
        said = ", ".join(f"{f} {found.facts[f]} (said: {stated.get(f)})" for f in wrong or changed)
        return ("silent" if wrong else "says otherwise"), said
    hit = sample.planes_at(done.file, done.start, done.stop)
    other = {i for i in kept if found.planes[i] != whole.planes[i]}
    if other - hit:
        if sample.path.is_dir() and _says_big_endian(sample.path):
            return "says otherwise", "byte order"  # all were written in little-endian order
        return "silent", f"other pixels in planes {sorted(other - hit)}"
    if other:
        return "other pixels", ""
    return ("same", "") if found == whole else ("flagged", str({w for w, _ in found.planes if w}))


def _judge_values(sample: Sample, whole: Any, found: Any) -> tuple[str, str]:
    if found == whole:
        return "same", ""
    if sample.path.suffix == ".csv":
        right = found == tuple(map(list, zip(*sorted(_rows(sample.path)), strict=True)))
    else:
        card = json.loads(sample.path.with_suffix(".json").read_text(encoding="utf-8"))
        data = sample.path.read_bytes()
        right = hashlib.sha256(data).hexdigest() == card["sha256"]
        right = right and all(
            np.isfinite(np.frombuffer(v, np.float32)).all() for v in found[2].values()
        )
    return ("says otherwise" if right else "silent"), str(found)[:200]


def _rows(path: Path) -> list[tuple[float, float]]:
    """Read a table of two columns of decimal numbers, as plainly as possible."""
    lines = [line.split(",") for line in path.read_text(encoding="utf-8-sig").splitlines()[1:]]
    pairs = [line[:2] for line in lines if all(_NUMBER.fullmatch(cell) for cell in line[:2])]
    return [(float(depth), float(power)) for depth, power in pairs]


def statements(sample: Sample) -> dict[str, set[object]]:
    """All statements of a file about its planes, wherever they are."""
    if sample.path.is_dir():
        stated = _zarr_statements(sample.path)
    else:
        stated = _tiff_statements(sample.path)
    if sample.options:
        stated["step"] = {sample.options["z_step_um"]}
    return stated


def _zarr_array(path: Path) -> dict[str, Any]:
    inner = path / "0" if (path / "0").is_dir() else path
    file = next(f for f in (inner / "zarr.json", inner / ".zarray") if f.exists())
    array: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return array


def _says_big_endian(path: Path) -> bool:
    array = _zarr_array(path)
    return '"big"' in json.dumps(array.get("codecs")) or str(array.get("dtype")).startswith(">")


def _zarr_statements(path: Path) -> dict[str, set[object]]:
    array = _zarr_array(path)
    names = dict(zip(("planes", "height", "width"), array["shape"], strict=True))
    stated: dict[str, set[object]] = {name: {n} for name, n in names.items()}
    kind = array.get("data_type") or str(np.dtype(array["dtype"]).newbyteorder("="))
    stated["type"] = {kind}
    texts = [
        f.read_text(encoding="utf-8") for f in (path / "zarr.json", path / ".zattrs") if f.exists()
    ]
    for text in texts:
        held = json.loads(text)
        image = held.get("attributes", {}).get("ome", held).get("multiscales")
        if image:
            unit = image[0]["axes"][0].get("unit")
            factor = image[0]["datasets"][0]["coordinateTransformations"][0]["scale"][0]
            stated["step"] = {_step(factor, unit)}
    return stated


_TEXTS = {
    "planes": (r'SizeZ="([^"]*)"', r"(?:images|slices)=(.*)", r'"shape": \[(\d+),'),
    "height": (r'SizeY="([^"]*)"', r'"shape": \[\d+, (\d+),'),
    "width": (r'SizeX="([^"]*)"', r'"shape": \[\d+, \d+, (\d+)'),
    "type": (r'Type="(u?int\d+|float|double)"',),
}


def _tiff_statements(path: Path) -> dict[str, set[object]]:
    with tifffile.TiffFile(path) as tif:
        tif.pages.useframes = False
        pages = [tif.pages[i] for i in range(len(tif.pages))]
        text = pages[0].description
    stated: dict[str, set[object]] = {
        "planes": {len(pages)},
        "height": {int(page.imagelength) for page in pages},
        "width": {int(page.imagewidth) for page in pages},
        "type": {str(page.dtype) for page in pages},
    }
    for fact, patterns in _TEXTS.items():
        for pattern in patterns:
            for value in re.findall(pattern, text):
                stated[fact].add(int(value) if value.isdigit() else value)
    size = re.search(r'PhysicalSizeZ="([^"]*)"', text)
    unit = re.search(r'PhysicalSizeZUnit="([^"]*)"', text)
    if size:
        stated["step"] = {_step(size[1], unit[1] if unit else "um")}
    spacing = re.search(r'(?:^spacing=|"spacing": )([^\n,}]*)', text, re.MULTILINE)
    unit = re.search(r'(?:^unit=|"unit": ")([^\n"]*)', text, re.MULTILINE)
    if spacing and unit:
        stated["step"] = {_step(spacing[1], unit[1])}
    return stated


def _step(value: object, unit: object) -> float | None:
    factor = _UM.get(str(unit))
    if factor is None or not _NUMBER.fullmatch(str(value)):
        return None
    return abs(float(str(value)) * factor)
