"""Finding and importing the plugin must not cost napari the heavy libraries."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[2] / "sample_data" / "fixed.ome.tif"
RUN = """
import gc, os, sys, threading
from qtpy.QtWidgets import QApplication
app = QApplication([])

def globals_now():
    nice = os.getpriority(os.PRIO_PROCESS, 0) if hasattr(os, "getpriority") else 0
    threads = [os.getpriority(os.PRIO_PROCESS, t.native_id) for t in threading.enumerate()
               if sys.platform == "linux"]
    return (gc.isenabled(), gc.get_freeze_count(), gc.get_threshold(), sys.getswitchinterval(),
            nice, frozenset(threads), tuple(n for n in HEAVY if n in sys.modules))

HEAVY = ("torch", "statsmodels")
before = globals_now()
from napari_cop.runner import Runner, State
from cop_core.recipes import ProfileRecipe, ReadingOptions, StackOptions
runner, seen, found = Runner(), [], []
runner.warm_up()
runner.plane_read.connect(lambda *_: seen.append(globals_now()))
runner.finished.connect(found.append)
runner.start(ProfileRecipe(stack=StackOptions(source=sys.argv[1]), reading=ReadingOptions(crops=1)))
while runner.state is not State.IDLE:
    app.processEvents()
print(len(found[0].record.profile), {*seen, globals_now()} == {before}, list(globals_now()[-1]))
"""
HEAVY = ("torch", "matplotlib", "statsmodels")


@pytest.mark.parametrize(
    "module", ["napari_cop", "napari_cop.reader", "napari_cop.sample_data", "napari_cop.layers"]
)
def test_import_leaves_heavy_libraries_alone(module: str) -> None:
    code = (
        f"import sys, {module}\n"
        f"print(*(m for m in {HEAVY!r} + ('napari', 'qtpy') if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize("module", ["exporting", "forms.found", "study.looks"])
def test_what_is_called_in_a_process_beside_needs_no_window(module: str) -> None:
    code = (
        f"import sys, napari_cop.{module}\n"
        "print(*(m for m in ('torch', 'napari', 'qtpy', 'matplotlib') if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize("widget", ["widgets", "live.widget", "study.widget", "detector.widget"])
def test_importing_a_widget_leaves_pytorch_and_micromanager_alone(widget: str) -> None:
    pytest.importorskip("napari", reason="napari is not installed")
    code = (
        f"import sys, napari_cop.{widget}\n"
        "print(any(name in sys.modules for name in ('torch', 'pymmcore_plus', 'useq')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=600
    )
    assert done.stdout.split() == ["False"]


def test_a_run_leaves_the_process_as_it_is_and_pytorch_out_of_it() -> None:
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        pytest.skip("no screen: run under xvfb-run")
    pytest.importorskip("napari", reason="napari is not installed")
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(SAMPLE)],
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert done.stdout.split() == ["60", "True", "[]"], done.stderr
