#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What goes wrong when a file is put together: one clear line, and nothing left behind.

usage: failures.py ASSEMBLE_FILE
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from files import ffmpeg, packets, run, segment, video_source, write  # noqa: E402
from tap import check, finish  # noqa: E402

ASSEMBLE = os.path.abspath(sys.argv[1])


def left() -> list[str]:
    return [name for name in os.listdir(".") if name.startswith((".", "out."))]


def fails(what: str, expected: str, *arguments: object, before: list[object] | None = None) -> None:
    """@before: words before the command."""
    done = run(*(before or []), ASSEMBLE, *arguments)
    lines = done.stderr.strip().splitlines()
    check(done.returncode == 1 and len(lines) == 1 and lines[0].startswith(expected), what, done)
    check(left() == [], f"{what}: nothing is left", left())


def check_disk() -> None:
    """A small disk of one's own, in a name space of one's own."""
    script = ('mkdir small && mount -t tmpfs -o size=160k none small && '
              'head -c 120000 /dev/zero >small/fill && shift && "$@"; code=$?; '
              'ls -A small >left; exit $code')
    probe = run("unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
                "mkdir probe && mount -t tmpfs none probe")
    for extension in ("mkv", "mp4"):
        if probe.returncode != 0:
            print(f"# the disk is not filled: {probe.stderr.strip()}")
            check(True, f"a full disk, {extension} # SKIP no name spaces here")
            continue
        done = run("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh",
                   "-", ASSEMBLE, "in.mkv", f"small/out.{extension}", "h264", "copy", 1, 0, -1,
                   "0.gdp", "1.gdp", "0.gdp")
        check(done.returncode == 1 and done.stderr.strip() ==
              f"7: small/out.{extension}: no space is left on the disk; make room, then go on",
              f"a full disk, {extension}", done)
        with open("left", encoding="utf-8") as file:
            check(file.read() == "fill\n", f"a full disk, {extension}: nothing is left")
        os.rmdir("small")


def check_change() -> None:
    """Sound that is stereo first, then mono: no reason to have no film."""
    for name, channels, start in (("one", 2, 0), ("two", 1, 1)):
        ffmpeg(*video_source(1), "-f", "lavfi", "-i", "sine=440:r=48000:d=1", "-c:v", "libx264",
               "-bf", 0, "-pix_fmt", "yuv420p", "-c:a", "aac", "-ac", channels,
               "-output_ts_offset", start, f"{name}.ts")
    with open("change.ts", "wb") as file:
        for name in ("one.ts", "two.ts"):
            with open(name, "rb") as part:
                file.write(part.read())
    for extension in ("mkv", "mp4"):
        done = run(ASSEMBLE, "change.ts", f"out.{extension}", "h264", "copy", 1, 0, -1, "0.gdp",
                   "1.gdp")
        check(done.returncode == 0 and "audio track 1 (aac) ends at 0.9" in done.stderr,
              f"sound that changes, {extension}", done)
        end = packets(f"out.{extension}", "a:0")[-1][0]
        check(len(packets(f"out.{extension}", "v:0")) == 100 and 0.9 < end < 1.05,
              f"sound that changes, {extension}: kept up to there", end)
        os.remove(f"out.{extension}")


def main() -> None:
    os.chdir(os.environ["TMPDIR"])
    ffmpeg(*video_source(), "-f", "lavfi", "-i", "sine=440:r=48000:d=2", "-c:v", "libx264",
           "-pix_fmt", "yuv420p", "-c:a", "aac", "in.mkv")
    segment("0.gdp", "h264")
    segment("1.gdp", "h264", start=1)
    segment("h265.gdp", "h265", frames=5)
    tail = ["h264", "copy", 1, 0, -1]

    fails("no such folder", "6: none/out.mkv: its folder cannot be written to: ", "in.mkv",
          "none/out.mkv", *tail, "0.gdp")
    for extension in ("mkv", "mp4"):
        limited = ["prlimit", "--fsize=20000", "sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh"]
        fails(f"a file that may not grow, {extension}", f"6: out.{extension}: cannot be written: ",
              "in.mkv", f"out.{extension}", *tail, "0.gdp", "1.gdp", before=limited)
    fails("no such segment", "0: none.gdp: cannot be opened: ", "in.mkv", "out.mkv", *tail,
          "0.gdp", "none.gdp")
    fails("no segment at all", "0: empty.gdp: ", "in.mkv", "out.mkv", *tail,
          write("empty.gdp", ""))
    fails("a segment of something else", "0: words.gdp: is damaged, or not in ", "in.mkv",
          "out.mkv", *tail, "0.gdp", write("words.gdp", "words " * 100))
    fails("segments that do not fit", "0: h265.gdp: was encoded otherwise ", "in.mkv", "out.mkv",
          *tail, "0.gdp", "h265.gdp")
    fails("a codec that the container does not take",
          "5: out.webm: GStreamer's muxer does not take this h264", "in.mkv", "out.webm", *tail,
          "0.gdp")
    fails("cancelled", "19: ", "in.mkv", "out.mkv", "h264", "cancel", 1, 0, -1, "0.gdp", "1.gdp")

    # What a program that was killed leaves: a last packet that is not whole.
    with open("1.gdp", "rb") as file:
        whole = file.read()
    with open("cut.gdp", "wb") as file:
        file.write(whole[:len(whole) * 3 // 4])
    done = run(ASSEMBLE, "in.mkv", "out.mkv", *tail, "0.gdp", "cut.gdp")
    found = len(packets("out.mkv", "v:0"))
    check(done.returncode == 0 and 75 < found < 100, "a segment that was cut off", (done, found))
    os.remove("out.mkv")

    write("out.mp4", "an older file")
    done = run(ASSEMBLE, "in.mkv", "out.mp4", *tail, "0.gdp", "none.gdp")
    with open("out.mp4", encoding="utf-8") as file:
        check(done.returncode == 1 and file.read() == "an older file",
              "what was there stays if it cannot be replaced", done)
    os.remove("out.mp4")
    check_change()
    check_disk()
    finish()


main()
