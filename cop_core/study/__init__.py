"""A whole study: a plan of stacks, each read into its own folder, both arms compared."""

from cop_core.study.comparison import ChannelComparison, compare_channels
from cop_core.study.document import study_csv, study_document
from cop_core.study.kept import Kept, read_kept
from cop_core.study.listing import list_stacks, write_plan
from cop_core.study.plan import PlanError, Row, read_plan
from cop_core.study.run import StudyStack, run_study
from cop_core.study.write import write_study

__all__ = [
    "ChannelComparison",
    "Kept",
    "PlanError",
    "Row",
    "StudyStack",
    "compare_channels",
    "list_stacks",
    "read_kept",
    "read_plan",
    "run_study",
    "study_csv",
    "study_document",
    "write_plan",
    "write_study",
]
