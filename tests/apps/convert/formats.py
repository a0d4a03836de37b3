#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""formats.py PROGRAM: codecs, bit depths, chroma and colours, by ffprobe. Prints TAP."""
import os
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from clips import clip, convert, need, pictures, stream, times  # noqa: E402
from tap import check, finish  # noqa: E402

FOLDER = Path(os.environ["TMPDIR"])
BLEND = ("--model", "blend", "--preset", "fastest", "--segment-seconds", "0.3")


def test_codec(source: Path, extension: str, codec: str, wanted: list[str]) -> None:
    """@wanted: what ffprobe calls codec and pixels."""
    result = FOLDER / f"{codec}.{extension}"
    done = convert(source, "-o", result, "--codec", codec, *BLEND)
    check(done.returncode == 0, f"{codec} in {extension}", done)
    if done.returncode != 0:
        return
    check(stream(result, "codec_name", "pix_fmt") == wanted, f"{codec}: {wanted}",
          stream(result, "codec_name", "pix_fmt"))
    check(len(pictures(result)) == 40 == len(times(result)), f"{codec}: 40 frames decode")


def test_depth(name: str, pixels: str, wanted: str, *options: object) -> None:
    source = clip(FOLDER / f"{name}.mkv", 25, 0.4, "64x48", "-c:v", "ffv1", "-pix_fmt", pixels)
    result = FOLDER / f"{name}-out.mkv"
    done = convert(source, "-o", result, *options, *BLEND)
    found = stream(result, "pix_fmt") if done.returncode == 0 else []
    check(found == [wanted], f"{name}: {pixels} becomes {wanted}", [found, done])


def test_odd_size() -> None:
    """H.264 and H.265 have odd sizes in 4:4:4 only."""
    source = clip(FOLDER / "odd.mkv", 25, 0.4, "64x48", "-vf", "scale=65:49", "-c:v", "ffv1",
                  "-pix_fmt", "yuv420p")
    for codec, wanted in (("h264", "yuv444p"), ("h265", "yuv444p"), ("vp9", "yuv420p")):
        result = FOLDER / f"odd-{codec}.mkv"
        done = convert(source, "-o", result, "--codec", codec, *BLEND)
        names = ("width", "height", "pix_fmt")
        found = stream(result, *names) if done.returncode == 0 else []
        check(found == ["65", "49", wanted], f"an odd size in {codec}", [found, done])
        check(("odd sizes" in done.stderr) == (wanted == "yuv444p"), f"{codec} says so", done)


def test_colours() -> None:
    """HDR10: transfer, primaries, mastering display and light levels."""
    source = FOLDER / "hdr.mkv"
    clip(source, 25, 0.4, "64x64", "-c:v", "libx265", "-pix_fmt", "yuv420p10le", "-preset",
         "ultrafast", "-x265-params",
         "log-level=none:colorprim=bt2020:transfer=smpte2084:colormatrix=bt2020nc:hdr10=1:"
         "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)"
         "L(10000000,1):max-cll=1000,400")
    names = ("codec_name", "pix_fmt", "color_space", "color_transfer", "color_primaries")
    for extension in ("mkv", "mp4"):
        result = FOLDER / f"hdr-out.{extension}"
        done = convert(source, "-o", result, *BLEND)
        check(done.returncode == 0, f"HDR10 in {extension}", done)
        if done.returncode != 0:
            continue
        check(stream(result, *names) == ["hevc", "yuv420p10le", "bt2020nc", "smpte2084", "bt2020"],
              f"HDR10 in {extension}: depth and colours", stream(result, *names))
        said = subprocess.run(["ffprobe", "-v", "error", "-show_streams", "-show_frames",
                               "-read_intervals", "%+#1", str(result)], check=True,
                              capture_output=True, text=True).stdout
        for text in ("red_x=34000/50000", "max_luminance=10000000/10000", "max_content=1000",
                     "max_average=400"):
            check(text in said, f"HDR10 in {extension}: {text}", said)


def test_pixel_aspect() -> None:
    source = clip(FOLDER / "aspect.mp4", 25, 0.4, "64x48", "-vf", "setsar=16/11", "-c:v",
                  "libx264", "-pix_fmt", "yuv420p", "-color_primaries", "bt709", "-color_trc",
                  "bt709", "-colorspace", "bt709")
    done = convert(source, "-o", FOLDER / "aspect-out.mp4", *BLEND)
    names = ("sample_aspect_ratio", "color_space")
    check(done.returncode == 0 and
          stream(FOLDER / "aspect-out.mp4", *names) == ["16:11", "bt709"],
          "pixel aspect and colours of H.264", done)


def likeness(one: Path, two: Path) -> float:
    """PSNR in dB of frames of the same number."""
    by_number = "format=yuv420p,settb=1/50,setpts=N"
    said = subprocess.run(["ffmpeg", "-i", str(one), "-i", str(two), "-lavfi",
                           f"[0]{by_number}[a];[1]{by_number}[b];[a][b]psnr", "-f", "null", "-"],
                          check=True, capture_output=True, text=True).stderr
    return float(said.rsplit("average:", 1)[1].split()[0])


def test_interlaced() -> None:
    """Every field becomes the frame that it was taken from, whoever says that there are fields:
    the container, the codec, or nothing but the frames. Fields in the wrong order, or half
    pictures, are below 20 dB."""
    truth = clip(FOLDER / "whole.mkv", 50, 0.8, "64x48", "-c:v", "ffv1", "-pix_fmt", "yuv420p")
    h264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-qp", "8")
    for name, order, codec in (("h264.mp4", 1, h264), ("h264.ts", 1, h264), ("h264.mkv", 1, h264),
                               ("bottom.mkv", 0, h264), ("bottom.mp4", 0, h264),
                               ("prores.mov", 1, ("-c:v", "prores_ks")),
                               ("mpeg2.ts", 1, ("-c:v", "mpeg2video", "-q:v", "2")),
                               ("ffv1.mkv", 1, ("-c:v", "ffv1"))):
        weave = f"tinterlace=interleave_{'top' if order else 'bottom'}"
        source = clip(FOLDER / f"fields-{name}", 50, 0.8, "64x48", "-vf", weave, *codec, "-flags",
                      "+ildct+ilme", *(("-x264opts", f"{'tff' if order else 'bff'}=1")
                                       if codec is h264 else ("-top", order)))
        result = FOLDER / f"frames-{name}.mkv"
        done = convert(source, "-o", result, "--fps", "1x", "--codec", "ffv1", *BLEND)
        found = len(times(result)) if done.returncode == 0 else 0
        check(found in (39, 40), f"interlaced {name}: a frame per field", [found, done])
        alike = likeness(result, truth) if found else 0
        check(alike > 22, f"interlaced {name}: the frames", alike)
        check(("8 bits" in done.stderr) == (name == "prores.mov"), f"{name}: loss of bits", done)
    source = FOLDER / "fields-h264.mkv"
    done = convert(source, "-o", FOLDER / "fields-out.mkv", "--fps", "100", *BLEND)
    check(done.returncode == 0 and len(times(FOLDER / "fields-out.mkv")) in (78, 80),
          "interlaced video: a frame per field, and one between", done)


def test_pictures(source: Path) -> None:
    done = convert(source, "-o", FOLDER / "nowhere" / "pictures" / "scene.png", *BLEND)
    check(done.returncode == 5, "pictures: no folder to put the folder in", done)
    done = convert(source, "-o", FOLDER / "pictures" / "scene.png", *BLEND)
    check(done.returncode == 0, "pictures", done)
    names = sorted(path.name for path in (FOLDER / "pictures").iterdir())
    check(names == [f"scene-{i:06d}.png" for i in range(1, 41)], "pictures: numbered", names)
    path = FOLDER / "pictures" / "scene-000001.png"
    check(stream(path, "codec_name", "width", "height") == ["png", "64", "48"], "pictures: PNG")
    done = convert(source, "-o", f"{FOLDER}/converted/", "--to", "0.1", *BLEND)
    check(done.returncode == 0 and "folder of PNG pictures" in done.stderr,
          "pictures: says that a folder means them", done)
    done = convert(source, "-o", FOLDER / "pictures", *BLEND)
    check(done.returncode == 5 and "--overwrite" in done.stderr, "pictures: folder in use", done)


def test_single_tracks() -> None:
    """Formats whose demuxers have their only track from the beginning."""
    for name, encoding in {"raw.y4m": ("-pix_fmt", "yuv420p"),
                           "vp8.ivf": ("-c:v", "libvpx", "-deadline", "realtime")}.items():
        source = clip(FOLDER / name, 25, 0.4, "64x48", *encoding)
        result = FOLDER / f"{name}.mkv"
        done = convert(source, "-o", result, "--codec", "ffv1", *BLEND)
        check(done.returncode == 0 and len(times(result)) == 20, f"from {name}", done)


def main() -> None:
    need("x264enc", "x265enc", "vp9enc", "av1enc", "avenc_prores_ks", "avenc_ffv1", "pngenc",
         "matroskamux", "mp4mux", "qtmux", "webmmux")
    source = clip(FOLDER / "source.mp4", 25, 0.8)
    test_codec(source, "mp4", "auto", ["h264", "yuv420p"])
    test_codec(source, "mp4", "h265", ["hevc", "yuv420p"])
    test_codec(source, "webm", "vp9", ["vp9", "yuv420p"])
    test_codec(source, "mkv", "av1", ["av1", "yuv420p"])
    test_codec(source, "mov", "prores", ["prores", "yuv422p10le"])
    test_codec(source, "mkv", "ffv1", ["ffv1", "yuv420p"])
    test_depth("ten bits", "yuv420p10le", "yuv420p10le", "--codec", "h264")
    test_depth("full chroma", "yuv444p", "yuv444p", "--codec", "h264")
    test_depth("twelve bits", "yuv422p12le", "yuv422p12le", "--codec", "h265")
    test_depth("lossless", "yuv422p10le", "yuv422p10le", "--codec", "auto")
    test_odd_size()
    test_colours()
    test_pixel_aspect()
    test_interlaced()
    test_pictures(source)
    test_single_tracks()
    finish()


if __name__ == "__main__":
    main()
