# SPDX-License-Identifier: LGPL-2.1-or-later
"""OpenCV's optical flow as an interpolator, in its own process: flow_worker.py FRAME0 FRAME1
WIDTH HEIGHT THREADS. Speaks the lines of peer_worker.py, but for pictures.

Frames are raw I420. Both flows by DIS (preset fast), then half of each takes its frame to the
middle, bilinearly, and the two are averaged: the least that an interpolator on it would do."""
import json
import sys
import time
from pathlib import Path

import cv2
import numpy as np


def planes(path: str, width: int, height: int) -> list[np.ndarray]:
    data = np.frombuffer(Path(path).read_bytes(), np.uint8)
    luma, chroma = width * height, (width // 2) * (height // 2)
    half = (height // 2, width // 2)
    return [data[:luma].reshape(height, width), data[luma:luma + chroma].reshape(half),
            data[luma + chroma:].reshape(half)]


class Dis:
    def __init__(self, frames: list[list[np.ndarray]]):
        self.frames = frames
        self.flow = [cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST) for _ in range(2)]
        self.grids = [np.stack(np.meshgrid(np.arange(plane.shape[1], dtype=np.float32),
                                           np.arange(plane.shape[0], dtype=np.float32)), -1)
                      for plane in frames[0]]

    def run(self) -> list[np.ndarray]:
        a, b = self.frames
        flows = (self.flow[0].calc(a[0], b[0], None), self.flow[1].calc(b[0], a[0], None))
        half = [flow * np.float32(0.5) for flow in flows]
        quarter = [cv2.resize(flow, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
                   * np.float32(0.5) for flow in half]
        result = []
        for plane, grid in enumerate(self.grids):
            of_plane = half if plane == 0 else quarter
            sides = [cv2.remap(frame[plane], grid + flow, None, cv2.INTER_LINEAR,
                               borderMode=cv2.BORDER_REPLICATE)
                     for frame, flow in zip(self.frames, of_plane)]
            result.append(cv2.addWeighted(sides[0], 0.5, sides[1], 0.5, 0))
        return result


def main() -> None:
    path0, path1, width, height, threads = sys.argv[1:]
    cv2.setNumThreads(int(threads))
    dis = Dis([planes(path, int(width), int(height)) for path in (path0, path1)])
    dis.run()
    print(json.dumps({"version": cv2.__version__}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        dis.run()
        print(json.dumps({"ms": (time.perf_counter() - start) * 1e3}), flush=True)


main()
