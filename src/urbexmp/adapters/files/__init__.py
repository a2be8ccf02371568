"""Files replaced whole: what the stores of sidecars and of embedded packets both stand on.

The one room that its siblings may import: it knows nothing of packets.
"""
