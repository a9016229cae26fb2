from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cop_core.errors import CancelledError
from napari_cop import sample_data

if TYPE_CHECKING:
    from pathlib import Path

    from cop_core.simulator import PairFiles


def test_pair_has_scale_and_power() -> None:
    (_, fixed, _), (_, gained, _) = sample_data.open_sample()
    assert (fixed["name"], gained["name"]) == ("fixed [green]", "gained")
    for arguments in (fixed, gained):
        assert arguments["scale"] == pytest.approx((20.0, 1.5625, 1.5625))
    assert set(fixed["metadata"]["cop"]["power"]) == {5.0}
    power = gained["metadata"]["cop"]["power"]
    assert (power[0], power[-1]) == (5.0, 60.0)


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Simulate a package without sample data, with an empty cache."""
    monkeypatch.setattr(sample_data, "__file__", str(tmp_path / "site" / "napari_cop" / "x.py"))
    cache = tmp_path / "cache"
    monkeypatch.setattr(sample_data, "cache_folder", lambda: cache)
    return cache


def test_without_sample_data_the_pair_is_simulated_once(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("napari", reason="napari is not installed")
    calls = []

    def write(directory: Path, **options: object) -> PairFiles:
        from cop_core.simulator import PairFiles

        calls.append(options["preset"])
        files = PairFiles.inside(directory)
        for path in vars(files).values():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        options["progress"](1, 60)  # type: ignore[operator]
        return files

    monkeypatch.setattr("cop_core.simulator.write_pair", write)
    assert sample_data.sample_files().fixed == installed / "fixed.ome.tif"
    assert sample_data.sample_files().fixed == installed / "fixed.ome.tif"
    assert calls == ["sample"]


def test_a_cancelled_simulation_leaves_nothing(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = pytest.importorskip("napari.utils.progress", reason="napari is not installed")
    monkeypatch.setattr(
        progress.cancelable_progress, "update", lambda bar, _=1: setattr(bar, "is_canceled", True)
    )
    with pytest.raises(CancelledError, match="after 1 of 60 planes"):
        sample_data.sample_files()
    assert list(installed.iterdir()) == []


def test_cache_folder_names_the_release() -> None:
    pytest.importorskip("platformdirs", reason="platformdirs comes with the gui extra")
    assert sample_data.cache_folder().name.startswith("sample-")
