"""Results of benchmarks as JSON, with settings, weights, code and machine."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

import cop_core
from cop_core.machine import processor
from cop_core.writing import replace_files

if TYPE_CHECKING:
    from cop_core.reading import Estimator

ROOT = Path(__file__).resolve().parents[1]
TRIAL = os.environ.get("BENCHMARK_TRIAL")
"""A folder, as an absolute path, for all output of a trial; the project is not changed."""
RESULTS = Path(TRIAL or ROOT / "benchmarks" / "results")
DOCS = Path(TRIAL or ROOT / "docs")
IMAGES = DOCS / "images"
THREADS = torch.get_num_threads()  # here: PyTorch's number is per thread, and others may set it
STARTED = time.perf_counter()
if not Path(cop_core.__file__).resolve().is_relative_to(ROOT):
    sys.exit(f"cop_core comes from {cop_core.__file__}, not from {ROOT}: pip install -e {ROOT}")


def record(name: str, measured: dict[str, Any], *estimators: Estimator, **settings: Any) -> Path:
    """Write ``<name>.json`` into the folder of results and return its path."""
    path = RESULTS / f"{name}.json"
    files = code_loaded()
    document = {
        "measured": measured,
        "settings": settings,
        "arguments": sys.argv[1:],
        "weights": {e.card.name: e.card.sha256 for e in estimators},
        "code": {"sha256": hash_of_code(files), "files": " ".join(files)},
        "versions": {
            "napari-cop": cop_core.__version__,
            "torch": torch.__version__,
            "python": platform.python_version(),
        },
        "machine": {"threads": THREADS, "cores": os.cpu_count(), "processor": processor()},
        "seconds": round(time.perf_counter() - STARTED),
        "processor seconds": round(sum(os.times()[:4])),
    }
    text = json.dumps(document, indent=1, allow_nan=False) + "\n"
    replace_files({path: text.encode()})
    return path


def code_loaded() -> list[str]:
    """Return the project's files imported by this process, relative to its root."""
    files = (getattr(module, "__file__", None) for module in [*sys.modules.values()])
    paths = {Path(file) for file in files if file}
    folders = [ROOT / name for name in ("benchmarks", "cop_core", "napari_cop", "tests")]
    ours = [p for p in paths if any(p.is_relative_to(folder) for folder in folders)]
    return sorted(path.relative_to(ROOT).as_posix() for path in ours)


def hash_of_code(files: Iterable[str]) -> str | None:
    """Return the SHA-256 of the code in files: their syntax trees without docstrings.

    Neither a comment nor a line break makes a result stale. None if a file is missing.
    """
    sha256 = hashlib.sha256()
    for file in files:
        if not (ROOT / file).exists():
            return None
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                node.body = [line for line in node.body if not _is_text(line)]
        sha256.update(f"{file}\n{ast.dump(tree)}\n".encode())
    return sha256.hexdigest()


def folder_of_parts(name: str, *inputs: bytes) -> Path:
    """Return the folder for parts of a result made by this code from these inputs."""
    made_by = [(hash_of_code(code_loaded()) or "").encode(), *inputs]
    folder = ROOT / "runs" / name / hashlib.sha256(b"".join(made_by)).hexdigest()[:16]
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _is_text(line: ast.stmt) -> bool:
    """Whether a statement is a docstring, or one below an attribute."""
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)
