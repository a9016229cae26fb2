"""How every benchmark writes what it measured: JSON with settings, versions and weights' hash."""

from __future__ import annotations

import json
import platform
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import cop_core

if TYPE_CHECKING:
    from cop_core.reading import Estimator

RESULTS = Path(__file__).parent / "results"
THREADS = torch.get_num_threads()  # here: PyTorch counts by thread, and others may set it


def record(name: str, measured: dict[str, Any], *estimators: Estimator, **settings: Any) -> Path:
    """Write ``results/<name>.json`` and return its path."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    document = {
        "measured": measured,
        "settings": settings,
        "weights": {e.card.name: e.card.sha256 for e in estimators},
        "versions": {
            "napari-cop": cop_core.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        "machine": {"threads": THREADS, "processor": platform.machine()},
    }
    path.write_text(json.dumps(document, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    return path
