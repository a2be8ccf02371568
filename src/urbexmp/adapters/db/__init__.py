"""SQLite files in the state directory."""
