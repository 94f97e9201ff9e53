"""What people see of a plan: which values are shown, and which are masked."""
