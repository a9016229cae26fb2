"""Blocks of crops of one shape: a crop's numbers on the CPU do not depend on the others."""

from __future__ import annotations

from collections import deque
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeVar

import torch
from torch import Tensor

from cop_core.network.tensor_statistics import CropStatistics

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from concurrent.futures import Future

One = TypeVar("One")
Other = TypeVar("Other")

BLOCK: Final = 8
"""Crops per forward pass on the CPU: a sixth faster than four, hardly slower than more."""


def filled(prepared: Tensor | CropStatistics) -> Tensor | CropStatistics:
    """Return a block from `NoiseViT.prepare`, filled up with zeros for missing crops."""
    if isinstance(prepared, Tensor):
        return _filled(prepared)
    return CropStatistics(*map(_filled, prepared))


def _filled(x: Tensor) -> Tensor:
    return torch.cat([x, x.new_zeros(BLOCK - len(x), *x.shape[1:])])


class BlockPool:
    """Threads that read blocks of one shape, each with one thread of PyTorch.

    Matrix products choose their kernel, and with it their rounding, by the number of rows and of
    threads. Here both are fixed: `filled` fills up the last block, and more processors read more
    blocks at a time. A crop's numbers therefore depend neither on the other crops nor on the number
    of processors.

    Parameters
    ----------
    threads : int
        Blocks read at a time.
    """

    def __init__(self, threads: int) -> None:
        # PyTorch sets the number of threads per calling thread: the caller's stays
        self._threads = ThreadPoolExecutor(threads, "cop-block", torch.set_num_threads, (1,))

    def each(self, work: Callable[[One], Other], things: Sequence[One]) -> list[Other]:
        """Apply `work` to every item in parallel, and return the results in order."""
        return list(self._threads.map(work, things)) if len(things) > 1 else [*map(work, things)]

    def stream(
        self, work: Callable[[One], Other], things: Iterable[One], ahead: int
    ) -> Iterator[Other]:
        """Yield the results of `work` for each item, in order.

        Parameters
        ----------
        ahead : int
            How many are begun before they are requested: as many results are held.
        """
        begun: deque[Future[Other]] = deque()
        left, ended = iter(things), None
        try:
            while ended is None or begun:
                try:
                    if ended is None:
                        begun.append(self._threads.submit(work, next(left)))
                except Exception as error:  # raised after the results of work begun earlier
                    ended = error
                if begun and (ended is not None or len(begun) > ahead):
                    yield begun.popleft().result()
            if not isinstance(ended, StopIteration):
                raise ended
        finally:
            for future in begun:
                future.cancel()
            ended = None  # its traceback holds this frame and the caller's, with the last result

    def submit(self, work: Callable[[], None]) -> None:
        """Run something in parallel with the caller, before the next blocks."""
        self._threads.submit(work)

    def map(self, read: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """Return the output of `read` for every block of crops x (n, ...), shape (n, values)."""
        return torch.cat(list(self._threads.map(read, torch.split(x, BLOCK))))


@lru_cache(maxsize=1)
def block_pool() -> BlockPool:
    """Return the pool of this process, with as many threads as PyTorch would use."""
    return BlockPool(torch.get_num_threads())
