#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Video over RTP to a receiver that raises its frame rate; here both ends are on this machine.

    rtp-loopback.py
    rtp-loopback.py --model rife-4.0 --sink "fakesink sync=true"

Needs python3-gi and gir1.2-gstreamer-1.0.
"""
import argparse
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402  (the version has to be chosen first)

# What the sender has agreed on with the receiver, elsewhere by SDP: packets say none of it.
CAPS = "application/x-rtp,media=video,clock-rate=90000,encoding-name=H264,payload=96"


def make_receiver(options: argparse.Namespace) -> Gst.Pipeline:
    # port=0: a free one. The jitter buffer puts packets in order, and says what is lost
    # (do-lost), so that in-betweens take the place of the frame. Its latency has to hold what
    # the network delays. A queue before the element, so that the decoder does not wait for it,
    # and one behind it, so that the sink may.
    receiver = Gst.parse_launch(
        f"udpsrc name=udp address=127.0.0.1 port=0 timeout={options.silence * Gst.MSECOND} "
        f'caps="{CAPS}" ! '
        "rtpjitterbuffer latency=200 do-lost=true ! rtph264depay ! h264parse ! avdec_h264 ! "
        f"queue ! vfiinterp name=interpolate ! queue ! {options.sink}")
    receiver.get_by_name("interpolate").set_property("model", options.model)
    return receiver


def make_sender(options: argparse.Namespace, port: int) -> Gst.Pipeline:
    # config-interval=-1 repeats SPS and PPS with each key frame, for receivers that come later.
    return Gst.parse_launch(
        f"videotestsrc is-live=true pattern=ball num-buffers={options.frames} ! "
        "video/x-raw,format=I420,width=320,height=180,framerate=30/1 ! "
        "x264enc tune=zerolatency speed-preset=veryfast key-int-max=30 ! "
        f"rtph264pay config-interval=-1 ! udpsink host=127.0.0.1 port={port}")


class Loopback:
    def __init__(self, options: argparse.Namespace):
        self.loop = GLib.MainLoop()
        self.error: str | None = None
        self.receiver = make_receiver(options)
        # READY opens the socket: from now on the port is known.
        self.receiver.set_state(Gst.State.READY)
        self.port = self.receiver.get_by_name("udp").get_property("port")
        self.sender = make_sender(options, self.port)
        self.sent_all = False

    def watch(self, pipeline: Gst.Pipeline) -> None:
        bus = pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message", self.on_message, pipeline)

    def on_message(self, _bus: Gst.Bus, message: Gst.Message, pipeline: Gst.Pipeline) -> None:
        if message.type == Gst.MessageType.ERROR:
            self.error = message.parse_error()[0].message
            self.loop.quit()
        elif message.type == Gst.MessageType.LATENCY:
            pipeline.recalculate_latency()
        elif message.type == Gst.MessageType.EOS and pipeline is self.sender:
            self.sent_all = True
        elif message.type == Gst.MessageType.EOS:
            self.loop.quit()
        elif message.has_name("GstUDPSrcTimeout") and self.sent_all:
            # Bare RTP does not say that it has ended; silence does. (With RTCP: BYE.)
            self.receiver.send_event(Gst.Event.new_eos())

    def run(self) -> None:
        self.watch(self.receiver)
        self.watch(self.sender)
        self.receiver.set_state(Gst.State.PLAYING)
        self.sender.set_state(Gst.State.PLAYING)
        self.loop.run()
        stats = self.receiver.get_by_name("interpolate").get_property("stats")
        for pipeline in (self.sender, self.receiver):
            pipeline.set_state(Gst.State.NULL)
            pipeline.get_bus().remove_signal_watch()
        if self.error is None:
            print(f"{stats.get_value('in')} frames in, {stats.get_value('out')} out, "
                  f"{stats.get_value('late')} too late to be made")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="auto")
    parser.add_argument("--frames", type=int, default=300, help="that are sent")
    parser.add_argument("--silence", type=int, default=1000, help="ms that mean the end")
    parser.add_argument("--sink", default="videoconvert ! autovideosink")
    options = parser.parse_args()
    Gst.init(None)
    try:
        loopback = Loopback(options)
    except GLib.Error as error:  # such as: no element "vfiinterp"
        print(error.message, file=sys.stderr)
        return 1
    loopback.run()
    if loopback.error is not None:
        print(loopback.error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
