"""Floor 0: frozen values and ports. Standard library only, no input or output."""
