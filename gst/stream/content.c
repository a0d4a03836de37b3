/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Judges pairs by the engine's detector. A frame's signature is kept, since the frame is
 * the first of the next pair. */
#include "stream/content.h"

void
gst_vfi_content_reset (GstVfiContent *content)
{
  content->announced = FALSE;
  content->ids[0] = content->ids[1] = 0;
}

gboolean
gst_vfi_content_is_cut_event (GstEvent *event)
{
  return GST_EVENT_TYPE (event) == GST_EVENT_CUSTOM_DOWNSTREAM &&
         gst_event_has_name (event, GST_VFI_SCENE_CUT_EVENT);
}

/* The signature of @frame, made in the place that @other's does not take; or NULL. */
static const VfiSceneSignature *
signature_of (GstVfiContent *content, VfiSession *session, const VfiFrame *frame,
    const VfiFrame *other, GError **error)
{
  guint place = content->ids[0] == other->id ? 1 : 0;

  if (content->ids[1] == frame->id)
    place = 1;
  if (content->ids[place] == frame->id)
    return &content->signatures[place];
  content->ids[place] = 0;
  if (!vfi_session_scene_signature (session, frame, &content->signatures[place], error))
    return NULL;
  content->ids[place] = frame->id;
  return &content->signatures[place];
}

gboolean
gst_vfi_content_judge (GstVfiContent *content, VfiSession *session, const VfiFrame *a,
    const VfiFrame *b, gdouble threshold, GstVfiPairKind *kind, GError **error)
{
  const VfiSceneSignature *of_a, *of_b;
  gboolean same;

  *kind = GST_VFI_PAIR_CUT;
  if (content->announced)
    return TRUE;
  if (!vfi_session_frames_repeat (session, a, b, 0, &same, error))
    return FALSE;
  *kind = same ? GST_VFI_PAIR_IDENTICAL : GST_VFI_PAIR_MOVES;
  if (same || threshold <= 0)
    return TRUE;
  of_a = signature_of (content, session, a, b, error);
  of_b = of_a != NULL ? signature_of (content, session, b, a, error) : NULL;
  if (of_b == NULL)
    return FALSE;
  content->score = vfi_scene_score (of_a, of_b);
  if (content->score >= threshold)
    *kind = GST_VFI_PAIR_CUT;
  return TRUE;
}

gboolean
gst_vfi_content_is_nearer_second (const GstVfiSlot *slot)
{
  return slot->phase_num > slot->phase_den - slot->phase_num;
}

GstVfiShow
gst_vfi_content_show (GstVfiPairKind kind, GstVfiSceneMode mode)
{
  switch (kind) {
    case GST_VFI_PAIR_MOVES:
      return GST_VFI_SHOW_MADE;
    case GST_VFI_PAIR_IDENTICAL:
      return GST_VFI_SHOW_FIRST;
    case GST_VFI_PAIR_CUT:
      break;
  }
  if (mode == GST_VFI_SCENE_NONE)
    return GST_VFI_SHOW_NOTHING;
  return mode == GST_VFI_SCENE_NEAREST ? GST_VFI_SHOW_NEARER : GST_VFI_SHOW_FIRST;
}
