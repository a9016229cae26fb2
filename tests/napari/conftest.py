from __future__ import annotations

import gc
import os
import sys
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PATIENCE_MS = 600_000

MANIFEST = Path(__file__).parents[2] / "napari.yaml"

# what forms remember is napari's to keep: neither read from nor written to the user's settings
CONFIG = TemporaryDirectory(prefix="napari-settings-", ignore_cleanup_errors=True)
os.environ["NAPARI_CONFIG"] = str(Path(CONFIG.name, "settings.yaml"))


@pytest.fixture(scope="session")
def plugin() -> None:
    """Register the plugin of the checkout with napari, whatever is installed.

    It stays registered: napari cannot unregister a command.
    """
    npe2 = pytest.importorskip("npe2", reason="napari is not installed")
    manager = npe2.PluginManager.instance()
    if "napari-cop" not in manager:
        manager.register(npe2.PluginManifest.from_file(MANIFEST))
    manager.discover()


@pytest.fixture
def make_viewer(plugin: None, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """Make napari viewers on a real screen, or skip if there is none.

    What forms remember of a test is forgotten after it.
    """
    if sys.platform.startswith("linux") and not os.environ.get("DISPLAY"):
        pytest.skip("no screen: run under xvfb-run")
    from napari_cop.memory import remember, remembered

    make: Callable[..., Any] = request.getfixturevalue("make_napari_viewer")
    before = remembered()
    yield make
    remember(**before)


@pytest.fixture
def qtbot(qtbot: Any) -> Any:
    """Wait for as long as a busy machine needs: only an event that never occurs fails a test."""
    for name in ("waitUntil", "waitSignal", "waitSignals"):
        setattr(qtbot, name, partial(getattr(qtbot, name), timeout=PATIENCE_MS))
    return qtbot


@pytest.fixture
def viewer(make_viewer: Callable[..., Any]) -> Any:
    """Give an empty viewer without a visible window."""
    return make_viewer()


def _leave_modules_alone() -> None:
    """Keep imported objects out of garbage collections, of which each closed viewer needs three."""
    for module in ("napari.viewer", "napari._qt.qt_main_window", "napari_cop.widgets"):
        with suppress(ImportError):
            import_module(module)
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _warm() -> Iterator[None]:
    """Keep the reading process from one test to the next."""
    qtcore = pytest.importorskip("qtpy.QtCore", reason="napari is not installed")
    from napari_cop.processes import PROCESSES

    _leave_modules_alone()
    user = qtcore.QObject()
    PROCESSES.serve(user)
    yield
    user.deleteLater()
    PROCESSES.end()
