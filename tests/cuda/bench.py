#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""bench.py VFI_BENCH: vfi-bench and tools/bench --device cuda on the simulated device, whose
times say nothing; and plans, which are the same where there is no device."""
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
sys.path[:0] = [str(TESTS), str(TESTS / "engine")]
import still_rife  # noqa: E402
from tap import check, finish  # noqa: E402

CELLS = 12  # of a row of the table


def tool(*arguments):
    command = [sys.executable, "-B", TESTS.parent / "tools" / "bench", "--program", sys.argv[1],
               "--device", "cuda", "--turns", "2", "--runs", "2", "--warm-up", "1", *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_figures(model: Path):
    run = subprocess.run([sys.argv[1], "--device", "cuda", "--model", model, "--size", "128x64",
                          "--in-flight", "2", "--runs", "2", "--profile", "--json"],
                         capture_output=True, text=True)
    figures = json.loads(run.stdout)
    check(figures["device"].startswith("cuda:0 ") and figures["precision"] == "f16",
          "the precision is the device's")
    check(figures["ms_min"] > 0 and figures["fps"] > 0 and figures["in_flight"] == 2,
          "time and rate")
    check(0 < figures["arena_bytes"] <= figures["session_bytes"]
          < figures["device_total_bytes"] - figures["device_free_bytes"],
          "the session's memory is in use")
    groups = [entry for entry in figures["profile"] if entry["kind"] == "row group"]
    names = {entry["op"].removesuffix(".weight") for entry in figures["profile"]}
    check({name for name, *_ in still_rife.layer_shapes()} <= names and groups
          and all(entry["ops"] > 1 and " .. " in entry["op"] for entry in groups)
          and abs(figures["gflop"] - still_rife.expected_gflop(128, 64)) < 1e-3,
          "the profile has every convolution and row groups by their ends")


def test_table(model: Path, path: Path):
    run = tool("--model", model, "--size", "64x64", "--precision", "auto,bf16", "--json", path)
    rows = [[cell.strip() for cell in line.split("|")[1:-1]]
            for line in run.stdout.splitlines() if line.startswith("| rife 4.0")]
    results = json.loads(path.read_text())["runs"]
    check(run.returncode == 0 and len(rows) == len(results) == 1 and len(rows[0]) == CELLS
          and rows[0][:5] == ["rife 4.0", "64×64", "1", "f16", "1"]
          and rows[0][-2:] == ["–", "–"], "the table's row, without a least time")
    check(results[0]["turns"] == 2 and results[0]["in_use_bytes"] == 0  # each has a device
          and results[0]["fps_min"] <= results[0]["fps"] <= results[0]["fps_max"],
          "the JSON has its figures")
    check("bf16 is left out" in run.stdout, "what the device lacks is left out")
    run = tool("--model", "blend", "--size", "64x64", "--precision", "bf16")
    check(run.returncode == 1 and "precision bf16" in run.stderr, "refused: nothing is left")


def test_plans(model: Path):
    def plan(precision: str, **environment) -> dict:
        command = [Path(sys.argv[1]).with_name("vfi-inspect"), "--plan=json", "--size", "128x64",
                   "--device", "cuda", "--precision", precision, model]
        run = subprocess.run(command, capture_output=True, text=True,
                             env={**os.environ, **environment})
        return json.loads(run.stdout)
    for precision in ("f16", "tf32", "f32"):
        asked = plan(precision)
        assumed = plan(precision, VFI_BACKEND_PATH="/nonexistent/vfi-cuda.so")
        check(asked["device"].startswith("cuda:0 ") and assumed["device"] == "cuda"
              and asked["stages"] == assumed["stages"] != [],
              f"plans for {precision} need no GPU")


with tempfile.TemporaryDirectory() as scratch:
    still = Path(scratch) / "still.safetensors"
    still_rife.write(still)
    test_figures(still)
    test_table(still, Path(scratch) / "table.json")
    test_plans(still)
finish()
