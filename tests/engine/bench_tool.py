#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""bench_tool.py VFI_BENCH: tools/bench prints its tables and JSON, judges bars and pictures as
it says, tools/chart draws bars as long as the times, and tools/gallery puts four pictures side by
side. Models without weights, tiny sizes; no peer is needed."""
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
TOOLS = TESTS.parent / "tools"
sys.dont_write_bytecode = True
sys.path[:0] = [str(TESTS), str(TOOLS / "benchmark")]
import comparisons  # noqa: E402
import cuda  # noqa: E402
import engine  # noqa: E402
import flow_peers  # noqa: E402
import peers  # noqa: E402
import rooflines  # noqa: E402
import tlbvfi_peer  # noqa: E402
import turns  # noqa: E402
from tap import check, finish  # noqa: E402


def bench(*arguments):
    command = [sys.executable, "-B", TOOLS / "bench", "--program", sys.argv[1], "--model", "blend",
               "--turns", "2", "--runs", "2", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_table(path: Path):
    run = bench("--size", "64x48,32x16", "--between", "1,3", "--threads", "1", "--json", path)
    rows = [line.split() for line in run.stdout.splitlines() if line.startswith("blend")]
    check(run.returncode == 0 and [(row[1], row[7]) for row in rows] ==
          [("64x48", "1"), ("64x48", "3"), ("32x16", "1"), ("32x16", "3")],
          "the table has a row for each combination, in order")
    result = json.loads(path.read_text())
    check({"cpu", "cores", "kernel", "compiler", "commit", "load"} <= result["machine"].keys()
          and result["machine"]["cores"] >= 1, "the JSON says on which machine")
    check(len(result["runs"]) == 4 and all(
        0 <= entry["ms_min"] <= entry["ms_median"] <= entry["ms_max"] and entry["turns"] == 2
        and entry["threads"] == 1 for entry in result["runs"]), "the JSON has every run")


def test_comparisons(path: Path):
    run = bench("--scaling", "--size", "640x480", "--json", path)
    one, two, ratio = json.loads(path.read_text())["comparisons"]
    check(run.returncode == 0 and ratio["bar"] == 1.9 and one["bar"] is None
          and ratio["reached"] == (ratio["value"] >= 1.9)
          and ("NOT REACHED" in run.stdout) != ratio["reached"]
          and ratio["low"] <= ratio["value"] <= ratio["high"] and two["value"] > 0,
          "scaling is judged against its bar")
    run = bench("--reuse", "--size", "64x48", "--json", path)
    check(run.returncode == 0
          and [c["name"].split(":")[0] for c in json.loads(path.read_text())["comparisons"]] ==
          ["64x48 2×", "64x48 4×", "64x48 8×", "4×", "8×"], "reuse at 2, 4 and 8 times")
    sizes = "64x48,128x96,96x64"
    run = bench("--linear", "--size", sizes, "--json", path)
    away = [c for c in json.loads(path.read_text())["comparisons"] if c["at_most"]]
    check(run.returncode == 0 and [c["name"].split(":")[0] for c in away] == sizes.split(",")
          and all(c["bar"] == 15 and c["reached"] == (c["value"] <= 15) for c in away),
          "linearity is judged at each size")


def test_refusals():
    for what, arguments, word in (
            ("two values where one is compared", ("--reuse", "--threads", "1,2"), "--threads"),
            ("an unknown peer", ("--peers", "abacus"), "abacus"),
            ("an unknown peer of flow", ("--flow", "abacus"), "abacus"),
            ("a folder without TLBVFI's code", ("--tlbvfi", "."), "expected a checkout"),
            ("peers for another model", ("--peers", "torch"), "RIFE 4.0"),
            ("two comparisons", ("--reuse", "--linear"), "not allowed"),
            ("what vfi-bench refuses", ("--precision", "bf17"), "bf17"),
            ("a size that is none", ("--scaling", "--size", "64by48"), "64by48"),
            ("a device that is none", ("--device", "cuda:one"), "cuda:one"),
            ("a pipeline on a GPU", ("--device", "cuda", "--pipeline"), "--pipeline"),
            ("threads of a GPU", ("--device", "cuda", "--threads", "2"), "--threads")):
        run = bench(*arguments)
        check(run.returncode in (1, 2) and word in run.stderr and "Traceback" not in run.stderr,
              f"refused: {what}")


def test_options_of_a_case():
    case = engine.Case(model="m")
    check("--options" not in case.arguments(), "no options unless there are some")
    for changes, text in (({"quality": "best"}, "quality=best"),
                          ({"options": "a=1,b=2"}, "a=1,b=2"),
                          ({"quality": "best", "options": "a=1"}, "quality=best,a=1")):
        arguments = case.but(**changes).arguments()
        check(arguments[arguments.index("--options") + 1] == text, f"options {text}")


def test_cuda_table():
    names = {name: cuda.card_of(f"cuda:0 {name}") for name in (
        "NVIDIA GeForce RTX 3090", "NVIDIA GeForce RTX 3090 Ti", "NVIDIA H200",
        "NVIDIA GH200 480GB",
        "Simulated Device")}
    check([name for name, card in names.items() if card] ==
          ["NVIDIA GeForce RTX 3090", "NVIDIA H200"], "cards are known by their whole names")
    case = cuda.base_case("cuda", model="blend", size="3840x2160")
    result = {"device": "cuda:1 NVIDIA H200", "precision": "f16"}
    ms = cuda.expected_ms(Path(sys.argv[1]), case, result)
    check(abs(ms - 1e3 * 4.5 * 3840 * 2160 / 4800e9) < 1e-9
          and cuda.expected_ms(Path(sys.argv[1]), case, {**result, "precision": "f32"}) is None,
          "least times are of f16 on the device")
    cases = cuda.documented(cuda.base_case("cuda:1"), [Path("/m/rife-4.0.pkl"), Path("/m/b.pkl")])
    check([case.model for case in cases if case.model != cuda.MODEL] == ["/m/b.pkl"]
          and {case.device for case in cases} == {"cuda:1"}
          and {case.size for case in cases} == {"1280x720", "1920x1080", "3840x2160"}
          and len(set(cases)) == len(cases), "what the table has")


def test_judgement():
    calls: list[str] = []
    values = turns.take({"a": lambda: calls.append("a") or 6.0,
                         "b": lambda: calls.append("b") or 2.0}, 3)
    check(calls == ["a", "b"] * 3, "runs take turns")
    reached = comparisons.ratio("", values["a"], values["b"], 3.0)
    missed = comparisons.ratio("", values["a"], values["b"], 3.1)
    check(reached.value == 3.0 and reached.reached is True and missed.reached is False,
          "a bar is reached when it is touched")
    same = peers.agreement(bytes([1, 2, 3]), bytes([1, 2, 3]))
    off = peers.agreement(bytes([10, 20, 30, 40]), bytes([10, 22, 30, 40]))
    check(same == {"max": 0, "mean": 0.0, "psnr": math.inf} and off["max"] == 2
          and off["mean"] == 0.5 and abs(off["psnr"] - 10 * math.log10(255 ** 2)) < 1e-9,
          "difference of pictures by the definition")
    pictures = {"ours": {"psnr": 70.0}, "ncnn": {"psnr": 79.9}, "openvino": {"psnr": 80.0}}
    check(len(peers._check(pictures, True)) == 1 and len(peers._check(pictures, False)) == 2,
          "pictures that are too far off are named")


def chart_document() -> dict:
    def peer(what, ms, ratio):
        return {"what": what, "ms_median": ms, "ratio": {"value": ratio}}
    return {"machine": {"cpu": "Abacus <9>"}, "peers": [
        {"size": "64x48", "threads": 2, "cpu_level": "avx2", "ours": {"ms_median": 100.0},
         "peers": [peer("Slow & steady", 400.0, 4.0), peer("Near", 150.0, 1.5)]}]}


def flow_chart_document() -> dict:
    return {"machine": {"cpu": "Abacus <9>"}, "flow": [
        {"size": "64x48", "threads": 2, "ours": {"fast": [100.0, 90.0, 110.0], "best": [150.0]},
         "peers": [{"what": "Slow & steady, as ever", "ms": [400.0], "ratio": {"value": 4.0}}]}]}


def test_chart(folder: Path):
    source, picture = folder / "peers.json", folder / "peers.svg"
    for document, wanted in (
            (chart_document(), {"400 ms · 4.0×", "150 ms · 1.5×", "100 ms", "Slow & steady"}),
            (flow_chart_document(), {"400 ms · 4.0×", "150 ms", "100 ms", "Slow & steady"})):
        source.write_text(json.dumps(document))
        run = subprocess.run([TOOLS / "chart", source, picture], capture_output=True, text=True)
        tree = ElementTree.parse(picture)
        name = "{http://www.w3.org/2000/svg}"
        widths = [float(box.get("width")) for box in tree.iter(f"{name}rect") if box.get("x")]
        texts = [text.text for text in tree.iter(f"{name}text")]
        check(run.returncode == 0 and len(widths) == 3
              and all(abs(width / widths[2] - ms / 400) < 1e-3
                      for width, ms in zip(widths, (100, 150, 400))),
              "bars are as long as the times, the shortest first")
        check({*wanted, "64×48"} <= set(texts), "bars have their names and ratios")
    source.write_text("{}")
    run = subprocess.run([TOOLS / "chart", source, picture], capture_output=True, text=True)
    check(run.returncode == 1 and "tools/bench --peers" in run.stderr, "refused: another JSON")


def gallery(*arguments):
    return subprocess.run([TOOLS / "gallery", *arguments], capture_output=True, text=True)


def take_ffmpeg(folder: Path) -> bool:
    """Has "ffmpeg" be the machine's, without what a sanitizer preloads into our programs."""
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        return False
    wrapper = folder / "ffmpeg"
    wrapper.write_text(f'#!/bin/sh\nunset LD_PRELOAD\nexec "{ffmpeg}" "$@"\n')
    wrapper.chmod(0o755)
    os.environ["PATH"] = f"{folder}:{os.environ['PATH']}"
    return True


def test_gallery(folder: Path):
    """Of three frames of a clip; they are told apart by how light they are: 60, 90 and 180."""
    bench, clip, picture = Path(sys.argv[1]), folder / "clip.avi", folder / "four.ppm"
    run = gallery("--frame", "one", bench, clip, picture)
    check(run.returncode == 2 and "usage" in run.stderr, "refused: a frame that is no number")
    run = gallery(folder / "none", clip, picture)
    check(run.returncode == 1 and "none" in run.stderr, "refused: a program that is not there")
    run = gallery(bench, clip, picture)
    check(run.returncode == 1 and str(clip) in run.stderr, "refused: a clip that is not there")
    if not take_ffmpeg(folder):
        check(True, "four pictures side by side # SKIP ffmpeg is not installed")
        return
    raw = b"".join(bytes([level]) * (64 * 48 * 3) for level in (60, 90, 180))
    subprocess.run(["ffmpeg", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "64x48",
                    "-i", "-", "-c:v", "rawvideo", "-pix_fmt", "bgr24", clip], input=raw,
                   check=True)
    run = gallery("--frame", "0", bench, clip, picture)
    header, pixels = picture.read_bytes().split(b"\n255\n", 1)
    first, gap, blend, second = (pixels[3 * x] for x in (0, 71, 72, 216))
    check(run.returncode == 0 and header == b"P6\n280 48"
          and (first, gap, blend, second) == (60, 255, 120, 90), "four pictures side by side")
    run = gallery("--frame", "0", "--rows", "--between", "blend,flow", bench, clip, picture)
    header, pixels = picture.read_bytes().split(b"\n255\n", 1)
    shown, made = ([pixels[3 * (208 * y + x)] for x in (0, 72, 144)] for y in (0, 56))
    check(run.returncode == 0 and header == b"P6\n208 104" and shown == [60, 90, 180]
          and made[0] == 120 and 60 < made[1] < 180 and made[2] == 255,
          "the frames above what is made", f"{run.stderr} {header!r} {shown} {made}")
    run = gallery("--frame", "1", bench, clip, picture)
    check(run.returncode == 1 and "no frame 3" in run.stderr, "refused: frames beyond the end")


PLAN = {"width": 20, "height": 10, "padded_width": 24, "padded_height": 16, "tiles": 1}


def tensor(channels, height, width, block=0, half=False, rows=False, offset=0) -> dict:
    return {"shape": [channels, height, width], "block": block, "half": half,
            "region": "rows" if rows else "arena", "offset": offset}


def row_op(kind, dst, *src) -> dict:
    return {"segment": 0, "row_group": 0, "kind": kind, "name": "", "src": list(src), "dst": dst}


def plan_of(output: str, *ops: dict) -> dict:
    stage = {"stage": "time", "ops": list(ops),
             "segments": [{"usual": True, "rounds": 1}, {"usual": False, "rounds": 1},
                          {"usual": True, "rounds": 3}]}
    return {**PLAN, "output": output, "stages": [stage]}


def test_row_groups():
    """A flow is changed in its place, a picture warped by it and made smaller, the flow too."""
    picture, flow = tensor(3, 32, 64), tensor(2, 32, 64, offset=1 << 20)
    warped, moved = tensor(3, 32, 64, rows=True), tensor(2, 32, 64, offset=1 << 20)
    small, smaller = tensor(3, 8, 16, offset=1 << 21), tensor(2, 4, 8, offset=1 << 22)
    ops = [row_op("affine", moved, flow), row_op("warp", warped, picture, moved),
           row_op("resize", small, warped), row_op("resize", smaller, flow)]
    plane = 4 * 32 * 64
    found = [(kernel.name, kernel.bytes) for kernel in
             rooflines.kernels_of(plan_of("blend", *ops, {**ops[0], "segment": 1}))[1:]]
    check(found == [("2 ops, /8", 2 * plane / 4 + 2 * 4 * 32),
                    ("3 ops, /4", 5 * plane / 2 + 3 * 4 * 128),
                    ("1 ops, /1", 4 * plane)],
          "row groups' programs and bytes, of the segments that usually run")
    rounds = [{**op, "segment": 2} for op in ops]
    check([(kernel.name, kernel.bytes) for kernel in
           rooflines.kernels_of(plan_of("blend", *rounds))[1:]] == 3 * found,
          "a loop's, once for each round")


def test_roofline():
    """5 channels to 16 of 10 x 20 pixels with a 3 x 3 kernel, by hand; and the program."""
    conv = {"segment": 0, "row_group": -1, "kind": "conv", "name": "c",
            "macs": 9 * 5 * 16 * 200, "kernel": [3, 3], "groups": 1,
            "src": [tensor(5, 10, 20, 8, True)], "dst": tensor(16, 10, 20, 16, True)}
    resize = {"segment": 0, "row_group": -1, "kind": "resize", "name": "r",
              "src": [tensor(2, 80, 80)], "dst": tensor(2, 10, 10)}
    kernels = {kernel.group: kernel
               for kernel in rooflines.kernels_of(plan_of("flow", conv, resize))}
    check({name: kernel.bytes for name, kernel in kernels.items()} ==
          {"prepare": 300 + 12 * 384, "warp_blend": 20 * 200 + 900,
           "conv": 8 * 200 * 2 + 8 * 16 * 9 * 2 + 16 * 200 * 2, "epilogue": 2 * 16 * 200 * 2,
           "resize": 2 * 80 * 80 * 4 / 4 + 2 * 100 * 4}, "a roofline's bytes")
    card = rooflines.Card("slow", bandwidth=1e6, tensor=1e6)
    check(kernels["conv"].flop == 2 * 9 * 8 * 16 * 200
          and kernels["conv"].useful == 2 * 9 * 5 * 16 * 200
          and kernels["conv"].seconds(card) == kernels["conv"].flop / 1e6
          and kernels["epilogue"].seconds(card) == kernels["epilogue"].bytes / 1e6
          and kernels["epilogue"].seconds(card, floor=1.0) == 1.0,
          "its operations and times")
    program = [sys.executable, "-B", TOOLS / "roofline", "--program",
               engine.inspector(Path(sys.argv[1])), "--model"]
    run = subprocess.run([*program, "blend", "--size", "64x48,32x16"], capture_output=True,
                         text=True)
    rows = [line.split("|")[1:4] for line in run.stdout.splitlines()]
    check(run.returncode == 0 and [row[1].strip() for row in rows[2:]] == ["1", "1"],
          "its table has a row for each size")
    run = subprocess.run([*program, "none.pkl"], capture_output=True, text=True)
    check(run.returncode == 1 and run.stdout == "" and "none.pkl" in run.stderr,
          "refused: a roofline of a missing model")


def test_pins():
    """Nothing of an index is run that has not been chosen: versions and hashes, of all."""
    pins = {name: peers.pinned(name) for name in {
        *peers.NEEDED, *flow_peers.PINS, *tlbvfi_peer.PINS,
        *(p.pins for p in peers.PEERS.values())}}
    check(all(pins.values()) and {"torch", "onnx"} <= pins["tools"].keys(),
          "every peer has its packages")
    everything = [pin for name in pins.values() for pin in name]
    check(len(everything) == len(set(everything)), "each package is pinned once")
    check(sorted(path.stem for path in peers.PINS.glob("*")) == sorted(pins),
          "no file of pins is left over")
    text = (TOOLS / "benchmark" / "peers.py").read_text()
    check(text.count('"pip"') == 1 and "--require-hashes" in text and "--no-deps" in text,
          "pip is called in one place, which insists on hashes")


with tempfile.TemporaryDirectory() as scratch:
    test_pins()
    test_roofline()
    test_row_groups()
    test_table(Path(scratch) / "table.json")
    test_comparisons(Path(scratch) / "comparisons.json")
    test_refusals()
    test_options_of_a_case()
    test_cuda_table()
    test_judgement()
    test_chart(Path(scratch))
    test_gallery(Path(scratch))
finish()
