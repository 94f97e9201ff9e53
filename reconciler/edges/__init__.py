"""The outside world, one adapter a thing. An adapter translates; it decides nothing."""
