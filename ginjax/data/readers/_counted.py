"""Coordinates that are no lengths or times."""

COUNTED = "counted"
"""The attribute `units` of points or times that were only numbered, because their distance is not known."""
