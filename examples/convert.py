#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Converts a file to a higher frame rate; its sound goes along as it is.

    convert.py in.mp4 out.mkv
    convert.py --model rife-4.0 --rate 60/1 --encoder "x264enc speed-preset=slow" in.mp4 out.mp4

It shows progress, ends a file properly on Ctrl-C, and leaves nothing behind that does not play.
It replaces no file. Needs python3-gi and gir1.2-gst-plugins-base-1.0. (vfi-convert does much more.)
"""
import argparse
import os
import signal
import sys
from pathlib import Path

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstPbutils", "1.0")
from gi.repository import GLib, Gst, GstPbutils  # noqa: E402  (versions are chosen first)

MUXERS = {".mp4": "mp4mux", ".mov": "qtmux", ".mkv": "matroskamux"}


class Converter:
    def __init__(self, options: argparse.Namespace):
        self.loop = GLib.MainLoop()
        self.error: str | None = None
        self.stopped = False
        self.part = options.output.with_name(options.output.name + ".part")
        # parsebin takes the container apart and decodes nothing. Decoder, model and encoder each
        # work in a thread of their own: hence the queues.
        rate = f"video/x-raw,framerate=(fraction){options.rate} ! " if options.rate else ""
        self.pipeline = Gst.parse_launch(
            "filesrc name=source ! parsebin name=parsed "
            "decodebin name=decode ! queue max-size-buffers=4 ! videoconvert ! "
            f"vfiinterp name=interpolate ! {rate}queue max-size-buffers=4 ! videoconvert ! "
            f"{options.encoder} ! queue ! mux. "
            f"{MUXERS[options.output.suffix]} name=mux ! filesink name=file")
        self.pipeline.get_by_name("source").set_property("location", str(options.input))
        self.pipeline.get_by_name("file").set_property("location", str(self.part))
        self.interpolate = self.pipeline.get_by_name("interpolate")
        self.interpolate.set_property("model", options.model)
        self.video = self.pipeline.get_by_name("decode").get_static_pad("sink")
        # Called before any data flows, so that the muxer knows of all tracks.
        parsed = self.pipeline.get_by_name("parsed")
        parsed.connect("pad-added", self.pad_added)
        parsed.connect("drained", self.drained)

    def pad_added(self, _parsed: Gst.Element, pad: Gst.Pad) -> None:
        caps = pad.get_current_caps() or pad.query_caps(None)
        kind = caps.get_structure(0).get_name()
        # Motion JPEG and the like are image/…
        if kind.startswith(("video/", "image/")) and not self.video.is_linked():
            pad.link(self.video)
            return
        into = self.pipeline.get_by_name("mux").get_compatible_pad(pad, caps)
        if into is None:
            print(f"{kind} is left out: the container does not take it", file=sys.stderr)
            return
        # Without limits: the muxer wants a lot of sound before the first picture is made.
        queue = Gst.ElementFactory.make("queue")
        for limit in ("max-size-buffers", "max-size-bytes", "max-size-time"):
            queue.set_property(limit, 0)
        self.pipeline.add(queue)
        queue.sync_state_with_parent()
        queue.get_static_pad("src").link(into)
        pad.link(queue.get_static_pad("sink"))

    def drained(self, parsed: Gst.Element) -> None:
        """Called when all of the file was read."""
        if not self.video.is_linked():  # the muxer would wait for its pictures for ever
            error = GLib.Error.new_literal(Gst.StreamError.quark(), "no track is video",
                                           Gst.StreamError.WRONG_TYPE)
            parsed.post_message(Gst.Message.new_error(parsed, error, ""))

    def on_message(self, _bus: Gst.Bus, message: Gst.Message) -> None:
        if message.type == Gst.MessageType.EOS:
            self.loop.quit()
        elif message.type == Gst.MessageType.ERROR and self.error is None:
            # The first one is the cause. Its source says which element it was.
            error, details = message.parse_error()
            self.error = f"{message.src.get_name()}: {error.message}\n{details or ''}"
            self.loop.quit()
        elif message.type in (Gst.MessageType.WARNING, Gst.MessageType.INFO):
            parse = message.parse_warning if message.type == Gst.MessageType.WARNING \
                else message.parse_info
            print(parse()[0].message, file=sys.stderr)

    def show_progress(self) -> bool:
        there, duration = self.pipeline.query_duration(Gst.Format.TIME)
        known, position = self.interpolate.query_position(Gst.Format.TIME)
        if there and known and duration > 0:
            print(f"\r{min(100 * position // duration, 100):3} %", end="", flush=True)
        return GLib.SOURCE_CONTINUE

    def interrupt(self) -> bool:
        # EOS at the sources: everything finishes its frame, and the muxer writes its index.
        self.stopped = True
        self.pipeline.send_event(Gst.Event.new_eos())
        return GLib.SOURCE_CONTINUE

    def run(self) -> None:
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.on_message)
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGINT, self.interrupt)
        if sys.stdout.isatty():
            GLib.timeout_add(500, self.show_progress)
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        counts = [self.interpolate.get_property(name) for name in ("in", "out")]
        self.pipeline.set_state(Gst.State.NULL)
        bus.remove_signal_watch()
        if self.error is None:
            print(f"\r{counts[0]} frames in, {counts[1]} out")


def has_video(path: Path) -> bool:
    """Looks before work starts; what cannot be read at all is a GLib.Error."""
    info = GstPbutils.Discoverer.new(10 * Gst.SECOND).discover_uri(path.resolve().as_uri())
    return bool(info.get_video_streams())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("input", type=Path)
    parser.add_argument("output", type=Path, help="ends in " + ", ".join(MUXERS))
    parser.add_argument("--model", default="auto")
    parser.add_argument("--rate", help="such as 60 or 60000/1001; else twice the file's")
    parser.add_argument("--encoder", default="x264enc ! h264parse")
    options = parser.parse_args()
    if options.output.suffix not in MUXERS:
        parser.error(f"{options.output}: ends in none of {', '.join(MUXERS)}")
    if options.output.exists():  # it may be the input, or whole where this run is stopped early
        parser.error(f"{options.output} exists: move it away or choose another name")

    Gst.init(None)
    try:
        if not has_video(options.input):
            print(f"{options.input}: there is no video in it", file=sys.stderr)
            return 1
        converter = Converter(options)
    except GLib.Error as error:  # such as: no element "vfiinterp"
        print(f"{options.input}: {error.message}", file=sys.stderr)
        return 1
    converter.run()
    if converter.error is not None:
        converter.part.unlink(missing_ok=True)
        print(f"{options.input}: {converter.error}", file=sys.stderr)
        return 1
    os.replace(converter.part, options.output)  # only what plays has the name
    return 130 if converter.stopped else 0


if __name__ == "__main__":
    sys.exit(main())
