#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""current_folder.py PLANTED SIMULATED PLUGIN_FOLDER SYSTEM_PLUGINS PROBE: nothing in the folder
that a program is started in is loaded as code, whatever its name.

PLANTED is a library that leaves a mark; copies of it lie there under the names of all that is
opened at run time, and libtool archives that name them. SIMULATED has the simulated device."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from tap import check, finish  # noqa: E402

PLANTED, SIMULATED, PLUGINS, SYSTEM_PLUGINS, PROBE = map(os.path.abspath, sys.argv[1:])
DRIVER, CUDNN, GSTCUDA = "libcuda.so.1", "libcudnn.so.9", "libgstcuda-1.0.so.0"
NAMES = [DRIVER, CUDNN, GSTCUDA, "libcudnn_ops.so.9", "libnvrtc.so", "vfi-cuda", "libvfi.so.0"]
ARCHIVE = """# a libtool library
dlname='{0}'
library_names='{0}'
libdir='{1}'
installed={2}
"""


def plant(folder: Path, names: list[str]) -> None:
    """As the libraries themselves, with GModule's suffixes, and by way of archives."""
    for number, name in enumerate(names):
        for file in (name, f"{name}.so", f"lib{name}.so"):
            shutil.copy(PLANTED, folder / file)
        code = f"{name}.code.so"
        (folder / ".libs").mkdir(exist_ok=True)
        for place in (folder, folder / ".libs"):
            shutil.copy(PLANTED, place / code)
        installed = number % 2 == 0
        (folder / f"{name}.la").write_text(
            ARCHIVE.format(code, "." if installed else "/nowhere", "yes" if installed else "no"))


def bait(folder: Path, names: list[str]) -> None:
    """Archives alone: where a file is there under the very name, GModule goes no further."""
    for name in names:
        for file in (name, f"{name}.so", f"lib{name}.so"):
            (folder / file).unlink()


def take_marks(folder: Path) -> list[str]:
    found = list(folder.rglob("*.ran"))
    for mark in found:
        mark.unlink()
    return [mark.name for mark in found]


def run(command: list[str], folder: Path, **variables: str) -> tuple[int, str]:
    done = subprocess.run(command, cwd=folder, env=dict(os.environ, **variables), text=True,
                          capture_output=True, timeout=100, check=False)
    return done.returncode, done.stdout + done.stderr


def line(device: str) -> list[str]:
    return ["gst-launch-1.0", "-q", "videotestsrc", "num-buffers=3", "!",
            "video/x-raw,format=NV12,width=64,height=48,framerate=15/1", "!", "vfiinterp",
            "model=blend", f"device={device}", "!", "fakesink"]


def check_programs(folder: Path, what: str, with_driver: bool, alone: Path) -> None:
    """The element and the engine by itself, on the device and where there is none."""
    for device in ("auto", "cuda"):
        status, output = run(line(device), folder, GST_DEBUG="vfiinterp:2",
                             LD_LIBRARY_PATH=SIMULATED)
        found = take_marks(folder)
        check(status == 0 and not found,
              f"{what}: the element with device={device} works and loads nothing of it",
              f"{output}{found}")
        check((f"holds {DRIVER}.la" in output) == with_driver,
              f"{what}: and says with device={device} what GStreamer would have loaded", output)
    status, output = run([PROBE, "cuda", "auto"], folder, LD_LIBRARY_PATH=SIMULATED)
    found = take_marks(folder)
    check("session: cuda:0" in output and not found,
          f"{what}: the engine works on the device and loads nothing of it", f"{output}{found}")
    status, output = run([PROBE, "auto", "auto"], folder, LD_LIBRARY_PATH="",
                         VFI_BACKEND_PATH=str(alone))
    found = take_marks(folder)
    check("session: cpu" in output and not found,
          f"{what}: the engine works without a driver and loads nothing of it",
          f"{output}{found}")


def search_path(library: Path) -> list[str]:
    """Where the loader looks for what @library opens, before it looks where the system says."""
    entries = subprocess.run(["readelf", "-d", library], capture_output=True, text=True,
                             check=True).stdout
    found = re.findall(r"\((?:RUNPATH|RPATH)\).*\[(.*)\]", entries)
    return [folder for line in found for folder in line.split(":")]


def main() -> None:
    for library in (Path(PLUGINS, "libgstvfiinterp.so"), Path(SIMULATED, "vfi-cuda.so")):
        folders = search_path(library)
        check(folders and all(folder.startswith(("/", "$ORIGIN")) for folder in folders),
              f"{library.name} looks into absolute folders only", folders)
    with tempfile.TemporaryDirectory() as scratch:
        # Of the system's plugins only what the line needs: others load libraries as they like.
        system = Path(scratch, "plugins")
        system.mkdir()
        for name in ("libgstcoreelements.so", "libgstvideotestsrc.so"):
            (system / name).symlink_to(Path(SYSTEM_PLUGINS, name))
        # A module finds what lies beside it; here the driver does not.
        alone = Path(scratch, "alone")
        alone.mkdir()
        for name in ("vfi-cuda.so", "libvfi-simulated-device.so"):
            (alone / name).symlink_to(Path(SIMULATED, name))
        os.environ.update(GST_PLUGIN_PATH_1_0=f"{PLUGINS}:{system}",
                          GST_PLUGIN_SYSTEM_PATH_1_0="", GST_REGISTRY_1_0=f"{scratch}/registry",
                          XDG_CACHE_HOME=f"{scratch}/cache", VFI_BACKEND_PATH=SIMULATED)
        os.environ.pop("VFI_CUDNN_PATH", None)
        for number, (what, names, archives) in enumerate((
                ("libraries", NAMES, False), ("archives", NAMES, True),
                ("cuDNN's archive", [CUDNN], True), ("libgstcuda's archive", [GSTCUDA], True))):
            folder = Path(scratch, str(number))
            folder.mkdir()
            plant(folder, names)
            if archives:
                bait(folder, names)
            loader = "import ctypes, sys; ctypes.CDLL(sys.argv[1])"
            run([sys.executable, "-c", loader, str(folder / f"{names[0]}.code.so")], folder)
            check(len(take_marks(folder)) == 1, f"{what}: what is planted leaves a mark")
            check_programs(folder, what, DRIVER in names, alone)
    finish()


if __name__ == "__main__":
    main()
