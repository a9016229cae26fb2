"""Row 15: a full disk or a folder without write permission leaves the old files intact."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

import cop_core as cop
from cop_core.errors import CopError, InputError
from cop_core.report import write_report
from cop_core.writing import replace_files, require_place

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="mounts and limits of POSIX"),
    pytest.mark.usefixtures("quick_figures"),
]
IS_ROOT = sys.platform != "win32" and os.geteuid() == 0


@pytest.fixture(scope="module")
def profiles(counts, tiny_estimator):
    """Two results whose reports differ."""
    return [
        cop.profile(
            cop.open_stack(counts(6, 96, seed), z_step_um=2.0),
            estimator=tiny_estimator,
            crops=1,
            name=f"stack {seed}",
        )
        for seed in (0, 1)
    ]


def files(folder):
    return {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def _run(command):
    return subprocess.run(command, check=False, capture_output=True).returncode


@contextmanager
def mounted(folder, *options):
    """Mount a small disk on a folder, or skip the test if this process may not."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", *options, "tmpfs", folder]
    if not shutil.which("mount") or _run(command):
        pytest.skip("a disk can be mounted by root only")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def test_a_place_that_is_tried_is_left_as_it_was(tmp_path):
    (tmp_path / "kept").write_text("kept")
    for folder in (tmp_path, tmp_path / "new" / "deep"):
        require_place(folder)
    with pytest.raises(InputError, match="not a file"):
        require_place(tmp_path / "kept")
    assert files(tmp_path) == {tmp_path / "kept": b"kept"}
    assert not (tmp_path / "new").exists()


def test_a_folder_that_many_write_to_at_once_is_made_once(tmp_path):
    places = [tmp_path / str(n) / "new" / "deep" for n in range(60) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(require_place, places))
    assert not list(tmp_path.iterdir())
    written = [{place / str(n): b"whole"} for n, place in enumerate(places)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(replace_files, written))
    assert len(files(tmp_path)) == len(places)


def test_row_15_full_disk(profiles, tmp_path):
    first, second = profiles
    with mounted(tmp_path / "disk", "-o", "size=2m") as disk:
        target = write_report(first, disk / "report")
        old = files(target)
        (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free - 2 * 4096))
        with pytest.raises(CopError, match=r"No space left.*Free some space") as caught:
            write_report(second, target)
        assert caught.value.where == str(target)
        assert files(target) == old
        (disk / "filler").unlink()
        assert files(write_report(second, target)) != old


def test_row_15_disk_that_is_read_only(profiles, tmp_path):
    with mounted(tmp_path / "disk", "-o", "size=2m") as disk:
        old = files(write_report(profiles[0], disk))
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        with pytest.raises(InputError, match=r"Read-only.*can write to"):
            write_report(profiles[1], disk)
        assert files(disk) == old


@pytest.mark.skipif(not IS_ROOT, reason="the same is tested there for who is not root")
def test_row_15_folder_that_is_read_only(profiles, tmp_path, monkeypatch):
    old = files(write_report(profiles[0], tmp_path / "report"))
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)  # another user may not go through the folders above it
    os.seteuid(65534)
    try:
        with pytest.raises(InputError, match=r"Permission denied.*can write to"):
            write_report(profiles[1], "report")
    finally:
        os.seteuid(0)
    assert files(tmp_path / "report") == old


@pytest.mark.parametrize("kib", [0, 1, 8])
def test_row_15_files_that_may_not_grow(profiles, tmp_path, kib):
    import resource

    first, second = profiles
    target = write_report(first, tmp_path / "report")
    old = files(target)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (kib * 1024, before[1]))
    try:
        with pytest.raises(CopError, match="cannot be written"):
            write_report(second, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert files(target) == old


def test_row_15_weights_and_their_card_are_replaced_together(own_weights, tmp_path):
    old = files(own_weights.parent)
    with mounted(tmp_path / "disk", "-o", "size=2m") as disk:
        for path, data in old.items():
            (disk / path.name).write_bytes(data)
        (disk / "filler").write_bytes(bytes(shutil.disk_usage(disk).free - 4096))
        with pytest.raises(CopError, match="No space left"):
            replace_files({disk / path.name: data + b" " for path, data in old.items()})
        found = {path.name: data for path, data in files(disk).items()}
    assert found.keys() == {path.name for path in old} | {"filler"}
    assert all(found[path.name] == data for path, data in old.items())
