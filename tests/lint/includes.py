#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks who includes whom, so that dependencies point one way, and who may load code or ask the
environment for files.

gst/ and examples/ see the engine's public headers only, and of gst/ only cuda_library.c those
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
    ("gst/cuda/cuda_library.c", CUDA),
    ("gst", CUDA + "|gst/cuda/"),
    ("cuda", GSTREAMER),
    ("examples", CUDA),
]

# By file of the project, from the most special folder: the only ones that are allowed.
PUBLIC = r"engine/include/vfi/[^/]+\.h"


def rooms(part: str, names: str) -> str:
    return PUBLIC + rf"|{part}/({'|'.join(names.split())})/[^/]+\.(h|cuh)"


def cuda_rooms(engine: str, own: str) -> str:
    return rooms("engine", engine) + "|" + rooms("cuda", own)


# What a room of engine/ may see besides itself and the public headers.
BASE = "base machine"
PLAN = BASE + " op checkpoint weights graph plan"
BACKEND = PLAN + " pixels backend"
MODEL = BACKEND + " memory model"
ALLOWED = [
    ("engine/include/vfi", PUBLIC),
    ("engine/base", rooms("engine", "base")),
    ("engine/machine", rooms("engine", BASE)),
    ("engine/op", rooms("engine", BASE + " op")),
    ("engine/checkpoint", rooms("engine", "base checkpoint")),
    ("engine/weights", rooms("engine", BASE + " op checkpoint weights")),
    ("engine/graph", rooms("engine", BASE + " op checkpoint weights graph")),
    ("engine/plan", rooms("engine", PLAN)),
    ("engine/pixels", rooms("engine", BASE + " op pixels")),
    ("engine/backend", rooms("engine", BACKEND)),
    ("engine/cpu", rooms("engine", BACKEND) + "|engine/cpu/.*"),
    ("engine/memory", rooms("engine", BACKEND + " memory")),
    ("engine/scene", rooms("engine", "base pixels scene")),
    ("engine/model", rooms("engine", MODEL)),
    ("engine/models", rooms("engine", "base op graph model models")),
    ("engine/session", rooms("engine", MODEL + " models scene session")),
    ("gst", PUBLIC + r"|gst/.*"),
    ("cuda/runtime", cuda_rooms("base", "runtime")),
    ("cuda/conv", cuda_rooms("base op plan", "runtime conv")),
    ("cuda/device", cuda_rooms(BACKEND, "runtime conv device")),
    ("cuda/frames", cuda_rooms("base pixels scene", "runtime device frames")),
    ("cuda/ops", cuda_rooms("base op", "runtime conv ops")),
    ("cuda/rows", cuda_rooms("base op plan", "runtime ops rows")),
    ("cuda/program", cuda_rooms(BACKEND, "runtime conv device ops rows program")),
    ("cuda", rooms("engine", BACKEND + " scene") + "|cuda/.*"),
    ("examples", PUBLIC + r"|examples/.*"),
]

# By word: the only files that may use it. GModule prefers NAME.la beside the caller to what the
# loader finds, and GLib's folders and getenv() listen to whoever starts a privileged program.
USES = re.compile(r"\b(dlopen|g_module_\w+|(?:secure_|g_)?getenv|g_get_user_\w+_dir|g_get_home_dir)"
                  r" ?\(")
MAY_USE = {
    "dlopen": ["engine/backend/backend.c", "cuda/runtime/driver.c", "cuda/conv/cudnn_library.c", "gst/cuda/cuda_library.c"],
    "secure_getenv": ["engine/base/environment.c"],
    "g_get_home_dir": ["engine/base/environment.c"],
}

# Checked against the rules at every start, so that a rule that lets all pass is noticed:
# including file, what it includes, allowed?
EXAMPLES = [
    ("gst/stream/stream.c", "<vfi/vfi.h>", True),
    ("gst/stream/stream.c", "<gst/gst.h>", True),
    ("gst/stream/stream.c", '"pure/grid.h"', True),
    ("gst/stream/stream.c", '"../../engine/op/op.h"', False),
    ("gst/stream/stream.c", '"op/op.h"', False),
    ("gst/stream/stream.c", "<op/op.h>", False),
    ("gst/stream/stream.c", "<cuda.h>", False),
    ("gst/stream/stream.c", "<gst/cuda/gstcudamemory.h>", False),
    ("gst/cuda/cuda_library.h", "<gst/cuda/gstcudamemory.h>", False),
    ("gst/cuda/cuda_library.c", "<gst/cuda/gstcudamemory.h>", True),
    ("gst/cuda/cuda_library.c", "<cuda_runtime.h>", False),
    ("engine/session/session.c", '"op/op.h"', True),
    ("engine/session/session.c", '"cpu/cpu_op.h"', False),
    ("engine/session/session.c", "<gst/gst.h>", False),
    ("engine/session/session.c", "<cuda_runtime.h>", False),
    ("engine/session/session.c", '"../../gst/pure/grid.h"', False),
    ("engine/session/session.c", '"../../cuda/device/device.h"', False),
    ("engine/models/rife.c", '"op/op.h"', True),
    ("engine/models/rife.c", '"cpu/cpu_op.h"', False),
    ("engine/models/rife.c", '"session/session_internal.h"', False),
    ("engine/graph/graph.c", '"weights/weights.h"', True),
    ("engine/op/op.c", '"graph/graph.h"', False),
    ("engine/checkpoint/zip.c", '"cpu/pool/pool.h"', False),
    ("engine/checkpoint/zip.c", "<zlib.h>", True),
    ("engine/cpu/ops/resample.c", '"models/rife_refine.h"', False),
    ("engine/include/vfi/vfi.h", "<vfi/frame.h>", True),
    ("engine/include/vfi/vfi.h", '"../../op/op.h"', False),
    ("cuda/conv/conv.c", '"op/op.h"', True),
    ("cuda/conv/conv.c", "<cudnn.h>", True),
    ("cuda/conv/conv.c", "<gst/gst.h>", False),
    ("cuda/conv/conv.c", '"cpu/cpu_op.h"', False),
    ("cuda/conv/conv.c", '"runtime/cuda_error.h"', True),
    ("cuda/conv/conv.c", '"device/device.h"', False),
    ("cuda/frames/scene.cu", '"frames/samples.cuh"', True),
    ("cuda/ops/warp.cu", '"program/program.h"', False),
    ("examples/embed.c", "<vfi/vfi.h>", True),
    ("examples/embed.c", '"../engine/op/op.h"', False),
    ("engine/base/logging.c", '"../../tests/check_main.h"', False),
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
