"""The committed readings, and every number computed from them, on any machine."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

import cop_core as cop
from cop_core.recipes import ReadingOptions

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


@pytest.mark.parametrize("name", ["fixed", "gained"])
def test_the_readings_are_those_of_the_pixels(name):
    import golden
    import make_golden

    known = golden.readings()[f"sample/{name}"]
    asked = ReadingOptions(device="cpu", precision="float32")
    found = cop.profile(make_golden.sample(name), reading=asked)
    # on another processor a pixel between two bins of a histogram may fall into the other one
    np.testing.assert_allclose(found.mean, known.mean, rtol=0, atol=1e-4)
    np.testing.assert_allclose(found.uncertainty, known.uncertainty, rtol=0, atol=1e-3)
