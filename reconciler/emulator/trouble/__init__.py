"""Deliberate trouble: faults and quotas."""
