"""Floor 4: the composition root. Turns settings into wired objects."""
