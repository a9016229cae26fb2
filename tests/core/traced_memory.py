"""Memory of Python as counted by tracemalloc, independent of allocator and machine."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Barrier

import numpy as np

from cop_core.reading.blocks import block_pool


@contextmanager
def at_most(n_bytes: float) -> Iterator[None]:
    """Assert that the block never takes more."""
    wait_for_pool()
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < n_bytes


def held_after(stack, *planes):
    """Return the bytes still held after each of these planes was read and dropped.

    In blocks of half a plane or more: kernels that another thread compiles meanwhile take small
    ones.
    """
    held = []
    least = np.prod(stack.shape[1:]) * stack.dtype.itemsize / 2
    tracemalloc.start()
    for index in range(len(stack)):
        stack.plane(index)
        if index in planes:
            gc.collect()
            blocks = tracemalloc.take_snapshot().traces
            held.append(sum(block.size for block in blocks if block.size >= least))
    tracemalloc.stop()
    return held


def wait_for_pool():
    """Wait for what an earlier test left to the pool's threads, such as kernels to compile."""
    pool = block_pool()
    n = pool._threads._max_workers
    all_here = Barrier(n)
    list(pool.stream(lambda _: all_here.wait(300), range(n), n))
