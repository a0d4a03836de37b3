#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""media_open() against what ffmpeg was told to write.

usage: looks.py SHOW_MEDIA
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from files import ffmpeg, rich_inputs, run, video_source, write  # noqa: E402
from tap import check, finish  # noqa: E402

SHOW = os.path.abspath(sys.argv[1])
SINE = ["-f", "lavfi", "-i", "sine=440:r=48000:d=1"]


def shows(path: str, *expected: str) -> None:
    """All of @expected are lines of what the program prints."""
    done = run(SHOW, path)
    lines = [line.strip() for line in done.stdout.splitlines()]
    missing = [line for line in expected if line not in lines]
    check(done.returncode == 0 and not missing, f"{path}: {expected[0]}, …",
          f"{missing}\n{done.stdout}{done.stderr}")


def fails(path: str, code: int, text: str) -> None:
    done = run(SHOW, path)
    lines = done.stderr.strip().splitlines()
    check(done.returncode == 1 and len(lines) == 1 and lines[0] == f"{code}: {path}: {text}",
          f"{path}: {text}", done)


def look_at_rich(inputs: dict[str, str]) -> None:
    shows(inputs["mkv"], "container: Matroska", "track 0: video track 1 (h264)",
          "track 1: audio track 1 (aac, en)", "track 2: audio track 2 (opus, de)",
          "track 3: subtitle track 1 (text, en)", "track 4: subtitle track 2 (ass, de)",
          "title: Main", "title: Ein Kommentar", "flags: default forced", "size: 64x48",
          "fps: 25/1", "usual fps: 25.000", "pixel aspect: 4/3", "bit depth: 8",
          "chroma: 4:2:0", "colorimetry: bt709", "chapter 0: 0.000 0.700 The first part",
          "cover 0: cover.png image/png " + str(os.path.getsize("cover.png")),
          "attachment 1: font.ttf application/x-truetype-font 5120")
    shows(inputs["mp4"], "container: Quicktime", "track 1: audio track 1 (aac, en)",
          "track 3: subtitle track 1 (text, en)", "orientation: rotate-270",
          "chapter 0: 0.000 0.700 The first part",
          "cover 0: - image/png " + str(os.path.getsize("cover.png")))


def look_at_others() -> None:
    ffmpeg(*video_source(1), *SINE, "-c:v", "libx264", "-pix_fmt", "yuv420p10le", "-c:a", "aac",
           "-metadata:s:a:0", "language=fra", "a.ts")
    shows("a.ts", "container: MPEG-2 Transport Stream", "track 0: video track 1 (h264)",
          "track 1: audio track 1 (aac, fr)", "bit depth: 10", "fps: 25/1")
    ffmpeg(*video_source(1), *SINE, "-c:v", "mpeg4", "-c:a", "mp3", "a.avi")
    for name in ("alone.mpg", "alone.ts"):
        ffmpeg(*video_source(1), "-c:v", "mpeg2video", name)
        shows(name, "track 0: video track 1 (mpeg2)", "fps: 25/1")
    shows("a.avi", "track 0: video track 1 (mpeg4)", "track 1: audio track 1 (mp3)",
          "bit depth: 8", "usual fps: 25.000")
    ffmpeg(*video_source(1), *SINE, "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used",
           8, "-pix_fmt", "yuv420p", "-c:a", "libopus", "a.webm")
    shows("a.webm", "container: WebM", "track 0: video track 1 (vp9)",
          "track 1: audio track 1 (opus)", "chroma: 4:2:0")
    ffmpeg(*video_source(1), "-c:v", "prores_ks", "-profile:v", 3, "a.mov")
    shows("a.mov", "track 0: video track 1 (prores)", "bit depth: 10", "chroma: 4:2:2")
    ffmpeg("-f", "lavfi", "-i", r"testsrc=s=64x48:r=25:d=2,settb=1/1000,"
           r"setpts=N*40+mod(N\,3)*20", "-vsync", "vfr", "-enc_time_base", "1/1000", "-c:v",
           "libx264", "-pix_fmt", "yuv420p", "vfr.mkv")
    shows("vfr.mkv", "usual fps: 16.949, varying")
    ffmpeg(*video_source(1), "-vf", "interlace", "-flags", "+ilme+ildct", "-c:v", "libx264",
           "-pix_fmt", "yuv420p", "-x264opts", "tff=1", "interlaced.mkv")
    shows("interlaced.mkv", "interlaced: yes")
    ffmpeg(*video_source(1), "-pix_fmt", "yuv420p10le", "-c:v", "libx265", "-x265-params",
           "log-level=none:hdr10=1:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:"
           "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)"
           "L(10000000,1):max-cll=1000,400", "-tag:v", "hvc1", "hdr.mp4")
    shows("hdr.mp4", "colorimetry: bt2100-pq", "light level: 1000:400", "mastering display: "
          "34000:16000:13250:34500:7500:3000:15635:16450:10000000:1")


def look_at_failures() -> None:
    fails("nosuch.mkv", 0, "cannot be opened: No such file or directory")
    fails(os.getcwd(), 0, "is a folder, not a file")
    fails(write("text.mkv", "some words\n" * 50), 1, "is no media file that GStreamer knows")
    fails(write("empty.mkv", ""), 1, "is no media file that GStreamer knows")
    os.mkfifo("pipe")
    fails("pipe", 0, "is a pipe or a device; store it in a file first")
    ffmpeg(*SINE, "-c:a", "aac", "audio.mkv")
    fails("audio.mkv", 2, "has no video (1 other tracks)")


def main() -> None:
    os.chdir(os.environ["TMPDIR"])
    look_at_rich(rich_inputs())
    look_at_others()
    look_at_failures()
    finish()


main()
