#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""bench.py VFI_BENCH: figures, frames from files, the interactive form, profile and layers, and
that what cannot be done is refused by name."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import still_rife  # noqa: E402
from still_rife import expected_gflop, layer_shapes  # noqa: E402
from tap import check, finish  # noqa: E402


def bench(*arguments, stdin=None):
    return subprocess.run([sys.argv[1], *map(str, arguments)], input=stdin, text=True,
                          capture_output=True)


def blend(*arguments, stdin=None):
    return bench("--model", "blend", *arguments, stdin=stdin)


def refused(what, run, *words):
    check(run.returncode == 1 and run.stdout == "" and all(word in run.stderr for word in words),
          f"refused: {what}")


def write_ppm(path: Path, width: int, height: int, value: int, header=b"P6\n%d %d\n255\n"):
    path.write_bytes(header % (width, height) + bytes([value]) * (3 * width * height))


def test_figures():
    figures = json.loads(blend("--size", "64x48", "--runs", 3, "--json", "--threads", 2, "--times",
                               "0.25,0.5").stdout)
    check({"ms_median", "ms_min", "ms_max", "gflops", "arena_bytes", "rss_bytes"} <= figures.keys(),
          "all JSON keys")
    check(0 < figures["ms_min"] <= figures["ms_median"] <= figures["ms_max"]
          and figures["threads"] == 2 and figures["times"] == 2
          and figures["rss_bytes"] > 1 << 20, "figures make sense")
    check("ms a pair" in blend("--size", "64x48", "--runs", 3, "--profile").stdout, "text form")
    check("fps" not in figures, "no rate unless it is asked for")


def test_in_flight():
    run = blend("--size", "64x48", "--device", "cpu", "--in-flight", 3, "--runs", 4, "--warm-up", 2,
                "--times", "0.25,0.5,0.75", "--json")
    figures = json.loads(run.stdout)
    check(figures["in_flight"] == 3 and figures["in_flight_ms"] > 0
          and abs(figures["fps"] * figures["in_flight_ms"] / 1e3 - 1) < 0.01
          and 0 < figures["device_free_bytes"] <= figures["device_total_bytes"],
          "the rate with three in flight")
    check("3 in flight" in blend("--size", "64x48", "--device", "cpu", "--in-flight", 3).stdout,
          "in the text, too")


def test_frames(folder: Path):
    a, b, other, out = (folder / name for name in ("a.ppm", "b.ppm", "other.ppm", "out.ppm"))
    write_ppm(a, 6, 4, 10)
    write_ppm(b, 6, 4, 30)
    write_ppm(other, 4, 6, 30)
    figures = json.loads(blend("--frames", f"{a},{b}", "--json").stdout)
    check((figures["width"], figures["height"]) == (6, 4), "frames bring their size")
    # One pair was warmed up with and one more is run: the next would be B, A.
    run = blend("--frames", f"{a},{b}", "--times", "0.25", "--interactive",
                stdin=f"run\nrun\npicture {out}\nstand on your head\n")
    lines = [json.loads(line) for line in run.stdout.splitlines()]
    check(run.returncode == 0 and len(lines) == 5 and "version" in lines[0]
          and all(answer["ms"] > 0 and answer["rss_bytes"] > 1 << 20 for answer in lines[1:4])
          and "stand on your head" in lines[4]["error"], "one answer to each command")
    check(out.read_bytes() == b"P6\n6 4\n255\n" + bytes([15]) * 72,
          "the picture is of A, B: a quarter of the way from 10 to 30")
    refused("frames of two sizes", blend("--frames", f"{a},{other}"), "6x4", "4x6")
    refused("a size beside frames", blend("--frames", f"{a},{b}", "--size", "6x4"), "--size")
    refused("one frame", blend("--frames", a), "two files")
    refused("a missing frame", blend("--frames", f"{a},{folder}/none.ppm"), "none.ppm")
    for what, header in {"16 bits": b"P6\n%d %d\n65535\n", "text": b"P3\n%d %d\n255\n"}.items():
        write_ppm(other, 6, 4, 30, header)
        refused(f"a PPM of {what}", blend("--frames", f"{a},{other}"), "other.ppm", "P6")
    raw = [folder / name for name in ("a.yuv", "b.yuv")]
    for path, value in zip(raw, (10, 30)):
        path.write_bytes(bytes([value]) * 36)
    figures = json.loads(blend("--frames", f"{raw[0]},{raw[1]}", "--size", "6x4", "--json").stdout)
    check((figures["width"], figures["height"]) == (6, 4), "raw frames are of the size given")
    refused("raw frames of another size", blend("--frames", f"{raw[0]},{raw[1]}", "--size", "8x4"),
            "a.yuv", "48", "36")
    other.write_bytes(a.read_bytes()[:-1])
    refused("a short PPM", blend("--frames", f"{a},{other}"), "other.ppm", "ends")


def test_arguments():
    refused("precision bf17", blend("--precision", "bf17"), "bf17")
    refused("sizes that are none", blend("--size", "64by48"), "64by48")
    refused("a time that is the frame", blend("--times", "0.5,1"), "0.5,1")
    refused("no time", blend("--times", ""), "times")
    refused("none in flight", blend("--in-flight", 0), "--in-flight")
    refused("no warm-up", blend("--warm-up", 0), "--warm-up")
    refused("a worker with several in flight", blend("--in-flight", 2, "--interactive"),
            "--interactive")
    refused("layers of a GPU", blend("--layers", "--device", "cuda"), "--device cpu")


def test_steps():
    """A model with steps in place of a network: how thorough it is, its stages, every step."""
    arguments = ("--model", "flow", "--size", "96x64", "--threads", 1, "--runs", 3,
                 "--times", "0.25,0.5", "--profile")
    figures = json.loads(bench(*arguments, "--json").stdout)
    best = json.loads(bench(*arguments, "--options", "quality=best", "--json").stdout)
    check((figures["variant"], best["variant"]) == ("medium", "best"), "options reach the model")
    check({name: stage["runs"] for name, stage in figures["stages"].items()}
          == {"frame": 5, "pair": 4, "time": 8, "synthesis": 8}
          and all(0 <= stage["ms_p50"] <= stage["ms_p95"]
                  for stage in figures["stages"].values()), "stages run as often as they should")
    steps = figures["steps"]
    check([stage for stage in ("frame", "pair", "time")
           if any(step["stage"] == stage for step in steps)] == ["frame", "pair", "time"]
          and steps[0]["kind"] == "luma" and (steps[0]["width"], steps[0]["height"]) == (48, 32)
          and sum(step["ms"] for step in steps) > 0, "the profile has every step")
    refused("an option that there is not", bench(*arguments, "--options", "speed=9"),
            "speed", "quality")
    refused("options that are none", bench(*arguments, "--options", "quality"), "NAME=VALUE")


def test_layers(model: Path):
    arguments = ("--model", model, "--size", "128x64", "--threads", 1, "--json")
    figures = json.loads(bench(*arguments, "--runs", 2, "--profile").stdout)
    wanted = {name for name, *_ in layer_shapes()}
    profiled = {entry["op"].removesuffix(".weight"): entry for entry in figures["profile"]}
    check(wanted <= {name for name in profiled} and
          all(profiled[name]["ms"] > 0 for name in wanted), "the profile has every convolution")
    check(abs(figures["gflop"] - expected_gflop(128, 64)) < 1e-3, "GFLOP by the paper's layers")
    run = bench(*arguments, "--runs", 1, "--layers")
    if "libdnnl-dev" in run.stderr:
        refused("layers without oneDNN", run, "oneDNN", "tools/setup --bench")
        return
    layers = json.loads(run.stdout)["layers"]
    check(sum(layer["count"] for layer in layers) == len(wanted)
          and sorted(layer["count"] for layer in layers)[-4:] == [8] * 4
          and abs(sum(layer["count"] * layer["gflop"] for layer in layers)
                  - expected_gflop(128, 64)) < 1e-3
          and all(layer["ms"] > 0 and layer["onednn_ms"] > 0 for layer in layers),
          "each distinct layer has both times")


def test_list(model: Path):
    path = {"VFI_MODEL_PATH": str(model.parent)}
    run = subprocess.run([sys.argv[1], "--list"], env={**os.environ, **path}, text=True,
                         capture_output=True)
    check(str(model) in run.stdout.splitlines(), "the list has what is on the search path")


with tempfile.TemporaryDirectory() as scratch:
    test_figures()
    test_in_flight()
    test_frames(Path(scratch))
    test_arguments()
    test_steps()
    still = Path(scratch) / "still.safetensors"
    still_rife.write(still)
    test_layers(still)
    test_list(still)
finish()
