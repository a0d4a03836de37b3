# SPDX-License-Identifier: LGPL-2.1-or-later
"""The rooms of the project and what each may include; tests/lint/includes.py holds it.

A room is a folder. The lowest rooms come first; a room may include itself, the engine's public
headers, and of the rooms listed earlier only those that its line names. A line that allows more
than is used is an error, too: this is the picture of the project.
"""
from fnmatch import fnmatch

from tree import PUBLIC, Tree, circles, node, room

# By room: the others that it includes; names without a part are of its own.
ROOMS = {
    # The engine. Nobody includes the CPU backend: backend/backend.h declares it.
    "engine/include/vfi": "",
    "engine/base": "",
    "engine/machine": "base",
    "engine/checkpoint": "base",
    "engine/op": "",
    "engine/weights": "base op",
    "engine/graph": "op weights",
    "engine/plan": "base op graph",
    "engine/pixels": "base machine",
    "engine/flow": "base pixels",
    "engine/backend": "base machine plan pixels flow",
    "engine/cpu/pool": "machine",
    "engine/cpu": "base machine op weights plan pixels flow backend cpu/pool",
    "engine/cpu/flow": "pixels cpu",
    "engine/cpu/x86": "base cpu",
    "engine/cpu/conv": "base machine op cpu",
    "engine/cpu/ops": "base op cpu",
    "engine/memory": "base machine weights backend",
    "engine/model": "base checkpoint weights graph plan flow pixels backend memory",
    "engine/models": "model",
    "engine/scene": "pixels",
    "engine/session": "base machine op graph pixels backend memory model",

    # The CUDA module.
    "cuda/runtime": "",
    "cuda/conv": "engine/base engine/op runtime",
    "cuda/device": "engine/base engine/weights engine/pixels engine/backend runtime conv",
    "cuda/frames": "engine/pixels engine/scene runtime device",
    "cuda/flow": "engine/flow engine/pixels runtime device frames",
    "cuda/ops": "engine/op runtime",
    "cuda/rows": "engine/op engine/plan ops",
    "cuda/program": "engine/base engine/op runtime conv device ops rows",
    "cuda": "device flow frames program",

    # The element, which sees of the engine the public headers only.
    "gst/pure": "",
    "gst/cuda": "pure",
    "gst/stream": "pure cuda",
    "gst/element": "pure cuda stream",

    # Programs.
    "apps/media": "",
    "examples": "",
    "apps/common": "",
    "apps/convert": "common media",
    "apps/compare": "common",
    "tools/benchmark": "apps/common engine/op engine/session",
    "tools/inspect":
        "apps/common engine/base engine/op engine/graph engine/plan engine/model engine/session",

    # Tests may include what they test.
    "tests": "engine/*",
    "tests/unit": "tests engine/* gst/pure apps/*",
    "tests/kernel": "tests engine/*",
    "tests/ops": "tests engine/*",
    "tests/engine": "tests tests/unit tests/ops engine/* tools/inspect",
    "tests/golden": "tests/engine engine/session",
    "tests/fuzz": "tests/unit tests/engine engine/*",
    "tests/families": "tests tests/engine engine/*",
    "tests/element": "tests tests/engine tests/families gst/*",
    "tests/cuda/sim/include": "",
    "tests/cuda/sim": "engine/*",
    "tests/cuda": "tests tests/kernel tests/engine tests/cuda/sim engine/* cuda/*",
    "tests/apps/convert": "tests apps/*",
    "tests/apps/media": "apps/*",
    "tests/apps/compare": "tests apps/*",
    "tests/tsan": "",
    "tests/memory": "tests tests/engine tests/element engine/*",
    "tests/pipeline": "tests/engine tests/element tests/cuda/sim",
}

# Includes that go up, or close a circle, and why they may: by the file and what it includes.
EXCEPTIONS = {
    ("engine/graph/graph.c", "engine/graph/nodes.h"): "nodes.h is graph.c's other door",
}

LEVEL = {name: level for level, name in enumerate(ROOMS)}


def rules(name: str) -> list[str]:
    part = name.split("/")[0]
    return [f"{part}/{other}" if f"{part}/{other}" in ROOMS else other
            for other in ROOMS.get(name, "").split()]


def rule(name: str, other: str) -> str | None:
    """What in the line of room @name lets it include room @other."""
    return next((rule for rule in rules(name) if fnmatch(other, rule)), None)


def allows(path: str, target: str) -> bool:
    name, other = room(path), room(target)
    return (other in (name, PUBLIC) or (path, target) in EXCEPTIONS or
            rule(name, other) is not None)


def wrong_arrows(tree: Tree) -> list[str]:
    bad = [f"{include}: may not include {include.name}" for include in tree.includes
           if include.target is not None and not allows(include.path, include.target)]
    bad += [f"{name}: this room has no line in tests/lint/floors.py"
            for name in sorted({room(path) for path in tree.text}) if name not in ROOMS]
    return bad


def wrong_lines(tree: Tree) -> list[str]:
    """Lines of ROOMS that point up or allow more than is used."""
    bad = []
    used = {(name, rule(name, other)) for name, other in tree.arrows()}
    rooms = {room(path) for path in tree.text}
    for name in ROOMS:
        if name not in rooms:
            bad.append(f"{name}: is in tests/lint/floors.py, but no room")
        for allowed in rules(name):
            if "*" not in allowed and LEVEL.get(allowed, len(LEVEL)) >= LEVEL[name]:
                bad.append(f"{name}: stands below {allowed} in tests/lint/floors.py")
            elif (name, allowed) not in used:
                bad.append(f"{name}: includes nothing of {allowed}; take it out of "
                           "tests/lint/floors.py")
    return bad


def wrong_circles(tree: Tree) -> list[str]:
    edges = tree.graph(without=EXCEPTIONS)
    bad = [f"{' '.join(circle)}: include each other in a circle" for circle in circles(edges)]
    for (path, target), _ in EXCEPTIONS.items():
        edges = tree.graph(without=EXCEPTIONS.keys() - {(path, target)})
        closes = any({node(path), node(target)} <= set(circle) for circle in circles(edges))
        goes_up = (room(target) not in (room(path), PUBLIC) and
                   rule(room(path), room(target)) is None)
        if not any(include.path == path and include.target == target for include in tree.includes):
            bad.append(f"{path}: does not include {target}; take it out of tests/lint/floors.py")
        elif not closes and not goes_up:
            bad.append(f"{path}: may include {target} without an exception in tests/lint/floors.py")
    return bad


def check(tree: Tree) -> list[str]:
    return wrong_arrows(tree) + wrong_lines(tree) + wrong_circles(tree)
