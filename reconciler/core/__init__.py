"""Pure decisions: no file, network, clock, randomness or logging. What they need is passed in."""
