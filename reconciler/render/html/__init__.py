"""Pages: a plan or a report as one HTML file that a data steward opens in a browser."""

from reconciler.render.html.page import page
from reconciler.render.html.report import report_page

__all__ = ["page", "report_page"]
