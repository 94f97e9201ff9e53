"""Reads the image sets of the asks, within the quotas."""
