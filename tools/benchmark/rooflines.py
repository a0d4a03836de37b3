# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the CUDA backend moves and computes for an in-between, kernel by kernel, and the least
time that takes a card whose memory and arithmetic run at their peaks."""
from dataclasses import dataclass
from itertools import groupby

GIGA = 1e9


@dataclass(frozen=True)
class Card:
    """Peaks from the vendor's data sheets: dense f16 products with sums in f32."""
    name: str
    bandwidth: float  # bytes a second
    tensor: float     # floating-point operations a second


CARDS = (
    Card("RTX 3090", 936e9, 71e12),
    Card("RTX 4090", 1008e9, 165e12),
    Card("H200", 4800e9, 989e12),
)


# What memory is read and written by at least, and the largest factor of a resize within a row
# group.
SECTOR = 32
FACTOR_MAX = 32


@dataclass(frozen=True)
class Kernel:
    """One launch; @group is what tables add it up under."""
    group: str
    name: str
    stage: str
    bytes: float
    flop: float = 0.0    # that tensor cores do, padding channels included
    useful: float = 0.0  # without them

    def seconds(self, card: Card, floor: float = 0.0) -> float:
        return max(self.bytes / card.bandwidth, self.flop / card.tensor, floor)


def round_up(value: int, multiple: int) -> int:
    return -(-value // multiple) * multiple


def operand_bytes(operand: dict) -> int:
    """Channels last come in whole eights; of a part of more channels only its own move."""
    c, h, w = operand["shape"]
    channels = round_up(c, 8) if operand["block"] else c
    return channels * h * w * (2 if operand["half"] else 4)


def _convolution(op: dict) -> list[Kernel]:
    """The sums, written channels last in f16, and the epilogue that reads them again."""
    src, dst = op["src"][0], op["dst"]
    c_in, c_out, groups = src["shape"][0], dst["shape"][0], op["groups"]
    if groups > 1 and (c_in // groups % 8 or c_out // groups % 8):
        groups = 1  # one group of a block-diagonal weight
    if groups > 1:
        padded_in, padded_out = c_in // groups, c_out
    else:
        padded_in, padded_out = round_up(c_in, 8), round_up(c_out, 8)
    taps = op["kernel"][0] * op["kernel"][1]
    sums = padded_out * dst["shape"][1] * dst["shape"][2] * 2
    weights = padded_in * padded_out * taps * 2
    at = dst if op["kind"] == "conv" else src
    flop = 2.0 * taps * padded_in * padded_out * at["shape"][1] * at["shape"][2]
    residual = operand_bytes(op["src"][1]) if len(op["src"]) > 1 else 0
    useful = 2.0 * op["macs"]
    return [
        Kernel(op["kind"], op["name"], op["stage"],
               operand_bytes(src) + weights + sums, flop, useful),
        Kernel("epilogue", op["name"], op["stage"], sums + residual + operand_bytes(dst)),
    ]


def factor_down(op: dict) -> int:
    """By how much a resize makes its picture smaller; 0 if it does not."""
    if op["kind"] != "resize" or op["src"][0]["shape"][1] <= op["dst"]["shape"][1]:
        return 0
    return op["src"][0]["shape"][1] // op["dst"]["shape"][1]


def share_read(factor: int) -> float:
    """Of the memory of a picture of f32 that gets @factor times smaller: the sectors of 32 bytes
    in two of @factor rows that hold two of @factor columns, which lie about a sector's border."""
    if factor <= 2:
        return 1.0
    return 2 / factor * min(1.0, 2 * SECTOR / (4 * factor))


def _other(op: dict) -> Kernel:
    """Every operand moves once, of a picture that gets smaller what is needed of it."""
    sources = sum(operand_bytes(operand) for operand in op["src"]) * share_read(factor_down(op))
    return Kernel(op["kind"], op["name"], op["stage"], sources + operand_bytes(op["dst"]))


# ---- row groups: as cuda/rows/row_group.c makes programs of them --------------------------------

def reads_anywhere(op: dict) -> bool:
    """Whether the first source is read elsewhere than at the pixel that is written."""
    return (op["kind"] in ("warp", "pixel_shuffle")
            or (op["kind"] == "resize" and factor_down(op) == 0))


def takes_no_memory(operand: dict) -> bool:
    """Whether only the row group sees it."""
    return operand["region"] == "rows"


def channels_of(operand: dict) -> set[tuple]:
    """What tells an operand's channels from others."""
    channels, height, width = operand["shape"]
    element = 2 if operand["half"] else 4
    step = element * (1 if operand["block"] else height * width)
    return {(operand["region"], operand["offset"] + c * step, height * width * element)
            for c in range(channels)}


def needed_ops(ops: list[dict], factor: int) -> list[dict]:
    """The ops that lead to results that are @factor times smaller, or (0) to all others."""
    live: set[tuple] = set()
    needed = []
    for op in reversed(ops):
        down = factor_down(op)
        leaves = (down == factor if factor or down
                  else op["kind"] == "max_abs" or not takes_no_memory(op["dst"]))
        if not leaves and (down or not live & channels_of(op["dst"])):
            continue
        live -= set() if down else channels_of(op["dst"])
        for source in op["src"][1:] if reads_anywhere(op) else op["src"]:
            live |= channels_of(source)
        needed.insert(0, op)
    return needed


def _program(ops: list[dict], factor: int) -> Kernel:
    """Memory is read and written once each, what the program itself wrote is not read. Programs
    of smaller pictures read what those need, and write nothing else."""
    read: set[tuple] = set()
    anywhere: set[tuple] = set()
    written: set[tuple] = set()
    for op in ops:
        for number, source in enumerate(op["src"]):
            if not takes_no_memory(source):
                into = anywhere if number == 0 and reads_anywhere(op) else read
                into |= channels_of(source) - written
        if op["kind"] != "max_abs" and not takes_no_memory(op["dst"]):
            written |= channels_of(op["dst"])
    if factor:
        written = {channel for op in ops if factor_down(op) for channel in channels_of(op["dst"])}
    share = share_read(factor)
    moved = (sum(size for *_, size in read | anywhere) * share
             + sum(size for *_, size in written))
    return Kernel("rows", f"{len(ops)} ops, /{factor or 1}", ops[0]["stage"], moved)


def _row_group(ops: list[dict]) -> list[Kernel]:
    """One launch for each factor that pictures get smaller by, one for all else."""
    factors = [FACTOR_MAX >> i for i in range(FACTOR_MAX.bit_length() - 1)] + [0]
    programs = [(needed_ops(ops, factor), factor) for factor in factors]
    return [_program(needed, factor) for needed, factor in programs if needed]


def _frame_kernels(plan: dict) -> list[Kernel]:
    """Between 8-bit 4:2:0 frames and the network: one new frame and one in-between."""
    pixels = plan["width"] * plan["height"]
    frame = 1.5 * pixels
    if plan["output"] == "blend":
        return [Kernel("blend", "", "out", 3 * frame)]
    padded = plan["padded_width"] * plan["padded_height"]
    kernels = [Kernel("prepare", "", "prepare", frame + 12 * padded)]
    if plan["output"] == "rgb":
        return kernels + [Kernel("rgb_to_planes", "", "out", 12 * pixels + frame)]
    return kernels + [Kernel("warp_blend", "", "out", 20 * pixels + 3 * frame)]


def usual_ops(plan: dict) -> list[dict]:
    """The ops of all stages that run where nothing moves, a loop's once for each round."""
    return [{**op, "stage": stage["stage"], "round": number} for stage in plan["stages"]
            for index, segment in enumerate(stage["segments"]) if segment["usual"]
            for number in range(segment["rounds"])
            for op in stage["ops"] if op["segment"] == index]


def kernels_of(plan: dict) -> list[Kernel]:
    """Everything that a pair with one in-between launches, one of its frames being new."""
    kernels = []
    for (_, _, group), members in groupby(usual_ops(plan),
                                       lambda op: (op["stage"], op["round"],
                                                   op["row_group"])):
        ops = list(members)
        if group >= 0:
            kernels += _row_group(ops)
            continue
        for op in ops:
            is_conv = op["kind"] in ("conv", "conv_transpose")
            kernels += _convolution(op) if is_conv else [_other(op)]
    return _frame_kernels(plan) + kernels * plan["tiles"]


def milliseconds(kernels: list[Kernel], card: Card, floor: float = 0.0) -> float:
    return 1e3 * sum(kernel.seconds(card, floor) for kernel in kernels)


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(header) + " |",
             "|" + "|".join(["---"] + ["---:"] * (len(header) - 1)) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def _figures(name: str, kernels: list[Kernel], floor: float, digits: int) -> list[str]:
    return [name, str(len(kernels)), f"{sum(k.useful for k in kernels) / GIGA:.1f}",
            f"{sum(k.flop for k in kernels) / GIGA:.1f}",
            f"{sum(k.bytes for k in kernels) / 1e6:.1f}"] + [
                f"{milliseconds(kernels, card, floor):.{digits}f}" for card in CARDS]


HEADER = ["launches", "GFLOP", "with padding", "MB"] + [f"{card.name}, ms" for card in CARDS]


def kinds_table(kernels: list[Kernel], floor: float) -> str:
    """A row for each kind of kernel, the costliest on the first card first."""
    groups: dict[str, list[Kernel]] = {}
    for kernel in kernels:
        groups.setdefault(kernel.group, []).append(kernel)
    ordered = sorted(groups.items(), key=lambda item: -milliseconds(item[1], CARDS[0], floor))
    rows = [_figures(name, members, floor, 3) for name, members in ordered]
    return _table(["kernel", *HEADER], rows + [_figures("all", kernels, floor, 3)])


def kernels_table(kernels: list[Kernel], floor: float) -> str:
    """A row for each launch, in order."""
    rows = [_figures(f"{k.stage} {k.group} {k.name}".strip(), [k], floor, 4) for k in kernels]
    return _table(["kernel", *HEADER], rows)


def models_table(models: list[tuple[str, list[Kernel]]], floor: float) -> str:
    rows = [_figures(name, kernels, floor, 2) for name, kernels in models]
    return _table(["model and size", *HEADER], rows)
