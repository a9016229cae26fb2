"""Columns of tables of planes: planes.csv, pandas frames, and the data dictionary."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from cop_core.records.lines import Photons
from cop_core.records.plane import PlaneEstimate, in_mw

if TYPE_CHECKING:
    import pandas as pd


class PlaneRow(NamedTuple):
    """A plane, its stack, its position there, and the photons derived from it."""

    protocol: str
    plane: PlaneEstimate
    photons: Photons | None
    place: int

    def detected(self, name: str) -> float:
        """Return a value from `Photons`; NaN if the weights do not give it."""
        return (
            float("nan") if self.photons is None else float(getattr(self.photons, name)[self.place])
        )


class PlaneColumn(NamedTuple):
    """A column: its name, the unit and meaning of its values, and their source."""

    name: str
    unit: str
    meaning: str
    value: Callable[[PlaneRow], Any]


_BEFORE: Final = (
    PlaneColumn("protocol", "", "name of the stack's protocol", lambda row: row.protocol),
    PlaneColumn(
        "plane", "", "number of the plane in its file, from 0", lambda row: row.plane.index
    ),
    PlaneColumn("depth_um", "µm", "depth below the surface", lambda row: row.plane.depth_um),
    PlaneColumn(
        "power_mw",
        "mW",
        "power at the sample; empty if it is not known in mW",
        lambda row: in_mw(np.array(row.plane.power), row.plane.power_unit).item(),
    ),
)
_AFTER: Final = (
    PlaneColumn(
        "power", "see power_unit", "power as stated in the file, or in mW as specified",
        lambda row: row.plane.power,
    ),
    PlaneColumn("power_unit", "", "unit of the power", lambda row: row.plane.power_unit),
    PlaneColumn(
        "signal", "counts", "mean of the plane's pixels as stored", lambda row: row.plane.signal
    ),
    PlaneColumn(
        "n_crops", "", "crops read; 0 for a plane that is left out", lambda row: row.plane.n_crops
    ),
    PlaneColumn(
        "saturated_fraction",
        "fraction of 1",
        "pixels of the image at the ceiling: the value stated in the file, the full scale of a "
        "digitiser, or any value at which bright pixels pile up",
        lambda row: row.plane.saturated_fraction,
    ),
    PlaneColumn(
        "span_counts", "counts", "distance between the counts that were mapped to 0 and to 1",
        lambda row: row.plane.span_counts,
    ),
    PlaneColumn(
        "photons_at_full_scale",
        "photons",
        "photons at the top of the plane's range, from the Poisson strength; empty if its "
        "uncertainty is more than a tenth of it, if the detector's zero level is not known, and "
        "for weights of a genome other than microscopy",
        lambda row: row.detected("at_full_scale"),
    ),
    PlaneColumn(
        "counts_per_photon", "counts", "counts per photon, known if photons_at_full_scale is known",
        lambda row: row.detected("counts"),
    ),
    PlaneColumn(
        "counts_per_photon_sd", "counts", "how far off counts_per_photon may be (one SD)",
        lambda row: row.detected("counts_sd"),
    ),
    PlaneColumn(
        "amplifier_counts", "counts", "SD of the amplifier's noise, from the Gaussian strength",
        lambda row: row.detected("amplifier_counts"),
    ),
    PlaneColumn(
        "amplifier_counts_sd", "counts", "how far off amplifier_counts may be (one SD)",
        lambda row: row.detected("amplifier_counts_sd"),
    ),
    PlaneColumn(
        "excluded", "", "whether the plane is left out of every fit",
        lambda row: bool(row.plane.reason),
    ),
    PlaneColumn("reason", "", "why it is left out", lambda row: row.plane.reason),
    PlaneColumn(
        "flags", "", "notes on a plane that is kept, separated by semicolons",
        lambda row: "; ".join(row.plane.flags),
    ),
)  # fmt: skip


def plane_columns(components: Sequence[str]) -> tuple[PlaneColumn, ...]:
    """Return the columns of a table of planes for some components."""
    strengths = (column for i, name in enumerate(components) for column in _strength(name, i))
    return (*_BEFORE, *strengths, *_AFTER)


def _strength(name: str, i: int) -> Iterator[PlaneColumn]:
    unit = "fraction of 1"
    yield PlaneColumn(
        name, unit, f"strength of {name}, mean over crops", lambda row: row.plane.mean[i]
    )
    yield PlaneColumn(
        f"{name}_sd", unit, f"SD over crops of the strength of {name}", lambda row: row.plane.sd[i]
    )
    yield PlaneColumn(
        f"{name}_uncertainty",
        unit,
        f"how far off the strength of {name} may be, as estimated by the network (one SD)",
        lambda row: row.plane.uncertainty[i] if len(row.plane.uncertainty) else float("nan"),
    )


def plane_rows(
    protocol: str,
    planes: Sequence[PlaneEstimate],
    components: Sequence[str],
    photons: Photons | None = None,
) -> Iterator[list[Any]]:
    """Yield the values of each plane, in the order of `plane_columns`."""
    columns = plane_columns(components)
    for place, plane in enumerate(planes):
        row = PlaneRow(protocol, plane, photons, place)
        yield [column.value(row) for column in columns]


def plane_frame(rows: Iterator[list[Any]], components: Sequence[str]) -> pd.DataFrame:
    """Return rows of planes as a pandas frame."""
    import pandas as pd

    return pd.DataFrame(list(rows), columns=[column.name for column in plane_columns(components)])
