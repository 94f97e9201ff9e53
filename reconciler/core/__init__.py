"""Pure decisions: no file, network, clock, randomness or logging. All inputs are arguments."""
