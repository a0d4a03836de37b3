#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""rules.py SOURCE_FOLDER: each rule about sources refuses what it is for. The project's own sources
are changed, in memory, in one way at a time."""
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import files  # noqa: E402
import floors  # noqa: E402
import includes  # noqa: E402
import names  # noqa: E402
import places  # noqa: E402
from tap import check, finish  # noqa: E402
from tree import Tree, read  # noqa: E402

ROOT = Path(sys.argv[1])
TEXT = read(ROOT)


def refuses(what: str, words: str, changes: dict[str, str]) -> None:
    """@changes: what is appended to files, by path."""
    text = TEXT | {path: TEXT.get(path, "") + lines for path, lines in changes.items()}
    bad = includes.violations(Tree(text))
    check(any(words in line for line in bad), what, "\n".join(bad) or "no violation")


def test_rooms() -> None:
    refuses("an include of a room above", "engine/base/alloc.c:", {
        "engine/base/alloc.c": '#include "session/stages.h"\n'})
    refuses("an include of GStreamer in the engine", "may not include gst/gst.h", {
        "engine/base/alloc.c": "#include <gst/gst.h>\n"})
    refuses("a room that has no line", "engine/attic: this room has no line", {
        "engine/attic/old.c": "\n"})
    refuses("files that include each other",
            "engine/base/alloc engine/base/printable: include each other in a circle", {
                "engine/base/alloc.h": '#include "base/printable.h"\n',
                "engine/base/printable.h": '#include "base/alloc.h"\n'})
    refuses("an include of an internal header elsewhere", "is for its own room", {
        "tools/benchmark/layers.c": '#include "session/session_internal.h"\n'})
    refuses("a reader of the environment", "may not use g_getenv()", {
        "gst/stream/stream.c": "char *home = g_getenv (name);\n"})


def test_tables() -> None:
    name, line = "engine/session", floors.ROOMS["engine/session"]
    floors.ROOMS[name] = line + " checkpoint"
    refuses("a line that allows more than is used",
            f"{name}: includes nothing of engine/checkpoint", {})
    floors.ROOMS[name] = line
    path, target = "engine/base/alloc.c", "engine/base/printable.h"
    floors.EXCEPTIONS[path, target] = "a test"
    refuses("an exception that nobody needs", f"{path}: may include {target} without", {})
    del floors.EXCEPTIONS[path, target]
    path = "engine/base/log.c"
    floors.EXCEPTIONS[path, target] = "a test"
    refuses("an exception for nothing", f"{path}: does not include {target}", {})
    del floors.EXCEPTIONS[path, target]


def test_headers() -> None:
    refuses("two headers of one name", "sees two of this name", {
        "engine/plan/session.h": "\n"})
    refuses("a declaration in another file's header", "which engine/base/printable.c defines", {
        "engine/base/alloc.h": "void vfi_stray(void);\n",
        "engine/base/printable.c": "void vfi_stray(void)\n{\n}\n"})
    refuses("a declaration without a definition", "declares vfi_stray, which is defined nowhere", {
        "engine/base/alloc.h": "void vfi_stray(void);\n"})


def test_files() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "new.c")
        path.write_text("/* " + "x" * 85 + " */\nint f(VfiOp *op)\n{\n    switch (op->kind) {\n"
                        "    case VFI_OP_CONV:\n        return 1;\n    default:\n"
                        "        return 0;\n    }\n}\n", encoding="utf-8")
        check(len(files.widths([str(path)])) == 1, "a comment of 91 columns")
        check(len(files.defaults([str(path)])) == 1, "a switch over op kinds with a default")
        check(len(files.licences([str(path)])) == 1, "a file without a licence")
        path.chmod(0o755)
        check(len(files.executable_bits([str(path)])) == 1, "an executable that is no script")


def test_names() -> None:
    definitions = names.Definitions(ROOT)

    def wrong(text: str) -> list[str]:
        return names.wrong_names(ROOT, ROOT / "docs" / "code-map.md", text, definitions)

    check(len(wrong("1. `engine/base/alloc.c`: `vfi_try_aloc()`\n")) == 1,
          "a function in a document that no source has")
    check(len(wrong("`vfi_free()` is in\n`engine/base/error.c`\n")) == 1,
          "a function that another file has")
    check(len(wrong("1. `engine/base/alloc.c`\n    - `engine/base/error.c`: `vfi_free()`\n")) == 1,
          "a function of an item above")
    check(not wrong("| `vfi_free()` | `engine/base/alloc.c` |\n\n`vfi_free()` somewhere\n"),
          "functions that are there are not refused")


def test_places() -> None:
    sources = {"engine/a.c": "VFI_NEW", "engine/b.c": "", "tests/c.c": "VFI_NEW"}
    check(len(places.wrong_list("VFI_NEW", "engine/a.c row\nengine/b.c row\n", sources)) == 1,
          "a place in a list that is none")
    check(len(places.wrong_list("VFI_NEW", "tests/c.c case\n", sources)) == 1,
          "a place that is not in its list")
    check(not places.wrong_list("VFI_NEW", "engine/ room\n", sources),
          "a room for its files, and tests that are not in a list, are not refused")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "new.c")
        path.write_text('/* VFI_A\n */ char *b = "//VFI_B"; // VFI_C\n', encoding="utf-8")
        check(places.without_comments(path).split() == ["char", "*b", "=", '"//VFI_B";'],
              "mentions in comments do not count")


bad = includes.violations(Tree(TEXT))
check(not bad, "the sources as they are are not refused", "\n".join(bad))
test_rooms()
test_tables()
test_headers()
test_files()
test_names()
test_places()
finish()
