# SPDX-License-Identifier: LGPL-2.1-or-later
"""Peak resident memory of whole gst-launch pipelines at 1080p, as the kernel counts it for the
process that ran."""
import os
import subprocess
from pathlib import Path

import clip
from engine import BenchError
from turns import Comparison, compare

BAR_MIB = 500
INPUT_FRAMES = 12


def pipelines(source: Path, model: str, threads: int) -> dict[str, list[str]]:
    """The demo clip scaled to 1080p: with and without interpolation, with and without an
    encoder."""
    decode = (f"filesrc location={source} ! decodebin ! video/x-raw ! videoscale ! "
              f"video/x-raw,width=1920,height=1080 ! identity eos-after={INPUT_FRAMES + 1} ! ")
    interpolate = f"vfiinterp model={model} threads={threads} ! "
    encode = f"x264enc speed-preset=medium threads={threads} ! "
    return {
        "decode ! encode": (decode + encode + "fakesink").split(),
        "decode ! vfiinterp": (decode + interpolate + "fakesink").split(),
        "decode ! vfiinterp ! encode": (decode + interpolate + encode + "fakesink").split(),
    }


def peak_bytes(words: list[str], build: Path, level: str) -> int:
    environment = {**os.environ, "GST_PLUGIN_PATH": str(build / "gst"),
                   "GST_REGISTRY_1_0": str(build / "bench-registry.bin"),
                   **({"VFI_CPU": level} if level else {})}
    log = build / "bench-pipeline.log"
    try:
        with open(log, "w", encoding="utf-8") as out:
            process = subprocess.Popen(["gst-launch-1.0", "-q", *words], env=environment,
                                       stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=subprocess.STDOUT)
    except FileNotFoundError as error:
        raise BenchError("gst-launch-1.0 is missing: run tools/setup") from error
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise BenchError(f"gst-launch-1.0 {' '.join(words)}\n{log.read_text(errors='replace')}")
    return usage.ru_maxrss * 1024


def run(build: Path, model: str, threads: int, level: str, turns: int) -> list[Comparison]:
    source = clip.assets()["bigbuckbunny.mp4"]
    result = []
    for name, words in pipelines(source, model, threads).items():
        if not result:
            peak_bytes(words, build, level)  # makes the registry of plugins
        mib = [peak_bytes(words, build, level) / (1 << 20) for _ in range(turns)]
        result.append(compare(f"1080p {name}: peak MiB", mib,
                              BAR_MIB if "vfiinterp" in words else None, True))
    return result
