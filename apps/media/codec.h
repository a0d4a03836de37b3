/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Short names of formats. */
#pragma once

#include <gst/gst.h>

/* "h264", "aac", "opus", "srt", "ass", "pgs", … for encoded @caps; the media type itself
 * without its "video/x-" or the like if it is none of the well-known. Interned: never
 * freed. */
const char *codec_of_caps(const GstCaps *caps);
