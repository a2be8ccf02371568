"""Floor 2b: one outside thing a file. Siblings do not import each other."""
