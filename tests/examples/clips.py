# SPDX-License-Identifier: LGPL-2.1-or-later
"""Short clips, made by ffmpeg, and what ffprobe says of a file."""
import json
import subprocess
from pathlib import Path


def make_clip(path: Path, seconds: float = 1, rate: str = "25", size: str = "64x48",
              video: str = "libx264 -preset ultrafast -pix_fmt yuv420p",
              sound: bool = True) -> Path:
    """A moving test picture with sound, that any container takes as it is."""
    tone = ["-f", "lavfi", "-i", f"sine=duration={seconds}", "-c:a", "aac"] if sound else []
    subprocess.run(
        ["ffmpeg", "-v", "error", "-y", "-f", "lavfi",
         "-i", f"testsrc2=size={size}:rate={rate}:duration={seconds}", *tone[:4],
         "-c:v", *video.split(), *tone[4:], str(path)], check=True)
    return path


def probe(path: Path, stream: str, entries: str) -> list[str]:
    """The values of one entry of each packet or frame, such as packet=pts_time."""
    done = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", stream, "-show_entries", entries,
         "-of", "json", str(path)], check=True, stdout=subprocess.PIPE)
    section, _, name = entries.partition("=")
    return [entry[name] for entry in json.loads(done.stdout)[section + "s"]]


def frame_count(path: Path, stream: str = "v:0") -> int:
    """Of frames that can really be decoded."""
    return len(probe(path, stream, "frame=pts_time"))


def make_pictures(pattern: Path, count: int) -> None:
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=size=64x48", "-frames:v",
         str(count), "-start_number", "0", str(pattern)], check=True)


def still_pairs(path: Path) -> int:
    """How many frames show what the one before shows, but for what a lossy coder makes of it: they
    differ by less than half a code on average."""
    raw = subprocess.run(["ffmpeg", "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt",
                          "gray", "-"], check=True, stdout=subprocess.PIPE).stdout
    size = 64 * 48
    frames = [raw[at:at + size] for at in range(0, len(raw), size)]
    return sum(sum(abs(x - y) for x, y in zip(a, b)) < size / 2
               for a, b in zip(frames, frames[1:]))
