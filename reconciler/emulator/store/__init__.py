"""SQLite: image sets, their versions and contents, and the columns of the search."""
