# SPDX-License-Identifier: LGPL-2.1-or-later
"""The built-in model in turn with other interpolators that need no weights: ffmpeg's minterpolate
at its best setting, and OpenCV's DIS as the least that an interpolator on it would do. Same frames
in I420, same number of threads."""
import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import clip
import engine
import peers
from engine import BenchError, Case
from turns import Comparison, compare

SIZES = ("1280x720", "1920x1080")
QUALITIES = ("fast", "medium", "best")
# In-betweens that minterpolate is timed on, and frames before it gives the first.
COUNT, DELAY = 4, 2
MINTERPOLATE = "minterpolate=fps=50:mi_mode=mci:mc_mode=aobmc:me_mode=bidir:vsbmc=1:scd=none"
PINS = ("numpy", "opencv")
# How many times as long as `fast` each should take.
PEERS = {"minterpolate": ("ffmpeg minterpolate (mci, aobmc, bidir, vsbmc)", 30.0),
         "dis": ("OpenCV DIS fast, both ways, and a warp", 1.0)}


def _cut(path: Path, size: str, count: int) -> list[Path]:
    """The first frames of a raw file, a file each."""
    width, height = map(int, size.split("x"))
    bytes_each = width * height * 3 // 2
    data = path.read_bytes()
    paths = [path.with_name(f"frame{i}.yuv") for i in range(count)]
    for i, part in enumerate(paths):
        part.write_bytes(data[i * bytes_each:(i + 1) * bytes_each])
    return paths


def _ffmpeg_seconds(path: Path, size: str, threads: int, filters: str) -> float:
    command = ["ffmpeg", "-v", "error", "-nostdin", "-threads", str(threads), "-filter_threads",
               str(threads), "-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", size, "-r", "25", "-i",
               path, "-vf", filters, "-f", "null", "-"]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(f"ffmpeg failed: {done.stderr.strip()}")
    return time.perf_counter() - start


def _minterpolate_ms(path: Path, size: str, threads: int) -> float:
    """An in-between, without ffmpeg's start and reading."""
    seconds = (_ffmpeg_seconds(path, size, threads, MINTERPOLATE)
               - _ffmpeg_seconds(path, size, threads, "null"))
    return seconds * 1e3 / COUNT


def _at_size(program: Path, case: Case, names: list[str], python: Path, turns: int, runs: int,
             folder: Path) -> tuple[dict, list[Comparison]]:
    whole = clip.raw(clip.assets()["bigbuckbunny.mp4"], case.size, COUNT + 1 + DELAY,
                     folder / "all.yuv")
    pair = [str(path) for path in _cut(whole, case.size, 2)]
    times: dict[str, list[float]] = {name: [] for name in (*QUALITIES, *names)}
    with contextlib.ExitStack() as stack:
        def serve(worker: engine.Worker):
            stack.callback(worker.close)
            worker.ready()
            return lambda: median(worker.ms() for _ in range(runs))

        measures = {quality: serve(engine.worker(program, case.but(
            model="flow", quality=quality, frames=tuple(pair))))
            for quality in QUALITIES}
        if "dis" in names:
            script = Path(__file__).with_name("flow_worker.py")
            command = [python, script, *pair, *case.size.split("x"), str(case.threads)]
            measures["dis"] = serve(engine.Worker(command, dict(os.environ)))
        if "minterpolate" in names:
            measures["minterpolate"] = lambda: _minterpolate_ms(whole, case.size, case.threads)
        for _ in range(turns):
            for name, measure in measures.items():
                times[name].append(measure())
    ratios = {name: compare(f"{PEERS[name][0]} / fast",
                            [peer / ours for peer, ours in zip(times[name], times["fast"])],
                            PEERS[name][1]) for name in names}
    rows = [{"peer": name, "what": PEERS[name][0], "ms": times[name],
             "ratio": ratios[name].as_json()} for name in names]
    return {"size": case.size, "threads": case.threads, "level": case.level,
            "ours": {quality: times[quality] for quality in QUALITIES},
            "peers": rows}, list(ratios.values())


def run_all(program: Path, case: Case, sizes: tuple[str, ...], names: list[str], turns: int,
            runs: int, scratch: Path):
    """Yields for each size what was measured, as JSON and as comparisons."""
    python = Path(sys.executable)
    if "dis" in names:
        python, failed = peers.install_pins(list(PINS))
        if failed:
            print(f"bench: {PEERS['dis'][0]} could not be installed and is left out: "
                  f"{'; '.join(failed.values())}")
            names = [name for name in names if name != "dis"]
    for size in sizes:
        folder = scratch / size
        folder.mkdir()
        yield _at_size(program, case.but(size=size), names, python, turns, runs, folder)
