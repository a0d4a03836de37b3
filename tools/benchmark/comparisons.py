# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ours against ours: how time grows with the size, the scale, the threads, the in-betweens.
Every comparison is between warm workers that take turns, one pair each."""
import contextlib
from pathlib import Path
from statistics import median

import engine
from engine import Case
from turns import Comparison, compare, take

LINEAR_SIZES = ("640x384", "1280x768", "1920x1080", "2560x1440", "3840x2160")
LINEAR_BAR = 15.0  # per cent
SCALE_BAR = 3.0
SCALING_BAR = 1.9
REUSE_COUNTS = (1, 3, 7)  # in-betweens of a pair at 2×, 4×, 8×


def measured(program: Path, cases: dict[str, Case], turns: int):
    """Each case's milliseconds by turn, and what each worker said at its start."""
    with contextlib.ExitStack() as stack:
        workers = {}
        for name, case in cases.items():
            workers[name] = engine.worker(program, case)
            stack.callback(workers[name].close)
        starts = {name: worker.ready() for name, worker in workers.items()}
        times = take({name: worker.ms for name, worker in workers.items()}, turns)
    return times, starts


def linear(program: Path, case: Case, turns: int, sizes=LINEAR_SIZES) -> list[Comparison]:
    """Milliseconds a padded megapixel, as per cent from the median of the sizes."""
    times, starts = measured(program, {size: case.but(size=size) for size in sizes}, turns)
    pixels = {size: starts[size]["padded_width"] * starts[size]["padded_height"] / 1e6
              for size in sizes}
    cost = {size: [ms / pixels[size] for ms in times[size]] for size in sizes}
    middle = [median(cost[size][turn] for size in sizes) for turn in range(turns)]
    result = []
    for size in sizes:
        result.append(compare(f"{size}: ms a padded megapixel", cost[size]))
        away = [abs(c / m - 1) * 100 for c, m in zip(cost[size], middle)]
        result.append(compare(f"{size}: % from the median of the sizes", away, LINEAR_BAR, True))
    return result


def ratio(name: str, over: list[float], under: list[float], bar: float | None) -> Comparison:
    return compare(name, [a / b for a, b in zip(over, under)], bar)


def scales(program: Path, case: Case, turns: int) -> list[Comparison]:
    full, half = case.but(scale=1.0), case.but(scale=0.5)
    times, _ = measured(program, {"full": full, "half": half}, turns)
    return [compare(f"{case.size} scale 1: ms", times["full"]),
            compare(f"{case.size} scale 0.5: ms", times["half"]),
            ratio("scale 1 / scale 0.5", times["full"], times["half"], SCALE_BAR)]


def scaling(program: Path, case: Case, turns: int) -> list[Comparison]:
    cases = {str(n): case.but(threads=n) for n in (1, 2)}
    times, _ = measured(program, cases, turns)
    return [compare(f"{case.size} 1 thread: ms", times["1"]),
            compare(f"{case.size} 2 threads: ms", times["2"]),
            ratio("1 thread / 2 threads", times["1"], times["2"], SCALING_BAR)]


def reuse(program: Path, case: Case, turns: int) -> list[Comparison]:
    """What an in-between costs when its pair has several, against one alone."""
    cases = {n: case.but(between=n) for n in REUSE_COUNTS}
    times, _ = measured(program, cases, turns)
    result = [compare(f"{case.size} {n + 1}×: ms a pair", times[n]) for n in REUSE_COUNTS]
    for n in REUSE_COUNTS[1:]:
        result.append(ratio(f"{n + 1}×: {n} in-betweens / {n} times one",
                            times[n], [n * ms for ms in times[REUSE_COUNTS[0]]], None))
    return result
