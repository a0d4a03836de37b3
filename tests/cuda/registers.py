#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""registers.py [--table] REPORT…: what ptxas needed for each kernel and architecture
(cuda/compile_kernel.py wrote it down). Fails where a kernel spills, keeps anything in local
memory, or takes more registers than its limit. --table prints a table in markdown, each
kernel's largest figures over the architectures."""
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# 64 registers leave room for four blocks of 256 threads (half of what fits) on each
# multiprocessor: enough to wait for memory.
LIMIT = 64
# Kernels whose limit differs, by name, and why.
LIMITS = {
    "run_rows<384, 32>": 96,  # shared memory has place for few threads anyway
    "begin_patches<3>": 80,  # only of coarse levels, which have few patches
    # A warp for each row of patches, which do not fill a device.
    "sweep<1>": 128,
    "sweep<3>": 168,
    # Some more than the limit for sm_75 only; held to it they spill for others.
    "synthesize<SingleSamples<2, 2> >": 72,
    "synthesize<SingleSamples<4, 3> >": 72,
    # Planes of colour and alpha, or pixels that lie askew; held to 64 they spill, too.
    "synthesize<SingleSamples<1, 4> >": 80,
    "synthesize<SingleSamples<2, 4> >": 80,
    # A fixed number of warps, fewer than a block for each multiprocessor.
    "measure_repeat<1>": 168,
    "measure_repeat<2>": 168,
    "measure_repeat<4>": 168,
}

ENTRY = re.compile(r"Compiling entry function '(\S+)' for '(\S+)'")
STACK = re.compile(r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads")
USED = re.compile(r"Used (\d+) registers(?:.*?(\d+) bytes smem)?")


@dataclass
class Usage:
    file: str
    kernel: str
    arch: str
    stack: int = -1
    spills: int = -1
    registers: int = -1
    shared: int = 0


def read(path):
    usages = []
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        if entry := ENTRY.search(line):
            usages.append(Usage(Path(path).stem, entry[1], entry[2]))
        elif (stack := STACK.search(line)) and usages and usages[-1].stack < 0:
            usages[-1].stack = int(stack[1])
            usages[-1].spills = int(stack[2]) + int(stack[3])
        elif (used := USED.search(line)) and usages:
            usages[-1].registers = int(used[1])
            usages[-1].shared = int(used[2] or 0)
    return usages


def demangle(usages):
    """Names without parameters and return types, where the machine has a demangler."""
    tool = shutil.which("c++filt") or shutil.which("cu++filt")
    if not tool or not usages:
        return
    run = subprocess.run([tool], input="\n".join(u.kernel for u in usages), text=True,
                         capture_output=True, check=True)
    for usage, name in zip(usages, run.stdout.splitlines(), strict=True):
        usage.kernel = name.split("(")[0].removeprefix("void ")


def fault(usage):
    limit = LIMITS.get(usage.kernel, LIMIT)
    if min(usage.stack, usage.spills, usage.registers) < 0:
        return "ptxas said nothing about it"
    if usage.stack or usage.spills:
        return f"{usage.stack} bytes of stack, {usage.spills} bytes spilled; expected none"
    if usage.registers > limit:
        return f"{usage.registers} registers; the limit is {limit}"
    return None


def print_table(usages):
    print("| file | kernel | registers | shared memory |")
    print("|---|---|---|---|")
    kernels = dict.fromkeys((u.file, u.kernel) for u in usages)
    for file, kernel in sorted(kernels):
        same = [u for u in usages if (u.file, u.kernel) == (file, kernel)]
        print(f"| {file} | `{kernel}` | {max(u.registers for u in same)} "
              f"| {max(u.shared for u in same)} |")


def main(arguments):
    table = "--table" in arguments
    reports = [a for a in arguments if a != "--table"]
    if not reports:
        print("1..0 # SKIP no nvcc here: no kernel was compiled for a device")
        return 0
    usages = [usage for report in reports for usage in read(report)]
    demangle(usages)
    if table:
        print_table(usages)
        return 0
    archs = {u.arch for u in usages}
    print(f"1..{len(reports)}")
    ok = True
    for number, report in enumerate(reports, 1):
        own = [u for u in usages if u.file == Path(report).stem]
        faults = [f"{u.kernel} for {u.arch}: {f}" for u in own if (f := fault(u))]
        if {u.arch for u in own} != archs:
            faults.append("no kernel for some architecture")
        print(f"{'not ok' if faults else 'ok'} {number} - {Path(report).stem}: "
              f"{len(own)} kernels")
        for line in faults:
            print(f"# {line}")
        ok = ok and not faults
    return 0 if ok else 1


sys.exit(main(sys.argv[1:]))
