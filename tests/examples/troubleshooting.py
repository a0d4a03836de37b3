#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""docs/troubleshooting.md: the first command of each entry prints the text that its heading
quotes, the others, which are what helps, go through without it.

usage: troubleshooting.py docs/troubleshooting.md PLUGIN TOOLS FOLDER…     TOOLS: the folder of
get-models; FOLDER: those of vfi-inspect, vfi-convert and vfi-compare
"""
import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tap import check, finish  # noqa: E402
from clips import make_clip, make_pictures  # noqa: E402
from processes import kill, start  # noqa: E402
from shell_blocks import StandIn, blocks  # noqa: E402

DOCUMENT, PLUGIN, TOOLS, *PROGRAMS = (Path(argument).resolve() for argument in sys.argv[1:])

# A sink that takes longer for a picture than there is, and leaves out what is 20 ms late.
SLOW = "identity sleep-time=40000 ! fakesink sync=true qos=true max-lateness=20000000"
STAND_INS = [StandIn("autovideosink", SLOW, "no screen, and a machine that is too slow for it")]


@dataclass
class Setup:
    """What a command finds: variables of the environment (None: not set), whether it may find the
    models of this machine, and how often it may be run until the text is there."""
    variables: dict[str, str | None] = field(default_factory=dict)
    models: bool = False
    tries: int = 1


def setups(folder: Path) -> dict[str, Setup]:
    """By heading; all others find the plugin, and no models."""
    def plugin_in(name: str) -> Setup:
        return Setup({"GST_PLUGIN_PATH_1_0": str(folder / name), "LD_LIBRARY_PATH": None,
                      "GST_REGISTRY_1_0": str(folder / f"{name}.registry")})
    return {
        'no element "vfiinterp"': plugin_in("nowhere"),
        "libvfi.so.0: cannot open shared object file": plugin_in("alone"),
        "Blacklisted files:": plugin_in("broken"),
        "refuses connections": Setup({"https_proxy": "http://127.0.0.1:9"}),
        # gst-launch-1.0 may meet the error that follows first, and ends then.
        "Missing element: H.264": Setup({"GST_PLUGIN_FEATURE_RANK": without_decoders()}, tries=20),
        "vfiinterp-rung": Setup(models=True),
        "cpu level:   c, capped by VFI_CPU=c": Setup({"VFI_CPU": "c"}),
    }


def without_decoders() -> str:
    """Ranks that hide every decoder of H.264."""
    listed = subprocess.run(["gst-inspect-1.0"], check=True, stdout=subprocess.PIPE, text=True)
    names = [line.split(":")[1].strip() for line in listed.stdout.splitlines()
             if line.count(":") >= 2 and "264" in line and "dec" in line.split(":")[1]]
    return ",".join(f"{name}:NONE" for name in names)


def make_files(folder: Path) -> None:
    make_clip(folder / "in.mp4")
    make_clip(folder / "interlaced.mkv", rate="50", sound=False,
              video="libx264 -preset ultrafast -pix_fmt yuv420p "
                    "-vf tinterlace=interleave_top,setfield=tff -flags +ildct+ilme")
    make_pictures(folder / "picture%04d.png", 12)
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1",
                    str(folder / "sound.wav")], check=True)
    (folder / "download.pth").write_text("<!DOCTYPE html>\n<html><body>Log in</body></html>\n")
    header = json.dumps({"conv.weight": {"dtype": "F32", "shape": [4, 3, 3, 3],
                                         "data_offsets": [0, 432]}}).encode()
    (folder / "other.safetensors").write_bytes(
        len(header).to_bytes(8, "little") + header + bytes(432))
    # A zip archive of which only the first part is there, as of a PyTorch file.
    (folder / "half.pkl").write_bytes(b"PK\3\4" + bytes(26) + bytes(5000))
    shutil.copy(folder / "in.mp4", folder / "there.mp4")
    for name in ("nowhere", "alone", "broken", "bin", "begun.mp4.vfi-work"):
        (folder / name).mkdir()
    # Without the way to the engine that the build left in it.
    shutil.copy(PLUGIN, folder / "alone")
    (folder / "broken" / PLUGIN.name).write_text("no library\n")
    (folder / "bin" / "vfi-get-models").symlink_to(TOOLS / "get-models")


def start_shell(command: str, setup: Setup, folder: Path) -> subprocess.Popen:
    environment = dict(os.environ)
    environment["PATH"] = ":".join(map(str, [folder / "bin", *PROGRAMS, os.environ["PATH"]]))
    if not setup.models:
        environment["XDG_DATA_HOME"] = str(folder / "data")
    for name, value in setup.variables.items():
        if value is None:
            environment.pop(name, None)
        else:
            environment[name] = value
    return start(["bash", "-euc", command], cwd=folder, env=environment, text=True,
                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def output_until(text: str, process: subprocess.Popen) -> str:
    """What @process prints up to the line with @text, else all. Nobody waits for it: gst-launch-1.0
    1.22 goes on for ever after an error that comes before its main loop runs."""
    watchdog = threading.Timer(60, kill, [process])
    watchdog.start()
    output = ""
    for line in process.stdout:
        output += line
        if text in line:
            break
    watchdog.cancel()
    kill(process)
    process.communicate()
    return output


def judge(text: str, commands: list[str], setup: Setup, folder: Path) -> None:
    output = ""
    for _ in range(setup.tries):
        if text not in output:
            output = output_until(text, start_shell(commands[0], setup, folder))
    check(text in output, f"{text} is said", f"{commands[0]}\n{output}")
    for command in commands[1:]:
        process = start_shell(command, setup, folder)
        try:
            output = process.communicate(timeout=120)[0]
        finally:
            kill(process)
        check(process.returncode == 0 and text not in output and "WARNING" not in output,
              f"{text} can be helped", f"{command}\n{output}")


def main() -> None:
    entries = {heading.strip("`"): commands for heading, commands in blocks(DOCUMENT).items()}
    quoted = DOCUMENT.read_text(encoding="utf-8").count("\n### `")
    check(len(entries) == quoted > 0, f"{quoted} entries, each with a command", list(entries))
    with TemporaryDirectory() as name:
        folder = Path(name)
        make_files(folder)
        special = setups(folder)
        for text, commands in entries.items():
            for stand_in in STAND_INS:
                commands = [stand_in.put(text, command) for command in commands]
            judge(text, commands, special.get(text, Setup()), folder)
    check(set(special) <= set(entries), "every setup has its entry", set(special) - set(entries))
    check(all(stand_in.used for stand_in in STAND_INS), "every stand-in is needed")
    finish()


main()
