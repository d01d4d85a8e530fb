"""Waiting for conditions, never for time: a claim comes true before its deadline, or the test fails."""

import time

# Seconds. Generous, because it is only spent when something is wrong (or the machine is very busy).
PATIENCE = 15.0

# Seconds between two looks at a condition that nothing announces.
INTERVAL = 0.005


def wait_until(claim, what, seconds=PATIENCE):
    """Returns the first true value of `claim()`; fails, naming `what`, if there is none within `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        value = claim()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for: {what}")
        time.sleep(INTERVAL)
