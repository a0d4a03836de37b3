# SPDX-License-Identifier: LGPL-2.1-or-later
"""The picture of who includes whom, and its figures: tests/lint/includes.py --table."""
from collections import defaultdict

from floors import LEVEL
from tree import HEADERS, PUBLIC, Tree, circles, node, room

PRODUCTION = ("engine/", "cuda/", "gst/")


def edges_against_an_order(edges: dict[str, set[str]], circle: list[str]) -> int:
    """Edges of @circle that point up in an order of its nodes that tries to have few such (after
    Eades, Lin and Smyth)."""
    left = set(circle)
    first: list[str] = []
    while left:
        out = {name: len(edges[name] & left) for name in sorted(left)}
        into = {name: sum(name in edges[other] for other in left) for name in sorted(left)}
        best = max(out, key=lambda name: (into[name] == 0, out[name] - into[name]))
        first.append(best)
        left.remove(best)
    place = {name: at for at, name in enumerate(first)}
    return sum(place[other] < place[name] for name in circle for other in edges[name] & set(circle))


def figures(tree: Tree) -> list[tuple[str, str]]:
    """Of the parts that make up the product, without the public headers."""
    paths = {path for path in tree.text
             if path.startswith(PRODUCTION) and not path.startswith(PUBLIC)}
    inside = [include for include in tree.includes
              if include.path in paths and include.target in paths]
    rooms: dict[str, set[str]] = {room(path): set() for path in paths}
    files: dict[str, set[str]] = {node(path): set() for path in paths}
    for include in inside:
        if room(include.path) != room(include.target):
            rooms[room(include.path)].add(room(include.target))
        if node(include.path) != node(include.target):
            files[node(include.path)].add(node(include.target))
    up = [include for include in inside
          if LEVEL.get(room(include.path), 0) < LEVEL.get(room(include.target), 0)]
    in_rooms = circles(rooms)
    in_files = circles(files)
    headers = {path for path in paths if path.endswith(tuple(HEADERS))}
    foreign = {include.target for include in inside if room(include.path) != room(include.target)}
    sizes = defaultdict(int)
    for path in paths:
        sizes[room(path)] += 1
    return [
        ("rooms", str(len(rooms))),
        ("files in the largest room", str(max(sizes.values()))),
        ("arrows between rooms", str(sum(map(len, rooms.values())))),
        ("rooms in circles", str(sum(map(len, in_rooms)))),
        ("includes that go up", str(len(up)) if rooms.keys() <= LEVEL.keys() else "-"),
        ("files, a source and its header being one", str(len(files))),
        ("edges between files", str(sum(map(len, files.values())))),
        ("files in circles", str(sum(map(len, in_files)))),
        ("the largest circle", str(max(map(len, in_files), default=0))),
        ("edges inside circles", str(sum(len(files[name] & set(circle))
                                         for circle in in_files for name in circle))),
        ("of these against the best order found",
         str(sum(edges_against_an_order(files, circle) for circle in in_files))),
        ("headers included outside of their room", f"{len(foreign)} of {len(headers)}"),
    ]


def lines(tree: Tree) -> list[str]:
    """Markdown."""
    arrows = tree.arrows()
    count = defaultdict(int)
    for path in tree.text:
        count[room(path)] += 1
    shown = ["| room | files | includes (how many times) |", "|---|---|---|"]
    for name in sorted(count, key=lambda name: (-LEVEL.get(name, 0), name)):
        others = [f"{other} ({len(includes)})" for (user, other), includes in sorted(arrows.items())
                  if user == name and other != PUBLIC]
        shown.append(f"| `{name}` | {count[name]} | {', '.join(others) or '-'} |")
    shown += ["", "| engine, cuda, gst | |", "|---|---|"]
    shown += [f"| {name} | {figure} |" for name, figure in figures(tree)]
    for circle in circles(tree.graph()):
        shown += ["", f"Circle of {len(circle)}: {', '.join(circle)}"]
    return shown
