#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""bench.py VFI_BENCH: the benchmark runs, prints its JSON keys and refuses what it cannot do."""
import json
import subprocess
import sys

BENCH = [sys.argv[1], "--model", "blend", "--size", "64x48", "--runs", "3"]


def run(*arguments):
    return subprocess.run(BENCH + list(arguments), capture_output=True, text=True)


def check(number, ok, what):
    print(f"{'ok' if ok else 'not ok'} {number} - {what}")
    return ok


print("1..4")
figures = json.loads(run("--json", "--threads", "2", "--times", "0.25,0.5").stdout)
wanted = {"ms_median", "ms_min", "ms_max", "gflops", "arena_bytes", "rss_bytes"}
passed = [
    check(1, wanted <= figures.keys(), "all JSON keys"),
    check(2, 0 < figures["ms_min"] <= figures["ms_median"] <= figures["ms_max"]
          and figures["threads"] == 2 and figures["times"] == 2
          and figures["rss_bytes"] > 1 << 20, "figures make sense"),
    check(3, "ms a pair" in run("--profile").stdout, "text form"),
]
refused = run("--precision", "bf17")
passed.append(check(4, refused.returncode != 0 and "bf17" in refused.stderr, "bad precision"))
sys.exit(0 if all(passed) else 1)
