# SPDX-License-Identifier: LGPL-2.1-or-later
"""Text tables and the JSON file."""
import json
from pathlib import Path
from statistics import median

from turns import Comparison

MIB = 1 << 20


def table(heads: list[str], rows: list[list[str]]) -> str:
    """Left-aligned first column, the others right-aligned."""
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    lines = []
    for row in [heads, *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def markdown(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] + ["---:"] * (len(heads) - 1), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def runs_table(runs: list[dict]) -> str:
    heads = ["model", "size", "padded", "scale", "threads", "level", "precision", "in-betweens",
             "ms median", "min", "max", "pairs/s", "GFLOP/s", "arena MiB", "peak MiB"]
    rows = [[f"{run['family']} {run['variant']}".strip(), f"{run['width']}x{run['height']}",
             f"{run['padded_width']}x{run['padded_height']}", f"{run['scale']:g}",
             str(run["threads"]), run["cpu_level"], run["precision"], str(run["times"]),
             f"{run['ms_median']:.1f}", f"{run['ms_min']:.1f}", f"{run['ms_max']:.1f}",
             f"{1e3 / max(run['ms_median'], 1e-3):.1f}", f"{run['gflops']:.0f}",
             f"{run['arena_bytes'] / MIB:.0f}", f"{run['rss_bytes'] / MIB:.0f}"] for run in runs]
    return table(heads, rows)


def comparisons_table(comparisons: list[Comparison], digits: int = 2) -> str:
    rows = []
    for c in comparisons:
        bar = "" if c.bar is None else f"{'≤' if c.at_most else '≥'} {c.bar:g}"
        verdict = "" if c.reached is None else "reached" if c.reached else "NOT REACHED"
        rows.append([c.name, f"{c.value:.{digits}f}", f"{c.low:.{digits}f}", f"{c.high:.{digits}f}",
                     str(c.turns), bar, verdict])
    return table(["", "median", "min", "max", "turns", "bar", ""], rows)


def memory_table(lines: list[dict]) -> str:
    rows = [[line["what"], str(line["pairs"]), f"{line['samples'][-1][0]:.1f}",
             f"{line['peak_mib']:.0f}", f"{line['last_mib']:.0f}"] for line in lines]
    return table(["RIFE 4.0", "in-betweens", "seconds", "peak MiB", "MiB at the end"], rows)


def write_json(path: str, result: dict) -> None:
    Path(path).write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def peers_text(result: dict, ratios: list[Comparison]) -> str:
    """One size's peers: times, ratios, memory, agreement."""
    ours = result["ours"]
    rows = [["this project", "", f"{ours['ms_median']:.0f}", f"{ours['ms_min']:.0f}",
             f"{ours['ms_max']:.0f}", f"{ours['rss_bytes'] / MIB:.0f}",
             "", _difference(result["pictures"].get("ours"))]]
    for peer in result["peers"]:
        rows.append([peer["what"], peer["version"], f"{peer['ms_median']:.0f}",
                     f"{peer['ms_min']:.0f}", f"{peer['ms_max']:.0f}",
                     f"{(peer['rss_bytes'] - peer['python_bytes']) / MIB:.0f}",
                     f"{peer['ratio_of_fastest']:.2f}",
                     _difference(result["pictures"].get(peer["peer"]))])
    heads = ["RIFE 4.0", "version", "ms median", "min", "max", "peak MiB", "min / our min",
             "picture against PyTorch's"]
    size = (f"{result['size']}, {result['threads']} threads, {result['cpu_level']}; padded: ours "
            f"{ours['padded'][0]}x{ours['padded'][1]}, peers {result['peers_padded'][0]}x"
            f"{result['peers_padded'][1]}. Peers' memory is without Python's own.")
    return "\n".join([size, table(heads, rows), "", "times as long as ours:",
                      comparisons_table(ratios), ""])


def flow_text(result: dict, ratios: list[Comparison]) -> str:
    """One size's times of the built-in model and of others."""
    named = [(f"flow, quality={name}", times) for name, times in result["ours"].items()]
    named += [(peer["what"], peer["ms"]) for peer in result["peers"]]
    rows = [[name, f"{median(times):.1f}", f"{min(times):.1f}", f"{max(times):.1f}",
             f"{1e3 / median(times):.1f}"] for name, times in named]
    return "\n".join([f"{result['size']}, {result['threads']} threads",
                      table(["", "ms median", "min", "max", "pairs/s"], rows), "",
                      "times as long as fast:", comparisons_table(ratios), ""])


def tlbvfi_text(result: dict, ratios: list[Comparison]) -> str:
    """One size's times and memory of TLBVFI, ours and its own code's."""
    rows = [[name, f"{median(result[f'{who}_ms']) / 1e3:.2f}",
             f"{min(result[f'{who}_ms']) / 1e3:.2f}", f"{max(result[f'{who}_ms']) / 1e3:.2f}",
             f"{median(result[f'{who}_cpu_s']):.2f}", f"{result[f'{who}_bytes'] / MIB:.0f}"]
            for who, name in (("ours", "this project"), ("peer", f"PyTorch {result['version']}"))]
    return "\n".join([f"{result['size']}, {result['threads']} threads, {result['cpu_level']}; "
                      f"pictures: {_difference(result['picture'])}",
                      table(["TLBVFI", "s median", "min", "max", "CPU s", "peak MiB"], rows), "",
                      comparisons_table(ratios), ""])


def _difference(figures: dict | None) -> str:
    if figures is None:
        return "is it"
    return f"{figures['psnr']:.1f} dB, at most {figures['max']} of 255"
