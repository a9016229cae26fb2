"""A recommendation in the forms that the next acquisition takes: a power table, a plan."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from cop_core.errors import InputError, option
from cop_core.recipes import MW, AcquisitionOptions

if TYPE_CHECKING:
    from cop_core.power.acquisition_plan import PowerSequence
    from cop_core.power.recommendation import Recommendation

TO_INSTALL: Final = 'install it: pip install "napari-cop[live]"'


def useq_plan(found: Recommendation, options: AcquisitionOptions | None = None) -> PowerSequence:
    """Return a recommendation as a useq-schema sequence.

    Raises
    ------
    InputError
        If its power is not in mW, or useq-schema is not installed.
    """
    options = options or AcquisitionOptions()
    if found.unit != MW:
        raise InputError(
            f"an acquisition plan needs mW, but the power is in {found.unit}",
            advice=f"set {option('power_scale')}, or use the table power.csv",
        )
    require_plans()
    from cop_core.power.acquisition_plan import power_sequence

    return power_sequence(
        found,
        options.laser,
        surface_um=options.surface_um,
        downwards=-1 if options.stage_falls else 1,
    )


def can_plan() -> bool:
    """Return whether acquisition plans can be made: they need useq-schema."""
    return find_spec("useq") is not None


def require_plans() -> None:
    """Refuse to make acquisition plans where useq-schema is not installed."""
    if not can_plan():
        raise InputError("an acquisition plan needs useq", advice=TO_INSTALL)


def power_csv(found: Recommendation) -> str:
    """Return the curve as CSV.

    Parameters
    ----------
    found : Recommendation
        The recommendation; every power is checked against its limit once more.

    Returns
    -------
    str
        Columns ``depth_um,power_mw``, or ``depth_um,power,power_unit`` in the file's own unit.
    """
    rows = zip(found.depth_um.tolist(), found.limit.require_all(found.power).tolist(), strict=True)
    if found.unit == MW:
        return "depth_um,power_mw\n" + "".join(f"{depth:.9g},{power!r}\n" for depth, power in rows)
    own = "".join(f"{depth:.9g},{power!r},{found.unit}\n" for depth, power in rows)
    return "depth_um,power,power_unit\n" + own
