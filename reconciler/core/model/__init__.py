"""Frozen values that pass between the stages. No behaviour beyond telling what they are."""
