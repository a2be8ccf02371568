"""Floor 1: pure decisions. No clock, no disk, no randomness."""
