#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Times in files that were put together: frames where the segments have them, sound where the
input has it, parts cut out and slowed down.

usage: times.py ASSEMBLE_FILE
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from files import (click, ffmpeg, first_time, kinds, onset, packets, probe,  # noqa: E402
                   rich_inputs, run, segment, video_source)
from tap import check, finish  # noqa: E402

ASSEMBLE = os.path.abspath(sys.argv[1])


def assemble(source: str, output: str, *segments: str, slow: float = 1, start: float = 0,
             end: float = -1) -> str:
    done = run(ASSEMBLE, source, output, "h264", "copy", slow, start, end, *segments)
    check(done.returncode == 0, f"{output} of {source}", done)
    return output


def check_frames(path: str) -> None:
    """100 frames of 1/50 s, over the cut between two segments, with B-frames."""
    found = packets(path, "v:0")
    times = sorted(packet[0] for packet in found)
    wrong = [i for i, time in enumerate(times) if abs(time - i / 50) > 0.0005]
    check(len(times) == 100 and not wrong, f"{path}: each frame at its time", found)
    decoding = [packet[1] for packet in found if packet[1] is not None]
    check(all(a < b for a, b in zip(decoding, decoding[1:])) and
          all(packet[1] is None or packet[1] <= packet[0] for packet in found),
          f"{path}: decoding times rise, and none is behind its presentation", found)


# Name: what ffmpeg is told between the video's input and the output.
SOUNDS = {
    "aac.mp4": ["-c:a", "aac"], "aac.mkv": ["-c:a", "aac"], "aac.ts": ["-c:a", "aac"],
    "opus.mkv": ["-c:a", "libopus"], "opus.mp4": ["-c:a", "libopus"],
    "flac.mkv": ["-c:a", "flac"], "pcm.mov": ["-c:a", "pcm_s16le"], "mp3.mkv": ["-c:a", "mp3"],
    "mp2.mpg": ["-c:a", "mp2", "-c:v", "mpeg2video"],
}


def first_frame(path: str) -> float:
    """When the first frame is shown, by GStreamer's clock: from the first packet on that is shown
    at all, in MPEG's streams from the video on; MP4 has a 0 of its own."""
    if path.endswith(("ts", "mpg")):
        return 0
    video = first_time(path)
    if path.endswith("mkv"):
        return video - min(video, max(0, packets(path, "a:0")[0][0]))
    return video


def check_sound(first: str, second: str) -> None:
    """A click one second after the first frame stays there, to a container's clock. Frames of the
    segments are where the input's are only if those begin at 0."""
    click("click.wav")
    for name, encoder in SOUNDS.items():
        ffmpeg(*video_source(), "-i", "click.wav", "-c:v", "libx264", "-bf", 0, "-pix_fmt",
               "yuv420p", *encoder, name)
    for late in ("video", "audio"):
        offset = ["-itsoffset", "0.3"]
        ffmpeg(*(offset if late == "video" else []), *video_source(),
               *(offset if late == "audio" else []), "-i", "click.wav", "-c:v", "libx264", "-bf",
               0, "-pix_fmt", "yuv420p", "-c:a", "aac", f"late-{late}.mp4")
    for name in [*SOUNDS, "late-video.mp4", "late-audio.mp4"]:
        expected = onset(name) + first_frame(name)
        for extension in ("mp4", "mkv"):
            if name in ("flac.mkv", "mp2.mpg") and extension == "mp4" or name.startswith("pcm"):
                continue
            output = assemble(name, f"{name}-in.{extension}", first, second)
            found = onset(output)
            check(abs(found - expected) < (0.001 if extension == "mp4" else 0.0015),
                  f"{output}: the click stays where it was", (expected, found))


def close(found: list[float], expected: list[float]) -> bool:
    return len(found) == len(expected) and all(
        abs(a - b) < 0.0011 for a, b in zip(found, expected))


def subtitles(path: str) -> list[float]:
    """Beginnings and ends of the first track's texts."""
    return [time for start, _, length in packets(path, "s:0") if length and length > 0.002
            for time in (start, start + length)]


def texts(path: str) -> list[float]:
    """As subtitles(), without the empty ones that MP4 has between."""
    found = subtitles(path)
    if path.endswith("mkv"):
        return found
    return [time for i in range(2 if found[0] == 0 else 0, len(found), 4)
            for time in found[i:i + 2]]


def check_ranges(source: str, first: str, second: str) -> None:
    begin = subtitles(source)
    for extension in ("mkv", "mp4"):
        cut = assemble(source, f"cut.{extension}", first, start=0.3, end=1.5)
        expected = [max(0, time - 0.3) for time in begin[:3]] + [1.2]
        found = subtitles(cut)
        shown = found if extension == "mkv" else found[:2] + found[-2:]
        check(close(shown, expected), f"{cut}: subtitles are cut", (expected, found))
        audio = packets(cut, "a:0")
        check(-0.03 < audio[0][0] < 0.025 and 1.17 < audio[-1][0] < 1.2,
              f"{cut}: audio is cut", (audio[0], audio[-1]))
        slow = assemble(source, f"slow.{extension}", first, second, slow=2)
        check(close(texts(slow), [2 * time for time in begin]), f"{slow}: subtitles are slower",
              (begin, subtitles(slow)))
        check(not kinds(slow, "audio"), f"{slow}: there is no sound")
    chapters = [(float(c["start_time"]), float(c["end_time"]), c["tags"]["title"])
                for c in probe("cut.mkv")["chapters"]]
    check(chapters == [(0.0, 0.4, "The first part"), (0.4, 1.2, "Second")],
          "cut.mkv: chapters are cut", chapters)
    chapters = [(float(c["start_time"]), float(c["end_time"]))
                for c in probe("slow.mkv")["chapters"]]
    check(chapters == [(0.0, 1.4), (1.4, 4.0)], "slow.mkv: chapters are slower", chapters)


def main() -> None:
    os.chdir(os.environ["TMPDIR"])
    first, second = segment("0.gdp", "h264"), segment("1.gdp", "h264", start=1)
    inputs = rich_inputs()
    for extension in ("mp4", "mov", "mkv"):
        check_frames(assemble(inputs["mkv"], f"frames.{extension}", first, second))
    check_sound(first, second)
    check_ranges(inputs["mkv"], first, second)
    finish()


main()
