/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Held repeats. Outputs get their times at once, so that they are numbered in order; the
 * frame that ends the repeats decides what is shown there. */
#include "stream/held_repeats.h"

#include "pure/kept_events.h"
#include "pure/meta.h"
#include "pure/place.h"
#include "pure/span.h"
#include "stream/allocation.h"
#include "stream/between.h"
#include "stream/engine_session.h"
#include "stream/pending.h"
#include "stream/reference.h"
#include "stream/window.h"

#define GST_CAT_DEFAULT gst_vfi_debug

/* A span of outputs, a frame that may be one, or an event. */
typedef struct {
  GstVfiSpan *span; /* what lies before the next frame */
  GstVfiSlot slot;  /* of the frame, if it is shown */
  gboolean shown;
  GstVfiFrame *frame; /* a repeat */
  GstEvent *event;
} Item;

/* Owned by the streaming thread. */
struct _GstVfiRepeats {
  GQueue items;       /* Item, from the reference on, in order */
  guint n_held;       /* frames among them */
  gboolean too_long;  /* more than may be held: all pass until a new picture comes */
  GstClockTime start; /* PTS of the reference */
};

/* What a frame does to the repeats before it. */
typedef enum {
  STEP_PASS,    /* nothing is held, and the frame goes its way */
  STEP_HOLD,    /* it is a repeat, and held back */
  STEP_REPLACE, /* a new picture takes the place of those that are held */
  STEP_RELEASE, /* one too many: they go out unchanged, as will this one */
} Step;

static void
item_free (Item *item)
{
  g_clear_pointer (&item->frame, gst_vfi_frame_unref);
  gst_clear_event (&item->event);
  g_free (item->span);
  g_free (item);
}

GstVfiRepeats *
gst_vfi_repeats_new (void)
{
  return g_new0 (GstVfiRepeats, 1);
}

guint
gst_vfi_repeats_length (const GstVfiStream *stream)
{
  return stream->repeats->items.length;
}

/* Judges a frame by whether it repeats the one before, where @max repeats may be held;
 * keeps count. */
static Step
count (GstVfiRepeats *repeats, gboolean repeats_it, guint max)
{
  gboolean held = repeats->n_held > 0;

  if (!repeats_it) {
    repeats->too_long = FALSE;
    repeats->n_held = 0;
    return held ? STEP_REPLACE : STEP_PASS;
  }
  if (repeats->too_long)
    return STEP_PASS;
  if (repeats->n_held < max) {
    repeats->n_held++;
    return STEP_HOLD;
  }
  repeats->too_long = max > 0;
  repeats->n_held = 0;
  return held ? STEP_RELEASE : STEP_PASS;
}

/* Frames on a device are compared there, by the session. */
static gboolean
looks_the_same (GstVfiStream *stream, const VfiFrame *a, const VfiFrame *b)
{
  VfiVideoInfo video = gst_vfi_format_video_info (&stream->pictures.path.inner);
  gdouble threshold = gst_vfi_stream_settings (stream).duplicate_threshold;
  g_autoptr (GError) error = NULL;
  VfiSession *session = gst_vfi_session_current (stream);
  gboolean same = FALSE;

  if (a->memory == VFI_MEMORY_HOST)
    return vfi_frames_repeat (&video, a, b, threshold);
  if (session == NULL)
    return FALSE;
  if (!vfi_session_frames_repeat (session, a, b, threshold, &same, &error))
    GST_WARNING_OBJECT (stream->element, "not compared: %s", error->message);
  return same;
}

/* An announced cut is a new picture, whatever it shows. */
static gboolean
is_repeat (GstVfiStream *stream, const GstVfiFrame *next)
{
  return !stream->content.announced &&
         gst_vfi_meta_same_crop (stream->held->buffer, next->buffer) &&
         looks_the_same (stream, &stream->held->picture, &next->picture);
}

static Item *
append (GstVfiStream *stream)
{
  Item *item = g_new0 (Item, 1);

  g_queue_push_tail (&stream->repeats->items, item);
  return item;
}

/* Takes @frame. */
static void
hold (GstVfiStream *stream, GstVfiFrame *frame, const GstVfiFrameTime *time)
{
  GstVfiFrame *copy;
  GstVfiSpan span;
  Item *item;

  if (gst_vfi_alloc_is_scarce (frame->buffer) &&
      (copy = gst_vfi_frame_detach (&stream->pictures, frame)) != NULL) {
    gst_vfi_frame_unref (frame);
    frame = copy;
  }
  if (stream->repeats->n_held == 1)
    stream->repeats->start = stream->run.pts;
  for (guint64 from = 1; gst_vfi_span_of_pair (&span, &stream->run, time, from);
       from = span.last + 1) {
    gst_vfi_span_take (&span, &stream->run);
    append (stream)->span = g_memdup2 (&span, sizeof span);
  }
  gst_vfi_reference_accept (stream, time);
  item = append (stream);
  item->frame = frame;
  item->shown = gst_vfi_run_original_slot (&stream->run, &item->slot);
  if (item->shown)
    gst_vfi_run_take (&stream->run, &item->slot);
  GST_LOG_OBJECT (stream->element, "holding repeat %u, %" GST_PTR_FORMAT,
      stream->repeats->n_held, frame->buffer);
}

void
gst_vfi_repeats_release (GstVfiStream *stream)
{
  Item *item;

  while ((item = g_queue_pop_head (&stream->repeats->items)) != NULL) {
    if (item->event != NULL) {
      gst_vfi_pending_add_event (stream, g_steal_pointer (&item->event));
    } else if (item->span != NULL) {
      gst_vfi_pending_add_copies (stream, stream->held, NULL, item->span);
    } else {
      if (item->shown) {
        gst_vfi_slot_stamp (&item->slot, item->frame->buffer);
        gst_vfi_pending_add_original (stream, gst_buffer_ref (item->frame->buffer));
      }
      gst_vfi_window_accept (stream, g_steal_pointer (&item->frame));
    }
    item_free (item);
  }
  stream->repeats->n_held = 0;
}

void
gst_vfi_repeats_end_run (GstVfiStream *stream)
{
  gst_vfi_repeats_release (stream);
  stream->repeats->too_long = FALSE;
}

/* Pictures made of the two, by their places in the whole stretch from the reference to
 * @next. Pairs that are to be left alone keep their copies. */
static void
add_span (GstVfiStream *stream, GstVfiView *view, GstVfiFrame *next,
    GstClockTime next_pts, GstVfiSpan *span)
{
  if (span->kind == GST_VFI_SLOT_DUPLICATE) {
    gst_vfi_pending_add_copies (stream, stream->held, NULL, span);
    return;
  }
  span->stretch_start = stream->repeats->start;
  span->stretch_end = next_pts;
  gst_vfi_pending_add_in_betweens (stream, view, stream->held, next, span);
}

/* The same in the place of a repeat. */
static void
add_replacement (GstVfiStream *stream, GstVfiView *view, GstVfiFrame *next,
    GstClockTime next_pts, Item *item)
{
  if (item->slot.kind == GST_VFI_SLOT_DUPLICATE) {
    gst_vfi_pending_add_duplicate (stream, stream->held, &item->slot);
    return;
  }
  item->slot.kind = GST_VFI_SLOT_IN_BETWEEN;
  item->slot.phase_num = item->slot.pts - stream->repeats->start;
  item->slot.phase_den = next_pts - stream->repeats->start;
  gst_vfi_pending_add_replacement (
      stream, view, stream->held, next, &item->slot, item->frame);
}

/* Has everything between the reference and @next made of these two. */
static void
replace (GstVfiStream *stream, GstVfiView *view, GstVfiFrame *next,
    const GstVfiFrameTime *time)
{
  guint n_replaced = 0;
  GstVfiSpan span;
  Item *item;

  while ((item = g_queue_pop_head (&stream->repeats->items)) != NULL) {
    if (item->event != NULL)
      gst_vfi_pending_add_event (stream, g_steal_pointer (&item->event));
    else if (item->span != NULL)
      add_span (stream, view, next, time->pts, item->span);
    else if (item->shown)
      add_replacement (stream, view, next, time->pts, item);
    n_replaced += item->shown;
    item_free (item);
  }
  for (guint64 from = 1; gst_vfi_span_of_pair (&span, &stream->run, time, from);
       from = span.last + 1) {
    gst_vfi_span_take (&span, &stream->run);
    add_span (stream, view, next, time->pts, &span);
  }
  g_mutex_lock (&stream->lock);
  stream->counters.replaced += n_replaced;
  g_mutex_unlock (&stream->lock);
}

/* A new picture after repeats. Where there is a cut before it the repeats are no part of
 * its motion. */
static GstFlowReturn
end_repeats (GstVfiStream *stream, GstVfiFrame *next, const GstVfiFrameTime *time)
{
  g_autoptr (GstVfiView) view = NULL;
  GstFlowReturn ret = gst_vfi_between_open (stream, stream->repeats->start, next, &view);

  if (view != NULL) {
    replace (stream, view, next, time);
    return GST_FLOW_OK;
  }
  gst_vfi_repeats_release (stream);
  return ret == GST_FLOW_OK ? gst_vfi_between_plan (stream, next, time) : ret;
}

GstFlowReturn
gst_vfi_repeats_plan (GstVfiStream *stream, GstVfiFrame *next,
    const GstVfiFrameTime *time, gboolean *goes_on)
{
  guint max = gst_vfi_stream_max_repeats (stream);
  gboolean active =
      (max > 0 || stream->repeats->n_held > 0) && stream->run.segment.rate > 0;

  *goes_on = TRUE;
  if (!active)
    return gst_vfi_between_plan (stream, next, time);
  switch (count (stream->repeats, is_repeat (stream, next), max)) {
    case STEP_HOLD:
      hold (stream, next, time);
      *goes_on = FALSE;
      return GST_FLOW_OK;
    case STEP_REPLACE:
      return end_repeats (stream, next, time);
    case STEP_RELEASE:
      gst_vfi_repeats_release (stream);
      break;
    case STEP_PASS:
      break;
  }
  return gst_vfi_between_plan (stream, next, time);
}

void
gst_vfi_repeats_add_event (GstVfiStream *stream, GstEvent *event)
{
  if (stream->repeats->n_held > 0)
    append (stream)->event = event;
  else
    gst_vfi_pending_add_event (stream, event);
}

void
gst_vfi_repeats_clear (GstVfiStream *stream)
{
  Item *item;

  while ((item = g_queue_pop_head (&stream->repeats->items)) != NULL) {
    if (item->event != NULL && gst_vfi_keeps (GST_VFI_KEEP_OVER_FLUSH, item->event))
      gst_pad_store_sticky_event (stream->srcpad, item->event);
    item_free (item);
  }
  stream->repeats->n_held = 0;
  stream->repeats->too_long = FALSE;
}
