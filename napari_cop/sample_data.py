"""Sample data: one simulated tissue, imaged at fixed and at gained power."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from cop_core.errors import CancelledError
from cop_core.stacks import open_stack
from napari_cop.layers import LayerData, image_layer

if TYPE_CHECKING:
    from cop_core.simulator import PairFiles

_PRESET = "sample"


def open_sample() -> list[LayerData]:
    """Open the fixed and the gained three-photon stack, with their power tables.

    Returns
    -------
    list of layer data
        Two image layers, ``fixed`` and ``gained``, read plane by plane when shown.

    Raises
    ------
    CancelledError
        The user cancelled the simulation that an installed package needs the first time.
    CopError
        The simulated pair cannot be written.
    """
    files = sample_files()
    return [
        image_layer(open_stack(files.fixed, power=files.fixed_power, channel=0, name="fixed")),
        image_layer(open_stack(files.gained, power=files.gained_power, name="gained")),
    ]


def sample_files() -> PairFiles:
    """Find the pair beside the package or in the user's cache; otherwise simulate it there."""
    from cop_core.simulator import PairFiles

    for folder in (Path(__file__).parents[1] / "sample_data", cache_folder()):
        files = PairFiles.inside(folder)
        if _complete(files):
            return files
    return _simulate(cache_folder())


def cache_folder() -> Path:
    """Folder of the simulated pair, one for each version of the package."""
    from platformdirs import user_cache_dir

    try:
        release = version("napari-cop")
    except PackageNotFoundError:
        release = "source"
    return Path(user_cache_dir("napari-cop", appauthor=False)) / f"sample-{release}"


def _complete(files: PairFiles) -> bool:
    # write_pair renames its files into place at the end, in this order
    return all(path.exists() for path in vars(files).values())


def _simulate(folder: Path) -> PairFiles:
    """Simulate the pair, with a progress bar that also keeps napari's window alive."""
    from napari.utils import cancelable_progress

    from cop_core.simulator import PRESETS, write_pair

    with cancelable_progress(total=PRESETS[_PRESET].planes, desc="Simulating the sample") as bar:

        def advance(done: int, total: int) -> None:
            bar.update(1)
            if bar.is_canceled:
                raise CancelledError(f"the simulation was cancelled after {done} of {total} planes")

        return write_pair(folder, preset=_PRESET, progress=advance)
