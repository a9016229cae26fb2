"""napari's plugin manager installs no extras: the base and napari's dependencies must suffice."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

pytest.importorskip("napari", reason="napari is not installed")

ROOT = Path(__file__).parents[2]
OPEN = """
import sys
sys.modules.update(dict.fromkeys(sys.argv[2:]))  # as if they were not installed
import napari, npe2
npe2.PluginManager.instance().register(npe2.PluginManifest.from_file(sys.argv[1]))
viewer = napari.Viewer(show=False)
viewer.open_sample("napari-cop", "three_photon_pair")
for name in (
    "Noise profile", "Compare protocols", "Live noise", "Plan a study", "Measure the detector"
):
    viewer.window.add_plugin_dock_widget("napari-cop", name)
import cop_core.network.compiled_statistics, cop_core.pipeline.stacks  # what a run imports
print(len(viewer.layers), flush=True)
"""


def name_of(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement)[0].lower().replace("_", "-")


def with_all_they_need(names: list[str]) -> set[str]:
    """Return distributions with all their requirements, recursively."""
    found: set[str] = set()
    while names:
        name = names.pop()
        if name not in found:
            found.add(name)
            try:
                lines = metadata.requires(name) or []
            except metadata.PackageNotFoundError:  # of another platform
                continue
            names += [name_of(line) for line in lines if "extra ==" not in line]
    return found


@pytest.mark.slow
def test_the_base_and_what_napari_brings_give_the_widgets() -> None:
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        pytest.skip("no screen: run under xvfb-run")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    qt = ["pyside6-essentials", "pyqt6"]
    there = with_all_they_need([*map(name_of, project["dependencies"]), "napari", *qt])
    hidden = [
        module
        for module, holders in metadata.packages_distributions().items()
        if module.isidentifier() and not {name_of(one) for one in holders} & there
    ]
    hidden = [name for name in hidden if name not in ("cop_core", "napari_cop")]
    done = subprocess.run(
        [sys.executable, "-c", OPEN, str(ROOT / "napari.yaml"), *hidden],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=600,
    )
    assert done.stdout.split()[-1:] == ["2"], done.stderr
