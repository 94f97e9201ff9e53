"""Adapters to the outside world: AWS, git, files. An adapter translates and decides nothing."""
