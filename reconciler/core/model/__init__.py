"""Frozen values that pass between the stages, with properties that describe them only."""
