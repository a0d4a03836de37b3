/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/offered_buffers.h"

#include "stream/allocation.h"
#include "stream/window.h"

/* How many of upstream's buffers are in the element at a time: those queued, those whose
 * in-betweens are made and the reference of the first of them, the other frames of its
 * view, and repeats: those before the next picture and before each further one that is
 * waited for, and some that are being replaced. */
static guint
max_held (GstVfiStream *stream)
{
  guint repeats = gst_vfi_stream_max_repeats (stream);
  guint queued = stream->synchronous ? 0 : GST_VFI_QUEUE_BUFFERS;

  return queued + stream->negotiated.max_in_flight + 1 +
         gst_vfi_stream_neighbours (stream) +
         repeats * (1 + gst_vfi_window_later (stream)) + MIN (repeats, GST_VFI_MAX_JOBS);
}

gboolean
gst_vfi_offer_buffers (GstVfiStream *stream, GstQuery *query)
{
  if (stream->negotiated.mode != GST_VFI_MODE_PASSTHROUGH)
    return gst_vfi_alloc_propose (query,
        max_held (stream) + gst_vfi_alloc_ask_need (stream->srcpad),
        stream->negotiated.video_meta, stream->pictures.cuda);
  if (!gst_pad_peer_query (stream->srcpad, query))
    return FALSE;
  gst_vfi_alloc_amend_proxied (query);
  return TRUE;
}
