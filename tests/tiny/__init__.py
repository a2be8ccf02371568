"""Tiny models of the true architectures, and a registry for them."""
