/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams in CUDA memory: their caps, and the context that the element shares with its
 * neighbours. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

typedef struct _GstVfiStream GstVfiStream;

/* Whether sessions can be on a CUDA device: asked once from READY to PAUSED and back. */
typedef enum {
  GST_VFI_CUDA_UNKNOWN,
  GST_VFI_CUDA_WORKS,
  GST_VFI_CUDA_FAILS,
} GstVfiCudaAnswer;

/* Whether frames of @caps, which are fixed, lie in CUDA memory. */
gboolean gst_vfi_cuda_has_feature (const GstCaps *caps);

/* Puts what CUDA memory can hold before @caps (taken), where that was built in. */
GstCaps *gst_vfi_cuda_template_caps (GstCaps *caps);

/* Takes CUDA memory out of @caps (taken) where the stream cannot work on it: computing is on
 * the CPU, or something is missing. Takes the stream's lock. */
GstCaps *gst_vfi_cuda_filter_caps (GstVfiStream *stream, GstCaps *caps);

/* Somebody offers a context to the element; the first one is kept. */
void gst_vfi_cuda_set_context (GstVfiStream *stream, GstContext *wrapped);

/* Answers a CONTEXT @query with the element's context. FALSE if there is none. */
gboolean gst_vfi_cuda_answer (GstVfiStream *stream, GstQuery *query);

/* Makes sure that there is a context: that of upstream, else of downstream, else of the
 * application, else a new one. Streaming thread; no lock. */
gboolean gst_vfi_cuda_ensure (GstVfiStream *stream);

/* The context, or NULL; new reference. Takes the lock. */
GstObject *gst_vfi_cuda_get (GstVfiStream *stream);

/* Whether @buffer, of a stream in CUDA memory, is in another context than the pictures. */
gboolean gst_vfi_cuda_is_foreign (GstVfiStream *stream, GstBuffer *buffer);

/* Makes the context of @buffer the element's. */
void gst_vfi_cuda_adopt (GstVfiStream *stream, GstBuffer *buffer);

/* There is a session, or there will be none: the device that was asked about CUDA memory need not be
 * kept for it. Takes the lock. */
void gst_vfi_cuda_let_go (GstVfiStream *stream);

/* Lets go of the context. */
void gst_vfi_cuda_release (GstVfiStream *stream);

G_END_DECLS
