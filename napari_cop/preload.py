"""What a run imports, imported beforehand while the window goes on."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_LIBRARIES: Final = (("torch_global_deps", "RTLD_GLOBAL"), ("torch_python", "RTLD_LOCAL"))
"""In the order and with the visibility of PyTorch's own import."""

SLOW_IMPORTS: Final = ("cop_core.pipeline", "cop_core.network.compiled_statistics")
"""Modules that a run imports, 2 s together, and that no widget imports by itself."""


def preload() -> None:
    """Import what a run needs, in a thread, while the user still chooses.

    What cannot be imported is told by the run that needs it.
    """
    preload_torch()
    for name in SLOW_IMPORTS:
        with suppress(ImportError):
            import_module(name)


def preload_torch() -> None:
    """Load the shared libraries of PyTorch without holding Python's lock.

    ``import torch`` holds the lock while the system's loader binds them: 0.2 s in which no
    window of the program answers. A call through ctypes does not hold it. Where this fails
    nothing is lost: the import loads them, or tells why it cannot.
    """
    spec = find_spec("torch")
    if "torch" in sys.modules or spec is None or spec.origin is None or os.name != "posix":
        return
    dlopen = ctypes.CDLL(None).dlopen
    dlopen.restype = ctypes.c_void_p
    dlopen.argtypes = [ctypes.c_char_p, ctypes.c_int]
    suffix = ".dylib" if sys.platform == "darwin" else ".so"
    for name, visibility in _LIBRARIES:
        library = Path(spec.origin).parent / "lib" / f"lib{name}{suffix}"
        if library.exists():
            dlopen(os.fsencode(library), os.RTLD_NOW | getattr(os, visibility))
