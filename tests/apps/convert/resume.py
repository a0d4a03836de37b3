#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""resume.py PROGRAM: what was interrupted, or killed, goes on and shows the same frames as what was
not. The moments are drawn from a seed and counted in frames, not in time. Prints TAP."""
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from clips import clip, command, convert, lines, need, pictures, times  # noqa: E402
from tap import check, finish  # noqa: E402

FOLDER = Path(os.environ["TMPDIR"])
SEGMENT = 10  # frames
KILLS = 20
OPTIONS = ("--model", "flow", "--preset", "fastest", "--segment-seconds", "0.2", "--json",
           "--progress-seconds", "0")


def stop_after(frames: int, number: signal.Signals, *words: object) -> tuple[list[dict], int]:
    """Sends the signal when so many frames were told of; gives all that was said, and the exit
    code, -9 for one that was killed."""
    said = []
    with subprocess.Popen(command(*words), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True) as running:
        for line in running.stdout:
            if not line.endswith("\n"):
                break  # killed in the middle of a line
            said.append(json.loads(line))
            if frames == 0:
                running.send_signal(number)
            frames -= said[-1]["type"] in ("progress", "assemble")
    return said, running.returncode


def frames_told(said: list[dict]) -> int:
    return max((line["frame"] for line in said if line["type"] == "progress"), default=0)


def test_kills(source: Path, truth: list[str], seed: int) -> None:
    """Again and again from where it was, and from the beginning once it is done."""
    draw = random.Random(seed)
    result = FOLDER / "killed.mkv"
    kills, told, done, most = 0, 0, 0, 0
    while kills < KILLS:
        said, code = stop_after(draw.randrange(3 * SEGMENT), signal.SIGKILL, source, "-o", result,
                                "--resume", *OPTIONS)
        begun = [line for line in said if line["type"] == "start"]
        if begun and told:
            most = max(most, told - begun[0]["done"])
        if begun:
            told = max(frames_told(said), begun[0]["done"])
        if code == 0:
            check(pictures(result) == truth, f"the same frames after {kills} kills")
            result.unlink()
            told = 0
            done += 1
        kills += code == -signal.SIGKILL
    check(kills == KILLS, f"{KILLS} random kills (seed {seed}; {done} files were done meanwhile)")
    check(most <= SEGMENT, f"none lost more than a segment ({most} frames)")
    last = convert(source, "-o", result, "--resume", *OPTIONS)
    check(last.returncode == 0, "goes on after the last one", last)
    check(pictures(result) == truth, "the same frames in the end")
    left = sorted(path.name for path in FOLDER.glob("*killed*"))
    check(left == ["killed.mkv"], "nothing is left over", left)


def test_interrupt(source: Path, truth: list[str]) -> None:
    result = FOLDER / "interrupted.mp4"
    said, code = stop_after(34, signal.SIGINT, source, "-o", result, *OPTIONS)
    check(code == 130, "SIGINT: exit code 130", said[-3:])
    told = [line for line in said if line["type"] == "interrupted"]
    check(told and told[0]["output"] == str(result) and "--resume" in told[0]["resume"],
          "says how to go on", said[-1:])
    partial = pictures(result)
    check(34 <= len(partial) < len(truth), "the file plays up to there", len(partial))
    check(len(times(result, "a:0")) > 0, "and with sound")
    done = convert(source, "-o", result, "--resume", *OPTIONS)
    check(done.returncode == 0, "goes on", done)
    kept = lines(done, "start")[0]["done"]
    check(kept in (30, 40, 50) and kept <= len(partial) and partial[:kept] == truth[:kept],
          "behind the finished segments of ten frames", kept)
    check(pictures(result) == truth, "the same frames as without the interruption")
    again = convert(source, "-o", result, "--resume", *OPTIONS)
    check(again.returncode == 0 and lines(again, "skipped"), "and then there is nothing to do",
          again)


def test_interrupt_assembly(source: Path, truth: list[str]) -> None:
    result = FOLDER / "assembled.mkv"
    said, code = stop_after(len(truth), signal.SIGINT, source, "-o", result, *OPTIONS)
    check(code in (0, 130), "SIGINT about the last frame: done, or interrupted", said[-3:])
    done = convert(source, "-o", result, "--resume", *OPTIONS)
    check(done.returncode == 0 and pictures(result) == truth, "and goes on", done)


def test_command(source: Path, truth: list[str]) -> None:
    """The command that is printed does it."""
    result = FOLDER / "it's 100%.mkv"
    said, _ = stop_after(15, signal.SIGTERM, source, "-o", result, *OPTIONS)
    line = next(line["resume"] for line in said if line["type"] == "interrupted")
    done = subprocess.run(["sh", "-c", line], check=False, capture_output=True, text=True)
    check(done.returncode == 0 and pictures(result) == truth, "the printed command goes on", line)


def test_pictures(source: Path) -> None:
    words = ("--model", "blend", "--segment-seconds", "0.2", "--json", "--progress-seconds", "0")
    whole, parts = FOLDER / "whole", FOLDER / "parts"
    convert(source, "-o", f"{whole}/", *words)
    _, code = stop_after(25, signal.SIGKILL, source, "-o", f"{parts}/", *words)
    check(code == -9, "pictures: killed")
    (parts / "frame-000012.png").unlink()
    done = convert(source, "-o", f"{parts}/", "--resume", *words)
    check(lines(done, "start")[0]["done"] == SEGMENT, "pictures: one that was deleted", done)
    check(done.returncode == 0, "pictures: goes on", done)
    one = [(path.name, path.read_bytes()) for path in sorted(whole.iterdir())]
    two = [(path.name, path.read_bytes()) for path in sorted(parts.iterdir())]
    check(len(one) == 100 and one == two, "pictures: the same files", [len(one), len(two)])


def test_lost_segments(source: Path, truth: list[str]) -> None:
    """What is missing of the finished segments, or cut off, is made again."""
    result = FOLDER / "lost.mkv"
    work = FOLDER / "lost.mkv.vfi-work"
    for name, number, spoil in (("missing", 1, Path.unlink),
                                ("cut off", 2, lambda path: os.truncate(path, 500))):
        stop_after(3 * SEGMENT + 5, signal.SIGINT, source, "-o", result, *OPTIONS)
        spoil(work / f"segment-{number:05d}.gdp")
        done = convert(source, "-o", result, "--resume", *OPTIONS)
        kept = [line["done"] for line in lines(done, "start")]
        check(done.returncode == 0 and kept == [number * SEGMENT],
              f"a segment that is {name}: goes on before it", done)
        check(pictures(result) == truth, f"a segment that is {name}: the same frames")
        result.unlink()


def test_other_ways(source: Path) -> None:
    """What was begun is not gone on with in another way, nor thrown away."""
    result = FOLDER / "other.mkv"
    stop_after(15, signal.SIGKILL, source, "-o", result, *OPTIONS)
    done = convert(source, "-o", result, *OPTIONS)
    check(done.returncode == 8 and "--resume" in done.stderr and "--overwrite" in done.stderr,
          "asks whether to go on", done)
    done = convert(source, "-o", result, "--resume", "--quality", "20", *OPTIONS)
    check(done.returncode == 8 and "encoder was" in done.stderr, "says which option differs", done)
    os.utime(source, (1, 1))
    done = convert(source, "-o", result, "--resume", *OPTIONS)
    check(done.returncode == 8 and "input-version" in done.stderr, "and that the input does", done)
    done = convert(source, "-o", result, "--overwrite", *OPTIONS)
    check(done.returncode == 0, "begins anew", done)


def test_no_way_in(truth_options: tuple) -> None:
    """A raw stream of H.264 has no index: nothing can be entered in the middle."""
    source = clip(FOLDER / "raw.h264", 25, 2, "64x48", "-c:v", "libx264", "-g", "250")
    whole, parts = FOLDER / "raw.mkv", FOLDER / "raw-parts.mkv"
    done = convert(source, "-o", whole, *truth_options)
    check(done.returncode == 0, "a raw stream", done)
    stop_after(45, signal.SIGKILL, source, "-o", parts, *truth_options)
    done = convert(source, "-o", parts, "--resume", *truth_options)
    check(done.returncode == 0 and lines(done, "start")[0]["done"] >= SEGMENT,
          "a raw stream: goes on", done)
    check(pictures(whole) == pictures(parts), "a raw stream: the same frames")


def main() -> None:
    need("x264enc", "matroskamux", "mp4mux")
    source = clip(FOLDER / "source.mp4", sound=True)
    done = convert(source, "-o", FOLDER / "truth.mkv", *OPTIONS)
    check(done.returncode == 0, "without an interruption", done)
    truth = pictures(FOLDER / "truth.mkv")
    check(len(truth) == 100, "100 frames", len(truth))
    test_interrupt(source, truth)
    test_interrupt_assembly(source, truth)
    test_command(source, truth)
    test_kills(source, truth, 18)
    test_lost_segments(source, truth)
    test_pictures(source)
    test_no_way_in(OPTIONS)
    test_other_ways(source)
    finish()


if __name__ == "__main__":
    main()
