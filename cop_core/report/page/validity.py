"""How far the numbers hold, on the page of a report."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from cop_core.report.page.cells import Cells, plain_text, table
from cop_core.report.page.columns import PER_CENT, PER_CENT_PER_100_UM
from cop_core.report.protocols import label

if TYPE_CHECKING:
    from collections.abc import Iterator


def validity(cells: Cells) -> str:
    """Return tables on planes left out, saturation, signal, strange crops and sensitivity."""
    return (
        _overview(cells)
        + _excluded(cells)
        + _by_half(cells)
        + _by_normalisation(cells)
    )  # fmt: skip


def _overview(cells: Cells) -> str:
    rows = [
        ["Planes in the fits", *_each(cells, "n_planes_kept")],
        ["Crops read", *_each(cells, "n_crops")],
        [
            "Planes with pixels at the ceiling (saturated)",
            *_each(cells, "n_planes_with_saturated_pixels"),
        ],
        [
            "Pixels at the ceiling, mean over planes, %",
            *_each(cells, "saturated_fraction_mean", scale=PER_CENT, form=".3f"),
        ],
        [
            "Pixels at the ceiling, worst plane, %",
            *_each(cells, "saturated_fraction_max", scale=PER_CENT, form=".3f"),
        ],
        ["Signal of the dimmest plane, counts", *_each(cells, "signal_counts_min", form=".1f")],
        ["Signal of the brightest plane, counts", *_each(cells, "signal_counts_max", form=".1f")],
        [
            "Crops unlike those of training, %",
            *_each(cells, "unfamiliar_fraction", scale=PER_CENT, form=".1f"),
        ],
        [
            "Zero of the detector as given, counts; without it photons are rough",
            *(cells.number("settings", "protocols", n, "offset_counts") for n in cells.names()),
        ],
        ["Planes that tell photons", *_photons(cells, "n_planes")],
        ["Counts that a photon makes, median of these planes", *_photons(cells, "counts_a_photon")],
        ["Notes on planes that are kept", *(_flags(cells, name) for name in cells.names())],
    ]
    return table("What the planes hold", ["", *map(plain_text, cells.names())], rows)


def _each(cells: Cells, key: str, *, scale: float = 1.0, form: str = ".4g") -> list[str]:
    return [
        cells.number("protocols", name, "validity", key, scale=scale, form=form)
        for name in cells.names()
    ]


def _photons(cells: Cells, key: str) -> list[str]:
    return [cells.number("protocols", name, "photons", key) for name in cells.names()]


def _flags(cells: Cells, name: str) -> str:
    at = ("protocols", name, "validity", "flags")
    found = range(len(cells.at(*at) or ()))
    parts = (f"{cells.number(*at, i, 'n_planes')} {cells.text(*at, i, 'flag')}" for i in found)
    return "; ".join(parts) or "none"


def _excluded(cells: Cells) -> str:
    rows = [row for name in cells.names() for row in _runs(cells, name)]
    if not rows:
        return "<p>No plane was left out.</p>\n"
    head = ["Stack", "Planes", "Depth, µm", "Reason"]
    return table("Planes left out of every fit", head, rows, kind="words")


def _runs(cells: Cells, name: str) -> Iterator[list[str]]:
    """Yield a row for each run of neighbouring planes with one reason."""
    at = ("protocols", name, "excluded")
    left_out = list(enumerate(cells.at(*at) or ()))
    # planes that follow each other have the same difference of plane and place in the list
    for _, run in groupby(left_out, key=lambda p: (p[1]["plane"] - p[0], p[1]["reason"])):
        places = [place for place, _ in run]
        ends = places if len(places) == 1 else (places[0], places[-1])
        yield [
            plain_text(name),
            " to ".join(cells.number(*at, i, "plane") for i in ends),
            " to ".join(cells.number(*at, i, "depth_um", form="g") for i in ends),
            cells.text(*at, places[0], "reason"),
        ]


def _by_half(cells: Cells) -> str:
    """Return how slopes depend on which crops are read."""
    key = "slope_per_um_by_half_of_crops"
    known = [n for n in cells.names() if cells.at("protocols", n, "validity", key)]
    if not known:
        return (
            "<p><b>Sensitivity to the choice of crops</b>: not computed, as planes have a single "
            "crop or there is no line.</p>\n"
        )
    rows = [
        [plain_text(label(component))]
        + [
            cells.number(
                *("protocols", name, "validity", key, component, half),
                scale=PER_CENT_PER_100_UM,
                form="+z.2f",
            )
            for name in known
            for half in (0, 1)
        ]
        for component in cells.at("protocols", known[0], "validity", key)
    ]
    head = [f"{plain_text(n)}, {half} crops" for n in known for half in ("even", "odd")]
    return table(
        "Sensitivity to the choice of crops: slope in % per 100 µm from either half of the crops "
        "of every plane",
        ["Component", *head],
        rows,
    )


def _by_normalisation(cells: Cells) -> str:
    """Return how slopes depend on the normalisation, where that was asked for."""
    others = list(cells.at("sensitivity") or {})
    if not others:
        return (
            "<p><b>Sensitivity to the normalisation</b>: not computed; <code>--sensitivity</code> "
            "reads the stacks again with each of the others.</p>\n"
        )
    return "".join(_normalisations(cells, name, others) for name in cells.names())


def _normalisations(cells: Cells, name: str, others: list[str]) -> str:
    own = ("protocols", name, "components")
    rows = [
        [
            plain_text(label(component)),
            cells.number(*own, component, "slope_per_um", scale=PER_CENT_PER_100_UM, form="+z.2f"),
            *(
                cells.number(
                    *("sensitivity", other, name, component, "slope_per_um"),
                    scale=PER_CENT_PER_100_UM,
                    form="+z.2f",
                )
                for other in others
            ),
        ]
        for component in cells.at(*own)
    ]
    used = cells.text("settings", "protocols", name, "normalisation")
    return table(
        f"Sensitivity to the normalisation: slope of <b>{plain_text(name)}</b> in % per 100 µm",
        ["Component", f"{used} (used)", *map(plain_text, others)],
        rows,
    )
