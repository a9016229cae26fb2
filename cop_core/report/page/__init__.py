"""A report as one HTML page: `report_html` puts it together from sections."""

from cop_core.report.page.html import report_html

__all__ = ["report_html"]
