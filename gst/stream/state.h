/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the files of this folder share of one stream: the element and its pads, the lock, what
 * properties and caps say, the run of frames.
 *
 * What the streaming thread owns nobody else resets: a flush in another thread closes the
 * stream, which gets everybody out, and leaves a request to the streaming thread, which may
 * itself be the one that flushes, from within a push.
 *
 * Lock order: sink STREAM_LOCK, src STREAM_LOCK, stream->gate, stream->lock, OBJECT_LOCK.
 * stream->lock is never held across a push, a message, a call into the engine or a property
 * notification; stream->gate never across a push or a message. */
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

#include <vfi/vfi.h>

#include "cuda/stream_context.h"
#include "pure/decide.h"
#include "pure/grid.h"
#include "pure/settings.h"
#include "stream/content.h"
#include "stream/held_repeats.h"
#include "stream/live.h"
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

typedef struct _GstVfiBuild GstVfiBuild;

/* Why nothing moves. Bits, because a pad may be deactivated and the state may change in the
 * middle of a flush: the stream is open when the last of them is gone. */
typedef enum {
  GST_VFI_CLOSED_BY_STATE = 1 << 0,
  GST_VFI_CLOSED_BY_SRC = 1 << 1,
  GST_VFI_CLOSED_BY_SINK = 1 << 2,
  GST_VFI_CLOSED_BY_FLUSH = 1 << 3,
} GstVfiClosed;

struct _GstVfiStream {
  GstElement *element; /* not owned: the element owns the stream */
  GstPad *sinkpad;
  GstPad *srcpad;

  GMutex gate; /* held by who closes or opens until all have been told */
  GMutex lock;
  GCond changed;

  /* Guarded by lock. */
  GQueue items; /* GstVfiItem */
  guint queued_buffers;
  guint wake_count;         /* raised by everything that may let the task go on */
  GstVfiClosed closed;      /* 0: open */
  gboolean reset_due;       /* closed since the streaming thread reset what it owns */
  guint parking;            /* who waits for the task to leave its function */
  guint links_changed;      /* raised by what may mend a flow error */
  gboolean eos;             /* EOS is queued or was pushed */
  GstFlowReturn flow;       /* what chain returns; the task runs with OK and EOS */
  GstVfiSettings *settings; /* the element's */
  VfiSession *session;      /* replaced by the streaming thread only */
  GstObject *session_cuda;  /* the context that it works in, which it must not outlive */

  VfiModel *model;
  GstBufferPool *out_pool; /* the same as pictures.out_pool */
  GstVfiCounters counters;
  VfiSessionStats session_base; /* the session's at the last reset-stats */

  GstVfiCuda *cuda; /* has a lock of its own, which is the last in the order */
  GstVfiLive live;  /* by field */

  /* Owned by the streaming thread: the task, or upstream's thread when synchronous. */
  gboolean synchronous;
  guint max_in_flight;
  GstCaps *sink_caps;
  gchar *reported; /* the refusal that an error was posted about */
  /* Written under lock too, for queries. */
  GstVideoInfo info;
  GstVideoInfo out_info;
  GstVfiCapsDecision decision;
  gboolean rates_known; /* all three are */
  gboolean negotiated;
  GstVfiMode mode;
  gboolean warned_scale;
  gdouble warned_scale_asked; /* values that there was a warning about */
  guint warned_tile_size;
  gboolean warned_multipliers;
  gboolean warned_untimed; /* once for the same caps */
  gboolean engine_failed;  /* since caps or properties changed */
  gboolean only_copies;    /* there is no session; copies take the place of in-betweens */
  guint settings_serial;   /* of the settings that were last looked at */
  GstVfiBuild *build;      /* of the session to come, or NULL */
  VfiVideoInfo session_video;
  gdouble session_scale;
  gpointer session_cuda_handle;
  gboolean session_failed; /* it will not work any more */
  guint session_failures;  /* without a picture in between */
  GstVfiPictures pictures;
  gboolean in_cuda;    /* sink_caps are of CUDA memory */
  gboolean video_meta; /* downstream understands GstVideoMeta */
  GstVfiRun run;
  GstVfiContent content;
  GstVfiRepeats repeats;
  GQueue gaps;        /* GstEvent: GAP events that wait, and what waits behind them */
  GstVfiPairs *pairs; /* pairs with a treatment of their own, or NULL */
  GstVfiFrame *held;  /* the run's reference */
  guint64 next_id;
  GstEvent *early_segment; /* to be pushed behind caps, which the src pad has none of */
  GQueue pending;          /* GstVfiEntry, in output order */
  GList *unsubmitted; /* link of the first in-between, or span of them, without a job */
  guint n_jobs;
  guint n_ahead;     /* in pending: they came out of spans */
  guint n_originals; /* in pending */
  guint pairs_since_report;
};

/* Wakes the task; the second with the lock held, the first without. */
void gst_vfi_stream_wake (GstVfiStream *stream);
void gst_vfi_stream_wake_locked (GstVfiStream *stream);

/* Whether the stream is closed, or was, and what is pending is of before. Takes the lock. */
gboolean gst_vfi_stream_is_flushing (GstVfiStream *stream);

/* Counts frames that have no place in the output. Takes the lock. */
void gst_vfi_stream_count_drops (GstVfiStream *stream, guint64 count);

/* The settings as they are now, without texts. Takes the lock. */
GstVfiSettings gst_vfi_stream_settings (GstVfiStream *stream);

/* Property device; g_free() it. Takes the lock. */
gchar *gst_vfi_stream_device (GstVfiStream *stream);

/* How many repeated frames may be held back at once. Takes the lock. */
guint gst_vfi_stream_max_repeats (GstVfiStream *stream);

/* The session with the context that it needs, both to be released, the session first; NULL
 * if there is none. Takes the lock. */
VfiSession *gst_vfi_stream_ref_session (GstVfiStream *stream, GstObject **cuda);

G_END_DECLS
