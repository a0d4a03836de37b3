# SPDX-License-Identifier: LGPL-2.1-or-later
"""What tests of vfi-convert share: small clips made by ffmpeg, the program, and ffprobe's view."""
import json
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from tap import skip_all  # noqa: E402

PROGRAM = sys.argv[1]


def need(*elements: str) -> None:
    """Skips the test where something of the system is missing."""
    for tool in ("ffmpeg", "ffprobe", "gst-inspect-1.0"):
        if shutil.which(tool) is None:
            skip_all(f"{tool} is not installed")
    for element in elements:
        if subprocess.run(["gst-inspect-1.0", "--exists", element], check=False).returncode:
            skip_all(f"{element} is not installed")


def ffmpeg(*words: object) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-y", *map(str, words)], check=True)


def clip(path: Path, rate: object = 25, seconds: float = 2, size: str = "64x48",
         *encoding: object, sound: bool = False) -> Path:
    source = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}"]
    if sound:
        source += ["-f", "lavfi", "-i", f"sine=frequency=440:duration={seconds}", "-c:a", "aac"]
    ffmpeg(*source, *(encoding or ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset",
                                   "ultrafast")), path)
    return path


def command(*words: object) -> list[str]:
    return [PROGRAM, *map(str, words)]


def convert(*words: object, **settings: object) -> subprocess.CompletedProcess:
    """Runs the program on one thread of the engine, for tests run side by side."""
    return subprocess.run(command(*words), check=False, capture_output=True, text=True,
                          timeout=120, **settings)


def lines(done: subprocess.CompletedProcess, kind: str) -> list[dict]:
    """The lines of JSON of a type."""
    return [line for line in map(json.loads, done.stdout.splitlines()) if line["type"] == kind]


def probe(path: Path, entries: str, stream: str = "v:0") -> list[dict]:
    text = subprocess.run(["ffprobe", "-v", "error", "-select_streams", stream, "-of", "json",
                           "-show_entries", entries, str(path)], check=True,
                          capture_output=True, text=True).stdout
    found = json.loads(text)
    return found.get("packets") or found.get("frames") or found["streams"]


def stream(path: Path, *names: str) -> list[str]:
    found = probe(path, "stream=" + ",".join(names))[0]
    return [str(found.get(name)) for name in names]


def times(path: Path, of: str = "v:0") -> list[Fraction]:
    """When frames are shown, in order."""
    return sorted(Fraction(packet["pts_time"]) for packet in probe(path, "packet=pts_time", of))


def pictures(path: Path) -> list[str]:
    """What every frame of a video decodes to."""
    text = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v:0", "-f",
                           "framemd5", "-"], check=True, capture_output=True, text=True).stdout
    return [line.split(",")[-1].strip() for line in text.splitlines() if line[0] != "#"]
