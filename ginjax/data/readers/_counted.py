"""What the layout of The Well has no word for: numbers and boundaries that nobody stated."""

COUNTED = "counted"
"""The attribute `units` of points or times that were only numbered, because their distance is not known."""

ASSUMED = "assumed"
"""The attribute of a boundary that was taken for granted: true where nobody has said it."""
