# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ours in turn with other programs: same weights, same frames, same number of threads, and a
check that the pictures agree. Peers live in a private virtual environment; nothing of it is
needed to build or test."""
import contextlib
import json
import math
import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import clip
import engine
from engine import BenchError, Case
from turns import Comparison, compare

HERE = Path(__file__).resolve().parent
# What is installed, with all that it needs: name==version --hash=sha256:…, of wheels for Debian
# 12's Python. "tools" is what the workers need besides numpy, PyTorch among it, which exports the
# model.
# Others: pip install --dry-run --ignore-installed --report - --only-binary=:all: PACKAGE…
PINS = HERE / "pins"
NEEDED = ("numpy", "tools")
PINNED_FOR = ("3.11", "x86_64")
SIZES = ("1280x720", "1280x768", "1920x1080")


@dataclass(frozen=True)
class Peer:
    name: str
    pins: str  # the packages it is of, by name of a file of PINS
    what: str
    bar: float | None  # how many times as long as ours it should take
    psnr: float  # dB against PyTorch's picture that it must reach


# f32 programs differ from PyTorch in the rounding of some samples only: 87 to 98 dB were seen.
# The least fault that was tried, a bias of the coarsest block left out, gives 70 dB.
PEERS = {peer.name: peer for peer in (
    Peer("torch", "tools", "PyTorch f32", 3.3, 80.0),
    Peer("openvino", "openvino", "OpenVINO f32", 3.0, 80.0),
    Peer("openvino-bf16", "openvino", "OpenVINO bf16", None, 35.0),
    Peer("onnxruntime", "onnxruntime", "ONNX Runtime f32", None, 80.0),
    Peer("ncnn", "ncnn", "rife-ncnn-vulkan f32, CPU", 2.7, 80.0),
)}
AVX2_BARS = {"ncnn": 2.2}
# A padded picture is another one near its right and bottom: ours pads to 64 and the peers to
# 32, and our last step repeats the frame's edge where theirs mixes in padding. By: padded.
OURS_PSNR = {False: 80.0, True: 60.0}
# What holds each library back to AVX2. ONNX Runtime and ncnn have no such switch.
AVX2_ENVIRONMENT = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2",
                    "DNNL_MAX_CPU_ISA": "AVX2"}


def environment_folder() -> Path:
    configured = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(configured) if os.path.isabs(configured) else Path.home() / ".cache"
    return base / "vfi" / "bench-venv"


def pinned(name: str) -> dict[str, tuple[str, str]]:
    """Version and sha256 by package."""
    found = {}
    for line in (PINS / f"{name}.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            pin = re.fullmatch(r"([a-z0-9-]+)==([^ ]+) --hash=sha256:([0-9a-f]{64})", line)
            if pin is None:
                raise BenchError(f"{PINS / name}.txt: expected a version and a hash, found {line}")
            found[pin[1]] = (pin[2], pin[3])
    return found


def _installed(python: Path) -> dict[str, str]:
    """Versions by package, whose names are spelt as in PINS."""
    code = ("import importlib.metadata as m, json, re; print(json.dumps({re.sub('[-_.]+', '-', "
            "d.metadata['Name']).lower(): d.version for d in m.distributions()}))")
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return json.loads(done.stdout) if done.returncode == 0 else {}


def _make_environment(python: Path) -> None:
    folder = environment_folder()
    done = subprocess.run([sys.executable, "-m", "venv", "--clear", folder], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0 or not python.is_file():
        raise BenchError(f"{done.stdout}{done.stderr}\ncould not make {folder}: is python3-venv "
                         "installed? tools/setup --bench does that")


def _pip_install(python: Path, name: str) -> str:
    """Why not, or nothing."""
    done = subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-input",
                           "--disable-pip-version-check", "--only-binary=:all:", "--no-deps",
                           "--require-hashes", "--requirement", PINS / f"{name}.txt"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return ""
    found = (f"{sys.version_info.major}.{sys.version_info.minor}", platform.machine())
    hint = (f" (pinned are wheels for Python {PINNED_FOR[0]} on {PINNED_FOR[1]}, this is "
            f"{found[0]} on {found[1]})" if found != PINNED_FOR else "")
    return (done.stderr.strip().splitlines() or ["pip failed"])[-1] + hint


def install_pins(pins: list[str]) -> tuple[Path, dict[str, str]]:
    """The environment's Python, and for each file of PINS that could not be installed why."""
    python = environment_folder() / "bin" / "python"
    if not python.is_file() or not _installed(python):
        _make_environment(python)
    have = _installed(python)
    failed: dict[str, str] = {}
    for name in dict.fromkeys(pins):
        if any(have.get(package) != version for package, (version, _) in pinned(name).items()):
            print(f"bench: installing pins/{name}.txt in {environment_folder()}", flush=True)
            reason = _pip_install(python, name)
            if reason:
                failed[name] = reason
    return python, failed


def install(names: list[str]) -> tuple[Path, dict[str, str]]:
    """The environment's Python, and for each peer that could not be installed the reason."""
    python, failed = install_pins([*NEEDED, *(PEERS[name].pins for name in names)])
    for name in NEEDED:
        if name in failed:
            raise BenchError(f"what every peer needs could not be installed: {failed[name]}")
    return python, {name: failed[PEERS[name].pins] for name in names
                    if PEERS[name].pins in failed}


@dataclass
class Run:
    """What the turns at one size share."""
    program: Path
    python: Path
    case: Case  # its frames are set
    checkpoint: Path
    folder: Path
    environment: dict[str, str]

    def peer_command(self, name: str) -> list:
        return [self.python, HERE / "peer_worker.py", name, self.checkpoint, *self.case.frames,
                str(self.case.threads), self.folder]

    def export(self) -> dict:
        done = subprocess.run(self.peer_command("export"), env=self.environment, text=True,
                              capture_output=True, check=False)
        if done.returncode != 0:
            raise BenchError(f"the models for the peers could not be written:\n{done.stderr}")
        return json.loads(done.stdout.strip().splitlines()[-1])

    def worker(self, name: str) -> engine.Worker:
        return engine.Worker(self.peer_command(name), self.environment)


def read_pixels(path: Path) -> bytes:
    return path.read_bytes().split(b"\n", 3)[3]


def agreement(a: bytes, b: bytes) -> dict:
    """Of 8-bit pictures, in codes of 255."""
    counts: dict[int, int] = {}
    for x, y in zip(a, b, strict=True):
        if x != y:
            counts[abs(x - y)] = counts.get(abs(x - y), 0) + 1
    square = sum(n * d * d for d, n in counts.items()) / len(a)
    return {"max": max(counts, default=0), "mean": sum(n * d for d, n in counts.items()) / len(a),
            "psnr": 10 * math.log10(255 ** 2 / square) if square else math.inf}


def _pictures(ours: engine.Worker, peers: dict[str, engine.Worker], folder: Path) -> dict:
    """Each program's in-between against PyTorch's."""
    paths = {name: folder / f"{name}.ppm" for name in ("ours", *peers)}
    ours.ask(f"picture {paths['ours']}")
    for name, worker in peers.items():
        worker.ask(f"picture {paths[name]}")
    reference = read_pixels(paths["torch"])
    return {name: agreement(read_pixels(path), reference) for name, path in paths.items()
            if name != "torch"}


def _times(ours: engine.Worker, peers: dict[str, engine.Worker], turns: int, runs: int):
    """Milliseconds by turn: each peer right after ours, the median of a few runs each."""
    peer_ms: dict[str, list[float]] = {name: [] for name in peers}
    ours_ms: dict[str, list[float]] = {name: [] for name in peers}
    for _ in range(turns):
        for name, worker in peers.items():
            ours_ms[name].append(median(ours.ms() for _ in range(runs)))
            peer_ms[name].append(median(worker.ms() for _ in range(runs)))
    return ours_ms, peer_ms


def _row(name: str, worker: engine.Worker, ours_ms: list[float], peer_ms: list[float],
         bar: float | None) -> tuple[dict, Comparison]:
    ratio = compare(PEERS[name].what, [peer / ours for peer, ours in zip(peer_ms, ours_ms)], bar)
    row = {"peer": name, "what": PEERS[name].what, "version": worker.ready()["version"],
           "ms_median": median(peer_ms), "ms_min": min(peer_ms), "ms_max": max(peer_ms),
           "ours_ms_median": median(ours_ms), "ratio": ratio.as_json(),
           "ratio_of_fastest": min(peer_ms) / min(ours_ms),
           "rss_bytes": worker.last["rss_bytes"], "python_bytes": worker.last["python_bytes"]}
    return row, ratio


def _check(pictures: dict, is_padded: bool) -> list[str]:
    """What does not agree, in words."""
    bad = []
    for name, figures in pictures.items():
        bound = OURS_PSNR[is_padded] if name == "ours" else PEERS[name].psnr
        figures["bound"] = bound
        if figures["psnr"] < bound:
            bad.append(f"{name} is {figures['psnr']:.1f} dB from PyTorch's picture, expected "
                       f"{bound:g} or more")
    return bad


def _at_size(run: Run, names: list[str], turns: int, runs: int) -> tuple[dict, list[Comparison]]:
    exported = run.export()
    with contextlib.ExitStack() as stack:
        ours = engine.worker(run.program, run.case)
        stack.callback(ours.close)
        peers = {}
        for name in names:
            peers[name] = run.worker(name)
            stack.callback(peers[name].close)
            peers[name].ready()
        pictures = _pictures(ours, peers, run.folder)
        ours_ms, peer_ms = _times(ours, peers, turns, runs)
        start, last = ours.ready(), ours.last
        rows = [_row(name, worker, ours_ms[name], peer_ms[name],
                     AVX2_BARS.get(name) if run.case.level == "avx2" else PEERS[name].bar)
                for name, worker in peers.items()]
    padded = [start["padded_width"], start["padded_height"]]
    every = [ms for by_turn in ours_ms.values() for ms in by_turn]
    bad = _check(pictures, run.case.size != "x".join(map(str, padded)))
    if exported["motion"] > exported["limit"] or start["segments"] != [0, 1]:
        bad.append(f"the frames move too far ({exported['motion']:.1f} pixels): ours starts again "
                   "at another scale, which the peers do not do")
    return {
        "size": run.case.size, "threads": run.case.threads, "cpu_level": start["cpu_level"],
        "precision": run.case.precision, "motion": exported["motion"], "turns": turns,
        "peers_padded": [exported["padded_width"], exported["padded_height"]],
        "ours": {"padded": padded, "ms_median": median(every), "ms_min": min(every),
                 "ms_max": max(every), "rss_bytes": last["rss_bytes"]},
        "peers": [row for row, _ in rows], "pictures": pictures, "disagreements": bad,
    }, [ratio for _, ratio in rows]


def run_all(program: Path, case: Case, sizes: tuple[str, ...], names: list[str], turns: int,
            runs: int, scratch: Path):
    """Yields for each size what was measured, as JSON and as comparisons."""
    if "torch" not in names:  # whose picture is what the others are held against
        names = ["torch", *names]
    python, missing = install(names)
    for name, reason in missing.items():
        print(f"bench: {PEERS[name].what} could not be installed and is left out: {reason}")
    names = [name for name in names if name not in missing]
    assets = clip.assets()
    held_back = AVX2_ENVIRONMENT if case.level == "avx2" else {}
    for size in sizes:
        folder = scratch / size
        folder.mkdir()
        frames = clip.frames(assets["bigbuckbunny.mp4"], size, folder)
        yield _at_size(Run(program, python, case.but(size=size, frames=frames),
                           assets["rife-4.0.pkl"], folder, {**os.environ, **held_back}),
                       names, turns, runs)
