# SPDX-License-Identifier: LGPL-2.1-or-later
"""Processes that end with the test which starts them, however it ends, unless by SIGKILL."""
import atexit
import os
import signal
import subprocess
import sys
from contextlib import suppress

_running: set[subprocess.Popen] = set()


def start(command: list, **options: object) -> subprocess.Popen:
    """In a group of its own, which holds what @command starts, too. kill() it at the end."""
    process = subprocess.Popen(command, start_new_session=True, **options)
    _running.add(process)
    return process


def kill(process: subprocess.Popen) -> None:
    """All of its group, some of which may still run after the process itself has ended."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    _running.discard(process)


def _kill_all() -> None:
    for process in list(_running):
        kill(process)


def _end(number: int, _frame: object) -> None:
    _kill_all()  # first: what unwinds now may wait for a process, or remove its folder
    sys.exit(128 + number)


atexit.register(_kill_all)
for _number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
    signal.signal(_number, _end)
