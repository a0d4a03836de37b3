/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How two neighbouring frames relate, and what is shown between them accordingly: a
 * picture that the model makes, one of the two frames again, or nothing. No element, no
 * lock; belongs to the streaming thread. */
#pragma once

#include <gst/gst.h>

#include <vfi/vfi.h>

#include "pure/run.h"

G_BEGIN_DECLS

/* Name of the serialized downstream custom event that says: a new scene begins with the
 * next frame. */
#define GST_VFI_SCENE_CUT_EVENT "vfi-scene-cut"

/**
 * GstVfiSceneMode: what is shown between two frames with a cut between them.
 * @GST_VFI_SCENE_NEAREST: the frame that is nearer in time
 * @GST_VFI_SCENE_DUPLICATE: the frame before the cut
 * @GST_VFI_SCENE_NONE: nothing
 */
typedef enum {
  GST_VFI_SCENE_NEAREST,
  GST_VFI_SCENE_DUPLICATE,
  GST_VFI_SCENE_NONE,
} GstVfiSceneMode;

/**
 * GstVfiPairKind:
 * @GST_VFI_PAIR_MOVES: a pair to interpolate
 * @GST_VFI_PAIR_IDENTICAL: bitwise the same picture
 * @GST_VFI_PAIR_CUT: a new scene begins
 */
typedef enum {
  GST_VFI_PAIR_MOVES,
  GST_VFI_PAIR_IDENTICAL,
  GST_VFI_PAIR_CUT,
} GstVfiPairKind;

typedef enum {
  GST_VFI_SHOW_MADE,
  GST_VFI_SHOW_FIRST,
  GST_VFI_SHOW_NEARER,
  GST_VFI_SHOW_NOTHING,
} GstVfiShow;

/**
 * GstVfiContent: zeroed is ready for use.
 * @announced: a cut was announced before the next frame
 * @score: of the last pair that was looked at, 0 … 1
 * @ids: the pictures that @signatures are of; 0 for none
 */
typedef struct {
  gboolean announced;
  gdouble score;
  guint64 ids[2];
  VfiSceneSignature signatures[2];
} GstVfiContent;

/* Forgets frames and announcements. */
void gst_vfi_content_reset (GstVfiContent *content);

/* Whether @event announces a cut. */
gboolean gst_vfi_content_is_cut_event (GstEvent *event);

/* Judges two frames (with ids) of @session. @threshold is the score from which on a pair
 * is a cut; with 0 only announced ones are. FALSE with @error if the device cannot
 * say. */
gboolean gst_vfi_content_judge (GstVfiContent *content, VfiSession *session,
    const VfiFrame *a, const VfiFrame *b, gdouble threshold, GstVfiPairKind *kind,
    GError **error);

/* What belongs between the two frames of a pair of @kind. */
GstVfiShow gst_vfi_content_show (GstVfiPairKind kind, GstVfiSceneMode mode);

/* Whether @slot, with its phase, is nearer to the second frame. */
gboolean gst_vfi_content_is_nearer_second (const GstVfiSlot *slot);

G_END_DECLS
