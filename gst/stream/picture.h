/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures on their way through the element: originals held for the engine to read, and
 * outputs for it to write. Both hide whether the engine works in the stream's own memory
 * or in a converted or realigned copy. Owned by the streaming thread; not thread-safe. */
#pragma once

#include <gst/video/video.h>

#include <vfi/vfi.h>

#include "stream/direct_format.h"
#include "stream/picture_pool.h"

G_BEGIN_DECLS

/* Shared by all pictures of the same caps. */
typedef struct {
  GstVfiPath path;
  GstBufferPool *inner_pool;   /* path.inner: conversions and copies; made lazily */
  GstBufferPool *out_pool;     /* path.outer: what goes downstream */
  GstVfiPoolBytes *pool_bytes; /* of both, where they are own ones; may be NULL */
  GstObject *cuda; /* the context in whose memory pictures lie, or NULL: the host's */
  gchar *problem;  /* why the last buffer was refused, as a sentence; NULL if unknown */
} GstVfiPictures;

/* An original, mapped for reading until its last reference goes. */
typedef struct {
  GstBuffer *buffer;   /* the very buffer that is pushed, or a stand-in for it */
  GstBuffer *readable; /* what is mapped: buffer, or an own copy in the inner format */
  GstVideoFrame map;
  VfiFrame picture;
  gboolean detached; /* buffer is a copy of the element's own */
} GstVfiFrame;

/* A picture being made; zero-initialise. */
typedef struct {
  GstBuffer *buffer; /* from out_pool; NULL until finished if target is another one */
  GstBuffer *target; /* what the engine writes */
  GstVideoFrame map;
  gboolean mapped;
  VfiFrame picture;
} GstVfiOutput;

/* Readies @pictures for originals of @outer, in memory of the context @cuda if there is
 * one; the out_pool stays. No frame may be held. FALSE if the format has no inner one. */
gboolean gst_vfi_pictures_set_format (
    GstVfiPictures *pictures, const GstVideoInfo *outer, GstObject *cuda);

/* Bytes of the buffers for @n_outputs pictures that are made or wait to be pushed and,
 * where originals have to be copied to be read, for @n_originals of them. */
guint64 gst_vfi_pictures_need (
    const GstVfiPictures *pictures, guint n_outputs, guint n_originals);

/* Releases pools and converters; zeroed pictures are allowed. */
void gst_vfi_pictures_clear (GstVfiPictures *pictures);

/* Takes @buffer and maps it. @id names its content to the engine. NULL on failure;
 * pictures->problem says why. */
GstVfiFrame *gst_vfi_frame_new (GstVfiPictures *pictures, GstBuffer *buffer, guint64 id);

GstVfiFrame *gst_vfi_frame_ref (GstVfiFrame *frame);
void gst_vfi_frame_unref (GstVfiFrame *frame);

/* The same picture in memory of its own, so that upstream gets its buffer back: a copy
 * with all its metas, or @frame itself, with a reference, if it is one. NULL without
 * memory. */
GstVfiFrame *gst_vfi_frame_detach (GstVfiPictures *pictures, GstVfiFrame *frame);

/* Gets memory for a picture. With @wait FALSE returns GST_FLOW_EOS instead of waiting for
 * a pool that has nothing left; GST_FLOW_ERROR means that memory cannot be had or mapped
 * (pictures->problem). */
GstFlowReturn gst_vfi_output_open (
    GstVfiOutput *output, GstVfiPictures *pictures, gboolean wait);

/* Makes output->buffer of the picture that the engine has written. */
GstFlowReturn gst_vfi_output_finish (GstVfiOutput *output, GstVfiPictures *pictures);

/* Releases what is left. */
void gst_vfi_output_clear (GstVfiOutput *output);

G_END_DECLS
