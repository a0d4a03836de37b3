/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The metas and buffer flags that an in-between or a duplicate takes over from its source
 * frames. Originals keep all of theirs and never come here. Pure functions on buffers: no
 * element, no lock.
 *
 * Taken over, from the first frame: AFD, bar data, overlay composition and crop. Only on
 * originals: captions, time codes, reference timestamps, regions of interest, analytics
 * and every meta this file does not know. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/**
 * gst_vfi_meta_same_crop:
 *
 * Whether @a and @b show the same part of their pictures: a pair with different crop
 * rectangles, or with one on only one frame, cannot be interpolated.
 */
gboolean gst_vfi_meta_same_crop (GstBuffer *a, GstBuffer *b);

/**
 * gst_vfi_meta_copy_in_between:
 * @out: the in-between, writable; its GstVideoMeta is the pool's and stays
 * @a: the frame before
 * @b: the frame after
 * @droppable: whether to mark @out as DROPPABLE, so that the originals can be had back
 *
 * Gives @out the metas of @a that belong on made frames, and its flags: CORRUPTED if
 * either source is.
 */
void gst_vfi_meta_copy_in_between (
    GstBuffer *out, GstBuffer *a, GstBuffer *b, gboolean droppable);

/**
 * gst_vfi_meta_copy_to_other_memory:
 * @out: a copy of @from's pixels in memory of its own, writable
 *
 * Gives @out all metas of @from but those that describe or keep its memory.
 */
void gst_vfi_meta_copy_to_other_memory (GstBuffer *out, GstBuffer *from);

/**
 * gst_vfi_meta_copy_replacement:
 * @instead: the original that @out takes the place of
 *
 * Gives @out all metas of @instead but those that describe its memory, and its flags:
 * CORRUPTED if any of the three is.
 */
void gst_vfi_meta_copy_replacement (
    GstBuffer *out, GstBuffer *a, GstBuffer *b, GstBuffer *instead);

/**
 * gst_vfi_meta_new_duplicate:
 * @a: the frame to show again
 * @droppable: as above
 *
 * Returns: (transfer full): a buffer that shares the pixels of @a (share.h) and
 *     its GstVideoMeta, marked GAP, with the metas that belong on made frames and without
 *     times; NULL if @a cannot be mapped.
 */
GstBuffer *gst_vfi_meta_new_duplicate (GstBuffer *a, gboolean droppable);

G_END_DECLS
