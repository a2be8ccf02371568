"""Exporting: makes the files that stages load from the checkpoints that authors publish."""
