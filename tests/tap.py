# SPDX-License-Identifier: LGPL-2.1-or-later
"""Tests in Python that report as TAP: check() for each case, and finish() at the end."""
import subprocess
import sys

_passed: list[bool] = []


def check(ok: object, what: str, output: object = None) -> None:
    """One case; if it fails, @output (text, or a process that ended) explains it on stderr."""
    _passed.append(bool(ok))
    print(f"{'ok' if ok else 'not ok'} {len(_passed)} - {what}", flush=True)
    if isinstance(output, subprocess.CompletedProcess):
        output = f"{output.stdout}{output.stderr}"
    if not ok and output is not None:
        print(output, file=sys.stderr, flush=True)


def skip_all(why: str) -> None:
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


def finish() -> None:
    print(f"1..{len(_passed)}")
    sys.exit(0 if _passed and all(_passed) else 1)
