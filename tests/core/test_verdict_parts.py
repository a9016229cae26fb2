"""A verdict has parts that together are complete."""

import pytest

from cop_core.report import parts_of


@pytest.mark.parametrize(
    ("verdict", "parts"),
    [
        ("B images deeper: x. C. D. Next: e.", ("B images deeper:", "x.", "C. D.", "Next: e.")),
        ("No difference shown.", ("No difference shown.", "", "", "")),
        ("None is shown to. B: c.", ("None is shown to.", "", "B: c.", "")),
        ("", ("", "", "", "")),
    ],
)
def test_parts(verdict, parts):
    found = parts_of(verdict)
    assert found == parts
    assert " ".join(filter(None, found)) == verdict
