"""Reports: documents, tables, figures and pages of results.

Figures live in `cop_core.report.figures` and the modules of its panels, which import matplotlib.
"""

from cop_core.report import (  # noqa: F401 - make kinds known
    cohort,
    detector,
    protocols,
    recommendation,
    study,
)
from cop_core.report.agreement import TOLERANCE, Agreement, Difference, agreement
from cop_core.report.columns import TextTable, label, noises
from cop_core.report.csv_tables import planes_csv
from cop_core.report.document import Document, document_of, read_document
from cop_core.report.inputs import InputFile, find_inputs, with_found
from cop_core.report.kinds import recipe_of, why_not_repeatable
from cop_core.report.tables import summary, tables_of
from cop_core.report.verdict_parts import VerdictParts, parts_of
from cop_core.report.write import write_document, write_report

__all__ = [
    "TOLERANCE",
    "Agreement",
    "Difference",
    "Document",
    "InputFile",
    "TextTable",
    "VerdictParts",
    "agreement",
    "document_of",
    "find_inputs",
    "label",
    "noises",
    "parts_of",
    "planes_csv",
    "read_document",
    "recipe_of",
    "summary",
    "tables_of",
    "why_not_repeatable",
    "with_found",
    "write_document",
    "write_report",
]
