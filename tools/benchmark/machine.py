# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the figures were taken on."""
import os
import platform
import subprocess
from pathlib import Path

from engine import ROOT


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip().split("\n")[0] if done.returncode == 0 else ""


def describe() -> dict:
    """Load is the mean number of running processes of the last minute, before we began."""
    return {
        "cpu": _cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "kernel": f"{platform.system()} {platform.release()}",
        "compiler": _output("cc", "--version"),
        "commit": _output("git", "describe", "--always", "--dirty", "--abbrev=12"),
        "load": round(os.getloadavg()[0], 2),
    }


def in_words(machine: dict) -> str:
    text = (f"{machine['cpu']}, {machine['cores']} cores, {machine['kernel']}, "
            f"{machine['compiler']}, commit {machine['commit'] or 'unknown'}")
    if machine["load"] > 0.5:
        text += (f"\nThe machine was not idle (load {machine['load']}): times are longer than they "
                 "would be, ratios of runs in turn hold better")
    return text
