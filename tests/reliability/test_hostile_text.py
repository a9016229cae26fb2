"""Row 17: text in metadata is only text: not a path, markup or a formula."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest
import tifffile

import cop_core as cop
from cop_core.report import write_report

HOSTILE = [
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2",
    "@SUM(A1)",
    "<script>alert(1)</script>",
    '"><img src=x>',
]


@pytest.mark.usefixtures("quick_figures")
@pytest.mark.parametrize("name", HOSTILE)
def test_row_17_names_are_neutralised(name, counts, tiny_estimator, tmp_path):
    path = tmp_path / "a.ome.tif"
    data = np.stack([counts(4, 96)] * 2, axis=1)
    metadata = {"axes": "ZCYX", "PhysicalSizeZ": 2.0, "Channel": {"Name": [name, "other"]}}
    tifffile.imwrite(path, data, ome=True, photometric="minisblack", metadata=metadata)
    stack = cop.open_stack(path, channel=name, name=name)
    assert stack.image.channel_name == name
    found = cop.profile(stack, estimator=tiny_estimator, crops=1)
    folder = write_report(found, tmp_path / "report")
    with (folder / "planes.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert not [cell for row in rows for cell in row.values() if cell[:1] in set("=+@\t\r")]
    assert {row["protocol"].removeprefix("'") for row in rows} == {name}
    assert list(json.loads((folder / "report.json").read_text())["protocols"]) == [name]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.ome.tif", "report"]
    html = (folder / "report.html").read_text(encoding="utf-8").lower()
    assert "<script>alert" not in html
    assert "<img src=x" not in html
