/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams in CUDA memory: their caps, and the context that the element shares with its
 * neighbours. Any thread, where a function does not say otherwise; no other lock may be
 * held, for messages are posted and neighbours asked. */
#pragma once

#include <gst/gst.h>

#include <vfi/vfi.h>

G_BEGIN_DECLS

typedef struct _GstVfiCuda GstVfiCuda;

/**
 * GstVfiCudaUse: what a device would be used for.
 * @device: property device
 * @precision: property precision
 * @model: or NULL while there is none
 */
typedef struct {
  const char *device;
  VfiPrecision precision;
  VfiModel *model;
} GstVfiCudaUse;

/* Whether frames of @caps, which are fixed, lie in CUDA memory. */
gboolean gst_vfi_cuda_has_feature (const GstCaps *caps);

/* Puts caps of CUDA memory before @caps (taken), where that was built in. */
GstCaps *gst_vfi_cuda_template_caps (GstCaps *caps);

/* For an element and its pads, which outlive it. */
GstVfiCuda *gst_vfi_cuda_new (GstElement *element, GstPad *sinkpad, GstPad *srcpad);
void gst_vfi_cuda_free (GstVfiCuda *cuda);

/* Takes CUDA memory out of @caps (taken) where the stream cannot work on it: computing is
 * on the CPU, or something is missing. The answer of a device is remembered. */
GstCaps *gst_vfi_cuda_filter_caps (
    GstVfiCuda *cuda, const GstVfiCudaUse *use, GstCaps *caps);

/* The device is asked again. */
void gst_vfi_cuda_forget_answer (GstVfiCuda *cuda);

/* Somebody offers a context to the element; the first one of @device is kept. */
void gst_vfi_cuda_set_context (GstVfiCuda *cuda, const char *device, GstContext *wrapped);

/* Answers a CONTEXT @query with the element's context. FALSE if there is none. */
gboolean gst_vfi_cuda_answer (GstVfiCuda *cuda, GstQuery *query);

/* Makes sure that there is a context: that of upstream, else of downstream, else of the
 * application, else a new one on @device. Streaming thread. */
gboolean gst_vfi_cuda_ensure (GstVfiCuda *cuda, const char *device);

/* The context, or NULL; new reference. */
GstObject *gst_vfi_cuda_ref_context (GstVfiCuda *cuda);

/* Whether @buffer is in another context than @current (NULL: the stream is in no CUDA
 * memory). */
gboolean gst_vfi_cuda_is_foreign (GstObject *current, GstBuffer *buffer);

/* Makes the context of @buffer the element's. */
void gst_vfi_cuda_adopt (GstVfiCuda *cuda, GstBuffer *buffer);

/* There is a session, or there will be none: the device that was asked about CUDA memory
 * need not be held for it any more. */
void gst_vfi_cuda_release_hold (GstVfiCuda *cuda);

/* Gives up the context and the device. */
void gst_vfi_cuda_release (GstVfiCuda *cuda);

G_END_DECLS
