"""Row 16, with tests/core/test_network.py: no card can claim memory for a huge network."""

from __future__ import annotations

import json

import pytest

from cop_core.errors import InputError
from cop_core.network import load_network


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"width": 600_000}, "values are needed, but there are"),
        ({"depth": 1_000_000_000}, "1000000000 layers, "),
        ({"crop": 10**6, "patch": 10**6}, "values are needed, but there are|do not fit"),
        ({"width": 3 * 10**12}, "do not fit their card"),
        ({"heads": 5}, "does not divide evenly"),
    ],
    ids=str,
)
def test_row_16_a_giant_network_is_refused_before_it_is_built(wrong, message, own_weights):
    card = own_weights.with_suffix(".json")
    known = json.loads(card.read_text())
    card.write_text(json.dumps({**known, "network": {**known["network"], **wrong}}))
    with pytest.raises(InputError, match=message) as caught:
        load_network(own_weights)
    assert caught.value.where == str(own_weights)
