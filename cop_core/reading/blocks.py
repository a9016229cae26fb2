"""Blocks of one shape: a crop's numbers on the CPU, whatever is read with it."""

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
"""Crops in every forward pass on the CPU: a sixth faster than four, hardly slower than more."""


def filled(prepared: Tensor | CropStatistics) -> Tensor | CropStatistics:
    """Return what `NoiseViT.prepare` makes of a block, with zeros for the crops that it lacks."""
    if isinstance(prepared, Tensor):
        return _filled(prepared)
    return CropStatistics(*map(_filled, prepared))


def _filled(x: Tensor) -> Tensor:
    return torch.cat([x, x.new_zeros(BLOCK - len(x), *x.shape[1:])])


class BlockPool:
    """Threads that read blocks of one shape, each with one thread of PyTorch.

    Matrix products choose their kernel, and with it how they round, by the number of rows and of
    threads. Here both are always the same: `filled` fills the last block up, and more
    processors read more blocks at a time. So a crop's numbers depend neither on what is read
    with it nor on how many processors there are.

    Parameters
    ----------
    threads : int
        Blocks read at a time.
    """

    def __init__(self, threads: int) -> None:
        # PyTorch counts threads for each thread that asks: the caller's number stays
        self._threads = ThreadPoolExecutor(threads, "cop-block", torch.set_num_threads, (1,))

    def each(self, work: Callable[[One], Other], things: Sequence[One]) -> list[Other]:
        """Return what `work` makes of each of some things, on as many threads."""
        return list(self._threads.map(work, things)) if len(things) > 1 else [*map(work, things)]

    def stream(
        self, work: Callable[[One], Other], things: Iterable[One], ahead: int
    ) -> Iterator[Other]:
        """Yield what `work` makes of each of some things, in order.

        Parameters
        ----------
        ahead : int
            How many are begun before they are asked for: as many results are held.
        """
        begun: deque[Future[Other]] = deque()
        left, ended = iter(things), None
        try:
            while ended is None or begun:
                try:
                    if ended is None:
                        begun.append(self._threads.submit(work, next(left)))
                except Exception as error:  # raised once what was begun before is told
                    ended = error
                if begun and (ended is not None or len(begun) > ahead):
                    yield begun.popleft().result()
            if not isinstance(ended, StopIteration):
                raise ended
        finally:
            for future in begun:
                future.cancel()

    def submit(self, work: Callable[[], None]) -> None:
        """Do something beside what the caller does, before the next blocks."""
        self._threads.submit(work)

    def map(self, read: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """Return what `read` makes of every block of crops x (n, ...), shape (n, values)."""
        return torch.cat(list(self._threads.map(read, torch.split(x, BLOCK))))


@lru_cache(maxsize=1)
def block_pool() -> BlockPool:
    """Return the pool of this process, with as many threads as PyTorch would use."""
    return BlockPool(torch.get_num_threads())
