#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""gdb_printers.py PLAN OTHER_FIELDS: what gdb prints with tools/gdb/vfi.py. The programs stop in
stop_with(). Skipped where there is no gdb with Python, or where it may not look into processes."""
import re
import shutil
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.dont_write_bytecode = True
sys.path.insert(0, str(TESTS))
from tap import check, finish, skip_all  # noqa: E402

PRINTERS = TESTS.parent / "tools" / "gdb" / "vfi.py"
GDB = ["gdb", "-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex", "set pagination off"]


def stopped(program, *commands):
    """What gdb prints for the commands in stop_with(), by command."""
    script = [f"source {PRINTERS}", "break stop_with", "run"]
    for number, command in enumerate(commands):
        script += [f"echo \\n== {number}\\n", command]
    arguments = [argument for line in script for argument in ("-ex", line)]
    run = subprocess.run([*GDB, *arguments, program], stdin=subprocess.DEVNULL, text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if re.search(r"ptrace|Couldn't get (CS )?registers|Cannot PTRACE", run.stdout):
        skip_all("gdb may not look into processes here")
    parts = re.split(r"^== \d+$", run.stdout, flags=re.MULTILINE)
    if len(parts) != len(commands) + 1 or "Breakpoint 1, stop_with" not in parts[0]:
        print(run.stdout, file=sys.stderr)
        sys.exit("gdb did not stop in stop_with()")
    return [part.strip() for part in parts[1:]]


if shutil.which("gdb") is None:
    skip_all("gdb is not installed")
if subprocess.run([*GDB, "-ex", "python print(1)"], stdout=subprocess.PIPE,
                  stderr=subprocess.DEVNULL, text=True).stdout.strip() != "1":
    skip_all("gdb has no Python")

shape, op, plan, lines, unreadable = stopped(
    sys.argv[1], "print plan->ops[0].dst.shape", "print plan->ops[0]", "print *plan",
    "vfi-plan plan", "print *none")
check(re.fullmatch(r"\$\d+ = 5x2x4", shape), "a shape is channels x height x width", shape)
check(re.search(r'= conv "first": \w+\+0 3x4x8 -> \w+\+\d+ 5x2x4 \[[^]]*=3 [^]]*=2 ', op),
      "an op shows kind, name, operands and what its kind's parameters are", op)
check(re.search(r"= ops: 4, segments: 2, .*outputs: 1,.* state bytes: 640", plan) and
      "ops 0..1" in plan and "ops 2..3, 4 rounds" in plan and plan.count(" -> ") == 4,
      "a plan shows its numbers, its segments and its ops", plan)
kinds = re.findall(r"^ +\d+ (\w+)", lines, re.MULTILINE)
shapes = re.findall(r"-> \w+\+\d+ (\w+)", lines)
check(kinds == ["conv", "resize", "clamp", "copy"] and shapes == ["5x2x4"] + 3 * ["5x4x8"] and
      " state+0 " in lines and lines.count(" -> next_state+0 ") == 2,
      "vfi-plan has a line for each op", lines)
check(re.search(r"resize.*1\.5", lines) and re.search(r"clamp.*=-2 .*=7", lines) and
      re.search(r'output "result": .*5x4x8', lines), "with parameters, and the outputs", lines)
check("Python Exception" not in unreadable and "Cannot access memory" in unreadable,
      "memory that cannot be read is an error of gdb's", unreadable)

others = stopped(sys.argv[2], "print *plan", "print *op", "vfi-plan plan", "print op->result")
check(all("Exception" not in text and "Error" not in text for text in others) and
      "segments: 1" in others[0] and "?x4x?" in others[3],
      "what a version of the types lacks is left out", "\n".join(others))
finish()
