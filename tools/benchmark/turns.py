# SPDX-License-Identifier: LGPL-2.1-or-later
"""Comparing in turn (A B A B …), so that what else the machine does hits all alike."""
from dataclasses import asdict, dataclass
from statistics import median
from typing import Callable


@dataclass
class Comparison:
    """A figure with its spread over the turns, and the bar it is held against."""
    name: str
    value: float
    low: float
    high: float
    turns: int
    bar: float | None = None
    at_most: bool = False  # the bar is an upper one

    @property
    def reached(self) -> bool | None:
        if self.bar is None:
            return None
        return self.value <= self.bar if self.at_most else self.value >= self.bar

    def as_json(self) -> dict:
        return {**asdict(self), "reached": self.reached}


def compare(name: str, values: list[float], bar: float | None = None,
            at_most: bool = False) -> Comparison:
    return Comparison(name, median(values), min(values), max(values), len(values), bar, at_most)


def take(measures: dict[str, Callable[[], float]], turns: int) -> dict[str, list[float]]:
    """Runs each measure once a turn, in the order given; the values of each, by turn."""
    values: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(turns):
        for name, measure in measures.items():
            values[name].append(measure())
    return values
