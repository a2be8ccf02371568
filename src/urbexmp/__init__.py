"""urbexmp: Lightroom keywords for photographs of abandoned places."""

__version__ = "0.1.0"
