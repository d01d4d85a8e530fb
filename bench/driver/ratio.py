"""Ratios between two servers, from pairs of one round, with an interval by the bootstrap.

The estimate is the geometric mean of the pairs' ratios; the interval is that of 95 % of means over pairs drawn again
with replacement. With fewer than five pairs there is no interval worth printing.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

DRAWS = 5_000
FEWEST_PAIRS = 5


@dataclass(frozen=True)
class Ratio:
    mean: float
    low: float | None
    high: float | None
    pairs: int

    def __str__(self) -> str:
        if self.low is None:
            return f"{self.mean:.2f}"
        return f"{self.mean:.3f} [{self.low:.3f}, {self.high:.3f}]"


def of_pairs(ours: list[float], theirs: list[float]) -> Ratio:
    logarithms = [math.log(a / b) for a, b in zip(ours, theirs, strict=True)]
    mean = math.exp(sum(logarithms) / len(logarithms))
    if len(logarithms) < FEWEST_PAIRS:
        return Ratio(mean, None, None, len(logarithms))
    # The same data gives the same interval.
    chance = random.Random(1)
    means = sorted(sum(chance.choices(logarithms, k=len(logarithms))) / len(logarithms) for _ in range(DRAWS))
    low, high = means[round(DRAWS * 0.025)], means[round(DRAWS * 0.975) - 1]
    return Ratio(mean, math.exp(low), math.exp(high), len(logarithms))


def median(values: list[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
