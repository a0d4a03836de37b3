# SPDX-License-Identifier: LGPL-2.1-or-later
"""Clips that ffmpeg makes, running vfi-compare on them, and reading its page."""
import json
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

PROGRAM = str(Path(sys.argv[1]).resolve())
VOID = {"meta", "img", "input", "br", "link"}


def ffmpeg(*arguments: object) -> subprocess.CompletedProcess:
    run = subprocess.run(["ffmpeg", "-y", "-nostdin", "-hide_banner", *map(str, arguments)],
                         capture_output=True, text=True)
    if run.returncode != 0:
        sys.exit(f"ffmpeg {arguments}: {run.stderr}")
    return run


def make_clip(path: Path, source: str, *options: object) -> Path:
    """A lossless clip of ffmpeg's @source."""
    ffmpeg("-f", "lavfi", "-i", source, "-c:v", "ffv1", *options, path)
    return path


def compare(*arguments: object, folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True,
                          cwd=folder)


def figures(run: subprocess.CompletedProcess) -> dict:
    if run.returncode != 0:
        sys.exit(f"vfi-compare: {run.returncode}\n{run.stdout}{run.stderr}")
    return json.loads(run.stdout)


class PageParser(HTMLParser):
    """What a page holds; tags that do not close what was opened are wrong."""

    def __init__(self, text: str):
        super().__init__()
        self.open: list[str] = []
        self.wrong: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.text: dict[str, str] = {}
        self.feed(text)
        self.close()
        self.wrong += self.open

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data):
        if self.open:
            name = self.tags[-1][1].get("id", self.open[-1])
            self.text[name] = self.text.get(name, "") + data

    def addresses(self) -> list[str]:
        return [value or "" for _, attributes in self.tags for name, value in attributes.items()
                if name in ("src", "href", "srcset", "action", "poster", "data")]
