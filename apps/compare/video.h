/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* GStreamer's words for video in the engine's. */
#pragma once

#include <gst/video/video.h>
#include <vfi/frame.h>

/** Caps of all formats that the engine reads, of any size and rate; a new reference. */
GstCaps *video_caps(void);

/** What the engine has to know of video of @info, whose format is one of video_caps(). */
VfiVideoInfo video_info_for_engine(const GstVideoInfo *info);

/** The mapped @frame as the engine takes it; @id is that of its content, 0 for none. */
VfiFrame video_frame_for_engine(const GstVideoFrame *frame, uint64_t id);
