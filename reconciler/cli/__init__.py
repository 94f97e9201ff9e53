"""The command line: one file per verb. Options -> pipeline -> render -> exit code; no decisions."""
