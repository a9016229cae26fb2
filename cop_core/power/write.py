"""The files of a recommendation: JSON, power table, acquisition plan, figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from cop_core.errors import InputError
from cop_core.power.document import power_csv, recommendation_document
from cop_core.report.document import json_text
from cop_core.report.identity import identified
from cop_core.report.placing import placed

if TYPE_CHECKING:
    import os

    from cop_core.power.acquisition_plan import PowerSequence
    from cop_core.power.recommendation import Recommendation

LASER = ("Laser", "Power_mW")
"""Device and property of the simulated microscope."""


def write_recommendation(
    found: Recommendation,
    directory: str | os.PathLike[str],
    *,
    laser: tuple[str, str] | None = LASER,
    surface_um: float = 0.0,
    downwards: int = 1,
    command: str | None = None,
    hashed: bool | None = None,
) -> Path:
    """Write a recommendation as a folder of files.

    ``recommendation.json`` holds every number, ``power.csv`` the curve as ``--power`` reads it
    back, ``plan.json`` the acquisition for pymmcore-plus, ``figures/power.*`` the figure. Old
    files are replaced only once all new ones are complete.

    Parameters
    ----------
    found : Recommendation
        What is written.
    directory : path
        Folder, created where it does not exist; other files in it are left alone.
    laser : tuple of str or None
        Device and property that take mW at the sample; None for no plan.
    surface_um, downwards : float, int
        Stage position of depth 0 in um, and 1 where z grows with depth, else -1.
    command : str, optional
        The command line that repeats it.
    hashed : bool, optional
        As for `write_report`.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        The folder cannot be written to, or a plan is wanted and useq-schema is not installed.
    CopError
        Writing failed for another reason, such as a full disk.
    """
    from cop_core.report.power_figure import save_power_figure

    target = Path(directory).expanduser()
    plan = None
    if laser is not None:
        plan = useq_plan(found, laser=laser, surface_um=surface_um, downwards=downwards)
    inputs = identified({found.attenuation.signal.name: found.provenance}, hashed=hashed)
    with placed(target) as folder:
        text = json_text(recommendation_document(found, command=command, inputs=inputs))
        (folder / "recommendation.json").write_text(
            text, encoding="utf-8", errors="backslashreplace"
        )
        (folder / "power.csv").write_text(power_csv(found), encoding="utf-8", newline="")
        if plan is not None:
            from cop_core.power.acquisition_plan import plan_text

            (folder / "plan.json").write_text(plan_text(plan), encoding="utf-8")
        (folder / "figures").mkdir()
        save_power_figure(found, folder / "figures" / "power")
    if plan is None:
        (target / "plan.json").unlink(missing_ok=True)  # an earlier plan would belie the curve
    return target


def useq_plan(
    found: Recommendation,
    *,
    laser: tuple[str, str] = LASER,
    surface_um: float = 0.0,
    downwards: int = 1,
) -> PowerSequence:
    """Return a recommendation as a useq-schema sequence; see `write_recommendation`."""
    try:
        from cop_core.power.acquisition_plan import power_sequence
    except ModuleNotFoundError as error:
        raise InputError(
            f"an acquisition plan needs {error.name}",
            advice='Install it: pip install "napari-cop[live]"',
        ) from error
    return power_sequence(found, laser, surface_um=surface_um, downwards=downwards)
