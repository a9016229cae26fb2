"""A pair of simulated stacks on disk, with power tables and truth."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from cop_core.errors import CopError
from cop_core.simulator.imaging import simulate_pair
from cop_core.simulator.presets import Preset, preset_named
from cop_core.simulator.stack_files import (
    CountsPlane,
    Layout,
    create_ome_zarr,
    write_ome_tiff,
    write_table,
)
from cop_core.simulator.truth_record import Record

if TYPE_CHECKING:
    import os

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PairFiles:
    """Where a pair was written.

    Attributes
    ----------
    fixed, gained : Path
        The stacks: OME-TIFF at fixed power, OME-Zarr at gained power.
    fixed_power, gained_power : Path
        Their power tables, with the header ``depth_um,power_mw``.
    truth, truth_table : Path
        What is true of every plane, as JSON with all settings and as CSV.
    """

    fixed: Path
    gained: Path
    fixed_power: Path
    gained_power: Path
    truth: Path
    truth_table: Path

    @classmethod
    def inside(cls, directory: Path) -> PairFiles:
        """Name the files of a pair in a folder."""
        return cls(
            fixed=directory / "fixed.ome.tif",
            gained=directory / "gained.ome.zarr",
            fixed_power=directory / "fixed.csv",
            gained_power=directory / "gained.csv",
            truth=directory / "truth.json",
            truth_table=directory / "truth.csv",
        )


def write_pair(
    directory: str | os.PathLike[str],
    preset: str | Preset = "sample",
    seed: int = 0,
    progress: Progress | None = None,
) -> PairFiles:
    """Simulate the same tissue at fixed and at gained power and write both stacks.

    Everything is written under a temporary name beside its target and renamed at the end: a
    failure or a cancel leaves the folder as it was.

    Parameters
    ----------
    directory : path-like
        Folder to write into; made if missing. Of what it holds, only a former pair is replaced.
    preset : str or Preset, default "sample"
        ``"sample"`` (60 planes of 256 x 256) or ``"paper"`` (326 of 512 x 512), or one's own.
    seed : int, default 0
        Seed of the tissue and of the noise. The same seed gives the same stacks.
    progress : callable, optional
        Called with (planes done, planes of the stack) after each plane; what it raises, such as
        `CancelledError`, ends the work.

    Returns
    -------
    PairFiles
        The files written.

    Raises
    ------
    InputError
        If there is no such preset.
    CopError
        If the files cannot be written.
    """
    chosen = preset_named(preset) if isinstance(preset, str) else preset
    folder = Path(directory)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".cop-simulate-") as draft:
            written = PairFiles.inside(Path(draft))
            _write(written, chosen.seeded(seed), seed, progress or (lambda done, total: None))
            return _publish(written, folder)
    except OSError as error:
        raise CopError(
            f"the simulated pair could not be written ({error.strerror or error})",
            where=str(folder),
            advice="Check that the folder can be written to and that the disk has room",
        ) from error


def _write(files: PairFiles, preset: Preset, seed: int, progress: Progress) -> None:
    """Write both stacks in one pass over the tissue, then tables and truth."""
    phantom, detector = preset.microscope.phantom, preset.microscope.detector
    shape = (preset.planes, *phantom.shape)
    layout = Layout(shape, preset.z_step_um, phantom.pixel_um, detector.bits)
    record = Record(preset)
    gained = create_ome_zarr(files.gained, layout)

    def fixed_planes() -> Iterator[CountsPlane]:
        pair = simulate_pair(preset.microscope, preset.powers_mw, preset.depths_um, seed=seed)
        for index, exposures in enumerate(pair):
            record.add(index, exposures)
            gained[index] = exposures["gained"][0]
            progress(index + 1, preset.planes)
            yield exposures["fixed"][0]

    write_ome_tiff(files.fixed, fixed_planes(), layout)
    for path, power_mw in zip(
        (files.fixed_power, files.gained_power), preset.powers_mw.values(), strict=True
    ):
        table = np.round(np.stack([preset.depths_um, power_mw], 1), 6).tolist()
        write_table(path, ("depth_um", "power_mw"), table)
    files.truth.write_text(json.dumps(record.document(seed), indent=1) + "\n", encoding="utf-8")
    rows = record.rows()
    write_table(files.truth_table, rows[0], (row.values() for row in rows))


def _publish(written: PairFiles, folder: Path) -> PairFiles:
    """Rename the drafts to their targets, the former ones out of the way first."""
    targets = PairFiles.inside(folder)
    for name, target in vars(targets).items():
        draft: Path = getattr(written, name)
        if draft.is_dir() and target.is_dir():
            target.rename(draft.with_name(f"{draft.name}.former"))
        draft.replace(target)
    return targets
