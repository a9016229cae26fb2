"""Finding and importing the plugin must not cost napari the heavy libraries."""

from __future__ import annotations

import subprocess
import sys

import pytest

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
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == []


@pytest.mark.parametrize("widget", ["widgets", "live.widget", "study.widget"])
def test_importing_a_widget_leaves_pytorch_and_micromanager_alone(widget: str) -> None:
    pytest.importorskip("napari", reason="napari is not installed")
    code = (
        f"import sys, napari_cop.{widget}\n"
        "print(any(name in sys.modules for name in ('torch', 'pymmcore_plus', 'useq')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["False"]


def test_what_a_run_needs_is_imported_beforehand() -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    code = (
        "import sys\n"
        "from napari_cop.preload import SLOW_IMPORTS, preload\n"
        "assert 'torch' not in sys.modules\n"
        "preload()\n"
        "import torch\n"
        "print(float(torch.ones(3).sum()), *(name in sys.modules for name in SLOW_IMPORTS))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout.split() == ["3.0", "True", "True"]
