"""Zarr stores at an https or s3 address, through obstore.

A chunk that was never written is distinguished from one that cannot be fetched: the first makes a
plane "unwritten", the second ends the reading. Neither is ever read as zeros.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import quote, unquote, urlsplit

from zarr.abc.store import SuffixByteRequest
from zarr.core.buffer import default_buffer_prototype
from zarr.core.sync import sync
from zarr.storage import ObjectStore

from cop_core.errors import InputError, UnreachableError
from cop_core.records import FileState
from cop_core.stacks.dataset import BrokenPlaneError
from cop_core.stacks.formats.zarr.folders import (
    HALF_WRITTEN,
    MAX_JSON_BYTES,
    METADATA,
    TOO_LARGE,
    AbsentChunkError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    from obstore import ObjectMeta
    from zarr.abc.store import ByteRequest
    from zarr.core.buffer import Buffer, BufferPrototype

    from cop_core.stacks.dataset import Stamp
    from cop_core.stacks.formats.zarr.chunk_size import ChunkSizes

T = TypeVar("T")

DELAYS_S: Final = (0.2, 1.0, 4.0)
"""Waits in s before a request is repeated after a temporary failure."""
_TIMEOUT: Final = timedelta(seconds=60)
_CONNECT_TIMEOUT: Final = timedelta(seconds=10)
_CREDENTIALS: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_SKIP_SIGNATURE",
)
_STATUS: Final = re.compile(r"status code: (\d{3} [\w ]+)")


@dataclass(frozen=True)
class Address:
    """A folder of a store at an https or s3 address.

    Raises
    ------
    InputError
        If the address has a user, a password, a query or a fragment.
    """

    url: str

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise InputError(
                "an address with a password or a query cannot be used, as reports would show it",
                where=f"{parts.scheme}://{parts.hostname}{parts.path}",
                advice="use the plain address of the store; credentials for s3 come from AWS_*",
            )
        object.__setattr__(self, "url", self.url.rstrip("/"))

    def __str__(self) -> str:
        return self.url

    @property
    def name(self) -> str:
        return unquote(self.url.rpartition("/")[2])

    def read(self, name: str) -> str | None:
        found: Buffer | None = sync(self._store.get(name, default_buffer_prototype()))
        if found is None:
            return None
        try:
            if len(found) > MAX_JSON_BYTES:
                raise ValueError
            return bytes(found.to_bytes()).decode("utf-8-sig")
        except ValueError:  # invalid UTF-8 is one too
            raise InputError(
                "the metadata cannot be read", where=f"{self}/{name}", advice=HALF_WRITTEN
            ) from None

    def child(self, name: str) -> Address:
        return Address(f"{self.url}/{quote(name)}")

    def children(self) -> Iterator[Address]:
        return iter(())  # a web server lists nothing

    def store(self) -> RemoteStore:
        return self._store

    def chunks(self, sizes: ChunkSizes) -> RemoteChunks:
        self._store.sizes = sizes
        return RemoteChunks(self._store)

    def state(self) -> FileState | None:
        """Return the state of the store's metadata, for a quick check for changes."""
        for name in METADATA:
            if found := sync(self._store.head(name)):
                return FileState(1, found["size"], found["last_modified"].isoformat())
        return None

    @cached_property
    def _store(self) -> RemoteStore:
        return RemoteStore(self.url)


def _connection(url: str) -> Any:
    """Return obstore's store for an address, without a request yet."""
    try:
        from obstore.store import HTTPStore, S3Store
    except ModuleNotFoundError as error:
        raise InputError(
            f"reading from an address needs {error.name}",
            where=url,
            advice='install it: pip install "napari-cop[remote]"',
        ) from None
    client = {"timeout": _TIMEOUT, "connect_timeout": _CONNECT_TIMEOUT, "allow_http": True}
    how: dict[str, Any] = {
        "client_options": client,
        "retry_config": {"max_retries": 0, "retry_timeout": _TIMEOUT},  # `RemoteStore` does
    }
    try:
        if not _is_s3(url):
            return HTTPStore.from_url(url, **how)
        if not any(name in os.environ for name in _CREDENTIALS):
            how["skip_signature"] = True  # public bucket: looking for keys takes minutes
        return S3Store.from_url(url, **how)
    except Exception as error:  # obstore's own errors, and ValueError, for an invalid address
        raise InputError(
            f"it is not the address of a store ({_first_line(error)})", where=url, advice="check it"
        ) from None


class RemoteStore(ObjectStore):  # type: ignore[misc]  # zarr is not looked into
    """Store from which zarr reads: repeats requests, and never mistakes an error for a chunk.

    Attributes
    ----------
    sizes : ChunkSizes or None
        Detects chunks that decode to too much, once the array's metadata are known.
    """

    def __init__(self, url: str) -> None:
        super().__init__(_connection(url), read_only=True)
        self.url = url
        self.sizes: ChunkSizes | None = None

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Return bytes of a file; None only for missing metadata.

        Raises
        ------
        AbsentChunkError, BrokenPlaneError
            A chunk was never written, or decodes to too much.
        UnreachableError
            The store does not deliver it.
        """
        get = super().get
        found: Buffer | None = await self._asked(key, lambda: get(key, prototype, byte_range))
        if key.rpartition("/")[2] in METADATA:
            return found
        if found is None:
            raise AbsentChunkError("chunk missing")
        if self.sizes is not None and self._too_large(self.sizes, found, byte_range):
            raise BrokenPlaneError(TOO_LARGE)
        return found

    async def exists(self, key: str) -> bool:
        """Return whether a file exists; errors are raised as for `get`."""
        return await self.head(key) is not None

    async def head(self, key: str) -> ObjectMeta | None:
        """Return the server's metadata of a file; None if it does not exist."""
        import obstore

        try:
            found: ObjectMeta = await self._asked(key, lambda: obstore.head_async(self.store, key))
        except FileNotFoundError:
            return None
        return found

    async def _asked(self, key: str, ask: Callable[[], Awaitable[T]]) -> T:
        """Return an answer, repeating the request while the server or the connection fails."""
        from obstore.exceptions import BaseError, GenericError

        for delay_s in (*DELAYS_S, None):
            try:
                return await ask()
            except GenericError as error:
                if delay_s is None:
                    raise self._unreachable(key, error) from None
                await asyncio.sleep(delay_s)
            except BaseError as error:
                raise self._unreachable(key, error) from None
        raise AssertionError

    def _unreachable(self, key: str, error: Exception) -> UnreachableError:
        status = _STATUS.search(str(error))
        what = status[1].strip() if status else _first_line(error)
        return UnreachableError(
            f"it cannot be fetched ({what})",
            where=f"{self.url}/{key}",
            advice=_advice(what[:3], s3=_is_s3(self.url)),
        )

    def _too_large(self, sizes: ChunkSizes, found: Buffer, byte_range: ByteRequest | None) -> bool:
        data = found.to_bytes()
        if byte_range is None:
            return sizes.any_too_large(io.BytesIO(data))
        is_index = isinstance(byte_range, SuffixByteRequest) or (
            sizes.index_first and getattr(byte_range, "start", None) == 0
        )
        return not is_index and sizes.one_too_large(data)


@dataclass(frozen=True)
class RemoteChunks:
    """Files of an array at an address."""

    store: RemoteStore
    told: bool = True

    def exists(self, key: str) -> bool:
        return bool(sync(self.store.exists(key)))

    def stamp(self, _keys: Iterable[str]) -> Stamp | None:
        return ()


def _is_s3(url: str) -> bool:
    return url.lower().startswith("s3:")


def _advice(status: str, *, s3: bool) -> str:
    """Return advice for a refusal."""
    if status in ("401", "403"):
        return (
            "check that you may read it: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
            "neither for a public bucket; without the right to list a bucket, what is missing is "
            "refused too"
            if s3
            else "check that it can be read without a password"
        )
    if s3 and status in ("301", "400"):
        return "set AWS_REGION to the region of the bucket"
    return "check the address and the network, then run it again: what was finished is kept"


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]
