# SPDX-License-Identifier: LGPL-2.1-or-later
"""Our side: the build folder, cases, single runs of vfi-bench and long-lived workers."""
import contextlib
import json
import os
import subprocess
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class BenchError(Exception):
    """Something that the user can do something about; the text says what."""


@dataclass(frozen=True)
class Case:
    """What one vfi-bench run measures."""
    model: str = "rife-4.0"
    size: str = "1280x768"
    threads: int = 2
    precision: str = "f32"
    scale: float = 1.0
    quality: str = ""  # of flow; "": its own choice
    options: str = ""  # others of the model, NAME=VALUE,…
    between: int = 1  # in-betweens of a pair, evenly spaced
    level: str = ""  # VFI_CPU; "": the CPU's best
    device: str = "cpu"
    frames: tuple[str, str] | None = None  # .ppm, instead of size; or .yuv of that size
    memory_limit: int = 0  # bytes; 0: none
    warm_up: int = 1  # pairs
    in_flight: int = 1  # in-betweens queued at once

    @property
    def on_cuda(self) -> bool:
        return self.device.startswith("cuda")

    def but(self, **changes) -> "Case":
        return replace(self, **changes)

    def arguments(self) -> list[str]:
        times = ",".join(f"{k / (self.between + 1):.6f}" for k in range(1, self.between + 1))
        options = ",".join(filter(None, (self.quality and f"quality={self.quality}",
                                         self.options)))
        source = ["--frames", ",".join(self.frames)] if self.frames else []
        if not source or self.frames[0].endswith(".yuv"):
            source += ["--size", self.size]
        return ["--model", self.model, *source, "--threads", str(self.threads),
                "--precision", self.precision, "--memory-limit", str(self.memory_limit), "--scale",
                f"{self.scale:g}", "--times", times, "--device", self.device, "--warm-up",
                str(self.warm_up),
                *(["--options", options] if options else [])]

    def environment(self) -> dict[str, str]:
        return {**os.environ, **({"VFI_CPU": self.level} if self.level else {})}


def build(folder: Path) -> Path:
    """The folder's vfi-bench, of a release build; configures the folder if it is not one yet."""
    log = folder / "bench-build.log"
    folder.mkdir(parents=True, exist_ok=True)
    commands = [["ninja", "-C", str(folder)]]
    if not (folder / "build.ninja").is_file():
        print(f"bench: building in {folder}", flush=True)
        commands.insert(0, ["meson", "setup", str(folder), str(ROOT), "--buildtype=release",
                            "-Dtests=disabled"])
    with open(log, "w", encoding="utf-8") as out:
        for command in commands:
            try:
                done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=out,
                                      stderr=subprocess.STDOUT, check=False)
            except FileNotFoundError as error:
                raise BenchError(f"{error.filename} is missing: run tools/setup") from error
            if done.returncode != 0:
                tail = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
                raise BenchError(f"{tail}\nthe build failed; the whole log is {log}")
    with open(folder / "meson-info" / "intro-buildoptions.json", encoding="utf-8") as file:
        options = {option["name"]: option["value"] for option in json.load(file)}
    if options["optimization"] not in ("2", "3") or options["b_sanitize"] != "none":
        raise BenchError(f"{folder} is no release build: give another folder with --build, or run "
                         f"'meson configure {folder} --buildtype=release'")
    return folder / "tools" / "vfi-bench"


def find_cuda(folder: Path) -> None:
    """Has the folder's own CUDA module loaded, not an installed one, unless told otherwise."""
    module = folder / "cuda" / "vfi-cuda.so"
    if module.is_file():
        os.environ.setdefault("VFI_BACKEND_PATH", str(module))


def run(program: Path, case: Case, runs: int) -> dict:
    """One process of vfi-bench: its JSON object."""
    return json.loads(_output(_command(program, case, runs), case.environment()))


def holding(program: Path, case: Case, runs: int) -> "Worker":
    """The same as a worker that is ready with that object and keeps its memory until closed."""
    return Worker([*_command(program, case, runs), "--hold"], case.environment())


def _command(program: Path, case: Case, runs: int) -> list:
    return [program, *case.arguments(), "--runs", str(runs), "--in-flight", str(case.in_flight),
            "--json"]


def plan(program: Path, model: str, size: str, scale: float) -> dict:
    """What the CUDA backend would run with precision f16. @program: a vfi-inspect."""
    return json.loads(_output([program, "--plan=json", "--device", "cuda", "--size", size,
                               "--scale", f"{scale:g}", model]))


def inspector(bench: Path) -> Path:
    """The vfi-inspect that was built with a vfi-bench."""
    return bench.with_name("vfi-inspect")


def models(program: Path) -> list[Path]:
    """What there is on the search path."""
    return [Path(line) for line in _output([program, "--list"]).splitlines()]


def _output(command: list, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    if done.returncode != 0:
        raise BenchError(done.stderr.strip() or f"{command[0]} ended with {done.returncode}")
    return done.stdout


class Worker:
    """A process that runs one pair each time it is asked to: vfi-bench --interactive, or a peer
    that speaks the same lines."""

    def __init__(self, command: list, environment: dict[str, str]):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors, text=True)
        self.last: dict = {}
        self.start: dict | None = None

    def ready(self) -> dict:
        """What it said when it was warm; waits for that the first time."""
        if self.start is None:
            self.start = self._answer()
        return self.start

    def ask(self, command: str) -> dict:
        self.ready()
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        self.last = self._answer()
        return self.last

    def ms(self) -> float:
        return self.ask("run")["ms"]

    def cpu_seconds(self) -> float:
        """What all its threads have taken so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def _answer(self) -> dict:
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {}
        if line and "error" not in answer:
            return answer
        self.process.stdin.close()
        self.process.wait()
        self.errors.seek(0)
        said = self.errors.read().decode(errors="replace").strip().splitlines()[-5:]
        raise BenchError(answer.get("error") or "\n".join(said)
                         or f"{self.process.args[0]} ended without an answer")

    def close(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()
        self.errors.close()


def worker(program: Path, case: Case) -> Worker:
    return Worker([program, *case.arguments(), "--interactive"], case.environment())
