# SPDX-License-Identifier: LGPL-2.1-or-later
"""TLBVFI in turn with its own PyTorch code, out of a folder that the user has: same weights, same
frames, same number of threads, no noise, and a check that the pictures agree."""
import contextlib
import os
import subprocess
from pathlib import Path
from statistics import median

import clip
import engine
import peers
from engine import BenchError, Case
from turns import compare

SIZES = ("512x512", "1024x1024")
WORKER = Path(__file__).with_name("tlbvfi_worker.py")
PINS = (*peers.NEEDED, "tlbvfi")
# dB between the pictures, in 8-bit codes. Sums are rounded differently, which may choose another
# code here and there.
PSNR = 50.0


def check_folder(folder: Path) -> None:
    wanted = folder / "model" / "BrownianBridge" / "LatentBrownianBridgeModel.py"
    if not wanted.is_file():
        raise BenchError(f"{folder}: expected a checkout of ZonglinL/TLBVFI, which has "
                         f"{wanted.relative_to(folder)}")


def _python(chosen: Path | None) -> Path:
    """One that has PyTorch and what else upstream needs."""
    if chosen is not None:
        return chosen
    python, failed = peers.install_pins(list(PINS))
    if failed:
        raise BenchError("what TLBVFI's own code needs could not be installed: "
                         + "; ".join(failed.values()))
    return python


def _write_checkpoint(python: Path, folder: Path, path: Path) -> Path:
    done = subprocess.run([python, WORKER, folder, path], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise BenchError(f"no checkpoint could be written:\n{done.stderr.strip()}")
    return path


def _turn(worker: engine.Worker, runs: int) -> tuple[float, float]:
    """Milliseconds, the median of a few runs, and CPU seconds of one."""
    before = worker.cpu_seconds()
    ms = median(worker.ms() for _ in range(runs))
    return ms, (worker.cpu_seconds() - before) / runs


def _at_size(program: Path, case: Case, command: list, turns: int, runs: int,
             scratch: Path) -> tuple[dict, list]:
    ours_turns, peer_turns = [], []
    with contextlib.ExitStack() as stack:
        ours = engine.worker(program, case)
        stack.callback(ours.close)
        peer = engine.Worker([*command, *case.frames, str(case.threads)], dict(os.environ))
        stack.callback(peer.close)
        pictures = {"ours": scratch / "ours.ppm", "peer": scratch / "peer.ppm"}
        ours.ask(f"picture {pictures['ours']}")
        peer.ask(f"picture {pictures['peer']}")
        for _ in range(turns):
            ours_turns.append(_turn(ours, runs))
            peer_turns.append(_turn(peer, runs))
        version, level = peer.ready()["version"], ours.ready()["cpu_level"]
        ours_bytes = ours.last["rss_bytes"]
        peer_bytes = peer.last["rss_bytes"] - peer.last["python_bytes"]
    (ours_ms, ours_cpu), (peer_ms, peer_cpu) = zip(*ours_turns), zip(*peer_turns)
    ratio = compare("PyTorch / ours", [theirs / own for theirs, own in zip(peer_ms, ours_ms)])
    cpu_ratio = compare("the same of CPU time",
                        [theirs / own for theirs, own in zip(peer_cpu, ours_cpu)])
    figures = peers.agreement(*map(peers.read_pixels, pictures.values()))
    bad = [f"at {case.size} the pictures are {figures['psnr']:.1f} dB apart, expected {PSNR:g} "
           "or more"] if figures["psnr"] < PSNR else []
    return {"size": case.size, "threads": case.threads, "cpu_level": level, "turns": turns,
            "precision": case.precision, "version": version, "ours_ms": ours_ms,
            "peer_ms": peer_ms, "ours_cpu_s": ours_cpu, "peer_cpu_s": peer_cpu,
            "ours_bytes": ours_bytes, "peer_bytes": peer_bytes, "ratio": ratio.as_json(),
            "cpu_ratio": cpu_ratio.as_json(), "picture": figures,
            "disagreements": bad}, [ratio, cpu_ratio]


def run_all(program: Path, case: Case, sizes: tuple[str, ...], folder: Path, python: Path | None,
            turns: int, runs: int, scratch: Path):
    """Yields for each size what was measured, as JSON and as comparisons. The checkpoint is the
    case's model, if that is a file, else one with weights that nobody trained."""
    check_folder(folder)
    python = _python(python)
    checkpoint = Path(case.model)
    if not checkpoint.is_file():
        checkpoint = _write_checkpoint(python, folder, scratch / "tlbvfi.pth")
    film = clip.assets()["bigbuckbunny.mp4"]
    for size in sizes:
        at_size = scratch / size
        at_size.mkdir()
        yield _at_size(program,
                       case.but(model=str(checkpoint), size=size, options="eta=0",
                                frames=clip.frames(film, size, at_size)),
                       [python, WORKER, folder, checkpoint], turns, runs, at_size)
