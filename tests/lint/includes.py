#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks who includes whom, so that dependencies point one way, and who may load code or ask the
environment for files.

gst/ and examples/ see the engine's public headers only, and of gst/ only vficudamem.c those
of GStreamer's CUDA library; the engine sees neither GStreamer nor CUDA; cuda/ implements the engine's backend interface; a model sees what a model is
made of; public headers see each other and GLib; nothing sees the tests.

usage: tests/lint/includes.py [ROOT]     prints violations, and exits non-zero if any
"""
import re
import sys
from pathlib import Path, PurePosixPath

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")', re.MULTILINE)
SOURCES = {".c", ".h", ".cu", ".cuh", ".cc", ".cpp"}
FOLDERS = ["engine", "gst", "cuda", "examples"]

# Where "name.h" is looked for besides the including file's own folder.
SEARCH = {"engine": ["engine"], "gst": ["gst"], "cuda": ["cuda", "engine"], "examples": []}

# By system header, from the most special file or folder: what is refused.
GSTREAMER = r"gst/"
CUDA = r"(cuda|cudnn|cublas|nvrtc|nvcuvid|driver_types|vector_types)"
REFUSED = [
    ("engine", f"{GSTREAMER}|{CUDA}"),
    ("gst/vficudamem.c", CUDA),
    ("gst", CUDA + "|gst/cuda/"),
    ("cuda", GSTREAMER),
    ("examples", CUDA),
]

# By file of the project, from the most special folder: the only ones that are allowed.
PUBLIC = r"engine/include/vfi/[^/]+\.h"
ALLOWED = [
    ("engine/include/vfi", PUBLIC),
    ("engine/models", PUBLIC + r"|engine/models/.*"
     r"|engine/(family|graph|op|alloc|log_internal)\.h"),
    ("engine/checkpoint", PUBLIC + r"|engine/checkpoint/.*|engine/(alloc|f16|log_internal|printable)\.h"),
    ("engine/cpu", PUBLIC + r"|engine/cpu/.*|engine/[^/]+\.h"),
    ("engine", r"engine/.*"),
    ("gst", PUBLIC + r"|gst/.*"),
    ("cuda", PUBLIC + r"|cuda/.*|engine/[^/]+\.h"),
    ("examples", PUBLIC + r"|examples/.*"),
]

# By word: the only files that may use it. GModule prefers NAME.la beside the caller to what the
# loader finds, and GLib's folders and getenv() listen to whoever starts a privileged program.
USES = re.compile(r"\b(dlopen|g_module_\w+|(?:secure_|g_)?getenv|g_get_user_\w+_dir|g_get_home_dir)"
                  r" ?\(")
MAY_USE = {
    "dlopen": ["engine/backend.c", "cuda/driver.c", "cuda/cudnn_library.c", "gst/vficudamem.c"],
    "secure_getenv": ["engine/environment.c"],
    "g_get_home_dir": ["engine/environment.c"],
}

# Checked against the rules at every start, so that a rule that lets all pass is noticed:
# including file, what it includes, allowed?
EXAMPLES = [
    ("gst/vfistream.c", "<vfi/vfi.h>", True),
    ("gst/vfistream.c", "<gst/gst.h>", True),
    ("gst/vfistream.c", '"vfigrid.h"', True),
    ("gst/vfistream.c", '"../engine/op.h"', False),
    ("gst/vfistream.c", '"op.h"', False),
    ("gst/vfistream.c", "<op.h>", False),
    ("gst/vfistream.c", "<cuda.h>", False),
    ("gst/vfistream.c", "<gst/cuda/gstcudamemory.h>", False),
    ("gst/vficudamem.h", "<gst/cuda/gstcudamemory.h>", False),
    ("gst/vficudamem.c", "<gst/cuda/gstcudamemory.h>", True),
    ("gst/vficudamem.c", "<cuda_runtime.h>", False),
    ("engine/session.c", '"op.h"', True),
    ("engine/session.c", "<gst/gst.h>", False),
    ("engine/session.c", "<cuda_runtime.h>", False),
    ("engine/session.c", '"../gst/vfigrid.h"', False),
    ("engine/session.c", '"../cuda/backend.h"', False),
    ("engine/models/rife.c", '"../op.h"', True),
    ("engine/models/rife.c", '"../cpu/kernels.h"', False),
    ("engine/models/rife.c", '"../session_internal.h"', False),
    ("engine/checkpoint/zip.c", '"../cpu/pool.h"', False),
    ("engine/checkpoint/zip.c", "<zlib.h>", True),
    ("engine/cpu/resample.c", '"../models/rife_refine.h"', False),
    ("engine/include/vfi/vfi.h", "<vfi/frame.h>", True),
    ("engine/include/vfi/vfi.h", '"../../op.h"', False),
    ("cuda/conv.c", '"op.h"', True),
    ("cuda/conv.c", "<cudnn.h>", True),
    ("cuda/conv.c", "<gst/gst.h>", False),
    ("cuda/conv.c", '"cpu/kernels.h"', False),
    ("examples/embed.c", "<vfi/vfi.h>", True),
    ("examples/embed.c", '"../engine/op.h"', False),
    ("engine/log.c", '"../tests/check_main.h"', False),
]


def normalised(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def rule(table: list[tuple[str, str]], path: str) -> re.Pattern[str] | None:
    for folder, pattern in table:
        if path == folder or path.startswith(folder + "/"):
            return re.compile(pattern)
    return None


def target(root: Path, path: str, name: str, system: bool) -> str | None:
    """The project's file that is meant, or None for a system header."""
    if name.startswith("vfi/"):
        return f"engine/include/{name}"
    top = path.split("/", 1)[0]
    beside = normalised(PurePosixPath(path).parent / name)
    if not system and (".." in PurePosixPath(name).parts or (root / beside).is_file()):
        return beside
    for folder in SEARCH[top] + FOLDERS:
        if (root / folder / name).is_file():
            return normalised(PurePosixPath(folder) / name)
    return None if system else beside


def is_allowed(root: Path, path: str, name: str, system: bool) -> bool:
    file = target(root, path, name, system)
    if file is not None:
        allowed = rule(ALLOWED, path)
        return allowed is not None and allowed.fullmatch(file) is not None
    refused = rule(REFUSED, path)
    return refused is None or refused.match(name) is None


def main() -> int:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
    bad = []
    for path, include, expected in EXAMPLES:
        if is_allowed(root, path, include[1:-1], include[0] == "<") != expected:
            bad.append(f"the rules are wrong about {path} including {include}")
    files = [file for folder in FOLDERS for file in sorted((root / folder).rglob("*"))
             if file.suffix in SOURCES]
    if not files:
        bad.append(f"{root}: no sources found")
    for file in files:
        path = file.relative_to(root).as_posix()
        text = file.read_text(encoding="utf-8")
        for match in INCLUDE.finditer(text):
            name = match[1] or match[2]
            if not is_allowed(root, path, name, match[1] is not None):
                line = text.count("\n", 0, match.start()) + 1
                bad.append(f"{path}:{line}: may not include {name}")
        for match in USES.finditer(text):
            if path not in MAY_USE.get(match[1], []):
                line = text.count("\n", 0, match.start()) + 1
                bad.append(f"{path}:{line}: may not use {match[1]}()")
    print("\n".join(bad), end="\n" if bad else "")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
