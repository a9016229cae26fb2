"""Memory of Python as counted by tracemalloc, independent of allocator and machine."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def at_most(n_bytes: float) -> Iterator[None]:
    """Assert that the block never takes more."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < n_bytes


def held_after(stack, *planes):
    """Return the bytes still held after each of these planes was read and dropped."""
    held = []
    tracemalloc.start()
    for index in range(len(stack)):
        stack.plane(index)
        if index in planes:
            gc.collect()
            held.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    return held
