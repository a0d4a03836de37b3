# SPDX-License-Identifier: LGPL-2.1-or-later
"""TLBVFI's own PyTorch code in its own process: tlbvfi_worker.py FOLDER CHECKPOINT FRAME0 FRAME1
THREADS. FOLDER is a checkout of ZonglinL/TLBVFI, CHECKPOINT what its trainer saves.

Speaks the lines of peer_worker.py. Timed is the network alone, from f32 planes to f32 planes,
without noise (eta 0), so that the picture is the same each time. The GPU is left alone, and
packages that its inference imports without calling them are replaced by stand-ins.

tlbvfi_worker.py FOLDER CHECKPOINT writes a checkpoint with weights that nobody trained."""
import argparse
import contextlib
import json
import os
import sys
import time
import types
from pathlib import Path

import numpy as np

import peer_worker

CONFIGURATION = "configs/Template-LBBDM-video.yaml"
# To this the network's own code pads frames; those of other sizes would measure the padding, too.
MULTIPLE = 512


def put_module(name: str, **contents) -> None:
    module = types.ModuleType(name)
    vars(module).update(contents)
    sys.modules[name] = module


def stand_in_for_packages() -> None:
    """What is imported for training, for networks that are not used, or for progress bars."""
    from torch import nn

    def two(value):
        return value if isinstance(value, tuple) else (value, value)

    put_module("cupy_module", dsepconv=None)
    put_module("omegaconf", dictconfig=types.SimpleNamespace(DictConfig=dict))
    put_module("packaging", version=None)
    put_module("PIL", Image=None, ImageDraw=None, ImageFont=None)
    put_module("pytorch_lightning", LightningModule=nn.Module)
    put_module("timm")
    put_module("timm.models")
    put_module("timm.models.layers", DropPath=nn.Dropout, to_2tuple=two,
               trunc_normal_=nn.init.trunc_normal_)
    put_module("tqdm")
    put_module("tqdm.autonotebook", tqdm=lambda steps, **_: steps)


def to_namespace(settings):
    """Of argparse's kind, which can be asked what is in it."""
    if not isinstance(settings, dict):
        return settings
    return argparse.Namespace(**{key: to_namespace(value) for key, value in settings.items()})


def build(folder: str):
    import yaml
    sys.path.insert(0, folder)
    stand_in_for_packages()
    with open(Path(folder) / CONFIGURATION, encoding="utf-8") as file:
        settings = yaml.load(file, Loader=yaml.FullLoader)["model"]
    settings["VQGAN"]["params"]["ckpt_path"] = None
    settings["VQGAN"]["params"]["ddconfig"]["load_VFI"] = None
    settings["BB"]["params"]["eta"] = 0.0
    from model.BrownianBridge.LatentBrownianBridgeModel import LatentBrownianBridgeModel
    with contextlib.redirect_stdout(sys.stderr):
        return LatentBrownianBridgeModel(to_namespace(settings)).eval()


class Upstream:
    def __init__(self, folder: str, checkpoint: str, paths: list[str], threads: int):
        import torch
        torch.set_num_threads(threads)
        self.torch = torch
        self.version = torch.__version__
        self.model = build(folder)
        loaded = torch.load(checkpoint, map_location="cpu")
        self.model.load_state_dict(loaded.get("model", loaded))
        del loaded
        self.frames = [torch.from_numpy(self.planes(path)) for path in paths]
        self.height, self.width = self.frames[0].shape[2:]

    @staticmethod
    def planes(path: str) -> np.ndarray:
        """1 × 3 × H × W in [-1, 1]."""
        picture = peer_worker.read_ppm(path)
        if picture.shape[0] % MULTIPLE or picture.shape[1] % MULTIPLE:
            raise ValueError(f"{path}: width and height have to be multiples of {MULTIPLE}")
        return np.ascontiguousarray(picture.transpose(2, 0, 1)[None] / np.float32(127.5) - 1)

    def run(self) -> np.ndarray:
        with self.torch.inference_mode():
            return (self.model.sample(*self.frames) / 2 + 0.5).numpy()


def serve(folder: str, checkpoint: str, paths: list[str], threads: int, answers) -> None:
    def say(answer: dict) -> None:
        print(json.dumps(answer), file=answers, flush=True)

    python_bytes = peer_worker.peak_bytes()
    upstream = Upstream(folder, checkpoint, paths, threads)
    upstream.run()
    say({"version": upstream.version})
    for line in sys.stdin:
        command, _, argument = line.strip().partition(" ")
        start = time.perf_counter()
        result = upstream.run()
        ms = (time.perf_counter() - start) * 1e3
        if command == "picture":
            peer_worker.write_ppm(argument, peer_worker.to_bytes(result, upstream.height,
                                                                 upstream.width))
        say({"ms": ms, "rss_bytes": peer_worker.peak_bytes(), "python_bytes": python_bytes})


def export(folder: str, checkpoint: str) -> None:
    import torch
    torch.manual_seed(0)
    torch.save({"model": build(folder).state_dict()}, checkpoint)


def main() -> None:
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # the network's code prints on standard output
    folder, checkpoint, *rest = sys.argv[1:]
    if rest:
        serve(folder, checkpoint, rest[:2], int(rest[2]), answers)
    else:
        export(folder, checkpoint)


main()
