"""Modules that cannot be served, each for a reason of its own."""
