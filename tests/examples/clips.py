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
