"""Every number made from the committed readings, on any machine."""

import json
import sys
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parents[1] / "golden"
sys.path.insert(0, str(GOLDEN))


@pytest.mark.parametrize("made", ["results", "powers"])
def test_everything_downstream_of_the_readings_is_as_it_was(made):
    import golden

    known = json.loads((GOLDEN / "results.json").read_text())
    ours = {place for place in known if place.startswith("/power/") == (made == "powers")}
    expected = {place: known[place] for place in known if place in ours}
    found = getattr(golden, made)()
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
