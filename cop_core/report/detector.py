"""Reports of a detector: detector.json, which other commands take, its points and its figure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Final

from cop_core.records import Estimate, MeasuredDetector, PhotonTransfer
from cop_core.report.columns import UNDEFINED, Column, Number, Results, TextTable, Whole
from cop_core.report.estimates import interval_texts
from cop_core.report.kinds import Kind, register
from cop_core.report.protocols import obstacles_of
from cop_core.stacks.detector_file import DETECTOR_FILE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from cop_core.recipes import DetectorRecipe
    from cop_core.records import Provenance, TransferPoints
    from cop_core.report.columns import Tree

_HOW: Final = {
    "dark frames": "from dark frames",
    "given": "as given",
    "line": "if the amplifier adds no noise",
}


class PointResults(Results):
    """A group of equally bright pixels."""

    mean_counts: Number
    variance_counts2: Number
    variance_error_counts2: Number
    n_pixels: Whole


class DetectorDocument(Results):
    """Properties of a detector."""

    name: str
    verdict: str
    detector: MeasuredDetector
    line_zero_counts: Number
    misfit: Annotated[
        Number,
        Column("Misfit", "distance of the points from the line, in multiples of their errors"),
    ]
    n_frames: Whole
    n_dark_frames: Whole
    moved_pixels: Number
    outlying_share: Number
    cut_off_share: Number
    points: tuple[PointResults, ...]
    dark_points: tuple[PointResults, ...]


class DetectorKind(Kind[PhotonTransfer]):
    """Reports of a detector."""

    name = "detector"
    schema_version = "1.0"
    record = PhotonTransfer
    results = DetectorDocument
    file_name = DETECTOR_FILE

    def state(self, record: PhotonTransfer) -> DetectorDocument:
        return DetectorDocument(
            name=record.name,
            verdict=detector_sentence(record.detector),
            detector=record.detector,
            line_zero_counts=record.line_zero_counts,
            misfit=record.misfit,
            n_frames=record.n_frames,
            n_dark_frames=record.n_dark_frames,
            moved_pixels=record.moved_pixels,
            outlying_share=record.outlying,
            cut_off_share=record.cut_off,
            points=_points(record.points),
            dark_points=_points(record.dark),
        )

    def caveats(self, record: PhotonTransfer) -> tuple[str, ...]:
        return record.notes

    def recipe(self, record: PhotonTransfer) -> DetectorRecipe:
        return record.recipe

    def obstacles(self, record: PhotonTransfer) -> Iterator[str]:
        if not record.provenance:
            yield "the document does not state how the movie was opened"
        for made in record.provenance.values():
            yield from obstacles_of(made)

    def provenances(self, record: PhotonTransfer) -> Mapping[str, Provenance]:
        return record.provenance

    def tables(self, record: PhotonTransfer, document: Tree, *, brief: bool) -> list[TextTable]:
        return [detector_table(record.name, record.detector)]

    def texts(self, record: PhotonTransfer, document: Tree) -> dict[str, str]:
        return {}

    def figures(self, record: PhotonTransfer) -> dict[str, Callable[[], Figure]]:
        from cop_core.report.transfer_figure import transfer_figure

        return {"transfer": lambda: transfer_figure(record)}


def detector_sentence(found: MeasuredDetector) -> str:
    """Return the result in one sentence."""
    said = [
        _said(found.counts_per_photon, "{} counts per photon"),
        _said(found.zero_counts, "zero at {} counts", _HOW[found.zero_from]),
    ]
    if found.amplifier_counts is not None:
        said.append(_said(found.amplifier_counts, "amplifier noise of {} counts"))
    return f"{', '.join(said)}."


def detector_table(name: str, found: MeasuredDetector) -> TextTable:
    """Return all measurements of a detector, with intervals."""
    full = found.full_scale_photons
    ceiling = "not reached" if found.ceiling_counts is None else f"{found.ceiling_counts:g}"
    rows = (
        ("counts per photon", _cells(found.counts_per_photon)),
        ("counts of a photon over all its pixels", _cells(found.whole_photon_counts)),
        ("zero level, counts", _cells(found.zero_counts)),
        ("amplifier noise (SD), counts", _cells(found.amplifier_counts)),
        ("correlation with the next pixel", _cells(found.along_line)),
        ("correlation with the next line", _cells(found.across_lines)),
        ("saturation, counts", (ceiling, "")),
        *([("saturation, photons", _cells(full))] if full else []),
    )
    return TextTable(
        f"detector: {name}", ("", "value", "95 % CI"), tuple((head, *cells) for head, cells in rows)
    )


def _said(estimate: Estimate, words: str, how: str = "") -> str:
    value, low, high = interval_texts(estimate)
    interval = "" if low == high else f"95 % CI {low} to {high}"
    aside = "; ".join(filter(None, (interval, how)))
    return words.format(value) + (f" ({aside})" if aside else "")


def _cells(estimate: Estimate | None) -> tuple[str, str]:
    if estimate is None:
        return UNDEFINED, ""
    value, low, high = interval_texts(estimate)
    return value, "" if low == high else f"{low} to {high}"


def _points(found: TransferPoints) -> tuple[PointResults, ...]:
    rows = zip(*(values.tolist() for values in vars(found).values()), strict=True)
    return tuple(
        PointResults(
            mean_counts=mean,
            variance_counts2=variance,
            variance_error_counts2=error,
            n_pixels=int(n),
        )
        for mean, variance, error, n in rows
    )


register(DetectorKind())
