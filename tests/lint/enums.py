#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Refuses booleans, ints and other enums where one of our enums is meant. C takes them silently,
and -Wenum-conversion sees enums only; gcc's -Wc++-compat can tell, along with much that is not
wanted here. Flags of GLib and GStreamer, which are made of several, are left alone.

usage: tests/lint/enums.py BUILD     a configured build folder; 77, skipped, if it is not gcc's
"""
import json
import os
import re
import shlex
import subprocess
import sys
from multiprocessing.pool import ThreadPool

WARNING = re.compile(r"^(?P<place>.+?:\d+):\d+: warning: (?P<text>enum conversion .*)"
                     r" is invalid in C\+\+ ", re.MULTILINE)
FOREIGN = re.compile(r"of ‘(g|gst)_(?!vfi)|to ‘(Gst(?!Vfi)|G[A-Z])\w*’")
DROPPED = {"-c", "-MD", "-Werror", "-pipe"}
DROPPED_WITH_VALUE = {"-o", "-MF", "-MQ"}


def judge(unit: dict[str, str]) -> list[str]:
    command = []
    arguments = iter(shlex.split(unit["command"]))
    for argument in arguments:
        if argument in DROPPED_WITH_VALUE:
            next(arguments)
        elif argument not in DROPPED and os.path.basename(argument) != "ccache":
            command.append(argument)
    run = subprocess.run([*command, "-fsyntax-only", "-Wc++-compat", "-fdiagnostics-color=never"],
                         cwd=unit["directory"], stderr=subprocess.PIPE, text=True,
                         env={**os.environ, "LC_ALL": "C.UTF-8"})
    if run.returncode != 0:
        return [run.stderr]
    return [f"{match['place'].removeprefix('../')}: {match['text']}"
            for match in WARNING.finditer(run.stderr) if not FOREIGN.search(match["text"])
            and not match["place"].startswith("/")]


def is_gcc(command: str) -> bool:
    compiler = next(word for word in shlex.split(command) if os.path.basename(word) != "ccache")
    macros = subprocess.run([compiler, "-dM", "-E", "-x", "c", os.devnull],
                            stdout=subprocess.PIPE, text=True).stdout
    return "__GNUC__" in macros and "__clang__" not in macros


def main() -> int:
    with open(os.path.join(sys.argv[1], "compile_commands.json"), encoding="utf-8") as file:
        entries = json.load(file)
    # A file that is built several times is read once.
    units = {entry["file"]: entry for entry in entries if entry["file"].endswith(".c")}
    if not units or not is_gcc(next(iter(units.values()))["command"]):
        print("only gcc tells")
        return 77
    with ThreadPool(os.cpu_count()) as pool:
        bad = dict.fromkeys(line for lines in pool.map(judge, units.values()) for line in lines)
    print("\n".join(bad), end="\n" if bad else "")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
