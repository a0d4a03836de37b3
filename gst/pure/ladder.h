/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ladder: how much is computed when there is not enough time. A pair of frames is
 * worked on at one rung:
 *
 *   FULL        every in-between
 *   REDUCED     every in-between at a reduced flow scale, if the model has one
 *   HALF        every second in-between (of a single one: that of every second pair), at
 *               the reduced scale if there is one
 *   DUPLICATES  none; copies of the frame before, which keep a constant rate
 *   NONE        none
 *
 *   on-late     rungs                              an in-between that is not computed
 *   wait        FULL
 *   duplicate   FULL REDUCED HALF DUPLICATES       is a copy of the frame before
 *   skip        FULL REDUCED HALF NONE             is left out
 *   auto        duplicate when live, else wait
 *
 * A rung that rests completely for some seconds is no rung of its own: it is the last
 * rung while the wait before the next trial (qos.h) is long. Pure functions. */
#pragma once

#include <gst/gst.h>

G_BEGIN_DECLS

/* Property on-late. */
typedef enum {
  GST_VFI_ON_LATE_AUTO,
  GST_VFI_ON_LATE_WAIT,
  GST_VFI_ON_LATE_DUPLICATE,
  GST_VFI_ON_LATE_SKIP,
} GstVfiOnLate;

typedef enum {
  GST_VFI_RUNG_FULL,
  GST_VFI_RUNG_REDUCED,
  GST_VFI_RUNG_HALF,
  GST_VFI_RUNG_DUPLICATES,
  GST_VFI_RUNG_NONE,
} GstVfiRung;

/**
 * GstVfiQosConfig:
 * @on_late: which ladder
 * @live: whether the pipeline is live, for GST_VFI_ON_LATE_AUTO
 * @events: property qos: whether QOS events count
 * @reduced_scale: whether in-betweens can be had at a reduced flow scale. Only then is
 *     there a rung REDUCED, and only then does gst_vfi_qos_is_reduced() ever say so; no
 *     model has it yet, so nothing but tests sets it
 */
typedef struct {
  GstVfiOnLate on_late;
  gboolean live;
  gboolean events;
  gboolean reduced_scale;
} GstVfiQosConfig;

/* The ladder that is in use: `on-late`, but not GST_VFI_ON_LATE_AUTO. */
GstVfiOnLate gst_vfi_ladder_of (const GstVfiQosConfig *config);

/* Whether @rung is one of the ladder. */
gboolean gst_vfi_ladder_has (const GstVfiQosConfig *config, GstVfiRung rung);

/* The next rung below or above, or @rung itself at the ladder's end. */
GstVfiRung gst_vfi_ladder_below (const GstVfiQosConfig *config, GstVfiRung rung);
GstVfiRung gst_vfi_ladder_above (const GstVfiQosConfig *config, GstVfiRung rung);

/* Whether in-betweens are made at the reduced scale at @rung. */
gboolean gst_vfi_ladder_is_reduced (const GstVfiQosConfig *config, GstVfiRung rung);

/* Whether @rung computes in-between @index (from 1) of @count. For HALF, @in_turn decides
 * about the only in-between of a pair. */
gboolean gst_vfi_ladder_computes (
    GstVfiRung rung, guint index, guint count, gboolean in_turn);

/* How many of the in-betweens 1 ... @index @rung computes. */
guint gst_vfi_ladder_computed_up_to (GstVfiRung rung, guint index, guint count);

G_END_DECLS
