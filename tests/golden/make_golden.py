"""Store the readings of the sample pair, a small study and a watched stack.

python tests/golden/make_golden.py            # readings.json and results.json
python tests/golden/make_golden.py --results  # results.json alone, from readings.json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
import zarr

from cop_core.reading import StackReader, load_estimator, profile
from cop_core.stacks import open_stack
from cop_core.stacks.growing import State, open_growing

HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "sample_data"
sys.path.insert(0, str(HERE))


def sample(name):
    path = SAMPLE / ("fixed.ome.tif" if name == "fixed" else "gained.ome.zarr")
    return open_stack(path, power=SAMPLE / f"{name}.csv", name=name)


def readings():
    """Return the readings, by name."""
    estimator = load_estimator("default", device="cpu", precision="float32")
    found = {
        f"sample/{name}": profile(sample(name), estimator=estimator) for name in ("fixed", "gained")
    }
    with tempfile.TemporaryDirectory() as folder:
        for arm in ("fixed", "gained"):
            for animal, part in (("a", 0), ("b", 1), ("c", 2)):
                planes = np.stack([p.data for p in sample(arm)])[part:33:3, :200, :200]
                powers = sample(arm).power_mw[part:33:3]
                stack = open_stack(planes, z_step_um=60.0, power=powers, name=f"{arm}-{animal}")
                found[f"study/{arm}-{animal}"] = profile(stack, estimator=estimator)
        path = Path(folder) / "watched.zarr"
        planes = np.stack([p.data for p in sample("gained")])[::6, :200, :200]
        written = zarr.create_array(str(path), shape=planes.shape, chunks=(1, 200, 200), dtype="u2")
        written[:] = planes
        source = open_growing(path, z_step_um=120.0, stopped_after_s=0.5)
        live = StackReader(source, estimator)
        for step in live:
            if step.ended:
                break
        assert source.state in (State.COMPLETE, State.STOPPED)
        found["watch/watched"] = live.profile
    return found


def main():
    asked = argparse.ArgumentParser()
    asked.add_argument("--results", action="store_true")
    torch.set_num_threads(1)
    if not asked.parse_args().results:
        texts = {
            name: {"name": p.name, "components": p.components, "planes": [*map(asdict, p.planes)]}
            for name, p in readings().items()
        }
        text = json.dumps(texts, default=lambda a: a.tolist(), indent=None, separators=(",", ":"))
        (HERE / "readings.json").write_text(text.replace('{"index"', '\n{"index"') + "\n")
    from golden import powers, results

    text = json.dumps({**results(), **powers()}, indent=0, allow_nan=False)
    (HERE / "results.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
