# SPDX-License-Identifier: LGPL-2.1-or-later
"""The lists of places in docs/extending.md against the sources; for docs.py.

A list is a block of code that begins with "places" and a pattern by which an example of that kind
of extension is found, and has a file or folder per line. Outside of tests and documents the list
has to be all files that mention the example, comments left out. Files of tests and documents that
it names have to mention the example, but others may do so, too.
"""
import re
from pathlib import Path

from tree import FOLDERS, SOURCES

DOCUMENT = "docs/extending.md"
LIST = re.compile(r"^```places (.+)\n((?:.*\n)*?)```$", re.MULTILINE)
OPTIONAL = re.compile(r"tests/|docs/|.*\.md$")
NO_TEXT = ("tests/data/", "tests/fuzz/found/")
TEXT = SOURCES | {".py", ".build", ".sh", ".in", ".md", ""}
# A string is kept, whatever is in it.
C_COMMENT = re.compile(r'("(?:\\.|[^"\\\n])*")|/\*.*?\*/|//[^\n]*', re.DOTALL)
HASH_COMMENT = re.compile(r"(?:^|\s)#.*$", re.MULTILINE)


def without_comments(path: Path) -> str:
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix in SOURCES:
        return C_COMMENT.sub(lambda match: match[1] or " ", text)
    return text if path.suffix == ".md" else HASH_COMMENT.sub("", text)


def searched(root: Path) -> dict[str, str]:
    """All files that may be places, by path, without comments."""
    paths = [path for folder in [*FOLDERS, "docs"] for path in (root / folder).rglob("*")]
    paths += [root / "meson.build", *root.glob("*.md")]
    by_name = {path.relative_to(root).as_posix(): path for path in paths
               if path.suffix in TEXT and path.is_file()}
    return {name: without_comments(path) for name, path in sorted(by_name.items())
            if not name.startswith(NO_TEXT) and name != DOCUMENT}


def is_listed(name: str, listed: list[str]) -> bool:
    return any(name == place or (place.endswith("/") and name.startswith(place))
               for place in listed)


def wrong_list(pattern: str, lines: str, files: dict[str, str]) -> list[str]:
    example = re.compile(pattern)
    listed = [line.split()[0] for line in lines.splitlines() if line.strip()]
    found = [name for name, text in files.items() if example.search(text)]
    bad = [f"{DOCUMENT}: lists {place}, which does not mention {pattern}" for place in listed
           if not any(is_listed(name, [place]) for name in found)]
    bad += [f"{DOCUMENT}: does not list {name}, which mentions {pattern}" for name in found
            if not OPTIONAL.match(name) and not is_listed(name, listed)]
    return bad


def wrong_places(root: Path) -> list[str]:
    lists = LIST.findall((root / DOCUMENT).read_text(encoding="utf-8"))
    files = searched(root)
    bad = [] if lists else [f"{DOCUMENT}: has no list of places"]
    for pattern, lines in lists:
        bad += wrong_list(pattern, lines, files)
    return bad
