/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of this folder share of one stream: the element and its pads, the locks,
 * properties and caps, the run of frames. What only one file needs is in a part of that
 * file's own, behind a pointer.
 *
 * The streaming thread is the src pad's task or, when synchronous, upstream's thread.
 * Only this thread resets the state that it owns: a flush in another thread closes the
 * stream, which gets everybody out of waits, and leaves a request to the streaming
 * thread, which may itself be the one that flushes, from within a push.
 *
 * Lock order: sink STREAM_LOCK, src STREAM_LOCK, stream->gate, stream->lock, OBJECT_LOCK.
 * stream->lock is never held across a push, a message, a call into the engine or a
 * property notification; stream->gate never across a push or a message. */
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

#include <vfi/vfi.h>

#include "cuda/stream_context.h"
#include "pure/decide.h"
#include "pure/grid.h"
#include "pure/settings.h"
#include "stream/content.h"
#include "stream/picture.h"
#include "stream/stats.h"

G_BEGIN_DECLS

GST_DEBUG_CATEGORY_EXTERN (gst_vfi_debug);
GST_DEBUG_CATEGORY_EXTERN (gst_vfi_memory_debug);

/* Buffers that the queue takes before it blocks upstream. */
#define GST_VFI_QUEUE_BUFFERS 2

/* Pictures that the engine may have at once. One is computed, the others keep it from
 * waiting; each costs a frame of memory. */
#define GST_VFI_MAX_JOBS 4

/* Parts, each of the file of its name; GstVfiNegotiation is of negotiate.c, GstVfiRepeats
 * of held_repeats.c. */
typedef struct _GstVfiDeadlines GstVfiDeadlines;
typedef struct _GstVfiEngineSession GstVfiEngineSession;
typedef struct _GstVfiGaps GstVfiGaps;
typedef struct _GstVfiLive GstVfiLive;
typedef struct _GstVfiNegotiation GstVfiNegotiation;
typedef struct _GstVfiOwnLatency GstVfiOwnLatency;
typedef struct _GstVfiPending GstVfiPending;
typedef struct _GstVfiProcess GstVfiProcess;
typedef struct _GstVfiQueue GstVfiQueue;
typedef struct _GstVfiReference GstVfiReference;
typedef struct _GstVfiRepeats GstVfiRepeats;
typedef struct _GstVfiReport GstVfiReport;
typedef struct _GstVfiRetire GstVfiRetire;
typedef struct _GstVfiRungs GstVfiRungs;
typedef struct _GstVfiTask GstVfiTask;
typedef struct _GstVfiTimeout GstVfiTimeout;
typedef struct _GstVfiUpkeep GstVfiUpkeep;
typedef struct _GstVfiWaitLimit GstVfiWaitLimit;
typedef struct _GstVfiWindow GstVfiWindow;

/* Why nothing moves. Bits, because a pad may be deactivated and the state may change in
 * the middle of a flush: the stream is open when the last of them is gone. */
typedef enum {
  GST_VFI_CLOSED_BY_STATE = 1 << 0,
  GST_VFI_CLOSED_BY_SRC = 1 << 1,
  GST_VFI_CLOSED_BY_SINK = 1 << 2,
  GST_VFI_CLOSED_BY_FLUSH = 1 << 3,
} GstVfiClosed;

/**
 * GstVfiNegotiated: what became of caps. Written by the streaming thread.
 * @ready: caps, pool and session are as the next frame needs them
 * @sink_caps: the input's caps, or NULL: none yet, or refused
 * @info: the input's format; written under the lock, too, for queries
 * @decision: what both caps together ask for; written under the lock, too
 * @out_info: the output's format; written under the lock, too
 * @rates_known: @info, @out_info and @decision go together; written under the lock, too
 * @mode: that of @decision while it holds, else GST_VFI_MODE_PASSTHROUGH
 * @video_meta: downstream understands GstVideoMeta
 * @max_in_flight: pairs of frames that may be on their way, at least 1
 * @engine_failed: the engine has failed since caps or properties changed
 * @only_copies: copies take the place of in-betweens, because there is no session
 */
typedef struct {
  gboolean ready;
  GstCaps *sink_caps;
  GstVideoInfo info;
  GstVideoInfo out_info;
  GstVfiCapsDecision decision;
  gboolean rates_known;
  GstVfiMode mode;
  gboolean video_meta;
  guint max_in_flight;
  gboolean engine_failed;
  gboolean only_copies;
} GstVfiNegotiated;

/**
 * GstVfiStream:
 * @element: not owned: the element owns the stream
 * @gate: held while the stream is closed or opened, until all have been told
 * @changed: goes with @lock: something changed that somebody may wait for
 * @synchronous: there is no task; fixed while frames flow
 *
 * Guarded by @lock:
 * @settings: the element's
 * @model: of the session; fixed while frames flow
 * @out_pool: the same as pictures.out_pool
 * @counters: of `stats`
 * @closed: why nothing moves, GstVfiClosed; 0 is open
 * @reset_due: it was closed since the streaming thread reset what it owns
 * @wake_count: raised by everything that may let the task go on
 *
 * Owned by the streaming thread:
 * @negotiated: what became of caps
 * @pictures: how frames are read and written
 * @run: the run of frames
 * @content: how neighbouring frames relate
 * @held: the run's reference, or NULL; set by window.c
 *
 * The parts follow. @cuda has a lock of its own, which is the last in the order; each of
 * the others says itself what guards it.
 */
typedef struct {
  GstElement *element;
  GstPad *sinkpad;
  GstPad *srcpad;
  gboolean synchronous;
  GMutex gate;
  GMutex lock;
  GCond changed;

  GstVfiSettings *settings;
  VfiModel *model;
  GstBufferPool *out_pool;
  GstVfiCounters counters;
  guint closed;
  gboolean reset_due;
  guint wake_count;

  GstVfiNegotiated negotiated;
  GstVfiPictures pictures;
  GstVfiRun run;
  GstVfiContent content;
  GstVfiFrame *held;

  GstVfiCuda *cuda;
  GstVfiDeadlines *deadlines;
  GstVfiEngineSession *session;
  GstVfiGaps *gaps;
  GstVfiLive *live;
  GstVfiNegotiation *negotiation;
  GstVfiOwnLatency *own_latency;
  GstVfiPending *pending;
  GstVfiProcess *process;
  GstVfiQueue *queue;
  GstVfiReference *reference;
  GstVfiRepeats *repeats;
  GstVfiReport *report;
  GstVfiRetire *retire;
  GstVfiRungs *rungs;
  GstVfiTask *task;
  GstVfiTimeout *timeout;
  GstVfiUpkeep *upkeep;
  GstVfiWaitLimit *wait_limit;
  GstVfiWindow *window;
} GstVfiStream;

/* Wakes the task; the first takes the lock, the second wants it held. */
void gst_vfi_stream_wake (GstVfiStream *stream);
void gst_vfi_stream_wake_locked (GstVfiStream *stream);

/* Whether the stream is closed, or has been since the streaming thread reset what it
 * owns. Takes the lock. */
gboolean gst_vfi_stream_is_flushing (GstVfiStream *stream);

/* Counts frames that have no place in the output. Takes the lock. */
void gst_vfi_stream_count_drops (GstVfiStream *stream, guint64 count);

/* The settings as they are now, without texts. Takes the lock. */
GstVfiSettings gst_vfi_stream_settings (GstVfiStream *stream);

/* Property device; g_free() it. Takes the lock. */
gchar *gst_vfi_stream_device (GstVfiStream *stream);

/* Property overlay-mask; g_free() it. Takes the lock. */
gchar *gst_vfi_stream_overlay_mask (GstVfiStream *stream);

/* How many repeated frames may be held back at once. Takes the lock. */
guint gst_vfi_stream_max_repeats (GstVfiStream *stream);

/* Frames that the model sees besides the two around an in-between. Streaming thread. */
guint gst_vfi_stream_neighbours (const GstVfiStream *stream);

G_END_DECLS
