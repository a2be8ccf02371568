"""Packets inside image files: where they are, how they are changed, and nothing else touched."""
