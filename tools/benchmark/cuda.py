# SPDX-License-Identifier: LGPL-2.1-or-later
"""The measured table of docs/cuda.md: time, rate and memory on a CUDA device, beside the least
time by rooflines.py where the device is one that it knows."""
import re
import subprocess
from pathlib import Path
from statistics import median

import engine
import report
import rooflines
from engine import BenchError, Case
from turns import take

WARM_UP = 50  # pairs: graphs are captured and clocks are up
TURNS, RUNS = 3, 100
FLOOR = 2e-6  # seconds that a launch takes at least, as in docs/cuda.md
MODEL, SIZE = "rife-4.0", "1920x1080"


def base_case(device: str, **changes) -> Case:
    """The precision that the device prefers, two in flight."""
    return Case(device=device, size=SIZE, precision="auto", in_flight=2, warm_up=WARM_UP).but(
        **changes)


def documented(base: Case, found: list[Path]) -> list[Case]:
    """RIFE 4.0 in all its forms, then what else is on the search path at 1080p."""
    others = [str(path) for path in found if path.stem != MODEL]
    return [base.but(size="1280x720"), base, base.but(size="3840x2160"),
            base.but(precision="f32"), base.but(scale=0.5),
            base.but(size="3840x2160", scale=0.5),
            *(base.but(model=model) for model in others)]


def card_of(device: str) -> rooflines.Card | None:
    """"cuda:0 NVIDIA GeForce RTX 3090", but no "… RTX 3090 Ti"."""
    name = re.fullmatch(r"cuda:\d+ NVIDIA (?:GeForce )?(.*)", device)
    return next((card for card in rooflines.CARDS if name and card.name == name[1]), None)


def expected_ms(program: Path, case: Case, result: dict) -> float | None:
    """Of a pair's in-betweens, by peaks for f16; None where that is not what ran."""
    card = card_of(result["device"])
    if card is None or result["precision"] != "f16" or case.between != 1:
        return None
    plan = engine.plan(engine.inspector(program), case.model, case.size, case.scale)
    kernels = rooflines.kernels_of(plan)
    return rooflines.milliseconds(kernels, card, FLOOR)


def driver_version() -> str:
    try:
        done = subprocess.run(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"],
                              capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.split("\n")[0].strip() if done.returncode == 0 else ""


def _measure(program: Path, watcher: engine.Worker, case: Case, runs: int) -> dict:
    """One process, and by how much less of the device the watcher sees free when it has run: so its
    context, its libraries and what its pool keeps are counted, and nothing of the watcher's."""
    before = watcher.ask("run")["device_free_bytes"]
    worker = engine.holding(program, case, runs)
    try:
        result = worker.ready()
        after = watcher.ask("run")["device_free_bytes"]
    finally:
        worker.close()
    return {**result, "in_use_bytes": before - after}


def _merge(program: Path, case: Case, results: list[dict]) -> dict:
    """Medians over the turns; the rest is the same in each."""
    merged = {**results[0], "turns": len(results),
              "ms_min": min(result["ms_min"] for result in results),
              "ms_max": max(result["ms_max"] for result in results)}
    for name in ("ms_median", "in_flight_ms", "in_use_bytes"):
        merged[name] = median(result[name] for result in results)
    for name, choose in (("fps_min", min), ("fps_max", max)):
        merged[name] = choose(result["fps"] for result in results)
    merged["fps"] = 1e3 / merged["in_flight_ms"]
    merged["gflops"] = merged["gflop"] / merged["ms_median"] * 1e3
    merged["expected_ms"] = expected_ms(program, case, merged)
    return merged


def run(program: Path, cases: list[Case], turns: int, runs: int) -> list[dict]:
    """Every case once a turn. What a device refuses to run is told and left out."""
    watcher = engine.worker(program, Case(model="blend", size="64x64", precision="auto",
                                          device=cases[0].device))
    try:
        watcher.ready()
        results, refused = {}, {}
        for case in cases:  # the first turn finds out
            try:
                results[case] = [_measure(program, watcher, case, runs)]
            except BenchError as error:
                refused[case] = error
        measures = {case: (lambda case=case: _measure(program, watcher, case, runs))
                    for case in results}
        for case, more in take(measures, turns - 1).items():
            results[case] += more
    finally:
        watcher.close()
    if not results:
        raise next(iter(refused.values()))
    for case, error in refused.items():
        print(f"bench: {case.model} at {case.size}, {case.precision} is left out: {error}")
    return [_merge(program, case, merged) for case, merged in results.items()]


def _row(result: dict) -> list[str]:
    def mib(value: float) -> str:
        return f"{value / report.MIB:.0f}"
    expected = result["expected_ms"]
    return [f"{result['family']} {result['variant']}".strip(),
            f"{result['width']}×{result['height']}", f"{result['scale']:g}", result["precision"],
            str(result["times"]), f"{result['ms_median']:.2f}", f"{result['fps']:.1f}",
            mib(result["session_bytes"]), mib(result["packed_weight_bytes"]),
            mib(result["in_use_bytes"]) if result["in_use_bytes"] > 0 else "–",
            "–" if expected is None else f"{expected:.2f}",
            "–" if expected is None else f"{result['in_flight_ms'] / expected:.2f}"]


def table(results: list[dict]) -> str:
    """What the table was taken on, and the table as docs/cuda.md has it."""
    driver = driver_version()
    first = results[0]
    heads = ["model", "size", "scale", "precision", "in-betweens", "ms a pair, one in flight",
             "fps, two in flight", "session, MiB", "weights, MiB", "in use, MiB", "roofline, ms",
             "times the roofline"]
    return "\n".join([f"{first['device']}, {first['cpu_level']}"
                      + (f", driver {driver}" if driver else ""), "",
                      report.markdown(heads, [_row(result) for result in results])])
