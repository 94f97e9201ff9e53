"""The page: a review as one HTML file that a data steward opens in a browser."""

from reconciler.render.html.page import page

__all__ = ["page"]
