# SPDX-License-Identifier: LGPL-2.1-or-later
"""Resident memory over time: ours and peers, one after the other, from the start of each
process until it has made some in-betweens; ours also within a memory limit."""
import os
import tempfile
import threading
import time
from pathlib import Path

import clip
import engine
import peers
from engine import Case

PERIOD = 0.05  # seconds between two looks
LIMIT_MIB = 64
PEERS = ("torch", "ncnn")


class Sampler(threading.Thread):
    """What the kernel says that a process has, by time since its start."""

    def __init__(self, pid: int):
        super().__init__(daemon=True)
        self.path = Path(f"/proc/{pid}/statm")
        self.ended = threading.Event()
        self.samples: list[tuple[float, float]] = []

    def run(self) -> None:
        start, page = time.monotonic(), os.sysconf("SC_PAGE_SIZE")
        while not self.ended.wait(PERIOD):
            try:
                pages = int(self.path.read_text(encoding="ascii").split()[1])
            except (OSError, IndexError):
                return  # it has ended
            self.samples.append((round(time.monotonic() - start, 3), pages * page / (1 << 20)))

    def stop(self) -> list[tuple[float, float]]:
        self.ended.set()
        self.join()
        return self.samples


def _watch(what: str, worker: engine.Worker, pairs: int) -> dict:
    sampler = Sampler(worker.process.pid)
    sampler.start()
    try:
        worker.ready()  # has made one
        for _ in range(pairs - 1):
            worker.ms()
    finally:
        samples = sampler.stop()
        worker.close()
    return {"what": what, "pairs": pairs, "samples": samples,
            "peak_mib": max(mib for _, mib in samples), "last_mib": samples[-1][1]}


def run(program: Path, case: Case, names: tuple[str, ...], pairs: int) -> list[dict]:
    python, missing = peers.install(list(names))
    for name, reason in missing.items():
        print(f"bench: {peers.PEERS[name].what} could not be installed and is left out: {reason}")
    assets = clip.assets()
    with tempfile.TemporaryDirectory(prefix="vfi-bench.") as scratch:
        folder = Path(scratch)
        case = case.but(frames=clip.frames(assets["bigbuckbunny.mp4"], case.size, folder))
        shared = peers.Run(program, python, case, assets["rife-4.0.pkl"], folder,
                           dict(os.environ))
        shared.export()
        lines = [_watch("vfiinterp f32", engine.worker(program, case), pairs),
                 _watch(f"vfiinterp f32, memory-limit {LIMIT_MIB} MiB",
                        engine.worker(program, case.but(memory_limit=LIMIT_MIB << 20)), pairs)]
        lines += [_watch(peers.PEERS[name].what, shared.worker(name), pairs)
                  for name in names if name not in missing]
    return lines
