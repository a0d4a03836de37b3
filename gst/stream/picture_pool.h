/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element's own buffer pools, which count the bytes of their buffers, those that
 * downstream holds included. */
#pragma once

#include <gst/video/video.h>

#include <gst/video/gstvideopool.h>

G_BEGIN_DECLS

/* Bytes of all pools of one element; outlives them. Any thread. */
typedef struct _GstVfiPoolBytes GstVfiPoolBytes;

GstVfiPoolBytes *gst_vfi_pool_bytes_new (void);
GstVfiPoolBytes *gst_vfi_pool_bytes_ref (GstVfiPoolBytes *bytes);
void gst_vfi_pool_bytes_unref (GstVfiPoolBytes *bytes);
gsize gst_vfi_pool_bytes_get (GstVfiPoolBytes *bytes);

/* Has buffers of @pool, which is of another kind, count in @bytes: those that
 * gst_vfi_pool_note() is told of, until their memory is freed. */
void gst_vfi_pool_count_in (GstBufferPool *pool, GstVfiPoolBytes *bytes);

/* @buffer was acquired from @pool, which may be any. */
void gst_vfi_pool_note (GstBufferPool *pool, GstBuffer *buffer);

#define GST_VFI_TYPE_POOL (gst_vfi_pool_get_type ())
G_DECLARE_FINAL_TYPE (GstVfiPool, gst_vfi_pool, GST_VFI, POOL, GstVideoBufferPool)

/* A pool to be configured; @bytes may be NULL. */
GstBufferPool *gst_vfi_pool_new (GstVfiPoolBytes *bytes);

G_END_DECLS
