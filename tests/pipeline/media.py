#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files with sound through the element and back into a file; ffprobe says whether frame count,
rate, duration and the offset between picture and sound are right. Prints TAP; exits with 77
where ffprobe or an element is missing.

usage: media.py
"""

import json
import shutil
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

# Name, demuxer, video encoder, audio encoder, what demuxed sound needs, muxer.
MP4 = ("mp4", "qtdemux", "x264enc tune=zerolatency speed-preset=ultrafast", "avenc_aac",
       "", "mp4mux")
MATROSKA = ("mkv", "matroskademux", "vp8enc deadline=1 cpu-used=8", "vorbisenc",
            "! vorbisparse", "matroskamux")
ELEMENTS = ("qtdemux", "x264enc", "avenc_aac", "mp4mux", "matroskademux", "vp8enc",
            "vorbisenc", "vorbisparse", "matroskamux", "avdec_h264", "vp8dec", "decodebin")
# Input rate, what stands behind the element, output rate. A clip lasts about 2 s.
CASES = (
    (MP4, Fraction(24), "", Fraction(48)),
    (MP4, Fraction(24000, 1001), "", Fraction(48000, 1001)),
    (MP4, Fraction(24), "video/x-raw,framerate=60/1 !", Fraction(60)),
    (MP4, Fraction(24000, 1001), "video/x-raw,framerate=60000/1001 !",
     Fraction(60000, 1001)),
    (MATROSKA, Fraction(25), "", Fraction(50)),
    (MATROSKA, Fraction(24), "video/x-raw,framerate=60/1 !", Fraction(60)),
)


def launch(line: str) -> None:
    done = subprocess.run(["gst-launch-1.0", "-q", *line.split()], check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=120)
    if done.returncode != 0 or "ERROR" in done.stdout:
        raise RuntimeError(f"{line}\n{done.stdout}")


def make(path: Path, kind: tuple, rate: Fraction) -> None:
    _, _, video, audio, _, muxer = kind
    frames = int(2 * rate)
    sound = int(frames / rate * 48000) // 1024
    launch(f"{muxer} name=mux ! filesink location={path} "
           f"videotestsrc pattern=ball num-buffers={frames} ! "
           f"video/x-raw,width=64,height=64,framerate={rate.numerator}/{rate.denominator} ! "
           f"{video} ! queue ! mux. "
           f"audiotestsrc num-buffers={sound} samplesperbuffer=1024 ! "
           f"audio/x-raw,rate=48000,channels=2 ! audioconvert ! {audio} ! queue ! mux.")


def convert(source: Path, result: Path, kind: tuple, behind: str) -> None:
    _, demuxer, video, _, parser, muxer = kind
    launch(f"{muxer} name=mux ! filesink location={result} "
           f"filesrc location={source} ! {demuxer} name=demux "
           f"demux.video_0 ! queue ! decodebin ! vfiinterp model=blend ! {behind} "
           f"{video} ! queue ! mux. "
           f"demux.audio_0 ! queue max-size-time=0 max-size-bytes=0 max-size-buffers=0 {parser} "
           f"! mux.")


def probe(path: Path, stream: str) -> dict:
    """First and last time, end, count of packets and the nominal rate of a stream."""
    text = subprocess.run(
        ["ffprobe", "-v", "error", "-select_streams", stream, "-of", "json", "-show_entries",
         "packet=pts_time:stream=r_frame_rate", str(path)],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    found = json.loads(text)
    times = sorted(Fraction(packet["pts_time"]) for packet in found["packets"])
    return {"count": len(times), "first": times[0], "last": times[-1],
            "rate": found["streams"][0]["r_frame_rate"]}


def problems(source: Path, result: Path, rate: Fraction, wanted: Fraction) -> list[str]:
    video, sound = probe(result, "v"), probe(result, "a")
    old_video, old_sound = probe(source, "v"), probe(source, "a")
    frame = 1 / wanted
    span = old_video["count"] / rate
    count = span * wanted
    found = []
    if abs(video["count"] - count) >= 1:
        found.append(f"{video['count']} frames instead of {float(count):.2f}")
    if abs(Fraction(video["rate"]) - wanted) > wanted / 1000:
        found.append(f"rate {video['rate']} instead of {wanted}")
    if abs(video["last"] - video["first"] + frame - span) > frame:
        found.append(f"{float(video['last'] - video['first'] + frame):.4f} s instead of "
                     f"{float(span):.4f} s")
    offset = video["first"] - sound["first"]
    old_offset = old_video["first"] - old_sound["first"]
    if abs(offset - old_offset) > frame:
        found.append(f"sound moved by {float(offset - old_offset):.4f} s")
    if sound["count"] != old_sound["count"]:
        found.append(f"{sound['count']} packets of sound instead of {old_sound['count']}")
    return found


def missing() -> str | None:
    if shutil.which("ffprobe") is None:
        return "ffprobe"
    for element in ELEMENTS:
        if subprocess.run(["gst-inspect-1.0", "--exists", element], check=False).returncode:
            return element
    return None


def main() -> int:
    absent = missing()
    if absent is not None:
        print(f"1..0 # SKIP {absent} is not installed")
        return 77
    print(f"1..{len(CASES)}")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for number, (kind, rate, behind, wanted) in enumerate(CASES, 1):
            source, result = Path(folder, f"in.{kind[0]}"), Path(folder, f"out.{kind[0]}")
            make(source, kind, rate)
            convert(source, result, kind, behind)
            found = problems(source, result, rate, wanted)
            failed += bool(found)
            print(f"{'not ok' if found else 'ok'} {number} - {kind[0]} {rate} to {wanted}")
            print("\n".join(found), end="\n" if found else "", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
