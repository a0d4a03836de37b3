# SPDX-License-Identifier: LGPL-2.1-or-later
"""The sources of the project and who includes whom, for the checks of this folder."""
import posixpath
import re
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

FOLDERS = ["engine", "gst", "cuda", "apps", "examples", "tools", "tests"]
SOURCES = {".c", ".h", ".cu", ".cuh", ".cc"}
HEADERS = {".h", ".cuh"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")', re.MULTILINE)
PUBLIC = "engine/include/vfi"

# Where "name.h" is looked for besides the including file's own folder, by part.
ROOTS = {
    "engine": ["engine"],
    "gst": ["gst"],
    "cuda": ["cuda", "engine"],
    "apps": ["apps"],
    "examples": [],
    "tools": ["tools", "engine", "apps"],
    "tests": ["tests", "tests/engine", "tests/cuda/sim", "tests/cuda/sim/include", "engine", "gst",
              "cuda", "tools", "apps"],
}


def room(path: str) -> str:
    return posixpath.dirname(path)


def node(path: str) -> str:
    """A source and its header are one: the path without what follows the dot."""
    return posixpath.splitext(path)[0]


@dataclass(frozen=True)
class Include:
    path: str
    line: int
    name: str
    target: str | None  # the project's file that is meant, or None for a header of the system

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


def read(root: Path) -> dict[str, str]:
    """The text of each source below @root."""
    return {path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
            for folder in FOLDERS for path in sorted((root / folder).rglob("*"))
            if path.suffix in SOURCES and path.is_file()}


class Tree:
    def __init__(self, text: dict[str, str]):
        self.text = text
        self.includes = [
            Include(path, text.count("\n", 0, match.start()) + 1, match[1] or match[2],
                    self.target(path, match[1] or match[2], match[1] is not None))
            for path, text in self.text.items() for match in INCLUDE.finditer(text)]

    def target(self, path: str, name: str, system: bool) -> str | None:
        if name.startswith("vfi/"):
            return f"{PUBLIC}/{name[4:]}"
        beside = posixpath.normpath(posixpath.join(room(path), name))
        roots = ROOTS[path.split("/", 1)[0]]
        if system:
            roots = [root for root in ROOTS if root != "tests"]
        elif beside in self.text:
            return beside
        for root in roots:
            file = posixpath.normpath(posixpath.join(root, name))
            if file in self.text:
                return file
        return None if system else beside

    def graph(self, without: Collection[tuple[str, str]] = ()) -> dict[str, set[str]]:
        """By file (a source and its header are one): what it includes of the others, but for some
        includes."""
        edges: dict[str, set[str]] = {node(path): set() for path in self.text}
        for include in self.includes:
            if (include.target is not None and node(include.target) != node(include.path)
                    and (include.path, include.target) not in without):
                edges[node(include.path)].add(node(include.target))
        return edges

    def arrows(self) -> dict[tuple[str, str], list[Include]]:
        """By two rooms: what files of the first include of the second."""
        arrows = defaultdict(list)
        for include in self.includes:
            if include.target is not None and room(include.target) != room(include.path):
                arrows[room(include.path), room(include.target)].append(include)
        return arrows


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The sets of more than one node from each of which all others can be reached (Tarjan's)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(name: str) -> None:
        index[name] = low[name] = len(index)
        stack.append(name)
        for other in sorted(edges.get(name, ())):
            if other not in index:
                visit(other)
                low[name] = min(low[name], low[other])
            elif other in stack:
                low[name] = min(low[name], index[other])
        if low[name] == index[name]:
            at = stack.index(name)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for name in sorted(edges):
        if name not in index:
            visit(name)
    return found
