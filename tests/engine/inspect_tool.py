#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""inspect_tool.py VFI_INSPECT WRITE_CHECKPOINT: what vfi-inspect says about models, about files
that are none, and about the system."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

passed: list[bool] = []


def check(ok, what, run=None):
    passed.append(bool(ok))
    print(f"{'ok' if ok else 'not ok'} {len(passed)} - {what}", flush=True)
    if not ok and run is not None:
        print(run.stdout, run.stderr, file=sys.stderr, flush=True)


def inspect(*arguments, **environment):
    return subprocess.run([sys.argv[1], *map(str, arguments)], text=True, capture_output=True,
                          env={**os.environ, **environment})


def says(what, run, *texts):
    check(run.returncode == 0 and run.stderr == "" and all(text in run.stdout for text in texts),
          what, run)


def refuses(what, run, *texts, status=1):
    check(run.returncode == status and all(text in run.stderr for text in texts), what, run)


def write_checkpoint(family: str, path: Path) -> Path:
    written = subprocess.run([sys.argv[2], family], text=True, capture_output=True, check=True)
    shutil.move(written.stdout.strip(), path)
    return path


def reshape(source: Path, target: Path, tensor: str, shape: list[int]) -> Path:
    """Copies a safetensors file with another shape, of as many elements, for one tensor."""
    data = source.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8:8 + size])
    header[tensor]["shape"] = shape
    text = json.dumps(header, separators=(",", ":")).encode()
    target.write_bytes(len(text).to_bytes(8, "little") + text + data[8 + size:])
    return target


def test_models(rife: Path):
    says("a RIFE 4.0 file", inspect(rife), "container:   safetensors", "elements, f32",
         "family:      rife", "variant:     4.0", "parameters:  5160980 used, 19.7 MiB",
         "times:       any", "flow scale:  yes", "multiples of 64 at scale 1",
         # 83.7 GMAC at 1920×1088, counted on the network's source
         "cost:        40.06 GMAC a megapixel",
         "ensemble         boolean, default false", "pad-multiple     uint, 0 to 1024, default 0")
    says("what a size needs", inspect(rife, "--size", "1920x1080"),
         "padded to 1920×1088, scale 1", "work           83.7 GMAC", "MiB a frame, for 2 frames",
         "MiB in all")
    says("what it needs at another scale", inspect(rife, "--size", "1920x1080", "--scale", "0.5"),
         "padded to 1920×1152, scale 0.5")
    says("a family without weights", inspect("blend"), "family:      blend", "variant:     none",
         "options:     none")


def test_refusals(folder: Path, rife: Path):
    weight = "block2.convblock.3.0.weight"
    mixed = reshape(rife, folder / "mixed.safetensors", weight, [48, 192, 3, 3])
    run = inspect(mixed)
    refuses("a tensor of another shape", run, "mixed.safetensors: as rife 4.0", weight,
            "should be 96x96x3x3, but the checkpoint has 48x192x3x3")
    check("container:   safetensors" in run.stdout, "its container is shown nevertheless", run)
    truncated = folder / "truncated.safetensors"
    truncated.write_bytes(rife.read_bytes()[:-4])
    refuses("a truncated file", inspect(truncated), "truncated.safetensors", "is truncated or")
    text = folder / "notes.txt"
    text.write_text("RIFE is a network.\n")
    refuses("a text file", inspect(text), "notes.txt", "begins with", "RIFE is a net")
    refuses("a missing file", inspect(folder / "none.pkl"), "there is no model file", "none.pkl")
    refuses("a folder without a model", inspect(folder), "flownet.param")
    run = inspect(text, rife)
    check(run.returncode == 1 and "variant:     4.0" in run.stdout,
          "one that does not load does not hide the next", run)
    for what, arguments, word in (("nothing asked", (), "--system"),
                                  ("an odd size", (rife, "--size", "64"), "WIDTHxHEIGHT"),
                                  ("an unknown option", ("--speed",), "--speed")):
        refuses(what, inspect(*arguments), word, status=2)
    refuses("an odd scale", inspect(rife, "--size", "64x64", "--scale", "9"), "scale 9")


def test_system(folder: Path, rife: Path):
    folder.mkdir()
    shutil.copy(rife, folder / "rife-4.0.safetensors")
    (folder / "broken.pkl").write_text("no model")
    (folder / "\x1b[2J\n.pkl").write_text("\x1b[31m")
    places = {"VFI_MODEL_PATH": str(folder), "XDG_DATA_HOME": "/nonexistent",
              "VFI_BACKEND_PATH": "/nonexistent/vfi-cuda.so"}
    run = inspect("--system", **places)
    says("the system", run, "cpu level:   ", "threads:     ", "limited by", "headroom",
         "cuda:        not available: there is no module /nonexistent/vfi-cuda.so",
         f"{folder}/rife-4.0.safetensors: rife 4.0", f"{folder}/broken.pkl: does not load: ",
         "/nonexistent/vfi/models (not there)", f"auto:        {folder}/rife-4.0.safetensors")
    check("\x1b" not in run.stdout and "?[2J?.pkl: does not load: " in run.stdout
          and "\\x1b[31m" in run.stdout, "no name or text of a file drives the terminal", run)
    has_more = "cpu level:   c," not in run.stdout
    check(("capped by VFI_CPU=c" in inspect("--system", VFI_CPU="c", **places).stdout) == has_more,
          "what caps the instruction set")
    check("VFI_CPU=sse is ignored, valid are c, avx2 and avx512"
          in inspect("--system", VFI_CPU="sse", **places).stdout, "a VFI_CPU that there is not")
    says("a model by its name", inspect("rife", **places), "variant:     4.0")
    refuses("an unknown name", inspect("film", **places),
            "found there: \\x1b[2J\\n.pkl, broken.pkl, rife-4.0.safetensors")


with tempfile.TemporaryDirectory() as scratch:
    checkpoint = write_checkpoint("rife_v4_0", Path(scratch) / "checkpoint.safetensors")
    test_models(checkpoint)
    test_refusals(Path(scratch), checkpoint)
    test_system(Path(scratch) / "models", checkpoint)
print(f"1..{len(passed)}")
sys.exit(0 if all(passed) else 1)
