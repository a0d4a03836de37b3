#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rates.py PROGRAM: how many frames come out and when they are shown, by ffprobe. Prints TAP."""
import os
import sys
from fractions import Fraction
from pathlib import Path

sys.dont_write_bytecode = True
from clips import clip, convert, need, pictures, stream, times  # noqa: E402
from tap import check, finish  # noqa: E402

FOLDER = Path(os.environ["TMPDIR"])
# Matroska and MP4 round times, to 1 ms and to less.
ROUNDING = Fraction(1, 1000)


def test_rate(name: str, source: Path, wanted: list[Fraction], *options: object,
              extension: str = "mkv") -> Path:
    """@wanted: the times of all frames."""
    result = FOLDER / f"{name}.{extension}"
    done = convert(source, "-o", result, "--model", "blend", "--codec", "ffv1"
                   if extension == "mkv" else "h264", "--preset", "fastest", *options)
    check(done.returncode == 0, f"{name}: exit code 0", done)
    found = times(result) if done.returncode == 0 else []
    check(len(found) == len(wanted), f"{name}: {len(wanted)} frames", len(found))
    late = [(i, float(a), float(b)) for i, (a, b) in enumerate(zip(found, wanted))
            if abs(a - b) > ROUNDING]
    check(not late, f"{name}: all at their times", late[:5])
    return result


def grid(count: int, rate: Fraction, start: Fraction = Fraction(0)) -> list[Fraction]:
    return [start + i / rate for i in range(count)]


def test_constant() -> None:
    pal = clip(FOLDER / "25.mp4")
    test_rate("25 to 50", pal, grid(100, Fraction(50)))
    test_rate("25 to 50 in MP4", pal, grid(100, Fraction(50)), extension="mp4")
    test_rate("25 to 62.5 by factor", pal, grid(125, Fraction(125, 2)), "--fps", "2.5x")
    test_rate("25 to 25", pal, grid(50, Fraction(25)), "--fps", "25")
    test_rate("24 to 60", clip(FOLDER / "24.mkv", 24), grid(120, Fraction(60)), "--fps", "60")
    ntsc = Fraction(60000, 1001)
    test_rate("29.97 to 60", clip(FOLDER / "29.mkv", "30000/1001"), grid(120, Fraction(60)),
              "--fps", "60")
    test_rate("29.97 to 59.94", FOLDER / "29.mkv", grid(120, ntsc))


def test_slow_motion() -> None:
    test_rate("4 times slower", FOLDER / "25.mp4", grid(200, Fraction(25)), "--slow-motion", "4")
    test_rate("2.5 times slower, to 60", FOLDER / "25.mp4", grid(300, Fraction(60)),
              "--slow-motion", "2.5", "--fps", "60")


def test_part() -> None:
    """Frames of 25 a second lie at multiples of 40 ms: the first behind 0.5 s is at 0.52 s."""
    start = Fraction(2, 100)
    test_rate("from 0.5 s to 1.5 s", FOLDER / "25.mp4", grid(49, Fraction(50), start), "--from",
              "0.5", "--to", "1.5")
    test_rate("from 1 s", FOLDER / "25.mp4", grid(50, Fraction(50)), "--from", "1")
    # Seeks in a transport stream lead to about where they should.
    clip(FOLDER / "25.ts", 25, 2, "64x48", "-c:v", "libx264", "-g", "10")
    test_rate("a transport stream", FOLDER / "25.ts", grid(100, Fraction(50)))
    test_rate("from 1 s, without an index", FOLDER / "25.ts", grid(50, Fraction(50)), "--from", "1")
    done = convert(FOLDER / "25.mp4", "-o", FOLDER / "none.mkv", "--from", "100", "--model",
                   "blend")
    check(done.returncode == 3 and "found its end" in done.stderr, "from behind the end", done)


def test_variable() -> None:
    """Of 30 frames a second some are missing, and two thirds of a second at once."""
    source = FOLDER / "vfr.mkv"
    clip(source, 30, 4, "64x48", "-vf", "select='not(eq(mod(n,7),3))*not(between(n,50,71))'",
         "-fps_mode", "vfr", "-c:v", "libx264", "-preset", "ultrafast")
    test_rate("variable to 60", source, grid(240, Fraction(60)), "--fps", "60")
    test_rate("variable to twice", source, grid(240, Fraction(60)))
    before = times(source)
    # An in-between in the middle of all that are near; the last of a run is followed by a copy.
    usual = Fraction(1, 30)
    wanted = []
    for i, time in enumerate(before):
        following = before[i + 1] if i + 1 < len(before) else time + usual
        step = following - time if following - time < Fraction(1, 4) else usual
        wanted += [time, time + step / 2]
    test_rate("variable stays variable", source, wanted, "--keep-vfr")


def test_segments() -> None:
    """However the work is cut: the same pictures, also where segments are shorter than what is
    read before them."""
    for name, options in (("25.mp4", []), ("24.mkv", ["--fps", "60"]), ("vfr.mkv", []),
                          ("vfr.mkv", ["--keep-vfr"])):
        found = []
        for seconds in ("100", "0.7", "0.1"):
            result = FOLDER / "cut.mkv"
            done = convert(FOLDER / name, "-o", result, "--model", "flow", "--codec", "ffv1",
                           "--overwrite", "--segment-seconds", seconds, *options)
            check(done.returncode == 0, f"{name} in segments of {seconds} s", done)
            found.append(pictures(result) if done.returncode == 0 else [seconds])
        check(found[0] == found[1] == found[2],
              f"{name} {' '.join(options)}: the same pictures in long and short segments",
              [i for i, three in enumerate(zip(*found)) if len(set(three)) > 1])


def test_other_size() -> None:
    """A file whose frames change their size is converted part by part."""
    parts = FOLDER / "sizes.ts"
    first = clip(FOLDER / "small.ts", 60, 2.5, "64x48")
    second = clip(FOLDER / "large.ts", 60, 1, "96x64", "-c:v", "libx264", "-pix_fmt", "yuv420p",
                  "-preset", "ultrafast", "-output_ts_offset", "2.5")
    parts.write_bytes(first.read_bytes() + second.read_bytes())
    done = convert(parts, "-o", FOLDER / "sizes.mkv", "--model", "blend")
    check(done.returncode == 3 and "--from and --to" in done.stderr, "two sizes are refused", done)
    for name, size, cut in (("first", ["64", "48"], ("--to", "2.5")),
                            ("second", ["96", "64"], ("--from", "2.5"))):
        result = FOLDER / f"sizes-{name}.mkv"
        done = convert(parts, "-o", result, *cut, "--model", "blend")
        found = stream(result, "width", "height") if done.returncode == 0 else []
        check(found == size, f"the {name} part", [found, done])


def main() -> None:
    need("x264enc", "avenc_ffv1", "matroskamux", "mp4mux")
    test_constant()
    test_slow_motion()
    test_part()
    test_variable()
    test_segments()
    test_other_size()
    finish()


if __name__ == "__main__":
    main()
