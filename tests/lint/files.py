#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks files one by one: clang-format's layout, the width of comments, which that leaves alone, a
licence line, an executable bit where there is a #! line and nowhere else, and no default in a
switch over op kinds. Prints what is wrong, and exits non-zero if anything is.

usage: tests/lint/files.py [FILE…]     below the current folder; without any, all sources
"""
import os
import re
import shutil
import subprocess
import sys
from multiprocessing.pool import ThreadPool
from pathlib import Path

FOLDERS = ["engine", "gst", "cuda", "apps", "tests", "examples", "tools", ".ci"]
DATA = ["tests/data/", "tests/fuzz/found/"]

# What clang-format lays out.
LAYOUT = {".c", ".h", ".cc", ".cu", ".cuh"}
BATCH = 32  # files for one process

# What lines may have of characters, by suffix. Not data that are one string.
COLUMNS = dict.fromkeys(LAYOUT, 90) | {".py": 100, ".sh": 100}

# A new kind of op must not be taken for another in silence: the compiler names each switch that
# lacks a kind, unless there is a default.
SWITCH = re.compile(r"\bswitch ?\(")
KIND = re.compile(r"\bcase VFI_OP_")

LICENSED = {".c", ".h", ".cc", ".cu", ".cuh", ".py", ".sh"}


def all_files() -> list[str]:
    found = ["meson.build", "meson_options.txt"]
    for folder in FOLDERS:
        found += [path.as_posix() for path in sorted(Path(folder).rglob("*"))
                  if path.is_file() and "__pycache__" not in path.parts]
    return found


def layout(files: list[str]) -> list[str]:
    # Prefers the version that the rules were written for.
    tool = shutil.which("clang-format-14") or shutil.which("clang-format")
    if tool is None:
        return ["clang-format is not installed; tools/setup installs it"]

    def judge(batch: list[str]) -> list[str]:
        run = subprocess.run([tool, "--style=file", "--dry-run", "-Werror", *batch],
                             stderr=subprocess.PIPE, text=True)
        wrong = dict.fromkeys(re.findall(r"^(.+?):\d+:\d+: error: ", run.stderr, re.MULTILINE))
        if run.returncode != 0 and not wrong:
            return [run.stderr]
        return [f"{file}: run {os.path.basename(tool)} -i" for file in wrong]

    batches = [files[i:i + BATCH] for i in range(0, len(files), BATCH)]
    with ThreadPool(os.cpu_count()) as pool:
        return [line for lines in pool.map(judge, batches) for line in lines]


def widths(files: list[str]) -> list[str]:
    bad = []
    for file in files:
        columns = COLUMNS.get(Path(file).suffix)
        if columns is None:
            continue
        for number, line in enumerate(Path(file).read_text(encoding="utf-8").splitlines(), 1):
            if len(line) > columns:
                bad.append(f"{file}:{number}: {len(line)} columns, of which there are {columns}")
    return bad


def block(text: str, at: int) -> str:
    """From the first brace after @at to the one that closes it."""
    begin = at = text.index("{", at)
    depth = 0
    while True:
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        at += 1
        if depth == 0 or at == len(text):
            return text[begin:at]


def defaults(files: list[str]) -> list[str]:
    bad = []
    for file in files:
        text = Path(file).read_text(encoding="utf-8")
        for match in SWITCH.finditer(text):
            body = block(text, match.end())
            if KIND.search(body) and "default:" in body:
                line = text.count("\n", 0, match.start()) + 1
                bad.append(f"{file}:{line}: a switch over op kinds has no default")
    return bad


def licences(files: list[str]) -> list[str]:
    bad = []
    for file in files:
        path = Path(file)
        if (path.suffix in LICENSED or path.name == "meson.build" or os.access(path, os.X_OK)):
            start = path.read_bytes().split(b"\n", 2)[:2]
            if not any(b"SPDX-License-Identifier:" in line for line in start):
                bad.append(f"{file}: no SPDX line in the first two lines")
    return bad


def executable_bits(files: list[str]) -> list[str]:
    bad = []
    for file in files:
        with open(file, "rb") as content:
            is_script = content.read(2) == b"#!"
        if is_script and not os.access(file, os.X_OK):
            bad.append(f"{file}: begins with #! but is not executable")
        elif os.access(file, os.X_OK) and not is_script:
            bad.append(f"{file}: is executable but begins with no #!")
    return bad


def main() -> int:
    files = [file for file in sys.argv[1:] or all_files() if not file.startswith(tuple(DATA))]
    sources = [file for file in files if Path(file).suffix in LAYOUT]
    bad = layout(sources) + defaults(sources)
    bad += widths(files) + licences(files) + executable_bits(files)
    print("\n".join(bad), end="\n" if bad else "")
    return 1 if bad or not files else 0


if __name__ == "__main__":
    sys.exit(main())
