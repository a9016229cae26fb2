"""Small synthetic sets of Prairie View and ThorImage, and the folder of real ones."""

from __future__ import annotations

import os
import time
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import tifffile

SHARED = Path(os.environ.get("COP_SHARED", Path(__file__).parents[3] / "shared"))
"""Folder with files of real microscopes, which is not part of this repository."""

SHAPE = (24, 32)
NAME = "ZSeries-01012026-1200-001"


def come(source, n, limit_s=600):
    """Return the next planes of a growing source."""
    got, end = [], time.monotonic() + limit_s
    while len(got) < n:
        assert time.monotonic() < end, (got, source.state)
        got += source.news()
        time.sleep(0.005)
    return got


def pixels(n_planes, n_channels=2, seed=0, shape=SHAPE):
    """Return planes of shape (planes, channels, height, width)."""
    rng = np.random.default_rng(seed)
    return rng.integers(1, 4000, (n_planes, n_channels, *shape)).astype(np.uint16)


def write_prairie(
    folder,
    planes,
    *,
    z_um,
    powers=(),
    lasers=("off", "on"),
    modern=True,
    cycle=1,
    kind="ZSeries",
    pages=False,
    files=True,
):
    """Write a set, or add a cycle to it; return its XML.

    `powers` has one tuple per frame, with the set-point of every laser; None for a frame that
    states none. Values that frames do not state stand before them: the powers of the first frame.
    """
    folder.mkdir(exist_ok=True)
    stated = list(powers) or [None]
    frames = []
    for number, z in enumerate(z_um):
        names = [
            _file_name(cycle, channel, 0 if pages else number, modern)
            for channel in range(planes.shape[1])
        ]
        page = f' page="{number + 1}"' if pages else ""
        listed = "".join(
            f'<File channel="{c + 1}" channelName="Ch{c + 1}"{page} filename={quoteattr(name)}/>'
            for c, name in enumerate(names)
        )
        own = _settings({"positionCurrent_ZAxis": z}, modern)
        if number and number < len(stated) and stated[number] is not None:
            own += _lasers(stated[number], lasers, modern)
        elif not modern and stated[0] is not None:  # each frame states all of it
            own += _lasers(stated[0], lasers, modern)
        if not modern:
            own += _settings(_SIZE, modern)
        frames.append(
            f'<Frame index="{number + 1}">{listed}<PVStateShard>{own}</PVStateShard></Frame>'
        )
    if files:
        write_prairie_files(folder, planes, cycle=cycle, modern=modern, pages=pages)
    sequence = f'<Sequence type="{kind}" cycle="{cycle}">{"".join(frames)}</Sequence>'
    xml = folder / f"{NAME}.xml"
    if xml.exists():
        text = xml.read_text(encoding="utf-8-sig").replace("</PVScan>", f"{sequence}</PVScan>")
    else:
        shared = _settings({**_SIZE, "micronsPerPixel_ZAxis": 2}, modern) if modern else ""
        if modern and stated[0] is not None:
            shared += _lasers(stated[0], lasers, modern)
        head = f"<PVStateShard>{shared}</PVStateShard>" if modern else _named(lasers)
        version = "5.6.64.200" if modern else "4.3.2.13"
        text = f'<?xml version="1.0" encoding="utf-8"?>\n<PVScan version="{version}">'
        text += f"{head}{sequence}</PVScan>"
    xml.write_text(text, encoding="utf-8-sig")
    return xml


def write_prairie_files(folder, planes, *, cycle=1, modern=True, pages=False, only=None):
    """Write the TIFFs of a set, or those of some of its frames."""
    for channel in range(planes.shape[1]):
        if pages:
            name = _file_name(cycle, channel, 0, modern)
            tifffile.imwrite(folder / name, planes[:, channel], photometric="minisblack")
            continue
        for number in range(len(planes)) if only is None else only:
            tifffile.imwrite(
                folder / _file_name(cycle, channel, number, modern), planes[number, channel]
            )


_SIZE = {
    "linesPerFrame": SHAPE[0],
    "pixelsPerLine": SHAPE[1],
    "micronsPerPixel_XAxis": 0.5,
    "micronsPerPixel_YAxis": 0.5,
}


def _file_name(cycle, channel, number, modern):
    kind = "" if modern else "CurrentSettings_"
    suffix = ".ome.tif" if modern else ".tif"
    return f"{NAME}_Cycle{cycle:05d}_{kind}Ch{channel + 1}_{number + 1:06d}{suffix}"


def _settings(values, modern):
    if not modern:
        return "".join(f'<Key key="{key}" value="{value}"/>' for key, value in values.items())
    text = ""
    for key, value in values.items():
        name, _, index = key.partition("_")
        inner = f'<IndexedValue index="{index}" value="{value}"/>'
        if name == "positionCurrent":
            inner = f'<SubindexedValue subindex="0" value="{value}" description="focus"/>'
            inner += '<SubindexedValue subindex="1" value="0" description="piezo"/>'
            inner = f'<SubindexedValues index="{index}">{inner}</SubindexedValues>'
        if index:
            text += f'<PVStateValue key="{name}">{inner}</PVStateValue>'
        else:
            text += f'<PVStateValue key="{name}" value="{value}"/>'
    return text


def _lasers(powers, names, modern):
    if not modern:
        return _settings({f"laserPower_{i}": power for i, power in enumerate(powers)}, modern)
    inner = "".join(
        f'<IndexedValue index="{i}" value="{power}" description="{name}"/>'
        for i, (power, name) in enumerate(zip(powers, names, strict=True))
    )
    return f'<PVStateValue key="laserPower">{inner}</PVStateValue>'


def _named(lasers):
    listed = "".join(f'<Laser name="{name}" index="{i}"/>' for i, name in enumerate(lasers))
    return f"<SystemConfiguration><Lasers>{listed}</Lasers></SystemConfiguration>"


def write_thor(
    folder,
    *,
    n_planes,
    channels=("ChanA",),
    n_times=1,
    mode=0,
    fast=False,
    n_flyback=0,
    power='<Pockels type="0" start="20" stop="20" path=""/>',
    enabled=1,
):
    """Write the Experiment.xml of a folder."""
    folder.mkdir(exist_ok=True)
    names = "".join(f'<Wavelength name="{name}"/>' for name in channels)
    frames = n_times * (n_planes + n_flyback if fast else 1)
    (folder / "Experiment.xml").write_text(
        f'<?xml version="1.0"?><ThorImageExperiment><Wavelengths>{names}</Wavelengths>'
        f'<ZStage steps="{n_planes}" stepSizeUM="-5" enable="{enabled}" zStreamFrames="1"'
        ' zStreamMode="0"/>'
        f'<Timelapse timepoints="{n_times}"/>'
        f'<LSM pixelX="{SHAPE[1]}" pixelY="{SHAPE[0]}" pixelSizeUM="0.5"/>{power}'
        f'<Streaming frames="{frames}" zFastEnable="{int(fast)}" flybackFrames="{n_flyback}"/>'
        f'<CaptureMode mode="{mode}"/></ThorImageExperiment>',
        encoding="utf-8",
    )
    return folder
