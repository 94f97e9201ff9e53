"""One file for each operation of the service, or for a few that belong together."""
