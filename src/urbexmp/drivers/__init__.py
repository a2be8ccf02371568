"""Floor 3: one loop for every command: plan, judge, apply, show."""
