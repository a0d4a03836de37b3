# SPDX-License-Identifier: LGPL-2.1-or-later
"""Commands out of documents, and what stands in for what a test machine lacks."""
import re
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class StandIn:
    """@text in a command becomes @instead, because of @why; only in @sections, if there are any."""
    text: str
    instead: str
    why: str
    sections: tuple[str, ...] = ()
    used: bool = field(default=False, init=False)

    def put(self, section: str, command: str) -> str:
        if self.text not in command or (self.sections and section not in self.sections):
            return command
        self.used = True
        return command.replace(self.text, self.instead)


def blocks(document: Path) -> dict[str, list[str]]:
    """The indented blocks of code below each heading."""
    found: dict[str, list[str]] = {}
    sections = re.split(r"^#+ (.+)$", document.read_text(encoding="utf-8"), flags=re.MULTILINE)
    for heading, text in zip(sections[1::2], sections[2::2]):
        code = re.findall(r"(?<=\n\n)(?: {4}.*\n|\n(?= {4}))+", text)
        split = [block for lump in code for block in re.split(r"\n{2,}", lump) if block.strip()]
        if split:
            found[heading] = split
    return found
