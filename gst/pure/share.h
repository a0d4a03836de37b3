/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A picture shown again without a copy of its pixels: memory that reads another buffer's.
 *
 * A reference on the GstMemory itself would do, but a pool frees a buffer whose memory
 * somebody else still has when it comes back, and allocates a new one (a parent-buffer
 * meta goes before the memory and does not help). Memory that is wrapped around the
 * other's bytes keeps the whole buffer instead: it returns to its pool when the last use
 * is over. CUDA memory gets that reference all the same: to wrap it, it would have to be
 * copied to the host. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Appends to @to the memory of @from, read-only: who wants to write makes a copy. @from
 * stays until @to has gone and must not change; while very many share it, the next get a
 * copy. FALSE if it cannot be mapped; @to then has no memory. One thread at a time for a
 * @from; what it shares may go in any. */
gboolean gst_vfi_share_memory (GstBuffer *to, GstBuffer *from);

G_END_DECLS
