/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/reference.h"

#define GST_CAT_DEFAULT gst_vfi_debug

/* Owned by the streaming thread. */
struct _GstVfiReference {
  GstVfiPairs *pairs; /* pairs with a treatment of their own, or NULL */
};

GstVfiReference *
gst_vfi_reference_new (void)
{
  return g_new0 (GstVfiReference, 1);
}

void
gst_vfi_reference_free (GstVfiReference *reference)
{
  g_clear_pointer (&reference->pairs, gst_vfi_pairs_unref);
  g_free (reference);
}

/* What the properties say, NULL where they are empty or wrong. */
static gboolean
read_pairs (GstVfiStream *stream, GstVfiPairs **pairs)
{
  g_autofree gchar *problem = NULL;

  g_mutex_lock (&stream->lock);
  problem = g_strdup (stream->settings->pairs_problem);
  *pairs = gst_vfi_pairs_ref (stream->settings->pairs);
  g_mutex_unlock (&stream->lock);
  if (problem == NULL)
    return TRUE;
  GST_ELEMENT_ERROR (stream->element, RESOURCE, SETTINGS, ("%s", problem), (NULL));
  return FALSE;
}

gboolean
gst_vfi_reference_check_pairs (GstVfiStream *stream)
{
  g_autoptr (GstVfiPairs) pairs = NULL;

  return read_pairs (stream, &pairs);
}

gboolean
gst_vfi_reference_take_pairs (GstVfiStream *stream)
{
  g_clear_pointer (&stream->reference->pairs, gst_vfi_pairs_unref);
  return read_pairs (stream, &stream->reference->pairs);
}

void
gst_vfi_reference_accept (GstVfiStream *stream, const GstVfiFrameTime *time)
{
  const GstVfiCapsDecision *decision = &stream->negotiated.decision;
  GstVfiPairPlan plan;

  gst_vfi_run_accept (&stream->run, time);
  plan = gst_vfi_pairs_plan (stream->reference->pairs,
      gst_vfi_run_pair_index (&stream->run), decision->multiplier, decision->variable);
  gst_vfi_run_set_pair (
      &stream->run, plan.multiplier, plan.repeat || stream->negotiated.only_copies);
}
