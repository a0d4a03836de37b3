/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/rungs.h"

#include "stream/lower_build.h"

#define GST_CAT_DEFAULT gst_vfi_debug

/* Owned by the streaming thread but for what is said otherwise. */
struct _GstVfiRungs {
  GstVfiLowerBuild *build; /* that is not over, or NULL */
  gboolean begun;          /* to build them, since they were released */
  gboolean all_wanted;     /* not only what is wanted first */
  gboolean gave_way;       /* the stream's own session comes first */
  GstVfiRehearsal *rehearsal;
  gboolean at_once;

  /* Guarded by the stream's lock, which the streaming thread need not take to read
   * them. */
  VfiSession *sessions[GST_VFI_N_MAKERS]; /* by makers below the full one, or NULL */
  GstObject *cuda;                        /* the context that they work in */
  guint64 bytes[GST_VFI_N_MAKERS];        /* the full one's: frames for rehearsals */
};

GstVfiRungs *
gst_vfi_rungs_new (void)
{
  return g_new0 (GstVfiRungs, 1);
}

void
gst_vfi_rungs_build_at_once (GstVfiStream *stream, gboolean at_once)
{
  stream->rungs->at_once = at_once;
}

VfiSession *
gst_vfi_rungs_session (const GstVfiStream *stream, GstVfiMaker maker)
{
  return stream->rungs->sessions[maker];
}

GstVfiRehearsal *
gst_vfi_rungs_rehearsal (const GstVfiStream *stream)
{
  return stream->rungs->rehearsal;
}

guint64
gst_vfi_rungs_bytes_locked (const GstVfiStream *stream)
{
  guint64 bytes = 0;

  for (GstVfiMaker maker = GST_VFI_MAKER_FULL; maker < GST_VFI_N_MAKERS; maker++)
    bytes += stream->rungs->bytes[maker];
  return bytes;
}

static void
say_left_out (GstVfiStream *stream, GstVfiMaker maker, const GError *error)
{
  if (maker == GST_VFI_MAKER_FULL)
    GST_INFO_OBJECT (stream->element, "no rehearsals: %s", error->message);
  else
    GST_INFO_OBJECT (stream->element, "no rung \"%s\": %s",
        gst_vfi_rung_to_string ((GstVfiRung) maker), error->message);
}

/* Building. */

static void
wake (void *stream)
{
  gst_vfi_stream_wake (stream);
}

static void
take_part (GstVfiStream *stream, const GstVfiLowerPart *part)
{
  GstVfiRungs *rungs = stream->rungs;

  if (part->error != NULL)
    say_left_out (stream, part->maker, part->error);
  if (part->rehearsal != NULL)
    rungs->rehearsal = part->rehearsal;
  if (part->session != NULL) {
    vfi_session_set_notify (part->session, wake, stream);
    vfi_session_set_cleanup_interval (
        part->session, gst_vfi_stream_settings (stream).clear_cache_after_n_pairs);
    GST_INFO_OBJECT (stream->element,
        "rung \"%s\" is there, with %" G_GUINT64_FORMAT " bytes of working memory",
        gst_vfi_rung_to_string ((GstVfiRung) part->maker), part->bytes);
  }
  g_mutex_lock (&stream->lock);
  if (part->session != NULL)
    rungs->sessions[part->maker] = part->session;
  if (part->error == NULL)
    rungs->bytes[part->maker] = part->bytes;
  g_mutex_unlock (&stream->lock);
}

static void
take_parts (GstVfiStream *stream)
{
  GstVfiRungs *rungs = stream->rungs;
  GstVfiLowerPart part;

  while (rungs->build != NULL && gst_vfi_lower_build_take (rungs->build, &part)) {
    take_part (stream, &part);
    g_clear_error (&part.error);
    if (gst_vfi_lower_build_is_over (rungs->build))
      g_clear_pointer (&rungs->build, gst_vfi_lower_build_free);
  }
}

static void
begin (GstVfiStream *stream, const GstVfiBuildInput *input)
{
  GstVfiRungs *rungs = stream->rungs;

  rungs->begun = TRUE;
  rungs->build = gst_vfi_lower_build_new (input, &stream->pictures.path.inner);
  g_mutex_lock (&stream->lock);
  rungs->cuda = input->cuda != NULL ? gst_object_ref (input->cuda) : NULL;
  g_mutex_unlock (&stream->lock);
}

static void
go_on (GstVfiStream *stream, gboolean all)
{
  GstVfiRungs *rungs = stream->rungs;
  g_autoptr (GError) error = NULL;

  rungs->all_wanted = all;
  if (rungs->at_once)
    gst_vfi_lower_build_run (rungs->build, all);
  else if (!gst_vfi_lower_build_start (rungs->build, all, wake, stream, &error))
    GST_INFO_OBJECT (stream->element, "no lower rungs: %s", error->message);
}

void
gst_vfi_rungs_update (
    GstVfiStream *stream, const GstVfiBuildInput *input, gboolean is_ready)
{
  GstVfiRungs *rungs = stream->rungs;

  if (rungs->gave_way && !is_ready)
    return;
  if (!rungs->begun) {
    begin (stream, input);
    go_on (stream, is_ready);
  } else if (is_ready && !rungs->all_wanted) {
    go_on (stream, TRUE);
  }
  take_parts (stream);
}

gboolean
gst_vfi_rungs_are_complete (const GstVfiStream *stream)
{
  return stream->rungs->begun && stream->rungs->build == NULL;
}

/* Letting go. */

/* As with the session of engine_session.c: whoever releases it reuses its memory. */
static void
drop_session (VfiSession *session)
{
  vfi_session_set_notify (session, NULL, NULL);
  vfi_session_wait (session);
  vfi_session_unref (session);
}

static VfiSession *
steal_session (GstVfiStream *stream, GstVfiMaker maker)
{
  VfiSession *session;

  g_mutex_lock (&stream->lock);
  session = g_steal_pointer (&stream->rungs->sessions[maker]);
  stream->rungs->bytes[maker] = 0;
  g_mutex_unlock (&stream->lock);
  return session;
}

void
gst_vfi_rungs_release (GstVfiStream *stream)
{
  GstVfiRungs *rungs = stream->rungs;
  GstObject *cuda;

  rungs->gave_way = FALSE;
  if (!rungs->begun)
    return;
  g_clear_pointer (&rungs->build, gst_vfi_lower_build_free);
  g_clear_pointer (&rungs->rehearsal, gst_vfi_rehearsal_free);
  for (GstVfiMaker maker = GST_VFI_MAKER_FULL; maker < GST_VFI_N_MAKERS; maker++) {
    VfiSession *session = steal_session (stream, maker);
    if (session != NULL)
      drop_session (session);
  }
  rungs->begun = rungs->all_wanted = FALSE;
  g_mutex_lock (&stream->lock);
  cuda = g_steal_pointer (&rungs->cuda);
  g_mutex_unlock (&stream->lock);
  gst_clear_object (&cuda);
}

gboolean
gst_vfi_rungs_give_way (GstVfiStream *stream)
{
  GstVfiRungs *rungs = stream->rungs;

  if (!rungs->begun)
    return FALSE;
  gst_vfi_rungs_release (stream);
  rungs->gave_way = TRUE;
  return TRUE;
}

/* Jobs of it that have not ended may still do so, and wake who waits for them; with the
 * last of them it goes. */
void
gst_vfi_rungs_leave_out (GstVfiStream *stream, GstVfiMaker maker, const GError *error)
{
  VfiSession *session = steal_session (stream, maker);

  if (session == NULL)
    return;
  say_left_out (stream, maker, error);
  vfi_session_unref (session);
}

/* Others. */

void
gst_vfi_rungs_set_cleanup_interval (GstVfiStream *stream, guint n_pairs)
{
  for (GstVfiMaker maker = GST_VFI_MAKER_FULL; maker < GST_VFI_N_MAKERS; maker++)
    if (stream->rungs->sessions[maker] != NULL)
      vfi_session_set_cleanup_interval (stream->rungs->sessions[maker], n_pairs);
}

void
gst_vfi_rungs_flush (GstVfiStream *stream)
{
  VfiSession *sessions[GST_VFI_N_MAKERS] = {NULL};
  g_autoptr (GstObject) cuda = NULL;

  g_mutex_lock (&stream->lock);
  for (GstVfiMaker maker = GST_VFI_MAKER_FULL; maker < GST_VFI_N_MAKERS; maker++)
    if (stream->rungs->sessions[maker] != NULL)
      sessions[maker] = vfi_session_ref (stream->rungs->sessions[maker]);
  cuda = stream->rungs->cuda != NULL ? gst_object_ref (stream->rungs->cuda) : NULL;
  g_mutex_unlock (&stream->lock);
  for (GstVfiMaker maker = GST_VFI_MAKER_FULL; maker < GST_VFI_N_MAKERS; maker++) {
    if (sessions[maker] == NULL)
      continue;
    vfi_session_flush (sessions[maker]);
    vfi_session_unref (sessions[maker]);
  }
}
