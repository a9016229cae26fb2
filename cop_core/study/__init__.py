"""A whole study: a plan of stacks, each read into its own folder, both arms compared."""

from cop_core.study.command import batch_command
from cop_core.study.comparison import ChannelComparison, compare_channels
from cop_core.study.document import study_csv, study_document
from cop_core.study.kept import Kept, read_kept
from cop_core.study.listing import list_cells, list_stacks, move_cells, save_plan, write_plan
from cop_core.study.plan import PlanError, Row, check_cells, plan_cells, read_plan
from cop_core.study.run import StudyStack, run_study
from cop_core.study.whole import Study, make_study
from cop_core.study.write import write_study

__all__ = [
    "ChannelComparison",
    "Kept",
    "PlanError",
    "Row",
    "Study",
    "StudyStack",
    "batch_command",
    "check_cells",
    "compare_channels",
    "list_cells",
    "list_stacks",
    "make_study",
    "move_cells",
    "plan_cells",
    "read_kept",
    "read_plan",
    "run_study",
    "save_plan",
    "study_csv",
    "study_document",
    "write_plan",
    "write_study",
]
