# SPDX-License-Identifier: LGPL-2.1-or-later
"""RIFE 4.0's flow network in PyTorch, for comparison only: written from the description in the
paper and the checkpoint's own names and shapes, and sharing nothing with the engine.

Tensors are N × C × H × W; flows are in pixels of the padded picture, channels dx0, dy0, dx1,
dy1; the mask is a logit until the end."""
import torch
import torch.nn.functional as F
from torch import nn

WIDTHS = (192, 128, 96, 64)
SCALES = (8, 4, 2, 1)
# Above this, in pixels and for both flows, RIFE 4.0 starts again with doubled scales.
LARGE_MOTION = 32.0


def resize(x: torch.Tensor, factor: float) -> torch.Tensor:
    if factor == 1:
        return x
    return F.interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)


def conv_prelu(n_in: int, n_out: int, stride: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(n_in, n_out, 3, stride, 1), nn.PReLU(n_out))


class Block(nn.Module):
    """One step of refinement at 1/scale: what is added to flow and mask."""

    def __init__(self, n_in: int, width: int):
        super().__init__()
        self.conv0 = nn.Sequential(conv_prelu(n_in, width // 2, 2),
                                   conv_prelu(width // 2, width, 2))
        self.convblock = nn.Sequential(*(conv_prelu(width, width, 1) for _ in range(8)))
        self.lastconv = nn.ConvTranspose2d(width, 5, 4, 2, 1)

    def forward(self, x, flow, scale: float):
        x = resize(x, 1 / scale)
        if flow is not None:
            x = torch.cat((x, resize(flow, 1 / scale) * (1 / scale)), 1)
        x = self.conv0(x)
        x = self.convblock(x) + x
        delta = resize(self.lastconv(x), 2 * scale)
        return delta[:, :4] * (2 * scale), delta[:, 4:5]


class Network(nn.Module):
    """For one picture size, so that the warp's grid is a constant, as in a tuned user program."""

    def __init__(self, height: int, width: int):
        super().__init__()
        for i, channels in enumerate(WIDTHS):
            setattr(self, f"block{i}", Block(12 if i else 7, channels))
        ys = torch.linspace(-1, 1, height).view(1, height, 1, 1).expand(1, height, width, 1)
        xs = torch.linspace(-1, 1, width).view(1, 1, width, 1).expand(1, height, width, 1)
        self.register_buffer("grid", torch.cat((xs, ys), 3).contiguous())
        step = torch.tensor([2 / (width - 1), 2 / (height - 1)]).view(1, 2, 1, 1)
        self.register_buffer("step", step)

    def warp(self, image, flow):
        grid = self.grid + (flow * self.step).permute(0, 2, 3, 1)
        return F.grid_sample(image, grid, mode="bilinear", padding_mode="border",
                             align_corners=True)

    def first(self, image0, image1, time):
        flow, mask = self.block0(torch.cat((image0, image1, time), 1), None, SCALES[0])
        return flow, mask, self.warp(image0, flow[:, :2]), self.warp(image1, flow[:, 2:4])

    def forward(self, image0, image1, time):
        """image0, image1: 1 × 3 × H × W in [0, 1]; time: 1 × 1 × H × W. Normal branch only."""
        flow, mask, warped0, warped1 = self.first(image0, image1, time)
        for i in (1, 2, 3):
            inputs = torch.cat((warped0, warped1, time, mask), 1)
            flow_delta, mask_delta = getattr(self, f"block{i}")(inputs, flow, SCALES[i])
            flow = flow + flow_delta
            mask = mask + mask_delta
            warped0 = self.warp(image0, flow[:, :2])
            warped1 = self.warp(image1, flow[:, 2:4])
        mask = torch.sigmoid(mask)
        return warped0 * mask + warped1 * (1 - mask)

    def motion(self, image0, image1, time) -> float:
        """What the model compares with LARGE_MOTION: the smaller of block 1's two greatest
        changes of a flow, in pixels."""
        flow, mask, warped0, warped1 = self.first(image0, image1, time)
        delta, _ = self.block1(torch.cat((warped0, warped1, time, mask), 1), flow, SCALES[1])
        return min(delta[:, :2].abs().max().item(), delta[:, 2:4].abs().max().item())


def load(checkpoint: str, height: int, width: int) -> Network:
    weights = torch.load(checkpoint, map_location="cpu", weights_only=True)
    weights = {key.removeprefix("module."): value.float() for key, value in weights.items()}
    network = Network(height, width)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if parameter.shape != weights[name].shape:
                raise ValueError(f"{checkpoint}: {name} is {tuple(weights[name].shape)}, expected "
                                 f"{tuple(parameter.shape)}; is this RIFE 4.0?")
            parameter.copy_(weights[name])
    return network.eval()
