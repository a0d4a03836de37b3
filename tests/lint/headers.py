# SPDX-License-Identifier: LGPL-2.1-or-later
"""What headers are called, what they declare, and who may include them; tests/lint/includes.py
holds it.

What x.h declares is defined in x.c beside it, or in a file x_….c there; unless it is public, or a
*door*, which several sources stand behind.
"""
import posixpath
import re
from collections import defaultdict
from fnmatch import fnmatch

from tree import HEADERS, PUBLIC, ROOTS, Tree, node, room

# By door: the sources that define what it declares, beside it where no folder is named, and why.
ONE_EACH = "one declaration for each of many sources"
DOORS = {
    "engine/backend/backend.h": ("engine/cpu/cpu_backend.c", "who includes it knows no backend"),
    "engine/checkpoint/readers.h": ("torch_zip.c legacy.c safetensors.c ncnn.c", ONE_EACH),
    "engine/cpu/algorithm.h": ("conv/winograd_forms.c conv/depthwise.c",
                               "the backend asks what gains from blocks"),
    "engine/cpu/conv/conv.h": ("*.c", ONE_EACH),
    "engine/cpu/flow/pass.h": ("*.c", ONE_EACH),
    "engine/cpu/flow_step.h": ("flow/flow_step.c", "the backend runs steps that stand above it"),
    "engine/cpu/kernel_table.h": ("kernels_c.c x86/kernels_*.c", ONE_EACH),
    "engine/graph/graph.h": ("build_*.c loop.c stage_values.c", "its functions, by subject"),
    "engine/graph/nodes.h": ("*.c", "what the planner sees of a graph, and models do not"),
    "engine/model/family.h": ("engine/models/registry.c", "model/ knows no family"),
    "engine/pixels/pixels.h": ("level.c copy.c tiles.c", "one contract for all work on pixels"),
    "engine/pixels/motion.h": ("level.c", "it chooses the level, as for pixels.h"),
    "engine/pixels/keep.h": ("level.c", "it chooses the level, as for pixels.h"),
    "engine/pixels/overlay.h": ("level.c overlay_blocks.c",
                                "level.c chooses the level of the passes over pixels"),
    "engine/plan/planner.h": ("*.c", "the passes, each in a source, and what they share"),
    "engine/plan/plan.h": ("passes.c", "making a plan is to run the passes"),
    "engine/plan/rows.h": ("rematerialise.c", "a part of grouping rows"),
    "engine/plan/trace.h": ("passes.c", "making a plan with a trace is making a plan"),
    "engine/session/session_internal.h": ("*.c", "one struct, several subjects"),
    "cuda/flow/flow_kernels.h": ("*.cu", ONE_EACH),
    "cuda/frames/frame_kernels.h": ("*.cu", ONE_EACH),
    "tools/benchmark/bench.h": ("*.c", "what the parts of the program share"),
    "tools/inspect/inspected_plan.h": ("plan_*.c", "one declaration for each format"),
}

# What one source can see by name: no two headers there are called the same.
VIEWS = {
    "gst": ["gst/*", PUBLIC + "/*"],
    "engine": ["engine/*"],
    "cuda": ["cuda/*", "engine/*", "!engine/cpu/*"],
}

# Headers for their own room only, like those that end in _internal.h, and who may include such
# all the same.
PRIVATE = ["engine/plan/planner.h", "engine/plan/rows.h", "engine/plan/tracer.h"]
GUESTS = {
    ("tools/benchmark/bench.h", "engine/session/session_internal.h"): "times stages one by one",
    ("tools/inspect/inspected_plan.h", "engine/session/session_internal.h"): "plans as one does",
    ("tests/memory/need.c", "engine/session/session_internal.h"): "measures sessions from inside",
}

# Names that begin a line outside of static definitions: of functions with their parameters, of
# objects.
TYPE = r"^(?!(?:static|typedef|extern|return|else|goto|case) )[A-Za-z_][\w \t*]*[ \t\n*]"
PARAMETERS = r" ?\((?:[^;{}()]|\([^;{}()]*\))*\)"
DECLARATION = re.compile(rf"{TYPE}(\w+){PARAMETERS}[^;{{}}()]*;|"
                         r"^extern [^;{}()]*?(\w+)(?:\[\w*\])?;", re.MULTILINE)
DEFINITION = re.compile(rf"{TYPE}(\w+)(?:{PARAMETERS}\s*\{{|(?:\[\w*\])* = )", re.MULTILINE)
# Comments, and lines of the preprocessor with those that continue them.
NO_CODE = re.compile(r"/\*.*?\*/|//[^\n]*|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE | re.DOTALL)


def is_header(path: str) -> bool:
    return posixpath.splitext(path)[1] in HEADERS


def names(pattern: re.Pattern[str], text: str) -> list[str]:
    return [next(filter(None, match.groups()))
            for match in pattern.finditer(NO_CODE.sub("", text))]


def is_private(path: str) -> bool:
    return path in PRIVATE or node(path).endswith("_internal")


def wrong_private(tree: Tree) -> list[str]:
    foreign = {(include.path, include.target): include for include in tree.includes
               if include.target is not None and is_private(include.target)
               and room(include.target) != room(include.path)}
    bad = [f"{include}: {include.target} is for its own room"
           for pair, include in foreign.items() if pair not in GUESTS]
    bad += [f"{path}: does not include {target}; take it out of tests/lint/headers.py"
            for path, target in GUESTS if (path, target) not in foreign]
    bad += [f"{path}: is in tests/lint/headers.py, but not in the tree" for path in PRIVATE
            if path not in tree.text]
    return bad


def wrong_names(tree: Tree) -> list[str]:
    bad = []
    for view, patterns in VIEWS.items():
        seen: dict[str, str] = {}
        for path in filter(is_header, tree.text):
            shown = [pattern for pattern in patterns if fnmatch(path, pattern.lstrip("!"))]
            if not shown or shown[-1].startswith("!"):
                continue
            name = posixpath.basename(path)
            if name in seen:
                bad.append(f"{path}: {view}/ sees two of this name, the other is {seen[name]}")
            seen[name] = path
    return bad


def door_sources(header: str) -> list[str]:
    """Patterns."""
    sources, _ = DOORS.get(header, ("", ""))
    return [source if source.split("/")[0] in ROOTS else f"{room(header)}/{source}"
            for source in sources.split()]


def wrong_homes(tree: Tree) -> list[str]:
    """Headers whose functions and objects are defined where their name does not say."""
    defined = defaultdict(list)
    for path, text in tree.text.items():
        if not is_header(path) and not path.startswith("tests/"):
            for name in names(DEFINITION, text):
                defined[name].append(path)
    bad = []
    used = set()
    for header in filter(is_header, tree.text):
        if header.startswith(("tests/", PUBLIC + "/")):
            continue
        misplaced: dict[str, str] = {}
        for name in names(DECLARATION, tree.text[header]):
            if name not in defined:
                bad.append(f"{header}: declares {name}, which is defined nowhere")
            for path in defined[name]:
                door = [source for source in door_sources(header) if fnmatch(path, source)]
                used.update((header, source) for source in door)
                if not door and node(path) != node(header):
                    if not path.startswith(node(header) + "_"):
                        misplaced[path] = name
        bad += [f"{header}: declares {name}, which {path} defines"
                for path, name in misplaced.items()]
    bad += [f"{header}: declares nothing that {source} defines; take it out of "
            "tests/lint/headers.py"
            for header in DOORS for source in door_sources(header) if (header, source) not in used]
    return bad


def check(tree: Tree) -> list[str]:
    return wrong_private(tree) + wrong_names(tree) + wrong_homes(tree)
