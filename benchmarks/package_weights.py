"""Copy the weights of a training run into the package, and write metrics onto their cards.

python benchmarks/package_weights.py RUN      (after `cop train --genome paper --genome microscopy`)
python benchmarks/package_weights.py          (after benchmarks/accuracy.py: fills in the metrics)
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path

from record import RESULTS

from cop_core.network import weights

NAMES = {
    ("microscopy", "default"): "default",
    ("paper", "default"): "paper-small",
}
"""Name of weights by genome and network."""
FOLDER = Path(weights.__file__).parent / "packaged"


def put_in(run: Path) -> None:
    """Copy a run's weights under their packaged names."""
    for path in sorted(run.glob("*.safetensors")):
        if path.stem == "checkpoint":
            continue
        network, card = weights.load_network(path)
        name = NAMES[card.genome.name, card.training["runs"][-1]["network"]]
        signed = weights.save_weights(
            FOLDER / f"{name}.safetensors", network.state_dict(), replace(card, name=name)
        )
        print(name, signed.sha256)


def fill_in_metrics() -> None:
    """Write the overall accuracy onto the cards of the weights with which it was measured."""
    results = json.loads((RESULTS / "accuracy.json").read_text())
    for name, path in weights.packaged().items():
        card = weights.read_card(path)
        if results["weights"].get(name) != card.sha256:
            sys.exit(f"accuracy.json was not measured with these {name} weights")
        measured = {
            prior: {
                **results["measured"][f"{name} {prior}"]["overall"],
                "domains": sorted(results["measured"][f"{name} {prior}"]["domains"]),
                "settings": results["settings"],
            }
            for prior in ("paper", "wide")
        }
        text = json.dumps(asdict(replace(card, metrics=measured)), indent=1, allow_nan=False)
        path.with_suffix(".json").write_text(text + "\n", encoding="utf-8")
        print(name, "metrics filled in")


if __name__ == "__main__":
    for folder in sys.argv[1:]:
        put_in(Path(folder))
    if not sys.argv[1:]:
        fill_in_metrics()
