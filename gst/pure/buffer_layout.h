/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Whether a buffer holds the frame that its caps and its GstVideoMeta promise. GStreamer
 * maps whatever a meta says: planes that end past the memory, strides that lead out of
 * it, fewer planes than the format has. No state, no lock. */
#pragma once

#include <gst/video/video.h>

G_BEGIN_DECLS

/**
 * gst_vfi_layout_fits:
 * @info: what the caps say
 * @found: how the memory of @buffer is said to be laid out where it has no GstVideoMeta
 * @buffer: with or without a GstVideoMeta
 * @reason: (out) (optional) (transfer full): a sentence that says what was expected and
 *     found
 *
 * Whether a frame of @info can lie in @buffer by what is said about format, size and
 * planes. Where the planes lie is seen when they are mapped.
 */
gboolean gst_vfi_layout_fits (const GstVideoInfo *info, const GstVideoInfo *found,
    GstBuffer *buffer, gchar **reason);

/**
 * gst_vfi_layout_map:
 * @map: (out caller-allocates): released by gst_video_frame_unmap(); its size is the
 *     caps'
 * @info: what the caps say
 * @found: as in gst_vfi_layout_fits(); @info in most cases
 * @flags: a reference to @buffer is never taken
 * @reason: (out) (optional) (transfer full): a sentence that says what was expected and
 *     found
 *
 * As gst_video_frame_map(), but every row of every plane lies in the memory that is
 * mapped, and no two rows overlap. Strides may be negative (the last row comes first).
 */
gboolean gst_vfi_layout_map (GstVideoFrame *map, const GstVideoInfo *info,
    const GstVideoInfo *found, GstBuffer *buffer, GstMapFlags flags, gchar **reason);

/* Whether GstVideoConverter may be given @map, which gst_vfi_layout_map() made: its loops
 * end in a crash where strides are negative. FALSE sets *reason as above. */
gboolean gst_vfi_layout_can_be_converted (const GstVideoFrame *map, gchar **reason);

G_END_DECLS
