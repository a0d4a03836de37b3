# SPDX-License-Identifier: LGPL-2.1-or-later
"""RIFE 4.0 with zeros for weights, which sees no motion, and what its layers are by the paper."""
import json
import math
from pathlib import Path

WIDTHS, SCALES = (192, 128, 96, 64), (8, 4, 2, 1)  # of RIFE 4.0's blocks


def layer_shapes():
    """Its convolutions as name, in, out, kernel, and the size they run at as a divisor
    of the padded size: the output's, or the input's of a transposed one."""
    for i, (width, scale) in enumerate(zip(WIDTHS, SCALES)):
        yield f"block{i}.conv0.0.0", 12 if i else 7, width // 2, 3, 2 * scale
        yield f"block{i}.conv0.1.0", width // 2, width, 3, 4 * scale
        for k in range(8):
            yield f"block{i}.convblock.{k}.0", width, width, 3, 4 * scale
        yield f"block{i}.lastconv", width, 5, 4, 4 * scale


def expected_gflop(width: int, height: int) -> float:
    return sum(2 * kernel ** 2 * n_in * n_out * (width // divisor) * (height // divisor)
               for _, n_in, n_out, kernel, divisor in layer_shapes()) / 1e9


def write(path: Path):
    """A sparse safetensors file."""
    header, end = {}, 0
    for name, n_in, n_out, kernel, _ in layer_shapes():
        weight = [n_in, n_out] if name.endswith("lastconv") else [n_out, n_in]
        tensors = {f"{name}.weight": weight + [kernel, kernel], f"{name}.bias": [n_out]}
        if not name.endswith("lastconv"):
            tensors[f"{name[:-1]}1.weight"] = [n_out]
        for key, shape in tensors.items():
            begin, end = end, end + 4 * math.prod(shape)
            header[key] = {"dtype": "F32", "shape": shape, "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)
