/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory of pictures: allocation queries in both directions, the pool that in-betweens come
 * from, and buffers mapped as the engine's frames. */
#pragma once

#include <gst/video/video.h>

#include <vfi/vfi.h>

#include "vfipool.h"

G_BEGIN_DECLS

/* Alignment, in bytes, of memory that the element allocates itself. */
#define GST_VFI_ALIGNMENT 64

/* Answers an upstream ALLOCATION @query whose buffers we hold on to: a pool with at least
 * @min_buffers and, @with_meta, GstVideoMeta. Originals go on downstream as they are, so that
 * only downstream can say whether it understands that meta. With the context @cuda the pool is
 * one of its memory, whose layout nobody knows without the meta. */
gboolean gst_vfi_alloc_propose (
    GstQuery *query, guint min_buffers, gboolean with_meta, GstObject *cuda);

/* In pass-through downstream's answer stands, but one more buffer may be held here: raises
 * the pools' minimum and removes pools that cannot grow. */
void gst_vfi_alloc_amend_proxied (GstQuery *query);

/* The reference, a frame that comes in, and two that downstream has: of a smaller pool the
 * reference is copied. */
#define GST_VFI_BUFFERS_TO_HOLD_ONE 4

/* Whether @buffer comes from a pool of a fixed size that is smaller than @n_buffers: holding
 * one of its buffers back may leave upstream without any. */
gboolean gst_vfi_alloc_is_scarce (const GstBuffer *buffer, guint n_buffers);

/* A new, active pool of own video buffers, growing on demand; rows are aligned if
 * @with_meta. @caps and @bytes, where its buffers count, may be NULL. */
GstBufferPool *gst_vfi_alloc_own_pool (
    const GstVideoInfo *info, GstCaps *caps, gboolean with_meta, GstVfiPoolBytes *bytes);

/* Asks downstream of @srcpad for a pool with @extra buffers more than it needs itself, and
 * falls back to an own one that counts in @bytes. @with_meta says whether downstream understands GstVideoMeta.
 * With the context @cuda it is a pool of its memory. Returns an active pool, or NULL. */
GstBufferPool *gst_vfi_alloc_decide (GstPad *srcpad, GstCaps *caps,
    const GstVideoInfo *info, guint extra, gboolean *with_meta, GstVfiPoolBytes *bytes,
    GstObject *cuda);

/* Maps @buffer without taking a reference and describes it to the engine in @picture; with
 * the context @cuda, where it is on the device. FALSE, with nothing mapped, if it cannot be
 * mapped, does not hold a frame of @info (*reason is then a sentence, to be freed, that says
 * why) or its memory is too oddly placed for the engine (*misaligned is then set). */
gboolean gst_vfi_alloc_map (GstBuffer *buffer, const GstVideoInfo *info, GstObject *cuda,
    GstMapFlags flags, GstVideoFrame *map, VfiFrame *picture, gboolean *misaligned,
    gchar **reason);

/* Copies the pixels of @from into @to, both of @info; FALSE sets *reason as above. */
gboolean gst_vfi_alloc_copy (
    GstBuffer *to, GstBuffer *from, const GstVideoInfo *info, gchar **reason);

G_END_DECLS
