#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""compare.py VFI_COMPARE VIEWS: its figures against ffmpeg's filters on pictures that the element
made, which clips it refuses and what it says, and that its page needs nothing but itself."""
import base64
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from clips import PageParser, compare, ffmpeg, figures, make_clip  # noqa: E402
from tap import check, finish  # noqa: E402

MOVING = "testsrc2=size={}:rate=10,scroll=h=0.03:v=0.02,format={}"
ODD = "select='mod(n,2)'"


def made_by_element(clip: Path, model: str, scratch: Path) -> Path:
    """@clip with every second frame made by the element from the others."""
    half, made = scratch / "half.mkv", scratch / "made.mkv"
    ffmpeg("-i", clip, "-vf", "select='not(mod(n,2))',setpts=N*2/10/TB", "-r", 5, "-c:v", "ffv1",
           half)
    subprocess.run(["gst-launch-1.0", "-q", "filesrc", f"location={half}", "!", "matroskademux",
                    "!", "avdec_ffv1", "!", "vfiinterp", f"model={model}", "device=cpu",
                    "multiplier=2", "!", "avenc_ffv1", "!", "matroskamux", "!", "filesink",
                    f"location={made}"], check=True)
    return made


def by_ffmpeg(made: Path, truth: Path, filter_name: str, convert: str = "null") -> str:
    """What ffmpeg's filter prints at the end for the frames that were left out."""
    graph = (f"[0:v]{ODD},{convert},setpts=N/TB[a];[1:v]{ODD},{convert},setpts=N/TB[b];"
             f"[a][b]{filter_name}=shortest=1")
    run = ffmpeg("-i", made, "-i", truth, "-lavfi", graph, "-f", "null", "-")
    return next(line for line in run.stderr.splitlines()
                if re.search(rf"Parsed_{filter_name}_\d+ .*\] [PS]", line))


def number(line: str, name: str) -> float:
    return float(re.search(rf"\b{name}:([\d.inf]+)", line)[1])


def close(value: float, expected: float, tolerance: float) -> bool:
    return math.isclose(value, expected, abs_tol=tolerance)


def test_figures(scratch: Path) -> None:
    for size, pixels in (("96x64", "yuv420p"), ("67x49", "yuv420p10le"), ("64x48", "yuv444p")):
        clip = make_clip(scratch / f"{pixels}.mkv", MOVING.format(size, pixels), "-t", "1.3")
        result = figures(compare("--models", "flow,blend", "--device", "cpu", "--json",
                                 "--no-page", clip, folder=scratch))
        check(result["clip"]["frames"] == 13 and len(result["compared"]) == 6 and
              result["repeats"] == 0 and not result["cuts"],
              f"{pixels} of {size}: all frames between two others are compared", result)
        for model in result["models"]:
            made = made_by_element(clip, model["model"], scratch)
            psnr, ssim = by_ffmpeg(made, clip, "psnr"), by_ffmpeg(made, clip, "ssim")
            check(close(model["psnr"], number(psnr, "y"), 1e-3) and
                  close(model["ssim"], number(ssim, "Y"), 1e-5),
                  f"{pixels}, {model['model']}: PSNR and SSIM are ffmpeg's",
                  (model, psnr, ssim))
            check(close(min(model["frame_psnr"]), number(psnr, "min"), 2) and
                  model["worst"] == model["frame_psnr"].index(min(model["frame_psnr"])) and
                  model["memory"] >= 0 and model["fps"] > 0,
                  f"{pixels}, {model['model']}: the worst frame, speed and memory", model)


def test_rgb(scratch: Path) -> None:
    clip = make_clip(scratch / "rgb.mkv", MOVING.format("65x50", "gbrp"), "-t", "1.1",
                     "-pix_fmt", "gbrp")
    result = figures(compare("--models", "blend", "--device", "cpu", "--json", "--no-page", clip,
                             folder=scratch))
    blend = result["models"][0]
    made = made_by_element(clip, "blend", scratch)
    psnr = by_ffmpeg(made, clip, "psnr")
    check("Y" not in result["clip"]["format"] and
          close(blend["psnr_rgb"], number(psnr, "average"), 1e-3),
          "RGB: PSNR of R, G and B is ffmpeg's", (blend, psnr))

    clip = scratch / "yuv444p.mkv"
    result = figures(compare("--models", "blend", "--device", "cpu", "--json", "--no-page", clip,
                             folder=scratch))
    made = made_by_element(clip, "blend", scratch)
    psnr = by_ffmpeg(made, clip, "psnr", "scale=flags=full_chroma_int+accurate_rnd,format=gbrp")
    check(close(result["models"][0]["psnr_rgb"], number(psnr, "average"), 0.15),
          "YCbCr: PSNR in RGB is about that of ffmpeg's conversion", (result["models"], psnr))


def test_page(scratch: Path) -> None:
    name = "<b>&\"'@CLIP@.mkv"
    clip = make_clip(scratch / name, MOVING.format("90x72", "gbrp"), "-t", "1.1", "-pix_fmt",
                     "gbrp")
    run = compare("--models", "flow,blend", "--model-options", "flow:quality=fast",
                  "--model-options", "flow:quality=best", "--device", "cpu", "--shown", "3",
                  "--crop", "64x66", "-o", "page", f"./{name}", folder=scratch)
    page, table = (scratch / "page" / file for file in ("index.html", "table.json"))
    check(run.returncode == 0 and all(f"flow (quality={quality})" in run.stdout
                                      for quality in ("fast", "best")),
          "a model may be compared with several options", run)
    text = page.read_text(encoding="utf-8")
    parser = PageParser(text)
    check(not parser.wrong and text.startswith("<!DOCTYPE html>"), "the page is well formed",
          parser.wrong)
    check(all(address.startswith("data:image/png;base64,") for address in parser.addresses())
          and not re.search(r"https?:|//[a-z]|@import|url\(", re.sub(
              r'src="data:[^"]*"|^ *//.*$|\u0020// .*$', "", text, flags=re.MULTILINE)),
          "the page asks for nothing from outside")
    policy = next(attributes["content"] for tag, attributes in parser.tags
                  if attributes.get("http-equiv") == "Content-Security-Policy")
    check(policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
          "script-src 'unsafe-inline'", "and may not", policy)
    data = json.loads(parser.text["data"])
    check(parser.text["title"].startswith(name) and data["clip"]["name"] == name and
          data == json.loads(table.read_text()), "a name that looks like HTML is only a name", data)
    check_pictures(scratch, clip, parser, data)

    again = compare("--models", "blend", "--device", "cpu", "-o", "page", f"./{name}",
                    folder=scratch)
    check(again.returncode == 0, "a page may be replaced", again)


def check_pictures(scratch: Path, clip: Path, parser: PageParser, data: dict) -> None:
    """The pictures of the truth and its neighbours are parts of the clip's, bit for bit."""
    pictures = {attributes["id"]: base64.b64decode(attributes["src"].partition(",")[2])
                for tag, attributes in parser.tags if tag == "img"}
    wrong = []
    for index, shown in enumerate(data["shown"]):
        frame = data["compared"][shown["at"]]["frame"]
        frames = ffmpeg_frames(clip, shown["part"])
        for which, number_of in (("first", frame - 1), ("truth", frame), ("last", frame + 1)):
            file = scratch / "picture.png"
            file.write_bytes(pictures[f"picture-{index}-{which}"])
            if ffmpeg_frames(file, (0, 0, 64, 66))[0] != frames[number_of]:
                wrong.append((index, which, shown["part"]))
    check(len(data["shown"]) == 3 and len(pictures) == 3 * 6 and not wrong,
          "its pictures are parts of the clip's frames", wrong)


def ffmpeg_frames(path: Path, part: tuple[int, int, int, int],
                  pixels: str = "rgb24") -> list[bytes]:
    x, y, width, height = part
    run = subprocess.run(["ffmpeg", "-v", "error", "-nostdin", "-i", path, "-vf",
                          f"crop={width}:{height}:{x}:{y}:exact=1", "-vsync", "passthrough", "-f",
                          "rawvideo", "-pix_fmt", pixels, "-"], capture_output=True, check=True)
    size = width * height * (3 if pixels == "rgb24" else 1)
    return [run.stdout[at:at + size] for at in range(0, len(run.stdout), size)]


def test_content(scratch: Path) -> None:
    cut = scratch / "cut.mkv"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=size=96x64:rate=10:duration=0.7", "-f", "lavfi", "-i",
           "mandelbrot=size=96x64:rate=10", "-filter_complex",
           "[0:v][1:v]concat,format=yuv420p", "-frames:v", 15, "-c:v", "ffv1", cut)
    result = figures(compare("--models", "blend", "--json", "--no-page", cut, folder=scratch))
    check([place["frame"] for place in result["cuts"]] == [7] and
          result["cuts"][0]["clock"] == "0:00:00.700" and
          7 not in [place["frame"] for place in result["compared"]],
          "frames at a scene cut are left out", result)

    twos = make_clip(scratch / "twos.mkv", "testsrc2=size=96x64:rate=5,fps=10,format=yuv420p",
                     "-t", "1.5")
    run = compare("--models", "blend", "--no-page", twos, folder=scratch)
    check(run.returncode == 1 and re.search(r"nothing to compare.* 7 show a neighbour", run.stderr),
          "frames that are shown twice are no test", run)

    alpha = make_clip(scratch / "alpha.mkv", MOVING.format("64x48", "yuva420p"), "-t", "1.1",
                      "-pix_fmt", "yuva420p")
    result = figures(compare("--models", "flow", "--json", "--no-page", alpha, folder=scratch))
    check(result["models"][0]["psnr"] > 10, "video with alpha", result)


def test_views(scratch: Path) -> None:
    """Which frames a model is given that sees more than two: no further than cuts and ends."""
    views = str(Path(sys.argv[2]).resolve())

    def of(clip: str, before: int, after: int) -> list[str]:
        run = subprocess.run([views, scratch / clip, str(before), str(after)], capture_output=True,
                             text=True)
        return run.stdout.splitlines() if run.returncode == 0 else [run.stderr]

    two = of("cut.mkv", 0, 0)
    four = of("cut.mkv", 1, 1)
    check([line.split(":")[1] for line in two] ==
          [f" {first} {first + 2}" for first in range(0, 14, 2)], "models that see two frames", two)
    check(four == ["moves 1: 0 0 2 4", "moves 3: 0 2 4 6", "moves 5: 2 4 6 6", "cut 7: 4 6 8 10",
                   "moves 9: 8 8 10 12", "moves 11: 8 10 12 14", "moves 13: 10 12 14 14"],
          "models that see four frames", four)
    ahead = of("cut.mkv", 0, 3)
    check(ahead[:3] == ["moves 1: 0 2 4 6 6", "moves 3: 2 4 6 6 6", "moves 5: 4 6 6 6 6"],
          "models that see ahead", ahead)


def test_variable_rate(scratch: Path) -> None:
    """Frames at 0, 0.1, 0.4, 0.7, 0.8 s: the blend is that of the frame's own time."""
    clip = make_clip(scratch / "vfr.mkv", "testsrc2=size=96x64:rate=10,scroll=h=0.03,"
                     "format=gray,setpts='if(lt(N,2),N,if(lt(N,4),3*N-2,N+4))'", "-frames:v", "5",
                     "-vsync", "passthrough", "-pix_fmt", "gray")
    result = figures(compare("--models", "blend", "--json", "--no-page", clip, folder=scratch))
    frames = ffmpeg_frames(clip, (0, 0, 96, 64), "gray")
    expected = []
    for at, part in ((1, 0.25), (3, 0.75)):
        squares = [(round(a * (1 - part) + b * part) - truth) ** 2 for a, truth, b in
                   zip(frames[at - 1], frames[at], frames[at + 1])]
        expected.append(10 * math.log10(255 ** 2 * len(squares) / sum(squares)))
    check([place["clock"] for place in result["compared"]] == ["0:00:00.100", "0:00:00.700"] and
          all(map(lambda a, b: close(a, b, 0.02), result["models"][0]["frame_psnr"], expected)),
          "at a variable rate the time between frames counts", (result, expected))


def test_part(scratch: Path) -> None:
    clip = scratch / "yuv420p.mkv"
    result = figures(compare("--models", "blend", "--json", "--no-page", "--from", "0:00.4",
                             "--to", "1.1", clip, folder=scratch))
    whole = figures(compare("--models", "blend", "--json", "--no-page", clip, folder=scratch))
    check([place["clock"] for place in result["compared"]] ==
          ["0:00:00.500", "0:00:00.700", "0:00:00.900"] and
          result["models"][0]["frame_psnr"] == whole["models"][0]["frame_psnr"][2:5],
          "a part of a clip, with times in the whole", result)
    # Which might be the URI of a protocol "Movie".
    (scratch / "Movie: part 1.mkv").symlink_to(clip)
    result = figures(compare("--models", "blend", "--json", "--no-page", "-n", "5",
                             "Movie: part 1.mkv", folder=scratch))
    check(result["clip"]["name"] == "Movie: part 1.mkv", "a name with a colon is a file's", result)
    result = figures(compare("--models", "blend", "--json", "--no-page", "-n", "5", clip,
                             folder=scratch))
    run = compare("--models", "blend", "--no-page", "-o", "tables", clip, folder=scratch)
    check(run.returncode == 0 and [file.name for file in (scratch / "tables").iterdir()] ==
          ["table.json"], "without a page a folder has the table", run)
    check(result["clip"]["frames"] == 5 and len(result["compared"]) == 2, "the first frames",
          result)


def test_lost_pictures(scratch: Path) -> None:
    """A clip that is gone when it is read a third time, for the pictures."""
    clip = (scratch / "yuv420p.mkv").read_bytes()
    opened = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            begin = int(re.match(r"bytes=(\d+)", self.headers.get("Range", "bytes=0"))[1])
            opened.extend([self.path] if begin == 0 else [])
            if len(opened) > 2:
                self.send_error(404)
                return
            self.send_response(206 if begin else 200)
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(clip) - begin))
            if begin:
                self.send_header("Content-Range", f"bytes {begin}-{len(clip) - 1}/{len(clip)}")
            self.end_headers()
            self.wfile.write(clip[begin:])

        def log_message(self, *_arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    run = compare("--models", "blend", "--device", "cpu", "-o", "lost",
                  f"http://127.0.0.1:{server.server_port}/clip.mkv", folder=scratch)
    server.shutdown()
    server.server_close()
    table = scratch / "lost/table.json"
    check(run.returncode == 1 and "pictures" in run.stderr and "MODEL" in run.stdout and
          table.exists() and json.loads(table.read_text())["shown"] == [] and
          not (scratch / "lost/index.html").exists(),
          "figures are written even if pictures fail", (run, opened))


def test_refusals(scratch: Path) -> None:
    clip = scratch / "yuv420p.mkv"
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", scratch / "sound.wav")
    ffmpeg("-i", clip, "-vf", "setfield=tff", "-c:v", "mpeg2video", "-flags", "+ilme+ildct",
           scratch / "fields.mkv")
    (scratch / "text.mp4").write_text("no video")
    (scratch / "notes.html").write_text("mine")
    (scratch / "mine").mkdir()
    (scratch / "mine/table.json").write_text('{"mine": 1}')
    os.mkfifo(scratch / "pipe.html")
    for name in ("one", "two"):
        ffmpeg("-i", clip, "-frames:v", {"one": 1, "two": 2}[name], "-c:v", "ffv1",
               scratch / f"{name}.mkv")
    cases = (
        (["missing.mkv"], 1, r"missing\.mkv: there is no such file"),
        (["sound.wav"], 1, "there is no video in it"),
        (["text.mp4"], 1, r"text\.mp4: "),
        (["fields.mkv"], 1, "it is interlaced; deinterlace it first"),
        (["one.mkv"], 1, "there is 1 frame in this part.*expected 3 or more"),
        (["two.mkv"], 1, "there are 2 frames"),
        ([clip, "--from", "5"], 1, "no frame in this part|cannot be sought"),
        ([clip, "-o", "notes.html"], 1, "is there already and is no page of vfi-compare"),
        ([clip, "-o", "mine"], 1, "is there already and is no table of vfi-compare"),
        ([clip, "-o", "pipe.html"], 1, "is there already and is no page of vfi-compare"),
        # Nobody may write there, not even root; no model's name: it was not measured.
        ([clip, "-o", "/proc/page.html"], 1, r"\Avfi-compare: /proc: the page cannot be written"),
        ([clip, "--models", "no-such-model", "--no-page"], 1, "no-such-model"),
        ([clip, "--models", "blend,no-such-model", "--no-page"], 3, "no-such-model: left out"),
        ([clip, "--models", "flow", "--model-options", "speed=9", "--no-page"], 1, "speed"),
        ([clip, "--no-page", "-o", "page.html"], 2, "--no-page asks for none"),
        ([], 2, "expected a CLIP"),
        ([clip, "other.mkv"], 2, "expected one CLIP"),
        ([clip, "--models", "blend,,flow"], 2, "--models"),
        ([clip, "--models", "blend,blend"], 2, "twice"),
        ([clip, "--model-options", "flow:quality=fast"], 2, "which --models does not name"),
        ([clip, "--from", "x"], 2, "expected seconds"),
        ([clip, "--from", "2", "--to", "1"], 2, "after that of --from"),
        ([clip, "--frames", "2"], 2, "expected 3 or more"),
        ([clip, "--crop", "10x10"], 2, "WIDTHxHEIGHT"),
        ([clip, "--scale", "9"], 2, "0.25 to 4"),
        ([clip, "--shown", "-1"], 2, "1 to 100"),
        ([clip, "--no-such-option"], 2, "no-such-option"),
    )
    for arguments, status, text in cases:
        run = compare("--device", "cpu", *arguments, folder=scratch)
        words = " ".join(Path(str(word)).name for word in arguments) or "no clip"
        check(run.returncode == status and re.search(text, run.stderr), f"refused: {words}", run)
    check((scratch / "notes.html").read_text() == "mine" and
          (scratch / "mine/table.json").read_text() == '{"mine": 1}' and
          not (scratch / "mine/index.html").exists(), "files of others stay")


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        test_figures(scratch)
        test_rgb(scratch)
        test_page(scratch)
        test_content(scratch)
        test_views(scratch)
        test_variable_rate(scratch)
        test_part(scratch)
        test_lost_pictures(scratch)
        test_refusals(scratch)
    finish()


if __name__ == "__main__":
    main()
