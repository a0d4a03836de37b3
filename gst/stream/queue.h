/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Items on their way to the task, in stream order: buffers, serialized events and
 * queries. The stream's lock is held in all functions; whoever waits for a change of the
 * queue is woken. */
#pragma once

#include "pure/kept_events.h"
#include "stream/state.h"

G_BEGIN_DECLS

/* A query's sender waits until the task has answered it. */
typedef struct {
  gboolean done;
  gboolean answer;
} GstVfiReply;

/* An item that has left the queue. */
typedef struct {
  GstMiniObject *object; /* owned, but a query belongs to its sender */
  GstVfiReply *reply;    /* queries only; the sender's */
} GstVfiItem;

GstVfiQueue *gst_vfi_queue_new (void);

/* Appends a buffer, an event (both taken) or a query with the place of its reply. */
void gst_vfi_queue_push_locked (
    GstVfiStream *stream, gpointer object, GstVfiReply *reply);

/* Whether there are as many buffers as the queue takes. */
gboolean gst_vfi_queue_is_full_locked (const GstVfiStream *stream);

/* The first item's object, or NULL. */
GstMiniObject *gst_vfi_queue_peek_locked (const GstVfiStream *stream);

/* Takes the first item out. FALSE if there is none. */
gboolean gst_vfi_queue_pop_locked (GstVfiStream *stream, GstVfiItem *item);

/* Answers the query of @item, if it is one. */
void gst_vfi_queue_reply_locked (
    GstVfiStream *stream, const GstVfiItem *item, gboolean answer);

/* Whether caps are among the items. */
gboolean gst_vfi_queue_has_caps_locked (const GstVfiStream *stream);

/* Empties the queue but for the events that @keep says; queries are refused. */
void gst_vfi_queue_clear_locked (GstVfiStream *stream, GstVfiKeep keep);

void gst_vfi_queue_drop_buffers_locked (GstVfiStream *stream);

G_END_DECLS
