/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A picture shown again without a copy of its pixels: memory that reads another buffer's.
 *
 * A reference on the GstMemory itself would do, but a pool frees a buffer that comes back
 * while somebody still holds its memory, and allocates a new one (a parent-buffer meta
 * goes before the memory and does not help). Memory that is wrapped around the other's
 * bytes keeps the whole buffer instead: it returns to its pool when the last use is over.
 * CUDA memory gets that reference all the same: to wrap it, it would have to be copied to
 * the host. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Appends the memory of @from to @to, read-only: writing to @to makes a copy. @from lives
 * until @to has gone, and must not change; while very many buffers share it, the next
 * ones get a copy. FALSE if it cannot be mapped; @to then has no memory. One thread at a
 * time for one @from; the buffers that share its memory may be freed in any thread. */
gboolean gst_vfi_share_memory (GstBuffer *to, GstBuffer *from);

G_END_DECLS
