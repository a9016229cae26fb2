"""Reading of planes by workers of dask.distributed, on this machine or on others."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from cop_core.errors import CancelledError, CopError, InputError, WorkersGoneError
from cop_core.pipeline.events import Means, Working
from cop_core.reading.plane_blocks import (
    PlanesRead,
    StackWork,
    join_surveys,
    read_block,
    survey_block,
)

if TYPE_CHECKING:
    from cop_core.reading.survey import Survey

BLOCK_CROPS: Final = 144
"""Crops in one task, or one for each worker if these are more; docs/cluster.md explains it."""
PATIENCE_S: Final = 300.0
"""Time in s to wait for workers, or for a scheduler that was lost."""
_KEEP_MEMORY: Final = {"MALLOC_TRIM_THRESHOLD_": 1 << 30, "MALLOC_MMAP_THRESHOLD_": 1 << 25}
"""Bytes that malloc of a worker keeps: dask's default returns all, which reading needs again."""
_LOOK_S: Final = 0.2
_CONNECT_S: Final = 10.0
_TRIES: Final = 3
"""Number of retries of a failed task; those after the death of a worker count separately."""


class _LostError(Exception):
    """The scheduler has lost its tasks: it is gone or was restarted."""


@contextmanager
def workers_of(means: Means) -> Iterator[Means]:
    """Yield means with the requested workers, for as long as the block runs.

    Raises
    ------
    InputError
        If there are no such workers, or dask.distributed is not installed.
    """
    asked = means.workers
    if asked.workers is None and asked.scheduler is None:
        yield means
        return
    try:
        import distributed  # noqa: F401 - whether it is there
    except ModuleNotFoundError as error:
        raise InputError(
            f"reading with workers needs {error.name}",
            advice='install it: pip install "napari-cop[cluster]"',
        ) from None
    if asked.scheduler is not None:
        with _closing(Cluster(asked.scheduler, means)) as cluster:
            yield replace(means, elsewhere=cluster.blocks)
        return
    means.on_event(Working("starting workers"))
    with (
        local_cluster(asked.workers or 1) as local,
        _closing(Cluster(local.scheduler_address, means)) as cluster,
    ):
        yield replace(means, elsewhere=cluster.blocks)


@contextmanager
def local_cluster(workers: int, **more: Any) -> Iterator[Any]:
    """Yield a scheduler of this machine with workers of one thread each.

    Parameters
    ----------
    workers : int
        Number of workers.
    **more
        As for `distributed.LocalCluster`.
    """
    import dask
    from distributed import LocalCluster

    kept = {f"distributed.nanny.pre-spawn-environ.{name}": n for name, n in _KEEP_MEMORY.items()}
    # on a busy machine a worker that died takes longer to restart than dask waits
    patient = {"distributed.deploy.lost-worker-timeout": PATIENCE_S}
    with (
        dask.config.set(kept | patient),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            memory_limit=0,  # no worker here should be killed for the memory that another uses
            dashboard_address="127.0.0.1:0",
            host="127.0.0.1",
            **more,
        ) as local,
    ):
        yield local


@contextmanager
def _closing(cluster: Cluster) -> Iterator[Cluster]:
    try:
        yield cluster
    finally:
        cluster.close()


class Cluster:
    """The workers of one scheduler.

    Parameters
    ----------
    address : str
        Address of the scheduler.
    means : Means
        Receive progress while waiting, and may cancel.

    Raises
    ------
    InputError
        If nothing answers at the address.
    """

    def __init__(self, address: str, means: Means) -> None:
        self._address, self._means = address, means
        self._n_blocks = 0
        try:
            self.client = self._connected()
        except (OSError, ValueError) as error:  # ValueError: unknown protocol
            raise InputError(
                f"the scheduler does not answer ({str(error).partition(chr(10))[0][:200]})",
                where=address,
                advice="start one with dask scheduler, and use the address that it prints",
            ) from None
        self._looked_s = 0.0
        self._wait_for_workers(InputError)

    def blocks(self, work: StackWork, n_planes: int, crops_of_a_plane: int) -> Blocks:
        """Return planes of a stack that workers begin to read, after those requested before."""
        size = max(1, max(BLOCK_CROPS, len(self.client.nthreads())) // crops_of_a_plane)
        bounds = [(i, min(i + size, n_planes)) for i in range(0, n_planes, size)]
        self._n_blocks += 1
        return Blocks(self, work, bounds, -self._n_blocks).submit()

    def again(self) -> None:
        """Wait for a scheduler that was lost, and reconnect.

        Raises
        ------
        WorkersGoneError
            If it does not return in time.
        """
        self.close()
        end = time.monotonic() + PATIENCE_S
        while True:
            self._means.on_event(Working("waiting for the scheduler"))
            self._go_on()
            try:
                self.client = self._connected()
                break
            except OSError:
                if time.monotonic() > end:
                    raise WorkersGoneError(
                        "the connection to the scheduler was lost",
                        where=self._address,
                        advice="start the scheduler and run this again: finished stacks are kept",
                    ) from None
                time.sleep(_LOOK_S)
        self._wait_for_workers(WorkersGoneError)

    def require_workers(self) -> None:
        """Wait for workers if all are gone; checks now and then.

        Raises
        ------
        WorkersGoneError
            If none returns in time.
        """
        if time.monotonic() - self._looked_s > _LOOK_S:
            with suppress(OSError):  # the scheduler is gone too: its tasks will report that
                self._wait_for_workers(WorkersGoneError)
            self._looked_s = time.monotonic()

    def close(self) -> None:
        """Disconnect from the scheduler, which then drops the tasks."""
        with suppress(Exception):  # it cannot be notified if it is gone
            self.client.close(timeout=1)

    def _connected(self) -> Any:
        from distributed import Client

        return Client(self._address, timeout=_CONNECT_S, set_as_default=False)

    def _wait_for_workers(self, error: type[CopError]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not self.client.nthreads():
            self._means.on_event(Working("waiting for workers"))
            self._go_on()
            if time.monotonic() > end:
                raise error(
                    "the scheduler has no workers",
                    where=self._address,
                    advice=f"start some with: dask worker {self._address} --nthreads 1",
                )
            time.sleep(_LOOK_S)

    def _go_on(self) -> None:
        if self._means.cancelled():
            raise CancelledError("cancelled", where=self._address)


@dataclass
class Blocks:
    """Planes of one stack in progress: the `Elsewhere` of its reader.

    Every block is one task that surveys its planes, then one that reads them given the survey of
    all planes. Work lost with a worker is repeated; work already returned is not.
    """

    cluster: Cluster
    work: StackWork
    bounds: Sequence[tuple[int, int]]
    priority: int
    _survey: Survey | None = None
    _looked: set[int] = field(default_factory=set)
    _looks: dict[int, Any] = field(default_factory=dict)
    _joined: Any = None
    _reads: dict[int, Any] = field(default_factory=dict)
    _asked_of: Any = None

    def submit(self) -> Blocks:
        """Submit the tasks that have not returned yet."""
        client = self._asked_of = self.cluster.client
        how = {"priority": self.priority, "retries": _TRIES, "pure": False}
        found: Any = self._survey
        if self._survey is None:
            looks = [client.submit(survey_block, self.work, *b, **how) for b in self.bounds]
            self._looks = dict(enumerate(looks))
            found = self._joined = client.submit(join_surveys, looks, **how)
        due = self._reads or dict.fromkeys(range(len(self.bounds)))
        self._reads = {
            i: client.submit(read_block, self.work, found, *self.bounds[i], **how) for i in due
        }
        return self

    def __iter__(self) -> Iterator[int | Survey | PlanesRead | None]:
        while self._reads:
            try:
                if self._asked_of is not self.cluster.client:
                    self.submit()
                yield from self._news()
            except _LostError:
                if self._asked_of is self.cluster.client:
                    self.cluster.again()

    def _news(self) -> Iterator[int | Survey | PlanesRead | None]:
        """Yield the results since the last call; None if there are none."""
        nothing = True
        for i in self._done(self._looks):
            del self._looks[i]
            if i not in self._looked:
                self._looked.add(i)
                nothing = False
                yield self.bounds[i][1] - self.bounds[i][0]
        if self._survey is None and self._done({0: self._joined}) and not self._looks:
            self._survey = self._result(self._joined)
            if self._survey is not None:
                yield self._survey
        for i in self._done(self._reads) if self._survey is not None else ():
            read = self._result(self._reads[i])
            if read is not None:
                del self._reads[i]
                nothing = False
                yield read
        if nothing:
            self.cluster.require_workers()
            yield None

    def _done(self, futures: dict[int, Any]) -> list[int]:
        """Return the finished tasks; raise the error of one that failed."""
        for i, future in futures.items():
            if future.status in ("cancelled", "lost"):
                raise _LostError
            if future.status == "error":
                raise _in_words(future.exception(), self.bounds[i], self.work)
        return [i for i, future in futures.items() if future.status == "finished"]

    def _result(self, future: Any) -> Any:
        """Return the result of a task; None if it must be repeated because its worker died."""
        from distributed import CancelledError as Gone

        try:
            return future.result(timeout=_CONNECT_S)
        except TimeoutError:
            return None
        except (Gone, OSError) as error:  # a closed connection raises an OSError
            raise _LostError from error


def _in_words(error: BaseException, bounds: tuple[int, int], work: StackWork) -> CopError:
    """Return the error of a worker in terms that the user can act on."""
    if isinstance(error, CopError):
        return error
    where = f"{work.options.source}, planes {bounds[0]} to {bounds[1] - 1}"
    name = type(error).__name__
    if name == "KilledWorker":
        return CopError(
            "the workers that read it died one after another",
            where=where,
            advice="give them more memory, or check their logs",
        )
    if isinstance(error, ImportError):
        return InputError(
            f"a package is missing on a worker ({error})",
            where=where,
            advice="install the same version of napari-cop on all machines",
        )
    return CopError(
        f"a worker cannot read it ({name}: {str(error)[:200]})", where=where, advice="check its log"
    )
