#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks that documents lead to what is there: links to a file and a heading, paths of sources,
functions (names.py), places for extensions (places.py), the folders of a part in its README, all
decisions in their index. Prints what is wrong, and exits non-zero if anything is.

usage: tests/lint/docs.py [ROOT]
"""
import re
import sys
from pathlib import Path

from names import PATH, Definitions, wrong_names
from places import wrong_places

PARTS = ["engine", "gst", "cuda", "tests"]
DATA = ["tests/data/", "tests/fuzz/found/"]  # tools/pre-commit looks at no data
DOCUMENTS = ["*.md", "docs/**/*.md", *(f"{part}/**/*.md" for part in PARTS)]
LINK = re.compile(r"\]\(([^)\s]+)\)")
NAMING = ["code-map.md", "extending.md"]  # documents whose functions are looked up
DECISION = re.compile(r"\d{4}-[a-z0-9-]+\.md")


def text_of(path: Path) -> str:
    """Without blocks of code, which are fenced, or indented after an empty line."""
    text = re.sub(r"^```.*?^```", "", path.read_text(encoding="utf-8"), flags=re.M | re.S)
    return re.sub(r"(?<=\n\n)(?:(?: {4}|\t).*\n)+", "", text)


def anchors(path: Path) -> set[str]:
    """Names of a document's headings, as forges make them."""
    headings = re.findall(r"^#+ +(.+?) *$", text_of(path), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def wrong_links(root: Path, path: Path) -> list[str]:
    bad = []
    for link in LINK.findall(text_of(path)):
        name, _, anchor = link.partition("#")
        target = (path.parent / name) if name else path
        if re.match(r"[a-z]+:", link):
            continue
        if not target.exists():
            bad.append(f"{path.relative_to(root)}: no file {link}")
        elif anchor and anchor not in anchors(target):
            bad.append(f"{path.relative_to(root)}: no heading {link}")
    return bad


def wrong_paths(root: Path, path: Path) -> list[str]:
    return [f"{path.relative_to(root)}: no file {name}" for name in PATH.findall(text_of(path))
            if next(root.glob(name.rstrip("/")), None) is None and name not in DATA]


def missing_rooms(root: Path, part: str) -> list[str]:
    readme = root / part / "README.md"
    if not readme.is_file():
        return [f"{part}: no README.md"]
    named = set(re.findall(r"`(\w+)/", readme.read_text(encoding="utf-8")))
    folders = sorted(path.name for path in (root / part).iterdir()
                     if path.is_dir() and not path.name.startswith(("_", ".")))
    return [f"{part}/README.md: does not name {folder}/" for folder in folders
            if folder not in named]


def decisions(root: Path) -> list[str]:
    folder = root / "docs" / "decisions"
    listed = set(DECISION.findall((folder / "README.md").read_text(encoding="utf-8")))
    files = sorted(path.name for path in folder.iterdir() if path.name != "README.md")
    bad = [f"docs/decisions/{file}: named otherwise than NNNN-title.md" for file in files
           if not DECISION.fullmatch(file)]
    bad += [f"docs/decisions/README.md: does not list {file}" for file in files
            if file not in listed]
    numbers = [file[:4] for file in files]
    return bad + [f"docs/decisions: two of number {number}" for number in sorted(set(numbers))
                  if numbers.count(number) > 1]


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    documents = sorted({path for pattern in DOCUMENTS for path in root.glob(pattern)})
    bad = [line for path in documents for line in wrong_links(root, path)]
    bad += [line for path in documents for line in wrong_paths(root, path)]
    definitions = Definitions(root)
    bad += [line for path in documents if path.name in NAMING
            for line in wrong_names(root, path, text_of(path), definitions)]
    bad += wrong_places(root)
    bad += [line for part in PARTS for line in missing_rooms(root, part)]
    bad += decisions(root)
    print("\n".join(bad), end="\n" if bad else "")
    return 1 if bad or not documents else 0


if __name__ == "__main__":
    sys.exit(main())
