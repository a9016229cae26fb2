"""Every number made from the committed readings, on any machine."""

import json
import sys
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden"
sys.path.insert(0, str(GOLDEN))


def test_everything_downstream_of_the_readings_is_as_it_was():
    from golden import results

    expected = json.loads((GOLDEN / "results.json").read_text())
    found = results()
    assert found.keys() >= expected.keys()
    apart = {
        place: (value, found[place])
        for place, value in expected.items()
        if found[place]
        != (
            value
            if isinstance(value, str | bool | None)
            else pytest.approx(value, rel=1e-9, abs=1e-12)
        )
    }
    assert not apart
