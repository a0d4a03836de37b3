/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory of pictures: allocation queries in both directions, the pool that in-betweens
 * come from, and buffers mapped as the engine's frames. */
#pragma once

#include <gst/video/video.h>

#include <vfi/vfi.h>

#include "stream/picture_pool.h"

G_BEGIN_DECLS

/* Alignment, in bytes, of memory that the element allocates itself. */
#define GST_VFI_ALIGNMENT 64

/* Answers an ALLOCATION @query from upstream, whose buffers are held here: with a pool of
 * at least @min_buffers and, if @with_meta, with GstVideoMeta. Originals go on downstream
 * as they are, so only downstream can say whether it understands that meta. With the
 * context @cuda the pool is one of its memory, whose layout is not known without the
 * meta. */
gboolean gst_vfi_alloc_propose (
    GstQuery *query, guint min_buffers, gboolean with_meta, GstObject *cuda);

/* In pass-through downstream's answer stands, but one more buffer may be held here:
 * raises the pools' minimum and removes pools that cannot grow. */
void gst_vfi_alloc_amend_proxied (GstQuery *query);

/* How many buffers downstream of @srcpad holds at a time, as it answers about the current
 * caps. */
guint gst_vfi_alloc_ask_need (GstPad *srcpad);

/* Whether upstream may run out of such buffers: the pool of @buffer has a limit, or it
 * comes without a pool in memory of its own kind, as a decoder exports its surfaces. It
 * is not known how many of them downstream keeps, so none of them is held back here:
 * upstream may be waiting for it, and would send nothing before it gets it. */
gboolean gst_vfi_alloc_is_scarce (GstBuffer *buffer);

/* A new, active pool of own video buffers, which grows on demand; rows are aligned if
 * @with_meta. Its buffers count in @bytes, which may be NULL, as may @caps. With the
 * context @cuda it is a pool of its memory. */
GstBufferPool *gst_vfi_alloc_own_pool (const GstVideoInfo *info, GstCaps *caps,
    gboolean with_meta, GstVfiPoolBytes *bytes, GstObject *cuda);

/* Asks downstream of @srcpad for a pool with @extra buffers more than it needs itself,
 * and falls back to an own one that counts in @bytes. @with_meta says whether downstream
 * understands GstVideoMeta. With the context @cuda it is a pool of its memory. Returns an
 * active pool, or NULL. */
GstBufferPool *gst_vfi_alloc_decide (GstPad *srcpad, GstCaps *caps,
    const GstVideoInfo *info, guint extra, gboolean *with_meta, GstVfiPoolBytes *bytes,
    GstObject *cuda);

/* Maps @buffer without taking a reference and describes it to the engine in @picture;
 * with the context @cuda, by its place on the device. FALSE, with nothing mapped, if it
 * cannot be mapped, does not hold a frame of @info (*reason is then a sentence, to be
 * freed, that says why) or its memory is too oddly placed for the engine (*misaligned is
 * then set). */
gboolean gst_vfi_alloc_map (GstBuffer *buffer, const GstVideoInfo *info, GstObject *cuda,
    GstMapFlags flags, GstVideoFrame *map, VfiFrame *picture, gboolean *misaligned,
    gchar **reason);

/* Copies the pixels of @from into @to, both of @info; FALSE sets *reason as above. */
gboolean gst_vfi_alloc_copy (
    GstBuffer *to, GstBuffer *from, const GstVideoInfo *info, gchar **reason);

G_END_DECLS
