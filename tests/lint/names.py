# SPDX-License-Identifier: LGPL-2.1-or-later
"""Functions that documents name stand where they say; for docs.py.

A paragraph, list item or table row that names functions, as `name()`, and files has each of these
functions defined in one of these files (or below a folder that it names). One that names functions
only has them defined anywhere.
"""
import re
from pathlib import Path

from tree import FOLDERS, SOURCES

NAME = re.compile(r"`(\w+)\(\)`")
# `engine/plan/plan.h`, `tests/cuda/sim/`, `tests/cuda/frames_*.c`; not programs that are built.
PATH = re.compile(r"`((?:engine|gst|cuda|apps|tests|tools|examples|docs)/[\w/.*-]*(?:/|\.\w+))`")
# Where a new block begins besides after an empty line: at an item, a row, a heading.
BLOCK = re.compile(r"^\s*(?:[-*] |\d+\. |\||#)", re.MULTILINE)
PYTHON = re.compile(r"^\s*def (\w+)\(", re.MULTILINE)
# A name, in parentheses where a macro makes the real one of it, before its parameters.
CALL = re.compile(r"(\w+)\)? ?\(")


def closing(text: str, at: int) -> int:
    """Where the parenthesis at @at is closed, -1 if nowhere near."""
    depth = 0
    for index in range(at, min(at + 2000, len(text))):
        depth += {"(": 1, ")": -1}.get(text[index], 0)
        if depth == 0:
            return index
    return -1


def defined_in(path: Path) -> set[str]:
    """The functions that @path defines: a name, its parameters, a body."""
    text = path.read_text(encoding="utf-8")
    if path.suffix not in SOURCES:
        return set(PYTHON.findall(text))
    found = set()
    for match in CALL.finditer(text):
        end = closing(text, match.end() - 1)
        if end > 0 and text[end + 1:end + 40].lstrip().startswith("{"):
            found.add(match[1])
    return found


def blocks(text: str) -> list[str]:
    marked = BLOCK.sub(lambda match: "\n\n" + match[0].lstrip("\n"), text)
    return [block for block in re.split(r"\n\s*\n", marked) if block.strip()]


class Definitions:
    """Which functions a file or folder defines; read once."""

    def __init__(self, root: Path):
        self.root = root
        self.by_file: dict[Path, set[str]] = {}

    def of(self, name: str) -> set[str]:
        found: set[str] = set()
        for path in self.root.glob(name.rstrip("/")):
            for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
                if file.suffix in SOURCES or file.suffix == ".py":
                    if file not in self.by_file:
                        self.by_file[file] = defined_in(file)
                    found |= self.by_file[file]
        return found


def wrong_names(root: Path, path: Path, text: str, definitions: Definitions) -> list[str]:
    """@text: of the document @path, without blocks of code."""
    bad = []
    for block in blocks(text):
        names = NAME.findall(block)
        places = PATH.findall(block) if names else []
        known = set().union(*(definitions.of(place) for place in places or FOLDERS))
        bad += [f"{path.relative_to(root)}: {name}() is not in {', '.join(places) or 'any source'}"
                for name in dict.fromkeys(names) if name not in known]
    return bad
