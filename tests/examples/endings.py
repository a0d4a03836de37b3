#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a test starts with processes.py ends with it, also what that has started in turn.

usage: endings.py
"""
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tap import check, finish  # noqa: E402

STARTS = """import signal, sys
from processes import start
print(start(["sh", "-c", "sleep 600 & wait"]).pid, flush=True)
"""


def judge(what: str, then: str, number: int | None = None) -> None:
    """The pipe is open as long as somebody has it who may write to it."""
    with subprocess.Popen([sys.executable, "-c", STARTS + then], stdout=subprocess.PIPE, text=True,
                          cwd=Path(__file__).resolve().parent, stderr=subprocess.PIPE) as test:
        group = int(test.stdout.readline())
        if number is not None:
            test.send_signal(number)
        try:
            test.communicate(timeout=20)
            check(True, what)
        except subprocess.TimeoutExpired:
            check(False, what, "what it started goes on")
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGKILL)


def main() -> None:
    judge("a test that ends", "")
    judge("one that fails", "raise RuntimeError('on purpose')")
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        judge(f"one that {number.name} ends", "signal.pause()", number)
    finish()


main()
