# SPDX-License-Identifier: LGPL-2.1-or-later
"""Real pictures: two frames in a row of the demo clip that tools/get-models fetches."""
import subprocess
from pathlib import Path

from engine import ROOT, BenchError

FIRST_FRAME = 36  # things move by up to 13 pixels, below RIFE 4.0's restart at 32; no cut is near


def assets() -> dict[str, Path]:
    """File name → where tools/get-models puts it; what it fetches when told no names is there when
    this returns."""
    for arguments in ([], ["--paths"]):
        done = subprocess.run([ROOT / "tools" / "get-models", *arguments], capture_output=True,
                              text=True, check=False)
        if done.returncode != 0:
            raise BenchError(done.stderr.strip())
    paths = [Path(line.split("\t")[0]) for line in done.stdout.splitlines()]
    return {path.name: path for path in paths}


def frames(clip: Path, size: str, folder: Path) -> tuple[str, str]:
    """Two PPM files of that size in folder, scaled without regard to the aspect ratio."""
    _decode(clip, size, 2, ["-pix_fmt", "rgb24", folder / "frame%d.ppm"])
    return str(folder / "frame1.ppm"), str(folder / "frame2.ppm")


def raw(clip: Path, size: str, count: int, path: Path) -> Path:
    """That many frames in a row as I420."""
    _decode(clip, size, count, ["-pix_fmt", "yuv420p", "-f", "rawvideo", path])
    return path


def _decode(clip: Path, size: str, count: int, to: list) -> None:
    chosen = f"select=between(n\\,{FIRST_FRAME}\\,{FIRST_FRAME + count - 1})"
    command = ["ffmpeg", "-v", "error", "-nostdin", "-y", "-i", clip, "-an", "-vf",
               f"{chosen},scale={size.replace('x', ':')}:flags=bicubic", "-fps_mode",
               "passthrough", "-frames:v", str(count), *to]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise BenchError("ffmpeg is missing: run tools/setup") from error
    if done.returncode != 0:
        raise BenchError(f"ffmpeg could not decode {clip}: {done.stderr.strip()}")
