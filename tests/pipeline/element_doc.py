#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Compares docs/element.md with what is built; prints TAP.

usage: element_doc.py docs/element.md engine/include/vfi/frame.h

A property that the document or gst-inspect-1.0 does not know fails, and so does one whose
default, range or time of change differs. The direct formats are those of frame.h.
"""
import re
import subprocess
import sys
from pathlib import Path

OF_EVERY_ELEMENT = {"name", "parent"}


def inspected() -> dict[str, tuple[str, str, str]]:
    """Range (or values), default and time of change of each property, as the table has them."""
    text = subprocess.run(["gst-inspect-1.0", "--no-colors", "vfiinterp"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    section = re.split(r"\n(?=\S)", text[text.index("Element Properties:"):])[0]
    found = {}
    for entry in re.split(r"\n(?=  [a-z-]+ *: )", section)[1:]:
        name = entry.split(":")[0].strip()
        limits = re.search(r"Range: +(\S+) - +(\S+)", entry)
        values = re.findall(r"^ +\(\d+\): (\S+)", entry, re.MULTILINE)
        default = re.search(r"Default: +(?:\d+, )?\"?([^\"\s]+)", entry)
        if "writable" not in entry:
            changes = "read-only"
        else:
            changes = "READY" if "only in NULL or READY" in entry else "any state"
        writable_limits = " – ".join(limits.groups()) if limits and changes != "read-only" else ""
        found[name] = (", ".join(values) or writable_limits, default[1] if default else "",
                       changes)
    return {name: facts for name, facts in found.items() if name not in OF_EVERY_ELEMENT}


def documented(path: Path) -> dict[str, tuple[str, str, str]]:
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = re.match(r"\| `([a-z-]+)` \| ([^|]*) \| ([^|]*) \| ([^|]*) \|", line)
        if row:
            name, kind, default, changes = (cell.replace("`", "") for cell in row.groups())
            limits = kind.partition(", ")[2] if "–" in kind or kind == "" else ""
            if "–" not in kind and "," in kind:  # an enum lists its values
                limits = kind
            found[name] = (limits, "" if kind == "GstStructure" else default, changes)
    return found


def formats_differ(document: Path, header: Path) -> set[str]:
    listed = re.search(r"Direct formats: ([^.]*)\.", document.read_text(encoding="utf-8"))[1]
    enum = re.findall(r"^    VFI_FORMAT_(\w+),$", header.read_text(encoding="utf-8"),
                      re.MULTILINE)
    return ({name.upper() for name in re.split(r",\s+", listed)} ^
            (set(enum) - {"UNKNOWN", "RGB_F32"}))


def main() -> int:
    document, header = map(Path, sys.argv[1:])
    element, table = inspected(), documented(document)
    names = sorted(element | table)
    print(f"1..{len(names) + 1}")
    failed = 0
    for number, name in enumerate(names, 1):
        same = element.get(name) == table.get(name)
        failed += not same
        print(f"{'ok' if same else 'not ok'} {number} - {name} is documented as it is")
        if not same:
            print(f"{name}: gst-inspect-1.0 says {element.get(name, 'nothing')}, the "
                  f"documentation {table.get(name, 'nothing')}", file=sys.stderr)
    wrong_formats = formats_differ(document, header)
    print(f"{'not ok' if wrong_formats else 'ok'} {len(names) + 1} - direct formats are listed")
    if wrong_formats:
        print(f"documented or built, not both: {wrong_formats}", file=sys.stderr)
    return 1 if failed or wrong_formats or not names else 0


if __name__ == "__main__":
    sys.exit(main())
