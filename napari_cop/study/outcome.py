"""The result of a study: verdict, curves, slopes, stacks that failed."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from napari_cop.verdict_page import VerdictPage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.figure import Figure

    from cop_core.records import ChannelComparison, StudyRecord


class StudyOutcome(VerdictPage):
    """The page of a study's result."""

    EMPTY: ClassVar = "Run the study to see its result."
    NO_VERDICT: ClassVar = "No two protocols could be compared."

    def remarks_of(self, record: StudyRecord) -> Iterator[str]:
        """Yield the stacks that could not be read, with the reason."""
        for stack in record.failed:
            reason = (stack.error or "").removeprefix(f"{stack.row.stack.source}: ")
            yield f"Not read: {stack.row.place}: {reason}"

    def figures_of(self, record: StudyRecord) -> Iterator[Figure]:
        """Draw slopes and curves of every channel."""
        from cop_core.report.study_figures import curves_figure, slopes_figure

        for each in record.comparisons:
            if _has_curves(each):
                yield slopes_figure(each)
                yield curves_figure(each)


def _has_curves(each: ChannelComparison) -> bool:
    return any(stack.analysed is not None and not stack.left_out for stack in each.stacks)
