"""Stages: each takes one look at a view and says what it sees."""
