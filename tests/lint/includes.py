#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks who includes whom, so that dependencies point one way, and who may load code or ask the
environment for files.

Of the project: floors.py has the rooms and what each may include, headers.py what headers declare.
Of the system: the engine sees neither GStreamer nor CUDA; the element, apps and examples no CUDA,
and of gst/ only cuda_library.c the headers of GStreamer's CUDA library; cuda/ no GStreamer.

usage: tests/lint/includes.py [ROOT]            prints violations, and exits non-zero if any
       tests/lint/includes.py --table [ROOT]    prints the picture of who includes whom
"""
import re
import sys
from pathlib import Path

import floors
import headers
import picture
from tree import Tree, read

# By folder or file, the most special first: headers of the system that are refused.
GSTREAMER = r"gst/"
CUDA = r"(cuda|cudnn|cublas|nvrtc|nvcuvid|driver_types|vector_types)"
REFUSED = [
    ("engine", f"{GSTREAMER}|{CUDA}"),
    ("gst/cuda/cuda_library.c", CUDA),
    ("gst", f"{CUDA}|gst/cuda/"),
    ("cuda", GSTREAMER),
    ("apps", f"{CUDA}|gst/cuda/"),
    ("examples", CUDA),
]

# By word: the only files that may use it. GModule prefers NAME.la beside the caller to what the
# loader finds, and GLib's folders and getenv() listen to whoever starts a privileged program.
USES = re.compile(r"\b(dlopen|g_module_\w+|(?:secure_|g_)?getenv|g_get_user_\w+_dir|g_get_home_dir)"
                  r" ?\(")
LIBRARY = ("engine/", "gst/", "cuda/", "examples/")  # tools and tests are programs
MAY_USE = {
    "dlopen": ["engine/backend/backend.c", "cuda/runtime/driver.c", "cuda/conv/cudnn_library.c",
               "gst/cuda/cuda_library.c"],
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
    ("gst/stream/stream.c", '"element/properties.h"', False),
    ("gst/pure/grid.c", '"stream/stream.h"', False),
    ("gst/cuda/cuda_library.h", "<gst/cuda/gstcudamemory.h>", False),
    ("gst/cuda/cuda_library.c", "<gst/cuda/gstcudamemory.h>", True),
    ("gst/cuda/cuda_library.c", "<cuda_runtime.h>", False),
    ("engine/session/session.c", '"graph/graph.h"', True),
    ("engine/session/session.c", '"cpu/cpu_op.h"', False),
    ("engine/session/session.c", "<gst/gst.h>", False),
    ("engine/session/session.c", "<cuda_runtime.h>", False),
    ("engine/session/session.c", '"../../gst/pure/grid.h"', False),
    ("engine/session/session.c", '"../../cuda/device/device.h"', False),
    ("engine/models/rife.c", '"model/family.h"', True),
    ("engine/models/rife.c", '"cpu/cpu_op.h"', False),
    ("engine/models/rife.c", '"session/session_internal.h"', False),
    ("engine/graph/graph.c", '"weights/weights.h"', True),
    ("engine/graph/graph.c", '"plan/plan.h"', False),
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
    ("apps/convert/vfi-convert.c", "<gst/gst.h>", True),
    ("apps/convert/vfi-convert.c", "<cuda.h>", False),
    ("examples/embed.c", "<vfi/vfi.h>", True),
    ("examples/embed.c", '"../engine/op/op.h"', False),
    ("engine/base/logging.c", '"../../tests/check_main.h"', False),
]


def is_refused(path: str, name: str) -> bool:
    """Whether @path may not include <name> of the system."""
    pattern = next((pattern for folder, pattern in REFUSED
                    if path == folder or path.startswith(folder + "/")), None)
    return pattern is not None and re.match(pattern, name) is not None


def wrong_examples(tree: Tree) -> list[str]:
    bad = []
    for path, include, expected in EXAMPLES:
        name = include[1:-1]
        target = tree.target(path, name, include[0] == "<")
        allowed = floors.allows(path, target) if target else not is_refused(path, name)
        if allowed != expected:
            bad.append(f"the rules are wrong about {path} including {include}")
    return bad


def wrong_system_headers(tree: Tree) -> list[str]:
    return [f"{include}: may not include {include.name}" for include in tree.includes
            if include.target is None and is_refused(include.path, include.name)]


def wrong_words(tree: Tree) -> list[str]:
    bad = []
    for path, text in tree.text.items():
        for match in USES.finditer(text) if path.startswith(LIBRARY) else ():
            if path not in MAY_USE.get(match[1], []):
                line = text.count("\n", 0, match.start()) + 1
                bad.append(f"{path}:{line}: may not use {match[1]}()")
    return bad


def violations(tree: Tree) -> list[str]:
    return (wrong_examples(tree) + wrong_system_headers(tree) + wrong_words(tree)
            + floors.check(tree) + headers.check(tree))


def main() -> int:
    wants_table = "--table" in sys.argv[1:]
    roots = [argument for argument in sys.argv[1:] if argument != "--table"]
    root = Path(roots[0] if roots else ".").resolve()
    tree = Tree(read(root))
    if wants_table:
        print("\n".join(picture.lines(tree)))
        return 0
    bad = violations(tree)
    if not tree.text:
        bad.append(f"{root}: no sources found")
    print("\n".join(bad), end="\n" if bad else "")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
