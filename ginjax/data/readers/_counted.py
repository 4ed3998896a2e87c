"""Additions to the layout of The Well, for numbers and boundaries that nobody stated."""

COUNTED = "counted"
"""The attribute `units` of points or times that are only numbered, because their distance is unknown."""

ASSUMED = "assumed"
"""The attribute of a boundary that is assumed: true if nobody has stated it."""
