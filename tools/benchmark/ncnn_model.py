# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes a RIFE 4.0 checkpoint as an ncnn model (flownet.param, flownet.bin), f32, with the
blob names that rife-ncnn-vulkan's program expects: in0, in1, in2 (time) and out0.

Layer types and parameter numbers are ncnn's (docs/developer-guide/operators.md there). The
wheel brings no models, so this is how the peer gets the very same weights."""
from pathlib import Path

import numpy as np

WIDTHS = (192, 128, 96, 64)
SCALES = (8, 4, 2, 1)


class Writer:
    """Collects layers, and blobs' names; a blob that several layers read gets a Split."""

    def __init__(self) -> None:
        self.layers: list[tuple[str, list[str], list[str], str]] = []
        self.weights: list[bytes] = []
        self.n_blobs = 0

    def add(self, kind: str, inputs: list[str], parameters: str = "", output: str = "") -> str:
        if not output:
            self.n_blobs += 1
            output = f"b{self.n_blobs}"
        self.layers.append((kind, inputs, [output], parameters))
        return output

    def raw(self, values: np.ndarray) -> None:
        self.weights.append(np.ascontiguousarray(values, dtype="<f4").tobytes())

    def flagged(self, values: np.ndarray) -> None:
        """ncnn marks a layer's main weights with their storage: 0 is f32."""
        self.weights.append(b"\0\0\0\0")
        self.raw(values)

    def with_splits(self):
        readers: dict[str, int] = {}
        for _, inputs, _, _ in self.layers:
            for name in inputs:
                readers[name] = readers.get(name, 0) + 1
        taken = dict.fromkeys(readers, 0)
        for kind, inputs, outputs, parameters in self.layers:
            copies = []
            for name in inputs:
                copies.append(f"{name}_{taken[name]}" if readers[name] > 1 else name)
                taken[name] += 1
            yield kind, copies, outputs, parameters
            if readers.get(outputs[0], 0) > 1:
                names = [f"{outputs[0]}_{i}" for i in range(readers[outputs[0]])]
                yield "Split", outputs, names, ""

    def write(self, folder: Path) -> None:
        layers = list(self.with_splits())
        n_blobs = sum(len(outputs) for _, _, outputs, _ in layers)
        lines = ["7767517", f"{len(layers)} {n_blobs}"]
        for i, (kind, inputs, outputs, parameters) in enumerate(layers):
            words = [kind, f"layer{i}", str(len(inputs)), str(len(outputs)),
                     *inputs, *outputs, parameters]
            lines.append(" ".join(word for word in words if word))
        (folder / "flownet.param").write_text("\n".join(lines) + "\n")
        (folder / "flownet.bin").write_bytes(b"".join(self.weights))


class Network:
    def __init__(self, weights: dict[str, np.ndarray]):
        self.weights = weights
        self.net = Writer()

    def conv_prelu(self, x: str, key: str, stride: int) -> str:
        weight = self.weights[f"{key}.0.weight"]
        self.net.flagged(weight)
        self.net.raw(self.weights[f"{key}.0.bias"])
        x = self.net.add("Convolution", [x], f"0={weight.shape[0]} 1=3 3={stride} 4=1 5=1 "
                         f"6={weight.size}")
        slope = self.weights[f"{key}.1.weight"]
        self.net.raw(slope)
        return self.net.add("PReLU", [x], f"0={slope.size}")

    def conv_transpose(self, x: str, key: str) -> str:
        weight = self.weights[f"{key}.weight"]  # torch: in, out, h, w; ncnn: out, in, h, w
        self.net.flagged(weight.transpose(1, 0, 2, 3))
        self.net.raw(self.weights[f"{key}.bias"])
        return self.net.add("Deconvolution", [x], f"0={weight.shape[1]} 1=4 3=2 4=1 5=1 "
                            f"6={weight.size}")

    def resize(self, x: str, factor: float) -> str:
        if factor == 1:
            return x
        return self.net.add("Interp", [x], f"0=2 1={factor:e} 2={factor:e}")

    def scaled(self, x: str, factor: float) -> str:
        return x if factor == 1 else self.net.add("BinaryOp", [x], f"0=2 1=1 2={factor:e}")

    def channels(self, x: str, first: int, end: int) -> str:
        return self.net.add("Crop", [x], f"-23309=1,{first} -23310=1,{end} -23311=1,0")

    def block(self, i: int, inputs: list[str], flow: str | None) -> tuple[str, str]:
        """The flow's change before it is scaled to pixels, and the mask's."""
        x = self.resize(self.net.add("Concat", inputs), 1 / SCALES[i])
        if flow is not None:
            small = self.scaled(self.resize(flow, 1 / SCALES[i]), 1 / SCALES[i])
            x = self.net.add("Concat", [x, small])
        x = self.conv_prelu(x, f"block{i}.conv0.0", 2)
        feature = x = self.conv_prelu(x, f"block{i}.conv0.1", 2)
        for k in range(8):
            x = self.conv_prelu(x, f"block{i}.convblock.{k}", 1)
        x = self.net.add("BinaryOp", [x, feature], "0=0")
        delta = self.resize(self.conv_transpose(x, f"block{i}.lastconv"), 2 * SCALES[i])
        return self.channels(delta, 0, 4), self.channels(delta, 4, 5)

    def warp(self, image: str, flow: str, first: int) -> str:
        return self.net.add("rife.Warp", [image, self.channels(flow, first, first + 2)])

    def build(self) -> Writer:
        image0, image1, time = (self.net.add("Input", [], output=f"in{i}") for i in range(3))
        flow, mask = self.block(0, [image0, image1, time], None)
        flow = self.scaled(flow, 2 * SCALES[0])
        for i in (1, 2, 3):
            warped = [self.warp(image0, flow, 0), self.warp(image1, flow, 2)]
            delta, mask_delta = self.block(i, [*warped, time, mask], flow)
            flow = self.net.add("Eltwise", [flow, delta],
                                f"0=1 -23301=2,1.000000e+00,{2 * SCALES[i]:e}")
            mask = self.net.add("BinaryOp", [mask, mask_delta], "0=0")
        mask = self.net.add("Sigmoid", [mask])
        rest = self.net.add("BinaryOp", [mask], "0=7 1=1 2=1.000000e+00")  # 1 - mask
        shares = [self.net.add("BinaryOp", [self.warp(image, flow, first), share], "0=2")
                  for image, first, share in ((image0, 0, mask), (image1, 2, rest))]
        self.net.add("BinaryOp", shares, "0=0", output="out0")
        return self.net


def write(weights: dict[str, np.ndarray], folder: Path) -> None:
    """weights: the state dict by torch's names, without "module."; folder exists."""
    Network(weights).build().write(folder)
