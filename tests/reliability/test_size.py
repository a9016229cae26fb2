"""Rows 10 and 11: too large data are refused before memory is taken; long stacks are streamed."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import struct
import subprocess
import sys
import zlib

import numcodecs
import numpy as np
import pytest
import tifffile
import zarr

import cop_core as cop

GIB = 2**30
ZYX = np.random.default_rng(0).integers(1, 4000, (4, 64, 64)).astype(np.uint16)

FRUGAL = """
import resource, sys
from pathlib import Path
import cop_core as cop

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

before = peak()
try:
    stack = cop.open_stack(sys.argv[1], z_step_um=1.0)
    print([plane.validity.reason for plane in stack])
except cop.CopError as error:
    print(error)
print((peak() - before) / 2**20)
"""


def opened_frugally(path):
    """Open and read a stack in a process of its own; return its output, and the MiB taken."""
    done = subprocess.run(
        [sys.executable, "-c", FRUGAL, str(path)], capture_output=True, text=True, check=True
    )
    said, taken = done.stdout.splitlines()
    return said, float(taken)


def zstd_of_zeros(nbytes):
    """A zstd frame that does not state its size: blocks of 128 KiB, 4 bytes each (RFC 8878)."""
    count = nbytes // 2**17
    blocks = [(2**17 << 3 | 1 << 1 | (i == count - 1)).to_bytes(3, "little") for i in range(count)]
    return struct.pack("<IBB", 0xFD2FB528, 0, 0x58) + b"".join(block + b"\0" for block in blocks)


def test_row_10_array_of_20_pb(tmp_path):
    shape = (1_000_000, 100_000, 100_000)
    path = tmp_path / "a.zarr"
    zarr.create_array(store=str(path), shape=shape, chunks=(1, *shape[1:]), dtype="u2")
    said, taken = opened_frugally(path)
    assert "18.6 GiB, more than the 0.75 GiB allowed" in said
    assert taken < 64


def test_row_10_declared_chunk_of_1_gib_in_33_kb(tmp_path):
    path = tmp_path / "a.zarr"
    zarr.create_array(
        store=str(path), shape=(1, 2**15, 2**15), chunks=(1, 2**15, 2**15), dtype="u1"
    )
    chunk = path / "c" / "0" / "0" / "0"
    chunk.parent.mkdir(parents=True)
    chunk.write_bytes(zstd_of_zeros(GIB))
    assert chunk.stat().st_size < 33_000
    said, taken = opened_frugally(path)
    assert "one chunk of 1 x 32,768 x 32,768 takes 1.0 GiB" in said
    assert taken < 64


BOMBS = {
    "zstd": lambda zeros: zstd_of_zeros(len(zeros)),
    "gzip": lambda zeros: gzip.compress(zeros) + gzip.compress(b"small last member"),
    "zlib": zlib.compress,
    "bz2": bz2.compress,
    "lzma": lzma.compress,
    "lz4": numcodecs.LZ4().encode,
}
CODECS = {"bz2": numcodecs.BZ2(), "lzma": numcodecs.LZMA(), "lz4": numcodecs.LZ4()}
CODECS |= {"zstd": numcodecs.Zstd(), "gzip": numcodecs.GZip(), "zlib": numcodecs.Zlib()}


@pytest.mark.parametrize("codec", BOMBS)
def test_row_10_chunk_that_grows_beyond_its_size(tmp_path, codec):
    path = tmp_path / "a.zarr"
    zarr.create_array(
        store=str(path), data=ZYX, chunks=(1, 64, 64), zarr_format=2, compressors=CODECS[codec]
    )
    (path / "1.0.0").write_bytes(BOMBS[codec](bytes(32 * 2**20)))
    stack = cop.open_stack(path, z_step_um=1.0)
    assert [plane.validity.reason for plane in stack] == [
        "",
        "damaged: a chunk decodes to far more than is declared",
        "",
        "",
    ]
    assert all(np.array_equal(stack.plane(i).data, ZYX[i]) for i in (0, 2, 3))


@pytest.mark.parametrize("where", ["start", "end"])
def test_row_10_chunk_in_a_shard_that_grows_beyond_its_size(tmp_path, where):
    path = tmp_path / "a.zarr"
    zarr.create_array(
        store=str(path),
        data=ZYX,
        chunks=(1, 64, 64),
        shards={"shape": (2, 64, 64), "index_location": where},
    )
    file = path / "c" / "1" / "0" / "0"
    bomb = zstd_of_zeros(GIB)
    index = struct.pack("<4Q", 36 if where == "start" else 0, len(bomb), 2**64 - 1, 2**64 - 1)
    index += struct.pack("<I", crc32c(index))
    file.write_bytes(index + bomb if where == "start" else bomb + index)
    said, taken = opened_frugally(path)
    assert said.count("decodes to far more than is declared") == 2
    assert taken < 64


def crc32c(data):
    """Castagnoli's checksum, bit by bit."""
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


HUGE = """
import os, sys
import numpy as np
import cop_core as cop

def rss():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

stack = cop.open_stack(sys.argv[1], z_step_um=1.0)
assert np.prod(stack.shape, dtype=float) * stack.dtype.itemsize > 100e9, stack.shape
ok = 0
for index in range(1001):
    plane = stack.plane(index)
    ok += plane.validity.ok
    if index == 10:
        early = rss()
print(ok, (rss() - early) / early)
"""
SIDE = 512


def tiff_of_100_gb(path):
    """Write a BigTIFF of 200,000 planes: a sparse file, except for a line in the first 1,001."""
    tifffile.imwrite(path, shape=(200_000, SIDE, SIDE), dtype="u2", bigtiff=True, truncate=True)
    mapped = tifffile.memmap(path)
    mapped[:1001, 0] = np.arange(SIDE)
    mapped.flush()


def zarr_of_100_gb(path):
    """Write a store of 200,000 planes, the first 1,001 of them links to one chunk."""
    zarr.create_array(
        store=str(path), shape=(200_000, SIDE, SIDE), chunks=(1, SIDE, SIDE), dtype="u2"
    )
    pixels = np.random.default_rng(0).integers(1, 4000, (1, SIDE, SIDE)).astype(np.uint16)
    zarr.open_array(str(path), mode="r+")[:1] = pixels
    first = path / "c" / "0" / "0" / "0"
    for index in range(1, 1001):
        target = path / "c" / str(index) / "0" / "0"
        target.parent.mkdir(parents=True)
        os.link(first, target)


@pytest.mark.slow
@pytest.mark.parametrize("write", [tiff_of_100_gb, zarr_of_100_gb], ids=["tiff", "zarr"])
def test_row_11_memory_is_flat_over_1000_planes_of_100_gb(tmp_path, write):
    write(tmp_path / "a")
    done = subprocess.run(
        [sys.executable, "-c", HUGE, str(tmp_path / "a")],
        capture_output=True,
        text=True,
        check=True,
    )
    readable, growth = map(float, done.stdout.split())
    assert readable == 1001
    assert growth < 0.1
