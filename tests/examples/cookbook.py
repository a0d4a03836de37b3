#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs every command of docs/cookbook.md in a folder where the files are that it names, and has
ffprobe say whether what came out can be played and has the frames that it should have.

Cameras, screens, GPUs and other machines are stood in for, by the table below and nothing else. A
block without an expectation fails, and so does a stand-in that no block needs.

usage: cookbook.py docs/cookbook.md FOLDER     FOLDER: that of vfi-convert
"""
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tap import check, finish, skip_all  # noqa: E402
from clips import frame_count, make_clip, make_pictures, probe, still_pairs  # noqa: E402
from processes import kill, start  # noqa: E402
from shell_blocks import StandIn, blocks  # noqa: E402

HERE = Path(__file__).resolve().parent
NETWORK = ("RTSP", "A network stream that must not stall", "RTP", "SRT")
SHOWN = "avenc_ffv1 ! matroskamux ! filesink location=shown.mkv sync=true"
CAMERA = "videotestsrc is-live=true pattern=ball{} ! capsfilter caps=video/x-raw,width=64,height=48"


def free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probing:
        probing.bind(("127.0.0.1", 0))
        return probing.getsockname()[1]


def stand_ins(camera_port: int) -> list[StandIn]:
    screen = "there is no screen, and frames in a file can be counted"
    camera = "there is no camera"
    gpu = "there is no GPU; what runs on the simulated one is tested by suite cuda"
    ports = "another test may have it"
    too_short = "splitmuxsink 1.22 loses an EOS that comes before PLAYING: clips of a second"
    return [
        StandIn("playbin ", f'playbin video-sink="{SHOWN}" audio-sink=fakesink ', screen),
        StandIn("autovideosink", f"identity eos-after=41 ! {SHOWN}",
                screen + "; somebody closes the window", NETWORK),
        StandIn("autovideosink", SHOWN, screen),
        StandIn("v4l2src ! image/jpeg",
                CAMERA.format(" num-buffers=30") + " ! jpegenc ! image/jpeg", camera),
        StandIn("v4l2src", CAMERA.format(""), camera, NETWORK),
        StandIn("v4l2src", CAMERA.format(" num-buffers=30"), camera),
        StandIn("autoaudiosrc", "audiotestsrc is-live=true num-buffers=43", "nor a microphone"),
        StandIn("rtsp://camera/", f"rtsp://127.0.0.1:{camera_port}/", "a server of the test's own"),
        StandIn("192.0.2.1", "127.0.0.1", "both ends are this machine"),
        StandIn("port=5004", f"port={free_port()}", ports),
        StandIn(":7001", f":{free_port()}", ports),
        StandIn("rife-4.25", "rife-4.0", "tools/setup does not fetch 4.25"),
        StandIn("nvh264dec", "avdec_h264", gpu),
        StandIn("nvh264enc", "x264enc", gpu),
        StandIn("device=cuda:0", "device=cpu", gpu),
        StandIn("device=cuda:1", "device=cpu", gpu),
        StandIn("device=cuda", "device=cpu", gpu),
        StandIn("max-size-time=60000000000", "max-size-time=400000000", "the clip lasts a second"),
        StandIn("splitmuxsink", "identity sync=true ! splitmuxsink", too_short),
        StandIn("hlssink2", "identity sync=true ! hlssink2", too_short),
        StandIn("key-int-max=50", "key-int-max=10", "the clip lasts a second"),
    ]


@dataclass
class Result:
    """A file that a block writes, its frames and their rate, and what else is true of it."""
    file: str
    frames: int
    rate: str
    holds: Callable[[Path], bool] = lambda _: True


def has_sound(path: Path) -> bool:
    """All of in.mp4's, and it begins with the picture."""
    sound = [float(time) for time in probe(path, "a:0", "packet=pts_time")]
    pictures = [float(time) for time in probe(path, "v:0", "packet=pts_time")]
    return len(sound) >= 42 and abs(min(sound) - min(pictures)) < 0.05


def has_even_motion(path: Path) -> bool:
    """24 frames of 12 drawings: only after the last drawing is there nothing new."""
    return still_pairs(path) <= 4


def is_ten_bit(path: Path) -> bool:
    return probe(path, "v:0", "stream=pix_fmt") == ["yuv420p10le"]


def is_even(path: Path) -> bool:
    times = sorted(Fraction(time) for time in probe(path, "v:0", "packet=pts_time"))
    return all(abs(b - a - Fraction(1, 60)) < Fraction(1, 1000) for a, b in zip(times, times[1:]))


def is_split(path: Path) -> bool:
    """Into parts that have all frames together."""
    parts = sorted(path.parent.glob("part0*.mp4"))
    return len(parts) > 1 and sum(frame_count(part) for part in parts) == 50


EXPECTED: dict[str, list[list[Result]]] = {
    "A file, smoother": [[Result("shown.mkv", 50, "50/1")]],
    "At the screen's rate, with a model of your choice": [[Result("shown.mkv", 60, "60/1")]],
    "Before and after, side by side": [[Result("shown.mkv", 50, "50/1")]],
    "A file, with everything in it": [[Result("out.mp4", 50, "50/1", has_sound)]],
    "A pipeline, with the sound in sync": [[Result("out.mp4", 50, "50/1", has_sound)]],
    "To a fixed rate, also from variable ones": [[Result("out.mp4", 60, "60/1", is_even)]],
    "Slow motion": [[Result("slow.mp4", 100, "25/1")]],
    "Slow motion as a pipeline": [[Result("slow.mp4", 100, "25/1")]],
    "Anime": [[Result("out.mkv", 48, "48/1", has_even_motion)]],
    "Interlaced video": [[Result("out.mkv", 100, "100/1")]],
    "10 bits stay 10 bits": [[Result("out.mkv", 50, "50/1", is_ten_bit)]],
    "Pictures to pictures": [[Result("between%04d.png", 24, "25/1")]],
    "In parts of a minute": [[Result("part00.mp4", 20, "50/1", is_split)]],
    "For HLS": [[Result("out.m3u8", 50, "50/1")]],
    "With little memory": [[Result("out.mp4", 50, "50/1")]],
    "A camera": [[Result("shown.mkv", 60, "60/1")]],
    "A camera that sends JPEG": [[Result("shown.mkv", 60, "60/1")]],
    "A camera and a microphone, into a file": [[Result("out.mkv", 60, "60/1")]],
    "RTSP": [[Result("shown.mkv", 40, "60/1")]],
    "A network stream that must not stall": [[Result("shown.mkv", 40, "60/1")]],
    "RTP": [[Result("shown.mkv", 40, "60/1")], []],
    "SRT": [[Result("shown.mkv", 40, "60/1")], []],
    "From decoder to encoder on the GPU": [[Result("out.mp4", 50, "50/1")]],
    "Several GPUs": [[Result("first.mp4", 50, "50/1"), Result("second.mp4", 30, "60/1")]],
}


def make_inputs(folder: Path) -> None:
    make_clip(folder / "in.mp4")
    make_clip(folder / "other.mp4", seconds=0.5, rate="30", sound=False)
    fast = "libx264 -preset ultrafast -pix_fmt yuv420p"
    # Every fifth frame is missing, and its time is not.
    make_clip(folder / "phone.mp4", rate="30", sound=False,
              video=f"{fast} -vf select=mod(n+2\\,5) -fps_mode vfr")
    make_clip(folder / "anime.mkv", rate="12", size="128x48", sound=False,
              video=f"{fast} -vf crop=64:48:2*n:0,fps=24")
    make_clip(folder / "interlaced.mkv", rate="50", sound=False,
              video=f"{fast} -vf tinterlace=interleave_top,setfield=tff -flags +ildct+ilme")
    make_clip(folder / "ten-bit.mkv", sound=False,
              video="libx265 -preset ultrafast -x265-params log-level=0 -pix_fmt yuv420p10le")
    make_pictures(folder / "picture%04d.png", 12)


def start_shell(command: str, folder: Path) -> subprocess.Popen:
    return start(["bash", "-euc", command], cwd=folder, stdin=subprocess.DEVNULL,
                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wait_for_port(command: str, receiver: subprocess.Popen) -> None:
    """Until the receiver has its socket, or has ended; looks at what the kernel lists."""
    port = next(int(word.split(mark)[1].split("?")[0].strip('"')) for mark in ("port=", "://:")
                for word in command.split() if mark in word)
    while receiver.poll() is None and f":{port:04X} " not in "".join(
            Path("/proc/net", name).read_text(encoding="ascii") for name in ("udp", "udp6")):
        os.sched_yield()


def run(commands: list[str], folder: Path) -> list[str]:
    """Runs the commands of a section, the receiver first; what each of them printed. Once it has
    ended the others are interrupted, as by Ctrl-C."""
    processes = [start_shell(commands[0], folder)]
    try:
        if len(commands) > 1:
            wait_for_port(commands[0], processes[0])
            processes += [start_shell(command, folder) for command in commands[1:]]
        with suppress(subprocess.TimeoutExpired):
            processes[0].wait(timeout=60)
        ended = processes[0].returncode
        for process in processes[1:] if ended is not None else []:
            os.killpg(process.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=30)
    finally:
        for process in processes:
            kill(process)
    return [*(process.communicate()[0] for process in processes), f"exit status {ended}"]


def wrong(result: Result, folder: Path) -> str:
    path = folder / result.file
    frames, rate = frame_count(path), probe(path, "v:0", "stream=r_frame_rate")[0]
    if (frames, rate) != (result.frames, result.rate):
        return f"{frames} frames at {rate} instead of {result.frames} at {result.rate}"
    return "" if result.holds(path) else f"{result.holds.__doc__ or result.holds.__name__}: no"


def judge(section: str, commands: list[str], inputs: Path, scratch: Path) -> None:
    expected = EXPECTED.get(section, [])
    if len(expected) != len(commands):
        check(False, section, f"{len(commands)} blocks, expectations for {len(expected)}")
        return
    folder = scratch / section.replace(" ", "-")
    shutil.copytree(inputs, folder, copy_function=os.link)
    output = run(commands, folder)
    failed = "" if output[-1] == "exit status 0" else "It failed."
    for result in (result for results in expected for result in results):
        try:
            failed += wrong(result, folder)
        except (subprocess.CalledProcessError, IndexError) as error:
            failed += f"{result.file}: {error}"
    check(not failed, section, "\n".join([failed, *commands, *output]))
    shutil.rmtree(folder)


def run_all(recipes: dict[str, list[str]], table: list[StandIn]) -> None:
    with TemporaryDirectory() as name:
        inputs = Path(name, "inputs")
        inputs.mkdir()
        make_inputs(inputs)
        for section, commands in recipes.items():
            for stand_in in table:
                commands = [stand_in.put(section, command) for command in commands]
            judge(section, commands, inputs, Path(name))


def main() -> None:
    document, programs = (Path(argument).resolve() for argument in sys.argv[1:])
    os.environ["PATH"] = f"{programs}:{os.environ['PATH']}"
    recipes = blocks(document)
    with start([HERE / "rtsp_server.py"], stdout=subprocess.PIPE, text=True) as server:
        port = server.stdout.readline()
        if not port:
            skip_all("python3-gi or gir1.2-gst-rtsp-server-1.0 is not installed")
        table = stand_ins(int(port))
        try:
            run_all(recipes, table)
        finally:
            kill(server)
    check(set(EXPECTED) <= set(recipes), "every expectation has its recipe",
          set(EXPECTED) - set(recipes))
    unused = [f"{stand_in.text}: {stand_in.why}" for stand_in in table if not stand_in.used]
    check(not unused, "every stand-in is needed", "\n".join(unused))
    finish()


main()
