"""Opens photo files and says what is in them. One file a container or library; never writes."""

from urbexmp.adapters.inspect.inspector import FileInspector

__all__ = ["FileInspector"]
