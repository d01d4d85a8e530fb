"""Leaves while it is imported."""

import sys

sys.exit("no configuration, no service")
