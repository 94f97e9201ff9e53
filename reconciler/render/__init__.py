"""One Plan, several renderers. Decides how things look, never what is done."""
