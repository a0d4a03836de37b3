/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The list of outputs that have not left yet, in stream order: originals, in-betweens
 * that the engine computes, duplicates and events. What lies between two frames is one
 * entry, a span, and outputs come out of it as they are computed or pushed; so a frame
 * adds a few entries, however many outputs there are. jobs.c gives in-betweens to the
 * engine, retire.c pushes what is at the head. Streaming thread only. */
#pragma once

#include "pure/progress.h"
#include "pure/qos.h"
#include "pure/span.h"
#include "stream/state.h"
#include "stream/view.h"

G_BEGIN_DECLS

/* How many entries may come out of spans before they are pushed. Not all of them are
 * jobs: some may be left out for lack of time. */
#define GST_VFI_MAX_AHEAD 64

/* No frame is taken in while there are so many entries. */
#define GST_VFI_MAX_PENDING 256

/**
 * GstVfiEntryKind:
 * @GST_VFI_ENTRY_ORIGINAL: a frame that came in
 * @GST_VFI_ENTRY_IN_BETWEEN: a picture that the engine makes
 * @GST_VFI_ENTRY_DUPLICATE: a frame again
 * @GST_VFI_ENTRY_EVENT: an event
 * @GST_VFI_ENTRY_NOTHING: an in-between that was left out
 * @GST_VFI_ENTRY_IN_BETWEENS: a span of in-betweens
 * @GST_VFI_ENTRY_COPIES: a span of duplicates
 */
typedef enum {
  GST_VFI_ENTRY_ORIGINAL,
  GST_VFI_ENTRY_IN_BETWEEN,
  GST_VFI_ENTRY_DUPLICATE,
  GST_VFI_ENTRY_EVENT,
  GST_VFI_ENTRY_NOTHING,
  GST_VFI_ENTRY_IN_BETWEENS,
  GST_VFI_ENTRY_COPIES,
} GstVfiEntryKind;

/**
 * GstVfiEntry: for jobs.c and retire.c.
 * @buffer: ORIGINAL: it
 * @event: EVENT: it
 * @slot: IN_BETWEEN, DUPLICATE: its place
 * @span: IN_BETWEENS, COPIES: their places
 * @a: all of these: the first frame of the pair, or the frame that is shown again
 * @b: IN_BETWEEN, IN_BETWEENS: the second one; COPIES: shown where it is nearer, or NULL
 * @instead: IN_BETWEEN: the original that it replaces, or NULL
 * @view: IN_BETWEEN, IN_BETWEENS: what they are made of
 * @session: IN_BETWEEN: that its job is of, to be compared only; NULL without one
 * @ahead: whether it came out of a span
 * @job: IN_BETWEEN, once submitted
 * @progress: IN_BETWEEN: how much of the job was told of
 * @output: IN_BETWEEN, once submitted
 * @qos: IN_BETWEEN, once decided
 * @decided: IN_BETWEEN: it is to be computed
 * @accounted: IN_BETWEEN: its cost is known
 */
typedef struct {
  GstVfiEntryKind kind;
  GstBuffer *buffer;
  GstEvent *event;
  GstVfiSlot slot;
  GstVfiSpan *span;
  GstVfiFrame *a;
  GstVfiFrame *b;
  GstVfiFrame *instead;
  GstVfiView *view;
  const VfiSession *session;
  gboolean ahead;
  VfiJob *job;
  GstVfiProgress progress;
  GstVfiOutput output;
  GstVfiQosJob qos;
  gboolean decided;
  gboolean accounted;
} GstVfiEntry;

/**
 * GstVfiPending: for jobs.c and retire.c.
 * @entries: GstVfiEntry, in output order
 * @unsubmitted: link of the first in-between, or span of them, without a job; what waits
 *     is behind it
 * @n_jobs: entries with a job
 * @n_ahead: entries that came out of spans
 * @n_originals: originals
 */
struct _GstVfiPending {
  GQueue entries;
  GList *unsubmitted;
  guint n_jobs;
  guint n_ahead;
  guint n_originals;
};

GstVfiPending *gst_vfi_pending_new (void);

/* Appends @buffer (taken) as it is. */
void gst_vfi_pending_add_original (GstVfiStream *stream, GstBuffer *buffer);

/* Appends @event (taken). */
void gst_vfi_pending_add_event (GstVfiStream *stream, GstEvent *event);

/* Appends the in-betweens of @a and @b in @span, which is copied; takes references on the
 * others. */
void gst_vfi_pending_add_in_betweens (GstVfiStream *stream, GstVfiView *view,
    GstVfiFrame *a, GstVfiFrame *b, const GstVfiSpan *span);

/* Appends an in-between that takes the place of the original @instead, whose metas it
 * gets; where nothing can be made, @instead itself is pushed. */
void gst_vfi_pending_add_replacement (GstVfiStream *stream, GstVfiView *view,
    GstVfiFrame *a, GstVfiFrame *b, const GstVfiSlot *slot, GstVfiFrame *instead);

/* Appends @a in all of @span once more, or, where the later one is nearer, @b (NULL:
 * never); they share the pixels. */
void gst_vfi_pending_add_copies (
    GstVfiStream *stream, GstVfiFrame *a, GstVfiFrame *b, const GstVfiSpan *span);

/* Appends @a at @slot once more. */
void gst_vfi_pending_add_duplicate (
    GstVfiStream *stream, GstVfiFrame *a, const GstVfiSlot *slot);

/* Entries. */
guint gst_vfi_pending_length (const GstVfiStream *stream);

/* Whether a frame that comes in has to wait: enough frames are on their way. Frames that
 * themselves wait for others, behind an in-between whose view waits, do not count. */
gboolean gst_vfi_pending_is_full (const GstVfiStream *stream);

/* Whether the engine has been given all in-betweens whose views do not wait. */
gboolean gst_vfi_pending_is_submitted (const GstVfiStream *stream);

/* Whether the oldest output is an in-between whose view waits: nothing can leave before
 * frames come, or gst_vfi_window_complete(). */
gboolean gst_vfi_pending_waits (const GstVfiStream *stream);

/* Whether @entry is such an in-between, or a span of them. */
gboolean gst_vfi_entry_waits (const GstVfiEntry *entry);

/* Takes the entry at the head, which exists, off the list. */
GstVfiEntry *gst_vfi_pending_pop (GstVfiStream *stream);

/* Identifies the pair of an in-between, or of a span of them. */
guint64 gst_vfi_entry_pair_id (const GstVfiEntry *entry);

/* The engine may still write to the entry's output: its job must have ended. */
void gst_vfi_entry_free (GstVfiEntry *entry);

G_END_DECLS
