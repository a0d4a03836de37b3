/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/reference.h"

#define GST_CAT_DEFAULT gst_vfi_debug

gboolean
gst_vfi_reference_check_pairs (GstVfiStream *stream, GstVfiPairs **pairs)
{
  g_autofree gchar *problem = NULL;
  GstVfiPairs *found = NULL;

  g_mutex_lock (&stream->lock);
  problem = g_strdup (stream->settings->pairs_problem);
  if (stream->settings->pairs != NULL)
    found = gst_vfi_pairs_ref (stream->settings->pairs);
  g_mutex_unlock (&stream->lock);
  if (pairs != NULL)
    *pairs = g_steal_pointer (&found);
  g_clear_pointer (&found, gst_vfi_pairs_unref);
  if (problem == NULL)
    return TRUE;
  GST_ELEMENT_ERROR (stream->element, RESOURCE, SETTINGS, ("%s", problem), (NULL));
  return FALSE;
}

void
gst_vfi_reference_accept (GstVfiStream *stream, const GstVfiFrameTime *time)
{
  GstVfiPairPlan plan;

  gst_vfi_run_accept (&stream->run, time);
  plan = gst_vfi_pairs_plan (stream->pairs, gst_vfi_run_pair_index (&stream->run),
      stream->decision.multiplier, stream->decision.variable);
  gst_vfi_run_set_pair (
      &stream->run, plan.multiplier, plan.repeat || stream->only_copies);
}
