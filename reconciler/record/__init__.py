"""From outcomes to records and their commit."""
