#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""interface.py PROGRAM: what the program says, how it ends, and what it makes of several inputs.
Prints TAP."""
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

sys.dont_write_bytecode = True
from clips import PROGRAM, clip, convert, lines, need, times  # noqa: E402
from tap import check, finish  # noqa: E402

FOLDER = Path(os.environ["TMPDIR"])
BLEND = ("--model", "blend", "--preset", "fastest")


def test_refused(name: str, code: int, says: str, *words: object, **settings: object) -> None:
    done = convert(*words, **settings)
    check(done.returncode == code and says in done.stderr and "CRITICAL" not in done.stderr,
          f"{name}: exit code {code}, \"{says}\"", done)
    # What is not kept is said before: one line is the error.
    errors = [line for line in done.stderr.splitlines() if line.startswith("vfi-convert:")]
    check(len(errors) == 1, f"{name}: in one line", done)


def test_errors(source: Path) -> None:
    there = FOLDER / "there.mp4"
    there.write_bytes(b"precious")
    text = FOLDER / "text.mp4"
    text.write_text("this is no video\n" * 100, encoding="utf-8")
    sound = FOLDER / "sound.mp4"
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "sine=duration=1", str(sound)],
                   check=True)
    test_refused("no such file", 3, "nowhere.mp4", "nowhere.mp4")
    test_refused("no video file", 3, "text.mp4", text)
    test_refused("no video in it", 3, "sound.mp4", sound)
    for name in ("sound.wav", "sound.mp3"):
        subprocess.run(["ffmpeg", "-v", "error", "-i", str(sound), str(FOLDER / name)],
                       check=True)
        test_refused(f"no video in {name}", 3, "has no video", FOLDER / name)
    test_refused("an option", 2, "60000/1001", source, "--fps", "many")
    test_refused("a lower rate", 2, "at least the 25", source, "--fps", "24")
    for words in (("--fps", "2147483647/1"), ("--fps", "1000x", "--slow-motion", "1000")):
        test_refused(f"too many frames by {words[-1]}", 2, "at most 1000", source, *words)
    test_refused("output is there", 5, "--overwrite", source, "-o", there)
    check(there.read_bytes() == b"precious", "output is there: untouched")
    test_refused("input is output", 2, "another name", source, "-o", source, "--overwrite")
    test_refused("no such container", 2, "mkv", source, "-o", FOLDER / "a.wmv")
    test_refused("codec and container", 2, "ffv1", source, "-o", FOLDER / "a.mp4", "--codec",
                 "ffv1")
    test_refused("no such folder", 5, "nowhere", source, "-o", FOLDER / "nowhere" / "a.mp4",
                 *BLEND)
    test_refused("no such model", 7, "nomodel", source, "-o", FOLDER / "a.mp4", "--model",
                 "nomodel")
    check(not (FOLDER / "a.mp4.vfi-work").exists(), "no such model: nothing is begun")
    test_refused("no such property", 2, "gst-inspect-1.0", source, "-o", FOLDER / "b.mp4", *BLEND,
                 "--set", "nonsense=1")
    test_refused("no such value", 2, "scene-mode", source, "-o", FOLDER / "c.mp4", *BLEND, "--set",
                 "scene-mode=loud")
    without = os.environ | {"GST_PLUGIN_PATH_1_0": "/nonexistent",
                            "GST_REGISTRY_1_0": str(FOLDER / "without.registry")}
    test_refused("no vfiinterp", 4, "GST_PLUGIN_PATH", source, "-o", FOLDER / "d.mp4", *BLEND,
                 env=without)
    check(convert("--help").stdout.count("--") > 20, "--help lists the options")
    check(convert("--version").stdout.startswith("vfi-convert "), "--version")
    models = convert("--list-models")
    check(models.returncode == 0 and "flow" in models.stdout, "--list-models", models)


def test_full_disk(source: Path) -> None:
    """A limit on the size of files is what a test can make of a full disk."""
    line = f"ulimit -f 2; trap '' XFSZ; exec {shlex.quote(PROGRAM)} {source} -o {FOLDER}/f.mkv" \
        " --model blend --codec ffv1"
    done = subprocess.run(["bash", "-c", line], check=False, capture_output=True, text=True)
    check(done.returncode in (5, 6) and done.stderr.count("vfi-convert:") == 1,
          "a file that cannot grow is an error", done)


def test_json(source: Path) -> None:
    done = convert(source, "-o", FOLDER / "json.mkv", *BLEND, "--json", "--progress-seconds", "0")
    check(done.returncode == 0, "--json", done)
    types = [json.loads(line)["type"] for line in done.stdout.splitlines()]
    check(types[0] == "start" and types[-1] == "done", "--json: start first, done last", types)
    start, end = lines(done, "start")[0], lines(done, "done")[0]
    check((start["frames"], start["fps"], start["width"], start["codec"]) == (100, 50, 64, "h264"),
          "--json: what is begun", start)
    told = lines(done, "progress")
    check([line["frame"] for line in told] == list(range(1, 101)), "--json: every frame")
    last = told[-1]
    check(last["percent"] == 100 and last["memory"] > 1e6, "--json: percentage, memory", last)
    check((last["model"], last["device"]) == ("blend", "cpu"), "--json: model, device", last)
    check(end["frames"] == 100 and end["output"].endswith("json.mkv"), "--json: the end", end)
    done = convert("nowhere.mp4", "--json")
    check(lines(done, "error")[0]["code"] == 3, "--json: an error", done)
    done = convert("--json", "nowhere.mp4", "--fps", "many")
    check([line["code"] for line in lines(done, "error")] == [2], "--json: an option", done)


def test_plain(source: Path) -> None:
    done = convert(source, "-o", FOLDER / "plain.mp4", *BLEND, "--progress-seconds", "0")
    told = [line for line in done.stderr.splitlines() if "ETA" in line]
    check(len(told) == 100 and "\r" not in done.stderr, "plain lines", done)
    for word in ("%", "/100", "fps", "x  ", "ETA", "MB", "blend on cpu"):
        check(word in told[-1], f"plain lines: {word}", told[-1])


def test_late_note() -> None:
    """What shows only while the file is put together is told, too."""
    changes = FOLDER / "changes.ts"
    for channels in (2, 1):
        part = FOLDER / f"part{channels}.ts"
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i",
                        "testsrc2=size=64x48:duration=1", "-f", "lavfi", "-i", "sine=duration=1",
                        "-ac", str(channels), "-c:a", "aac", "-c:v", "libx264", str(part)],
                       check=True)
        with changes.open("ab") as file:
            file.write(part.read_bytes())
    done = convert(changes, "-o", FOLDER / "changes.mkv", "--json", *BLEND)
    told = [line["text"] for line in lines(done, "warning")]
    check(done.returncode == 0 and any("format changes there" in text for text in told),
          "sound that ends early is told", done)


def test_dry_run(source: Path) -> None:
    spaced = FOLDER / "a b's (1).mp4"
    shutil.copy(source, spaced)
    for name, options in (("as it is", ["-o", FOLDER / "dry.mkv"]),
                          ("slow motion", ["-o", FOLDER / "dry slow.mkv", "--slow-motion", "3"]),
                          ("another codec", ["-o", FOLDER / "dry.webm", "--codec", "vp9"])):
        done = convert(spaced, *options, *BLEND, "--dry-run")
        check(done.returncode == 0 and not Path(options[1]).exists(), f"--dry-run, {name}", done)
        line = done.stdout.splitlines()[-1]
        ran = subprocess.run(["sh", "-c", line], check=False, capture_output=True, text=True,
                             timeout=60)
        check(ran.returncode == 0, f"--dry-run, {name}: the line runs", ran)
        count = {"slow motion": 150}.get(name, 100)
        found = times(Path(options[1])) if ran.returncode == 0 else []
        check(len(found) == count, f"--dry-run, {name}: {count} frames", len(found))
    loud = clip(FOLDER / "loud.mp4", sound=True)
    result = FOLDER / "dry-loud.mkv"
    line = convert(loud, "-o", result, *BLEND, "--dry-run").stdout.splitlines()[-1]
    ran = subprocess.run(["sh", "-c", line], check=False, capture_output=True, text=True,
                         timeout=60)
    check(ran.returncode == 0 and len(times(result)) == 100 and len(times(result, "a:0")) > 80,
          "--dry-run with sound: the line makes both", ran)
    tagged = FOLDER / "tagged.mkv"
    subprocess.run(["ffmpeg", "-v", "error", "-i", str(source), "-map_metadata", "-1", "-c", "copy",
                    "-metadata", "title=Tagged", str(tagged)], check=True)
    done = convert(tagged, "-o", FOLDER / "dry-tagged.mkv", *BLEND, "--dry-run")
    check("tags and attachments take vfi-convert" in done.stdout,
          "--dry-run says what the line leaves out", done)


def test_several(source: Path) -> None:
    folder, out = FOLDER / "several", FOLDER / "out"
    folder.mkdir()
    for name in ("a.mp4", "c.mkv"):
        clip(folder / name, 25, 0.4)
    (folder / "b.mp4").write_text("no video", encoding="utf-8")
    (folder / "notes.txt").write_text("not looked at", encoding="utf-8")
    done = convert(folder, "-o", f"{out}/", *BLEND)
    check(done.returncode == 1, "a folder with a bad file: exit code 1", done)
    check(sorted(path.name for path in out.iterdir()) == ["a.mp4", "c.mkv"], "the others go on")
    end = done.stderr.splitlines()[-2:]
    check("1 of 3 failed" in end[0] and "b.mp4" in end[1], "failures are listed at the end", done)
    (folder / "b.mp4").unlink()
    done = convert(f"{folder}/*.m*", "-o", out, "--overwrite", *BLEND)
    check(done.returncode == 0, "a pattern", done)
    done = convert(folder, *BLEND)
    check(done.returncode == 0 and (folder / "a-50fps.mp4").exists(), "names beside the inputs",
          done)
    done = convert(folder, *BLEND, "--overwrite")
    names = sorted(path.name for path in folder.iterdir())
    check(names == ["a-50fps.mp4", "a.mp4", "c-50fps.mkv", "c.mkv", "notes.txt"],
          "what was made before is no input", names)
    done = convert(folder / "a.mp4", folder / "c.mkv", "-o", FOLDER / "one.mp4", *BLEND)
    check(done.returncode == 2 and "folder" in done.stderr, "one output for several inputs", done)


def test_one_name(source: Path) -> None:
    """No output takes the place of another."""
    for folder in ("A", "B"):
        (FOLDER / folder).mkdir()
        shutil.copy(source, FOLDER / folder / "x.mp4")
    shutil.copy(source, FOLDER / "A" / "x.avi")
    shutil.copy(source, FOLDER / "A" / "x.mkv")
    for name, words in (("in a folder", (FOLDER / "A/x.mp4", FOLDER / "B/x.mp4", "-o",
                                         FOLDER / "outputs/")),
                        ("beside", (FOLDER / "A/x.avi", FOLDER / "A/x.mkv"))):
        done = convert(*words, *BLEND, "--overwrite")
        check(done.returncode == 2 and "one name for both" in done.stderr,
              f"two outputs of one name {name}: exit code 2", done)


def test_done_already(source: Path) -> None:
    """--resume takes for done what this would make, and nothing else."""
    there = FOLDER / "unrelated.mp4"
    there.write_text("hello", encoding="utf-8")
    test_refused("--resume and no video", 8, "--overwrite", source, "-o", there, "--resume", *BLEND)
    check(there.read_text(encoding="utf-8") == "hello", "--resume and no video: untouched")
    shutil.copy(source, there)
    test_refused("--resume and another rate", 8, "--overwrite", source, "-o", there, "--resume",
                 *BLEND)
    folder = FOLDER / "unrelated"
    folder.mkdir()
    (folder / "note.txt").write_text("hello", encoding="utf-8")
    test_refused("--resume and no pictures", 8, "--overwrite", source, "-o", folder / "x.png",
                 "--resume", *BLEND)


def test_percent(source: Path) -> None:
    done = convert(source, "-o", FOLDER / "50%" / "at 1%.png", *BLEND, "--to", "0.2")
    found = sorted(path.name for path in FOLDER.glob("50%*/*"))
    check(done.returncode == 0 and found[0] == "at 1%-000001.png" and len(found) == 10 and
          len(list(FOLDER.glob("50%*"))) == 1, "pictures in a folder with a percent sign",
          [found, done])


def test_leftovers(source: Path) -> None:
    for name in (".left.mp4.ABC123", ".left.mp4.ABC123.part", ".left.mp4.notes"):
        (FOLDER / name).write_text("left", encoding="utf-8")
    done = convert(source, "-o", FOLDER / "left.mp4", *BLEND, "--to", "0.2")
    found = sorted(path.name for path in FOLDER.glob(".left*"))
    check(done.returncode == 0 and found == [".left.mp4.notes"],
          "temporary files of runs that were killed go", found)


def main() -> None:
    need("x264enc", "vp9enc", "avenc_ffv1", "matroskamux", "mp4mux", "webmmux")
    source = clip(FOLDER / "source.mp4")
    test_errors(source)
    test_full_disk(source)
    test_json(source)
    test_plain(source)
    test_late_note()
    test_dry_run(source)
    test_several(source)
    test_one_name(source)
    test_done_already(source)
    test_percent(source)
    test_leftovers(source)
    finish()


if __name__ == "__main__":
    main()
