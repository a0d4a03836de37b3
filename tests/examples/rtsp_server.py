#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A camera on the network: a moving picture at rtsp://127.0.0.1:PORT/stream. Prints PORT, goes on
until it is killed.

usage: rtsp_server.py
"""
import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402  (versions are chosen first)

Gst.init(None)
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(
    "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=64,height=48,framerate=30/1 ! "
    "x264enc tune=zerolatency key-int-max=30 ! rtph264pay name=pay0 config-interval=-1 )")
server = GstRtspServer.RTSPServer(address="127.0.0.1", service="0")
server.get_mount_points().add_factory("/stream", factory)
server.attach(None)
print(server.get_bound_port(), flush=True)
GLib.MainLoop().run()
