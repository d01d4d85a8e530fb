"""How much of their time processors wanted to work and could not, because the host of this virtual machine let others work.

Linux counts it as "steal" in /proc/stat (proc_stat(5)), in ticks of 10 ms. On a machine without a host it stays 0.
"""

from __future__ import annotations

from pathlib import Path

STAT = Path("/proc/stat")

# The share up to which a measurement counts as undisturbed.
UNDISTURBED = 0.03

# Columns of a core's line.
STEAL = 7
# What follows is time of guests, which is in "user" as well.
COUNTED = 8


def is_undisturbed(measurement: dict) -> bool:
    """True also of results that were written before steal was counted."""
    return measurement.get("stolen", 0) <= UNDISTURBED


def without_disturbed(result: dict) -> dict:
    """A scenario's result with the undisturbed measurements alone; a server that has none is excluded."""
    kept, excluded, disturbed = {}, dict(result["excluded"]), 0
    for name, values in result["measured"].items():
        if undisturbed := [value for value in values if is_undisturbed(value)]:
            kept[name] = undisturbed
        else:
            excluded[name] = f"the host took more than {UNDISTURBED:.0%} of a core in each round"
        disturbed += len(values) - len(undisturbed)
    return result | {"measured": kept, "excluded": excluded, "disturbed": disturbed}


class Watch:
    def __init__(self, cores: set[int]):
        self.cores = cores
        self.before = self.ticks()

    def stolen(self) -> float:
        """The share, 0 to 1, of the time since the beginning: that of the core from which most was taken."""
        after = self.ticks()
        shares = [0.0]
        for core, before in self.before.items():
            spent = [later - earlier for earlier, later in zip(before, after[core])]
            if total := sum(spent):
                shares.append(spent[STEAL] / total)
        return max(shares)

    def ticks(self) -> dict[int, list[int]]:
        lines = [line.split() for line in STAT.read_text().splitlines()]
        names = {f"cpu{core}": core for core in self.cores}
        return {names[name]: [int(word) for word in rest[:COUNTED]] for name, *rest in lines if name in names}
