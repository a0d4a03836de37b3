/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Encoded video that lies in several GDP files, packet by packet. */
#pragma once

#include <gst/gst.h>

typedef struct Segments Segments;

/* @paths, NULL-terminated, are read one after another and must live as long. */
Segments *segments_new(const char *const *paths);

/* The next packet, with PTS and DTS in the segment's own numbers, and its running times,
 * which are G_MININT64 where it has none. A packet that the file's end cuts off is left
 * out. NULL at the end, or with a MEDIA_ERROR: a file cannot be read, is no GDP, or was
 * encoded otherwise than the first. */
GstBuffer *segments_next(Segments *segments, gint64 *presentation, gint64 *decoding,
                         GError **error);

/* Of the first file; NULL before its first packet. */
const GstCaps *segments_caps(const Segments *segments);

/* Bytes of all files, and of these those that were read. */
guint64 segments_size(const Segments *segments);
guint64 segments_position(const Segments *segments);

void segments_free(Segments *segments);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Segments, segments_free)
