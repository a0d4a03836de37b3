#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What each container keeps: docs/convert.md's table against the program's, and the program's
against files that it put together, as ffprobe sees them.

usage: keeps.py SHOW_TABLE ASSEMBLE_FILE
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", ".."))
from files import (ENCODERS, ffmpeg, kinds, must, packets, probe, rich_inputs,  # noqa: E402
                   run, segment, video_source)
from tap import check, finish  # noqa: E402

SHOW_TABLE, ASSEMBLE = map(os.path.abspath, sys.argv[1:3])
ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..")
DOCUMENT = os.path.join(ROOT, "docs", "convert.md")
COLUMNS = ["mp4", "mov", "mkv", "webm"]
WORDS = ["Hello world", "Tom & Jerry\nsecond line"]


def table() -> dict[str, dict[str, str]]:
    """By row and container, what the program says; the document has the same rows."""
    lines = must(SHOW_TABLE).splitlines()
    with open(DOCUMENT, encoding="utf-8") as file:
        documented = [line for line in file.read().splitlines() if line.startswith("| ")]
    missing = [line for line in lines if line not in documented]
    check(not missing, "docs/convert.md has the table", "\n".join(missing))
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: dict(zip(COLUMNS, row[1:])) for row in rows}


def assemble(source: str, output: str, codec: str, *segments: str) -> str | None:
    """What is said about what is not kept; None if it fails."""
    done = run(ASSEMBLE, source, output, codec, "copy", 1, 0, -1, *segments)
    return done.stdout if done.returncode == 0 else None


def check_codecs(rows: dict) -> None:
    ffmpeg(*video_source(1), "-c:v", "libx264", "-pix_fmt", "yuv420p", "video.mkv")
    for codec in ENCODERS:
        segment(f"{codec}.gdp", codec, frames=8)
        for column in COLUMNS:
            name = f"{codec}.{column}"
            said = assemble("video.mkv", name, codec, f"{codec}.gdp")
            kept = said is not None and kinds(name, "video")[0]["codec_name"].replace(
                "hevc", "h265") == codec and len(packets(name, "v:0")) == 8
            check(kept == (rows[f"video: {codec}"][column] == "yes"), f"{codec} in {column}", said)


AUDIO = {
    "audio: AAC": ("aac", "mkv"), "audio: MP3": ("libmp3lame", "mkv"),
    "audio: AC-3": ("ac3", "mkv"), "audio: E-AC-3, DTS": ("eac3", "mkv"),
    "audio: Opus": ("libopus", "mkv"), "audio: Vorbis": ("libvorbis", "mkv"),
    "audio: FLAC": ("flac", "mkv"), "audio: ALAC": ("alac", "mov"),
    "audio: PCM": ("pcm_s16le", "mkv"), "audio: TrueHD": ("truehd", "mkv"),
}


def packets_sum(path: str) -> str:
    """Of all audio packets, also of those that are only half presented."""
    all_of_them = ["-ignore_editlist", 1] if path.endswith(("mp4", "mov")) else []
    return must("ffmpeg", "-v", "error", *all_of_them, "-i", path, "-map", "0:a", "-c", "copy",
                "-f", "md5", "-")


def check_audio(rows: dict) -> None:
    """The very packets of the input are in the output."""
    for row, (encoder, extension) in AUDIO.items():
        source = f"{encoder}-audio.{extension}"
        ffmpeg(*video_source(1), "-f", "lavfi", "-i", "sine=440:r=48000:d=1", "-c:v", "libx264",
               "-pix_fmt", "yuv420p", "-ac", 2, "-strict", -2, "-c:a", encoder, source)
        before = packets_sum(source)
        for column in COLUMNS:
            name = f"{encoder}-in.{column}"
            codec = "vp9" if column == "webm" else "h264"
            said = assemble(source, name, codec, f"{codec}.gdp")
            found = kinds(name, "audio")
            kept = bool(found) and packets_sum(name) == before
            expected = rows[row][column] == "yes"
            check(kept == expected and ("not kept: audio" in said) != expected,
                  f"{row} in {column}", (said, found))


def words(path: str, stream: str) -> list[str]:
    """Texts without tags and times."""
    text = must("ffmpeg", "-v", "error", "-i", path, "-map", stream, "-f", "webvtt", "-")
    blocks = [block.split("\n", 1) for block in text.strip().split("\n\n")[1:]]
    return [block[1].replace("<i>", "").replace("</i>", "").replace("&amp;", "&").strip()
            for block in blocks if len(block) == 2]


def described(stream: dict) -> dict:
    """What is to be the same before and after."""
    language = {"ger": "deu"}.get(stream["tags"].get("language"), stream["tags"].get("language"))
    return {"kind": stream["codec_type"], "language": language if language != "und" else None,
            "title": stream["tags"].get("title"), "default": stream["disposition"]["default"],
            "forced": stream["disposition"]["forced"]}


def check_tracks(rows: dict, name: str, source: str, column: str) -> None:
    """Track by track, but for the video."""
    kept = {"title": rows["titles of tracks"], "default": rows["default flags of tracks"],
            "forced": rows["forced flags of tracks"], "language": rows["languages of tracks"]}
    for kind in ("audio", "subtitle"):
        before, after = kinds(source, kind), kinds(name, kind)
        check(len(before) == len(after), f"{name}: all {kind} tracks", after)
        for old, new in zip(before, after):
            expected = {field: value for field, value in described(old).items()
                        if field == "kind" or kept[field][column] == "yes"}
            if source.endswith("mp4"):
                expected.pop("forced", None)  # GStreamer does not see it there
            found = {field: described(new)[field] for field in expected}
            check(found == expected, f"{name}: {expected}", found)
    check(words(name, "0:s:0") == WORDS, f"{name}: words", words(name, "0:s:0"))
    check(words(name, "0:s:1")[1] == "Zwei" and "Welt, Du" in words(name, "0:s:1")[0],
          f"{name}: words of the second", words(name, "0:s:1"))


def tags_of(found: dict) -> dict:
    return {name.lower().replace("comments", "comment"): value
            for name, value in found["format"].get("tags", {}).items()}


def rotation(stream: dict) -> int:
    return next((side["rotation"] for side in stream.get("side_data_list", [])
                 if "rotation" in side), 0)


def check_extras(rows: dict, name: str, source: str, column: str) -> None:
    before, after = probe(source), probe(name)
    video, shown = kinds(source, "video")[0], kinds(name, "video")[0]
    covers = [stream for stream in after["streams"] if stream["disposition"]["attached_pic"]]
    attachments = [s for s in after["streams"] if s["codec_type"] == "attachment"]
    chapters = [[(float(chapter["start_time"]), round(float(chapter["end_time"]), 1),
                  chapter["tags"]["title"]) for chapter in probed["chapters"]]
                for probed in (before, after)]
    tags = [{tag: tags_of(probed).get(tag) for tag in ("title", "artist", "comment")}
            for probed in (before, after)]
    seen = {
        "chapters": chapters[0] == chapters[1],
        "tags": tags[0] == tags[1] and tags[0]["title"] == "My Film",
        "cover picture": len(covers) == 1,
        "attachments": len(attachments) == 1,
        "pixel aspect ratio": shown["sample_aspect_ratio"] == "3:2",
        "colorimetry": (shown["color_space"], shown["color_transfer"],
                        shown["color_primaries"]) == ("bt709",) * 3,
    }
    if rotation(video) != 0:
        seen["rotation"] = rotation(shown) == rotation(video)
        del seen["attachments"]
    for extra, is_there in seen.items():
        check(is_there == (rows[extra][column] == "yes"), f"{name}: {extra}", after)


def check_hdr(rows: dict) -> None:
    master = ("colorimetry=bt2100-pq,mastering-display-info=(string)"
              "34000:16000:13250:34500:7500:3000:15635:16450:10000000:1,"
              "content-light-level=(string)1000:400")
    segment("hdr.gdp", "h265", frames=8, caps=master)
    for column in ("mp4", "mov", "mkv"):
        assemble("video.mkv", f"hdr.{column}", "h265", "hdr.gdp")
        text = must("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_frames",
                    "-read_intervals", "%+#1", "-show_streams", f"hdr.{column}")
        lines = [line for line in text.splitlines()
                 if line.startswith(("max_luminance", "min_luminance", "max_content"))]
        good = {"max_luminance=10000000/10000", "max_luminance=1000/1", "min_luminance=1/10000",
                "max_content=1000"}
        check(set(lines) <= good and "max_content=1000" in lines,
              f"HDR10 in {column}: {rows['HDR10 metadata'][column]}", text)


def main() -> None:
    os.chdir(os.environ["TMPDIR"])
    rows = table()
    check_codecs(rows)
    check_audio(rows)
    inputs = rich_inputs()
    for extension, source in inputs.items():
        for column in ("mp4", "mov", "mkv"):
            name = f"from-{extension}.{column}"
            said = assemble(source, name, "h264", "h264.gdp")
            check(said is not None, f"{name} is put together")
            check_tracks(rows, name, source, column)
            check_extras(rows, name, source, column)
    check_hdr(rows)
    finish()


main()
