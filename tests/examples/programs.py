#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The C programs of examples/: which frames come out, and how they end when something is wrong.
Frames are made here and by ffmpeg, and counted by ffprobe; in-betweens of `blend` are means.

usage: programs.py FOLDER     the folder of the programs
"""
import os
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tap import check, finish  # noqa: E402
from clips import frame_count, make_clip  # noqa: E402

PROGRAMS = Path(sys.argv[1]).resolve()
WIDTH, HEIGHT, FRAMES = 18, 8, 12  # rows of 54 bytes, which GStreamer would pad


def run(name: str, *arguments: str, **options: object) -> subprocess.CompletedProcess:
    return subprocess.run([PROGRAMS / name, *arguments], check=False, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)


def ramp(number: int) -> bytes:
    """A picture that grows brighter: too slowly for a cut."""
    return bytes(20 + 6 * number + x + y for y in range(HEIGHT) for x in range(WIDTH)
                 for _ in range(3))


def frames_of(raw: bytes) -> list[bytes]:
    size = WIDTH * HEIGHT * 3
    return [raw[at:at + size] for at in range(0, len(raw), size)]


def appsrc_appsink() -> None:
    sent = [ramp(number) for number in range(FRAMES)]
    size = [str(WIDTH), str(HEIGHT)]
    done = run("appsrc-appsink", "blend", *size, "25", "2", input=b"".join(sent))
    got = frames_of(done.stdout)
    check(done.returncode == 0 and len(got) == 2 * FRAMES, "appsrc-appsink: two for each frame",
          done.stderr)
    check(got[::2] == sent, "appsrc-appsink: frames come back as they were")
    means = [bytes((a + b) // 2 for a, b in zip(*pair)) for pair in zip(sent, sent[1:])]
    check(got[1:-1:2] == means, "appsrc-appsink: in-betweens lie between their frames")
    check(f"{FRAMES} frames in, {2 * FRAMES} out" in done.stderr.decode(),
          "appsrc-appsink: says how many", done.stderr)

    done = run("appsrc-appsink", "blend", *size, "30", "4", input=b"".join(sent))
    check(len(frames_of(done.stdout)) == 4 * FRAMES, "appsrc-appsink: four for each frame")
    done = run("appsrc-appsink", "blend", *size, "25", "2", input=sent[0] + sent[1][:-1])
    check(done.returncode == 1 and b"ends within a frame" in done.stderr,
          "appsrc-appsink: part of a frame is an error", done.stderr)
    done = run("appsrc-appsink", "no-such-model", *size, "25", "2", input=sent[0])
    check(done.returncode == 1 and b"no-such-model" in done.stderr,
          "appsrc-appsink: so is an unknown model", done.stderr)
    for count in (2, 20 * FRAMES):  # what a buffer holds, and more
        with open("/dev/full", "wb") as full:
            done = subprocess.run([PROGRAMS / "appsrc-appsink", "blend", *size, "25", "2"],
                                  input=b"".join((sent * 20)[:count]), stdout=full,
                                  stderr=subprocess.PIPE, check=False, timeout=60)
        check(done.returncode == 1 and b"takes no more" in done.stderr,
              f"appsrc-appsink: and a full disk, after {count} frames", done.stderr)


def playbin_filter(clip: Path) -> None:
    sinks = ["--video-sink", "fakesink", "--audio-sink", "fakesink"]
    frames = frame_count(clip)
    done = run("playbin-filter", "--model", "blend", *sinks, str(clip))
    check(done.returncode == 0 and f"{frames} frames in, {2 * frames} out" in done.stdout.decode(),
          "playbin-filter: a file at twice its rate", done.stdout + done.stderr)
    done = run("playbin-filter", "--model", "blend", "--rate", "60", *sinks, clip.as_uri())
    check(done.returncode == 0 and f"{frames} frames in, 60 out" in done.stdout.decode(),
          "playbin-filter: a URI at 60 frames a second", done.stdout + done.stderr)
    colon = clip.rename(clip.with_name("Movie: part 1.mkv"))
    done = run("playbin-filter", "--model", "blend", *sinks, colon.name, cwd=colon.parent)
    check(done.returncode == 0, "playbin-filter: a file whose name looks like a URI", done.stderr)
    clip = colon
    done = run("playbin-filter", *sinks, "no-such-file.mp4")
    check(done.returncode == 1 and b"not found" in done.stderr,
          "playbin-filter: a file that is not there", done.stderr)
    done = run("playbin-filter", "--model", "no-such-model", *sinks, str(clip))
    check(done.returncode == 1 and b"no-such-model" in done.stderr,
          "playbin-filter: a model that is not there", done.stderr)


def without_playbin(clip: Path) -> None:
    """With the plugins that its filter is made of, and no others."""
    plugins = clip.parent / "plugins"
    plugins.mkdir()
    for kind in ("coreelements", "videoconvert*"):
        for found in Path(os.environ["GST_PLUGIN_SYSTEM_PATH_1_0"]).glob(f"libgst{kind}.so"):
            (plugins / found.name).symlink_to(found)
    done = run("playbin-filter", str(clip), env={
        **os.environ, "GST_PLUGIN_SYSTEM_PATH_1_0": str(plugins),
        "GST_REGISTRY_1_0": str(clip.parent / "registry")})
    check(done.returncode == 1 and b"playbin is missing" in done.stderr
          and b"CRITICAL" not in done.stderr, "playbin-filter: without playbin", done.stderr)


def change_rate() -> None:
    source = "videotestsrc pattern=ball num-buffers=60 ! video/x-raw,width=64,height=48," \
             "framerate=25/1"
    fixed = ["--model", "blend", "--source", source, "--sink", "fakesink"]
    done = run("change-rate", *fixed, "20:multiplier=3", "30:framerate=100",
               "40:framerate=any", "50:clear-cache")
    text = done.stdout.decode()
    runs = [(int(count), Fraction(rate))
            for count, rate in re.findall(r"^(\d+) frames at (\S+)$", text, re.MULTILINE)]
    check(done.returncode == 0 and [rate for _, rate in runs] == [50, 75, 100, 75],
          "change-rate: each change takes effect", text)
    # 60 frames at 25 are 2.4 s. A new rate's first frame begins where the last output ends.
    covered = sum(count / rate for count, rate in runs)
    check(abs(covered - Fraction(60, 25)) <= Fraction(3, 50), "change-rate: no time is lost", text)
    check("frame 50: clear-cache" in text, "change-rate: caches are cleared while it plays", text)
    check("30 pairs done" in text, "change-rate: the element's messages are seen", text)
    done = run("change-rate", *fixed, "20:framerate=10/1")
    check(done.returncode == 1 and b"only raises the rate" in done.stderr,
          "change-rate: an error ends it", done.stderr)
    for bad in ("3:bad", "abc", "3:multiplier=x", "3:multiplier=1001", "3:framerate=a,b",
                "3:framerate=50/0", ":clear-cache", "3:framerate=99999999999"):
        done = run("change-rate", *fixed, bad)
        check(done.returncode == 2 and done.stdout == b""
              and done.stderr.startswith(bad.encode() + b": expected FRAME:"),
              f"change-rate: {bad} is refused before anything plays", done.stderr)


def main() -> None:
    with TemporaryDirectory() as folder:
        clip = make_clip(Path(folder, "in.mkv"))
        appsrc_appsink()
        without_playbin(clip)
        playbin_filter(clip)
        change_rate()
    finish()


main()
