"""Reports: JSON, tables and figures of one profile or two compared.

Figures live in `cop_core.report.figures` and the modules of its panels, which import matplotlib.
"""

from cop_core.report.command import repeat_command
from cop_core.report.document import SCHEMA_VERSION, report_document
from cop_core.report.planes import planes_csv
from cop_core.report.protocols import Protocol, Result, label, noises, protocols, warnings_of
from cop_core.report.table import summary_table
from cop_core.report.write import write_report

__all__ = [
    "SCHEMA_VERSION",
    "Protocol",
    "Result",
    "label",
    "noises",
    "planes_csv",
    "protocols",
    "repeat_command",
    "report_document",
    "summary_table",
    "warnings_of",
    "write_report",
]
