"""Planes in a temporary file, on a disk that is full."""

from __future__ import annotations

import resource
import signal

import numpy as np
import pytest

from cop_core.stacks.growing.spool import Spool


@pytest.mark.parametrize("side", [8, 64, 300])
def test_planes_before_a_full_disk_stay_readable(side):
    plane = np.arange(side * side, dtype=np.uint16).reshape(side, side)
    spool = Spool(plane.shape, plane.dtype)
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (plane.nbytes * 5 // 2, usual[1]))
        spool.append(plane)
        spool.append(plane + 1)
        with pytest.raises(OSError, match="File too large"):
            spool.append(plane + 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)
        signal.signal(signal.SIGXFSZ, ignored)
    assert len(spool) == 2
    np.testing.assert_array_equal(spool[0], plane)
    np.testing.assert_array_equal(spool[1], plane + 1)
    spool.append(plane + 2)
    np.testing.assert_array_equal(spool[2], plane + 2)
    spool.close()
