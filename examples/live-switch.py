#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A live preview whose model is chosen while it plays: type a model's name and Enter; "quit" ends.

    live-switch.py
    live-switch.py --model rife-4.0 --source "v4l2src ! videoconvert"

An element's model cannot change while it plays, so each model gets an element of its own. The new
one opens its file while the old one still works; they are exchanged between two frames, and no
frame is lost. Needs python3-gi and gir1.2-gstreamer-1.0.
"""
import argparse
import os
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402  (the version has to be chosen first)

TEST_PICTURE = ("videotestsrc is-live=true pattern=ball ! "
                "video/x-raw,width=640,height=360,framerate=30/1")


class Preview:
    def __init__(self, options: argparse.Namespace):
        self.loop = GLib.MainLoop()
        self.failed = False
        self.listening = False
        self.typed = b""  # of a line that has not ended
        self.ending = False
        self.counts = [0, 0]
        # The queue behind a live vfiinterp lets the sink wait for a frame's time while the next
        # one is made; the one before it is where frames wait during an exchange.
        self.pipeline = Gst.parse_launch(
            f"{options.source} ! queue name=before ! vfiinterp name=first ! "
            f"queue name=behind ! {options.sink}")
        self.current = self.pipeline.get_by_name("first")
        self.current.set_property("model", options.model)
        self.next: Gst.Element | None = None
        self.before = self.pipeline.get_by_name("before").get_static_pad("src")
        self.behind = self.pipeline.get_by_name("behind").get_static_pad("sink")
        self.before.add_probe(Gst.PadProbeType.BUFFER, self.count, 0)
        self.behind.add_probe(Gst.PadProbeType.BUFFER, self.count, 1)

    def count(self, _pad: Gst.Pad, _info: Gst.PadProbeInfo, index: int) -> Gst.PadProbeReturn:
        self.counts[index] += 1
        return Gst.PadProbeReturn.OK

    def choose(self, model: str) -> None:
        """Begins to exchange the element for one with @model."""
        if self.next is not None:
            print("one at a time", flush=True)
            return
        element = Gst.ElementFactory.make("vfiinterp")
        element.set_property("model", model)
        # READY opens the model. Outside of the pipeline a failure stops nothing; what the element
        # says about it goes to a bus of its own. (Large files: do this in a thread.)
        bus = Gst.Bus()
        element.set_bus(bus)
        if element.set_state(Gst.State.READY) == Gst.StateChangeReturn.FAILURE:
            error, _details = bus.pop_filtered(Gst.MessageType.ERROR).parse_error()
            print(f"still the old model: {error.message}", flush=True)
            element.set_state(Gst.State.NULL)
            return
        self.next = element
        # From the next frame on, frames wait in the queue.
        self.block = self.before.add_probe(Gst.PadProbeType.BLOCK_DOWNSTREAM, self.drain)

    def drain(self, _pad: Gst.Pad, _info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        # EOS makes the old element finish what it has. It must not get to the sink.
        self.current.get_static_pad("src").add_probe(
            Gst.PadProbeType.EVENT_DOWNSTREAM, self.drained)
        self.current.get_static_pad("sink").send_event(Gst.Event.new_eos())
        return Gst.PadProbeReturn.OK  # the pad stays blocked until the probe is removed

    def drained(self, _pad: Gst.Pad, info: Gst.PadProbeInfo) -> Gst.PadProbeReturn:
        if info.get_event().type != Gst.EventType.EOS:
            return Gst.PadProbeReturn.PASS
        # No element can be shut down by its own thread: the main loop does it.
        GLib.idle_add(self.exchange)
        return Gst.PadProbeReturn.DROP

    def exchange(self) -> bool:
        old, self.current, self.next = self.current, self.next, None
        old.set_state(Gst.State.NULL)
        self.pipeline.remove(old)
        self.pipeline.add(self.current)
        self.before.link(self.current.get_static_pad("sink"))
        self.current.get_static_pad("src").link(self.behind)
        self.current.sync_state_with_parent()
        self.before.remove_probe(self.block)  # caps and segment come again by themselves
        print(f"now {self.current.get_property('model')}", flush=True)
        if self.ending:
            self.end()
        return GLib.SOURCE_REMOVE

    def end(self) -> None:
        """Ends the stream as if the camera had ended, after an exchange that has begun."""
        self.ending = True
        if self.next is None:
            self.pipeline.send_event(Gst.Event.new_eos())

    def on_input(self, file: int, _condition: GLib.IOCondition) -> bool:
        data = os.read(file, 4096) or b"\nquit\n"  # nothing: it was closed
        *lines, self.typed = (self.typed + data).split(b"\n")
        for line in lines:
            model = line.decode(errors="replace").strip()
            if model == "quit":
                self.end()
                return GLib.SOURCE_REMOVE
            if model:
                self.choose(model)
        return GLib.SOURCE_CONTINUE

    def on_message(self, _bus: Gst.Bus, message: Gst.Message) -> None:
        if message.type == Gst.MessageType.EOS:
            self.loop.quit()
        elif message.type == Gst.MessageType.ERROR:
            self.failed = True
            print(message.parse_error()[0].message, file=sys.stderr)
            self.loop.quit()
        elif message.type == Gst.MessageType.LATENCY:
            self.pipeline.recalculate_latency()  # models differ in what they add
        elif message.type == Gst.MessageType.STATE_CHANGED and message.src == self.pipeline:
            if message.parse_state_changed().newstate == Gst.State.PLAYING:
                self.listen()

    def listen(self) -> None:
        """Called when all of it plays: a source that does not yet would not take an EOS."""
        if not self.listening:
            self.listening = True
            GLib.unix_fd_add_full(GLib.PRIORITY_DEFAULT, sys.stdin.fileno(),
                                  GLib.IOCondition.IN | GLib.IOCondition.HUP, self.on_input)

    def run(self) -> None:
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.on_message)
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        self.pipeline.set_state(Gst.State.NULL)
        bus.remove_signal_watch()
        print(f"{self.counts[0]} frames in, {self.counts[1]} out")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="auto", help="to begin with")
    parser.add_argument("--source", default=TEST_PICTURE)
    parser.add_argument("--sink", default="videoconvert ! autovideosink")
    options = parser.parse_args()
    Gst.init(None)
    try:
        preview = Preview(options)
    except GLib.Error as error:  # such as: no element "vfiinterp"
        print(error.message, file=sys.stderr)
        return 1
    preview.run()
    return 1 if preview.failed else 0


if __name__ == "__main__":
    sys.exit(main())
