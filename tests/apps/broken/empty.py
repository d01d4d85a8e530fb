"""Has nothing in it."""
