#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Python programs of examples/: which frames come out, and how they end when something is
wrong.

usage: scripts.py FOLDER     that of the programs
"""
import re
import signal
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from tap import check, finish, skip_all  # noqa: E402
from clips import frame_count, make_clip, probe  # noqa: E402
from processes import kill, start  # noqa: E402

PROGRAMS = Path(sys.argv[1]).resolve()


def run(name: str, *arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run([PROGRAMS / name, *map(str, arguments)], check=False, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def convert(folder: Path) -> None:
    clip = make_clip(folder / "in.mkv")
    frames, packets = frame_count(clip), len(probe(clip, "a:0", "packet=pts_time"))
    for name, rate, count in (("out.mkv", "", 2 * frames), ("out.mp4", "60", 60)):
        result = folder / name
        done = run("convert.py", "--model", "blend", *(["--rate", rate] if rate else []), clip,
                   result)
        check(done.returncode == 0 and f"{frames} frames in, {count} out" in done.stdout,
              f"convert.py: {name} is written", done)
        times = sorted(Fraction(time) for time in probe(result, "v:0", "packet=pts_time"))
        wanted = [Fraction(number) / Fraction(rate or "50/1") for number in range(count)]
        check(len(times) == count and all(abs(time - times[0] - want) <= Fraction(1, 1000)
                                          for time, want in zip(times, wanted)),
              f"convert.py: {name} has its pictures at the right times", times)
        # Players of MP4 leave out AAC's last packet, which is padding.
        padding = 1 if name.endswith("mp4") else 0
        check(packets - len(probe(result, "a:0", "packet=pts_time")) in (0, padding),
              f"convert.py: {name} has all of the sound")

    # To GStreamer Motion JPEG is a picture, not a video.
    pictures = make_clip(folder / "pictures.mov", video="mjpeg -pix_fmt yuvj420p")
    done = run("convert.py", "--model", "blend", pictures, folder / "moving.mkv")
    check(done.returncode == 0 and frame_count(folder / "moving.mkv") == 2 * frames,
          "convert.py: Motion JPEG is converted, too", done)

    text = folder / "text.mkv"
    text.write_text("This is no video.\n" * 100)
    sound = folder / "sound.wav"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", sound],
                   check=True)
    for source, arguments, word in ((folder / "none.mkv", [], "not found"),
                                    (text, [], "text file"), (sound, [], "no video in it"),
                                    (clip, ["--model", "no-such-model"], "no-such-model"),
                                    (clip, ["--encoder", "nonesuch"], "nonesuch")):
        done = run("convert.py", *arguments, source, folder / "bad.mkv")
        check(done.returncode == 1 and word in done.stderr and not list(folder.glob("bad*")),
              f"convert.py: '{word}' ends it, and nothing is left", done)


def convert_replaces_nothing(folder: Path) -> None:
    clip, there = make_clip(folder / "same.mp4"), folder / "there.mp4"
    there.write_text("an earlier result\n")
    for output in (clip, there):
        was = output.read_bytes()
        done = run("convert.py", "--model", "blend", clip, output)
        check(done.returncode == 2 and f"{output} exists" in done.stderr
              and output.read_bytes() == was, f"convert.py: {output.name} is not replaced", done)


def convert_interrupted(folder: Path) -> None:
    """Beside the file the encoder's bytes go to a pipe, which nobody reads until the signal is
    sent: so it comes in the middle."""
    clip = make_clip(folder / "long.mkv", seconds=8, size="320x180")
    result = folder / "interrupted.mkv"
    encoder = ("x264enc tune=zerolatency speed-preset=ultrafast quantizer=1 pass=qual ! "
               "h264parse ! tee name=both both. ! queue ! fdsink fd=1 both.")
    process = start(
        [PROGRAMS / "convert.py", "--model", "blend", "--encoder", encoder, clip, result],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        process.stdout.read(1)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=60)
    finally:
        kill(process)
    count = re.search(rb"(\d+) frames in, (\d+) out", output)
    check(process.returncode == 130 and count is not None,
          "convert.py: Ctrl-C is said to the shell", errors)
    check(count is not None and frame_count(result) == int(count[2]) == 2 * int(count[1]),
          "convert.py: and what there is can be played", output[-200:])


def live_switch() -> None:
    source = ("videotestsrc is-live=true pattern=ball ! "
              "video/x-raw,width=64,height=48,framerate=30/1")
    command = [PROGRAMS / "live-switch.py", "--source", source, "--sink", "fakesink"]
    process = start(
        [*command, "--model", "flow"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, errors="surrogateescape")
    answers = []
    # Two of them are told: so the first part of a line was read before the second is written.
    for lines in ("blend\n", "no-such-model\nno-su", "ch-model\n", "\udcff\n", "flow\n"):
        process.stdin.write(lines)
        process.stdin.flush()
        answers.append(process.stdout.readline())
    output, errors = process.communicate("quit\n", timeout=60)
    kill(process)
    check(answers[0] == "now blend\n" and answers[4] == "now flow\n",
          "live-switch.py: models are exchanged", answers)
    check(all(answer.startswith("still the old model: no model \"no-such-model\"")
              for answer in answers[1:3]),
          "live-switch.py: one that is not there disturbs nothing", answers)
    check(answers[3].startswith("still the old model: "),
          "live-switch.py: nor does what is no UTF-8", answers)
    counts = re.fullmatch(r"(\d+) frames in, (\d+) out\n", output)
    check(process.returncode == 0 and counts is not None and int(counts[1]) > 0
          and int(counts[2]) == 2 * int(counts[1]),
          "live-switch.py: no frame is lost, and each has its in-between", output + errors)
    # With a sink that waits, the lines are there before anything plays.
    done = subprocess.run([*command[:-1], "fakesink sync=true", "--model", "flow"],
                          input="blend\nquit\n", stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, check=False, timeout=30)
    counts = re.fullmatch(r"now blend\n(\d+) frames in, (\d+) out\n", done.stdout)
    check(done.returncode == 0 and counts is not None and int(counts[2]) == 2 * int(counts[1]),
          "live-switch.py: an exchange and the end, asked for at once", done)
    done = subprocess.run([*command, "--model", "no-such-model"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False,
                          timeout=60)
    check(done.returncode == 1 and "no-such-model" in done.stderr,
          "live-switch.py: the first model has to be there", done)


def rtp_loopback() -> None:
    arguments = ["--sink", "fakesink sync=true", "--frames", 20, "--silence", 400]
    done = run("rtp-loopback.py", "--model", "blend", *arguments)
    check(done.returncode == 0 and "20 frames in, 40 out" in done.stdout,
          "rtp-loopback.py: what is sent arrives, at twice the rate", done)
    done = run("rtp-loopback.py", "--model", "no-such-model", *arguments)
    check(done.returncode == 1 and "no-such-model" in done.stderr,
          "rtp-loopback.py: a model that is not there", done)


def main() -> None:
    # Debian's interpreter is the one that has the bindings, whatever PATH says.
    uses = "import gi; gi.require_version('GstPbutils', '1.0')"
    if subprocess.run(["/usr/bin/python3", "-c", uses], check=False,
                      stderr=subprocess.PIPE).returncode != 0:
        skip_all("python3-gi or gir1.2-gst-plugins-base-1.0 is not installed")
    with TemporaryDirectory() as folder:
        convert(Path(folder))
        convert_replaces_nothing(Path(folder))
        convert_interrupted(Path(folder))
    live_switch()
    rtp_loopback()
    finish()


main()
