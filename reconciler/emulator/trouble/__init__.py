"""What goes wrong on purpose: faults and quotas."""
