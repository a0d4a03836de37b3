/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/upkeep.h"

#include "stream/deadlines.h"
#include "stream/engine_session.h"
#include "stream/rungs.h"

#define GST_CAT_DEFAULT gst_vfi_debug

/* Owned by the streaming thread. */
struct _GstVfiUpkeep {
  gboolean rehearses; /* the ladder waits for one */
  GstVfiMaker maker;  /* that does */
};

GstVfiUpkeep *
gst_vfi_upkeep_new (void)
{
  return g_new0 (GstVfiUpkeep, 1);
}

static VfiSession *
session_of (const GstVfiStream *stream, GstVfiMaker maker)
{
  return maker == GST_VFI_MAKER_FULL ? gst_vfi_session_current (stream)
                                     : gst_vfi_rungs_session (stream, maker);
}

/* The job of a rehearsal, or NULL; it may be one that nobody waits for any more. */
static VfiJob *
rehearsal_job (const GstVfiStream *stream)
{
  GstVfiRehearsal *rehearsal = gst_vfi_rungs_rehearsal (stream);

  return rehearsal != NULL ? gst_vfi_rehearsal_job (rehearsal) : NULL;
}

static void
report (GstVfiStream *stream, GstClockTime cost)
{
  GstVfiUpkeep *upkeep = stream->upkeep;

  upkeep->rehearses = FALSE;
  GST_DEBUG_OBJECT (stream->element, "rehearsal of \"%s\": %" GST_TIME_FORMAT,
      gst_vfi_rung_to_string ((GstVfiRung) upkeep->maker), GST_TIME_ARGS (cost));
  gst_vfi_deadlines_rehearsed (stream, upkeep->maker, cost);
}

static void
rehearsal_failed (GstVfiStream *stream, const GError *error)
{
  GstVfiMaker maker = stream->upkeep->maker;

  if (g_error_matches (error, VFI_ERROR, VFI_ERROR_CANCELLED))
    return;
  if (maker == GST_VFI_MAKER_FULL)
    gst_vfi_session_note_failure (stream, gst_vfi_session_current (stream), error);
  else
    gst_vfi_rungs_leave_out (stream, maker, error);
}

/* Looks whether the rehearsal has ended, if there is one. */
static void
poll_rehearsal (GstVfiStream *stream)
{
  VfiJob *job = rehearsal_job (stream);
  GstClockTime cost = GST_CLOCK_TIME_NONE;
  g_autoptr (GError) error = NULL;

  if (job != NULL) {
    if (!gst_vfi_deadlines_rehearsal_has_ended (
            stream, job, stream->upkeep->maker, &cost))
      return;
    if (!gst_vfi_rehearsal_finish (gst_vfi_rungs_rehearsal (stream), &error)) {
      cost = GST_CLOCK_TIME_NONE;
      rehearsal_failed (stream, error);
    }
  }
  if (stream->upkeep->rehearses)
    report (stream, cost);
}

void
gst_vfi_upkeep_rungs (GstVfiStream *stream)
{
  g_autofree gchar *device = NULL;
  GstVfiBuildInput input;

  if (!gst_vfi_deadlines_has_ladder (stream)) {
    gst_vfi_rungs_release (stream);
    return;
  }
  if (gst_vfi_rungs_are_complete (stream))
    return;
  device = gst_vfi_session_describe (stream, &input);
  gst_vfi_rungs_update (stream, &input, gst_vfi_session_current (stream) != NULL);
}

VfiSession *
gst_vfi_upkeep_session (const GstVfiStream *stream)
{
  VfiSession *session = gst_vfi_session_current (stream);

  return session != NULL ? session : gst_vfi_rungs_session (stream, GST_VFI_MAKER_FLOW);
}

gboolean
gst_vfi_upkeep_lower_failed (
    GstVfiStream *stream, const VfiSession *session, const GError *error)
{
  for (GstVfiMaker maker = GST_VFI_MAKER_REDUCED; maker < GST_VFI_N_MAKERS; maker++) {
    if (session == NULL || gst_vfi_rungs_session (stream, maker) != session)
      continue;
    gst_vfi_rungs_leave_out (stream, maker, error);
    return TRUE;
  }
  return FALSE;
}

void
gst_vfi_upkeep_before_pair (GstVfiStream *stream)
{
  poll_rehearsal (stream);
}

void
gst_vfi_upkeep_after_decision (GstVfiStream *stream)
{
  GstClockTime cost;

  if (!stream->upkeep->rehearses || !gst_vfi_deadlines_must_end_rehearsal (stream, &cost))
    return;
  if (rehearsal_job (stream) != NULL)
    gst_vfi_rehearsal_cancel (gst_vfi_rungs_rehearsal (stream));
  report (stream, cost);
}

void
gst_vfi_upkeep_after_pair (GstVfiStream *stream)
{
  GstVfiRehearsal *rehearsal = gst_vfi_rungs_rehearsal (stream);
  GstVfiUpkeep *upkeep = stream->upkeep;
  g_autoptr (GError) error = NULL;
  VfiSession *session;

  if (rehearsal == NULL)
    return;
  poll_rehearsal (stream);
  if (rehearsal_job (stream) != NULL ||
      !gst_vfi_deadlines_wants_rehearsal (stream, &upkeep->maker))
    return;
  upkeep->rehearses = TRUE;
  session = session_of (stream, upkeep->maker);
  if (session != NULL && gst_vfi_rehearsal_begin (rehearsal, session, &error))
    return;
  if (error != NULL)
    rehearsal_failed (stream, error);
  report (stream, GST_CLOCK_TIME_NONE);
}
