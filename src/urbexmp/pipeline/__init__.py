"""Floor 2a: the way of a photo through look, observe, plan and apply. Knows ports only."""
