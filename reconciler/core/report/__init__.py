"""The report of an apply: its file, and what is shown of it. Pure."""

from reconciler.core.report.build import recording, view_of
from reconciler.core.report.view import ReportView

__all__ = ["ReportView", "recording", "view_of"]
