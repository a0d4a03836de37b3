#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""compile_kernel.py REPORT NVCC ARGUMENT…: runs nvcc and keeps what ptxas says about
registers, stack and shared memory in the file REPORT; the toolkit's program that reads it
from an object is not in every package of nvcc."""
import subprocess
import sys

# Lines of ptxas -v; the second form follows "Function properties for …".
NOTES = ("ptxas info", "    ")


def main(report, *command):
    run = subprocess.run([*command, "-Xptxas", "-v,-warn-spills"], stderr=subprocess.PIPE,
                         text=True)
    lines = run.stderr.splitlines()
    with open(report, "w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in lines if line.startswith(NOTES))
    if run.returncode != 0:
        print(run.stderr, end="", file=sys.stderr)
    else:
        for line in lines:
            if line and not line.startswith(NOTES):
                print(line, file=sys.stderr)
    return run.returncode


sys.exit(main(*sys.argv[1:]))
