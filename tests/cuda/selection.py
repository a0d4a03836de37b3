#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""selection.py PROBE SIMULATED WRONG_MODULE: which device a session gets, and what is said where
it is not the GPU: each case in a process of its own, as a module is looked for once.

With device=cuda the error has all the words of a case; with device=auto the CPU computes, and
one line of the log has them."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tap import check, finish  # noqa: E402

PROBE, SIMULATED, WRONG_MODULE = map(os.path.abspath, sys.argv[1:])
REMEDY = "use device=cpu or device=auto"


def probe(device, precision, variables):
    environment = dict(os.environ, VFI_BACKEND_PATH=SIMULATED, VFI_CUDNN_PATH=SIMULATED,
                       LD_LIBRARY_PATH=SIMULATED)
    environment.update(variables)
    done = subprocess.run([PROBE, device, precision], env=environment, text=True,
                          capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout + done.stderr


def cases(folder):
    """Name, variables, words."""
    text = os.path.join(folder, "vfi-cuda.so")
    with open(text, "w", encoding="utf-8") as file:
        file.write("no module\n")
    empty = os.path.join(folder, "empty")
    os.mkdir(empty)
    other = os.path.join(folder, "other")
    os.mkdir(other)
    os.symlink(os.path.join(SIMULATED, "libnvcuvid.so.1"), os.path.join(other, "libcudnn.so.9"))
    # A module finds what lies beside it.
    alone = os.path.join(folder, "alone")
    os.mkdir(alone)
    for name in ["vfi-cuda.so", "libvfi-simulated-device.so"]:
        os.symlink(os.path.join(SIMULATED, name), os.path.join(alone, name))
    return [
        ("no module", {"VFI_BACKEND_PATH": empty},
         ["there is no module", empty, "VFI_BACKEND_PATH"]),
        ("a file that is no module", {"VFI_BACKEND_PATH": folder},
         ["the module does not load", text]),
        ("a library that is no backend",
         {"VFI_BACKEND_PATH": os.path.join(SIMULATED, "libnvcuvid.so.1")},
         ["libnvcuvid.so.1 has no vfi_backend_entry"]),
        ("a relative path of the module", {"VFI_BACKEND_PATH": os.path.relpath(SIMULATED)},
         [f'VFI_BACKEND_PATH is "{os.path.relpath(SIMULATED)}"', "expected an absolute path"]),
        ("a module of another build", {"VFI_BACKEND_PATH": WRONG_MODULE},
         ["has interface version", "this engine wants", "from one build"]),
        ("no driver", {"LD_LIBRARY_PATH": "", "VFI_BACKEND_PATH": alone},
         ["there is no NVIDIA driver", "libcuda.so.1", "install"]),
        ("a driver without a GPU", {"VFI_SIMULATED_NO_DRIVER": "1"},
         ["driver does not start", "cuInit gives 100", "no NVIDIA GPU"]),
        ("no device", {"VFI_SIMULATED_DEVICES": "0"}, ["no NVIDIA GPU"]),
        ("an old driver", {"VFI_SIMULATED_DRIVER_VERSION": "11080"},
         ["the NVIDIA driver is for CUDA 11.8", "expected one for CUDA",
          "update the driver"]),
        ("an old GPU", {"VFI_SIMULATED_COMPUTE": "61"},
         ["compute capability 6.1", "expected 7.5 or more"]),
        ("no cuDNN", {"VFI_CUDNN_PATH": empty},
         ["cuDNN 9 is not there", "libcudnn.so.9", "install", "VFI_CUDNN_PATH"]),
        ("a relative path of cuDNN", {"VFI_CUDNN_PATH": os.path.relpath(SIMULATED)},
         [f'VFI_CUDNN_PATH is "{os.path.relpath(SIMULATED)}"', "expected an absolute path"]),
        ("another library for cuDNN", {"VFI_CUDNN_PATH": other},
         ["has no function cudnn", "install"]),
        ("an old cuDNN", {"VFI_SIMULATED_CUDNN_VERSION": "8907"},
         ["has version 8907", "wanted is 9.0", "install"]),
    ]


def has_all(text, words):
    return all(word in text for word in words)


def errors(output):
    return [line for line in output.split("\n") if line.startswith("error")]


def check_missing(name, variables, words):
    _, output = probe("cuda", "auto", variables)
    told = errors(output)
    check(len(told) == 1 and has_all(told[0], words + [REMEDY]), f"{name}: device=cuda", output)
    _, output = probe("auto", "auto", variables)
    told = [line for line in output.split("\n") if "computing on the CPU" in line]
    check(len(told) == 1 and has_all(told[0], words) and "session: cpu f32" in output,
          f"{name}: device=auto", output)


def main():
    for device in ["cuda", "cuda:0", "auto"]:
        _, output = probe(device, "auto", {})
        check("session: cuda:0 " in output and output.strip().endswith("f16")
              and "computing on the CPU" not in output, f"the device: {device}", output)
    with tempfile.TemporaryDirectory() as folder:
        for name, variables, words in cases(folder):
            check_missing(name, variables, words)
        # the first session fails, the second one works
        _, output = probe("cuda", "auto", {"VFI_SIMULATED_CUDNN_FAIL_CREATE": "1"})
        check("session: cuda:0" in output, "cuDNN starts the second time", output)

    for name, device, precision, variables, words in [
            ("a number too large", "cuda:7", "auto", {},
             ['device "cuda:7"', "there is 1 CUDA device", "numbers from 0"]),
            ("of two", "cuda:2", "auto", {"VFI_SIMULATED_DEVICES": "2"},
             ["there are 2 CUDA devices"]),
            ("no number", "cuda:x", "auto", {}, ['"cuda:x"', "expected cuda or cuda:N"]),
            ("no device's name", "gpu", "auto", {}, ['"gpu" is unknown', "cuda:N"]),
            ("bf16", "cuda", "bf16", {}, ["precision bf16", "f16, tf32 or f32"]),
            ("tf32 on Turing", "cuda", "tf32", {"VFI_SIMULATED_COMPUTE": "75"},
             ["precision tf32", "expected auto, f16 or f32"])]:
        _, output = probe(device, precision, variables)
        check(len(errors(output)) == 1 and has_all(errors(output)[0], words), name, output)
    for precision in ["f16", "f32", "tf32"]:
        _, output = probe("cuda:1", precision, {"VFI_SIMULATED_DEVICES": "2"})
        check("session: cuda:1 " in output and output.strip().endswith(precision),
              f"the second device, {precision}", output)
    finish()


if __name__ == "__main__":
    main()
