"""Render reviews and outcomes as text, Markdown and JSON. Decides only how they look."""
