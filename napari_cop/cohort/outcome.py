"""The result of a cohort: verdict, caveats, figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from napari_cop.verdict_page import VerdictPage
from napari_cop.words import sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

    from cop_core.records import CohortRecord


class CohortOutcome(VerdictPage):
    """The page of a cohort's result."""

    EMPTY: ClassVar = "Run the analysis to see what drives the noise."

    def remarks_of(self, record: CohortRecord) -> Iterator[str]:
        """Yield caveats, and the images that could not be read, with the reason."""
        yield from map(sentence, record.caveats)
        for picture in record.failed:
            reason = picture.error.removeprefix(f"{picture.row.picture.source}: ")
            yield f"Not read: {picture.row.name}: {reason}"
        for picture in record.uncompared:
            yield f"Not compared: {picture.row.name}: {picture.reference_error}"

    def figures_of(self, record: CohortRecord) -> Iterator[Figure]:
        """Draw attributions first, then correlations."""
        from cop_core.report.cohort import figures_of

        for draw in figures_of(record).values():
            yield draw()
