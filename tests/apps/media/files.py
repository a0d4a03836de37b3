# SPDX-License-Identifier: LGPL-2.1-or-later
"""Small media files by ffmpeg, segments of video by GStreamer, and what ffprobe says."""
import json
import os
import subprocess
import wave
from array import array

SUBRIP = """1
00:00:00,200 --> 00:00:00,600
Hello <i>world</i>

2
00:00:01,100 --> 00:00:01,700
Tom & Jerry
second line
"""
ASS = r"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, Bold, Alignment
Style: Default,Arial,20,&H00FFFFFF,0,2

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:00.50,0:00:01.00,Default,,0,0,0,,{\b1}Hallo{\b0}\NWelt, Du
Dialogue: 0,0:00:01.20,0:00:01.80,Default,,0,0,0,,Zwei
"""
METADATA = """;FFMETADATA1
title=My Film
artist=Somebody
comment=Ein Ü "note"
[CHAPTER]
TIMEBASE=1/1000
START=0
END=700
title=The first part
[CHAPTER]
TIMEBASE=1/1000
START=700
END=2000
title=Second
"""

# What the segments hold: caps of the picture, an encoder, caps behind it. Frames of 64×48.
ENCODERS = {
    "h264": ("I420", "x264enc bframes=2 key-int-max=25 ! h264parse",
             "video/x-h264,stream-format=avc,alignment=au"),
    "h265": ("I420_10LE", "x265enc speed-preset=ultrafast ! h265parse",
             "video/x-h265,stream-format=hvc1,alignment=au"),
    "av1": ("I420", "av1enc cpu-used=8 ! av1parse",
            "video/x-av1,stream-format=obu-stream,alignment=tu"),
    "vp9": ("I420", "vp9enc deadline=1 cpu-used=8 ! vp9parse", "video/x-vp9"),
    "prores": ("I422_10LE", "avenc_prores_ks", "video/x-prores"),
    "ffv1": ("I420", "avenc_ffv1", "video/x-ffv,ffversion=1"),
}


def run(*command: object, **options: object) -> subprocess.CompletedProcess:
    return subprocess.run([str(word) for word in command], text=True, capture_output=True,
                          timeout=120, **options)


def must(*command: object) -> str:
    done = run(*command)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(str(word) for word in command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def ffmpeg(*arguments: object) -> None:
    must("ffmpeg", "-v", "error", "-y", *arguments)


def write(name: str, text: str) -> str:
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
    return name


def video_source(seconds: float = 2, rate: int = 25) -> list[str]:
    return ["-f", "lavfi", "-i", f"testsrc=s=64x48:r={rate}:d={seconds}"]


def segment(name: str, codec: str, start: float = 0, frames: int = 50, rate: int = 50,
            caps: str = "colorimetry=bt709,pixel-aspect-ratio=3/2") -> str:
    """What a converter leaves of one part: @frames from @start seconds on."""
    picture, encoder, encoded = ENCODERS[codec]
    must("gst-launch-1.0", "-q", "videotestsrc", f"num-buffers={frames}",
         f"timestamp-offset={int(start * 1e9)}", "!",
         f"video/x-raw,width=64,height=48,framerate={rate}/1,format={picture},{caps}", "!",
         *encoder.split(), "!", encoded, "!", "gdppay", "!", "filesink", f"location={name}")
    return name


def click(name: str, at: float = 1, seconds: float = 2) -> str:
    """Silence with a click that begins at @at seconds."""
    samples = array("h", [0]) * int(48000 * seconds)
    for i in range(480):
        samples[int(48000 * at) + i] = 20000 if (i // 24) % 2 else -20000
    with wave.open(name, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(48000)
        file.writeframes(samples.tobytes())
    return name


def probe(path: str) -> dict:
    return json.loads(must("ffprobe", "-v", "error", "-of", "json", "-show_streams",
                           "-show_format", "-show_chapters", path))


def kinds(path: str, kind: str) -> list[dict]:
    """Streams of @kind but for cover pictures, with their tags' names in lower case."""
    found = [stream for stream in probe(path)["streams"] if stream["codec_type"] == kind
             and not stream["disposition"]["attached_pic"]]
    for stream in found:
        stream["tags"] = {name.lower(): value for name, value in stream.get("tags", {}).items()}
    return found


def packets(path: str, stream: str) -> list[tuple]:
    """Presentation, decoding and duration of each packet in seconds, None where unknown."""
    text = must("ffprobe", "-v", "error", "-of", "json", "-select_streams", stream,
                "-show_entries", "packet=pts_time,dts_time,duration_time", path)
    return [tuple(float(packet[name]) if name in packet else None
                  for name in ("pts_time", "dts_time", "duration_time"))
            for packet in json.loads(text)["packets"]]


def first_time(path: str) -> float:
    """When the first frame is shown; some packets of MPEG's streams say no time."""
    return min(packet[0] for packet in packets(path, "v:0") if packet[0] is not None)


def onset(path: str) -> float:
    """When, against the video's first frame, the click begins, in seconds."""
    decoded = subprocess.run(
        ["ffmpeg", "-v", "error", "-copyts", "-i", path, "-map", "0:a:0", "-af",
         "aresample=async=1:first_pts=0", "-ac", "1", "-ar", "48000", "-f", "s16le", "-"],
        capture_output=True, check=True, timeout=60)
    samples = array("h", decoded.stdout)
    loud = next(i for i, value in enumerate(samples) if abs(value) > 6000)
    return loud / 48000 - first_time(path)


def rich_inputs() -> dict[str, str]:
    """A film with two audio and two subtitle tracks and all else that files may hold."""
    ffmpeg("-f", "lavfi", "-i", "color=red:s=16x16", "-frames:v", 1, "cover.png")
    with open("font.ttf", "wb") as file:
        file.write(bytes(range(256)) * 20)
    colour = ["-color_primaries", "bt709", "-color_trc", "bt709", "-colorspace", "bt709"]
    ffmpeg(*video_source(), "-f", "lavfi", "-i", "sine=440:r=48000:d=2", "-f", "lavfi", "-i",
           "sine=880:r=48000:d=2", "-i", write("a.srt", SUBRIP), "-i", write("b.ass", ASS),
           "-i", write("meta.txt", METADATA), "-map", 0, "-map", 1, "-map", 2, "-map", 3,
           "-map", 4, "-map_metadata", 5, "-map_chapters", 5, "-c:v", "libx264", "-pix_fmt",
           "yuv420p", *colour, "-aspect", "16:9", "-c:a:0", "aac", "-c:a:1", "libopus",
           "-c:s:0", "srt", "-c:s:1", "ass", "-metadata:s:a:0", "language=eng",
           "-metadata:s:a:1", "language=deu", "-metadata:s:a:0", "title=Main",
           "-metadata:s:a:1", "title=Ein Kommentar", "-metadata:s:s:0", "language=eng",
           "-metadata:s:s:1", "language=deu", "-disposition:a:0", 0, "-disposition:a:1",
           "default", "-disposition:s:0", 0, "-disposition:s:1", "default+forced",
           "-default_mode", "passthrough", "-attach",
           "font.ttf", "-metadata:s:t:0", "mimetype=application/x-truetype-font", "-attach",
           "cover.png", "-metadata:s:t:1", "mimetype=image/png", "-metadata:s:t:1",
           "filename=cover.png", "rich.mkv")
    ffmpeg("-i", "rich.mkv", "-map", "0:v:0", "-map", "0:a", "-map", "0:s", "-c", "copy",
           "-c:s", "mov_text", "plain.mp4")
    ffmpeg("-i", "plain.mp4", "-i", "cover.png", "-map", 0, "-map", 1, "-c", "copy",
           "-disposition:v:1", "attached_pic", "-metadata:s:v:0", "rotate=90", "rich.mp4")
    return {"mkv": os.path.abspath("rich.mkv"), "mp4": os.path.abspath("rich.mp4")}
