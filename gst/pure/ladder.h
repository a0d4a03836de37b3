/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ladder: how much is computed when there is not enough time, and by whom. A pair of
 * frames is worked on at one rung:
 *
 *   FULL        every in-between, as properties say
 *   REDUCED     every in-between, by the same model at half the flow scale
 *   FLOW        every in-between, by the built-in model of least cost
 *   HALF        every second in-between (of a single one: that of every second pair), by
 *               the cheapest that there is of these
 *   DUPLICATES  none; copies of the frame before, which keep a constant rate
 *   NONE        none
 *
 *   on-late     rungs                                   one that is not computed
 *   wait        FULL
 *   duplicate   FULL REDUCED FLOW HALF DUPLICATES       is a copy of the frame before
 *   skip        FULL REDUCED FLOW HALF NONE             is left out
 *   auto        duplicate when live, else wait
 *
 * FULL, REDUCED and FLOW are there where there is a maker for them: something that makes
 * pictures and has costs of its own. FULL's may be late: until it is there the ladder,
 * unless it is `wait`, begins below. A rung that rests completely for some seconds is no
 * rung of its own: it is the last rung while the wait before the next trial (qos.h) is
 * long. Pure functions. */
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
  GST_VFI_RUNG_FLOW,
  GST_VFI_RUNG_HALF,
  GST_VFI_RUNG_DUPLICATES,
  GST_VFI_RUNG_NONE,
} GstVfiRung;

#define GST_VFI_N_RUNGS (GST_VFI_RUNG_NONE + 1)

/* What makes pictures; each is the rung of its name, where every one is made by it. */
typedef enum {
  GST_VFI_MAKER_FULL,
  GST_VFI_MAKER_REDUCED,
  GST_VFI_MAKER_FLOW,
} GstVfiMaker;

#define GST_VFI_N_MAKERS (GST_VFI_MAKER_FLOW + 1)

/**
 * GstVfiQosConfig:
 * @on_late: which ladder
 * @live: whether the pipeline is live, for GST_VFI_ON_LATE_AUTO
 * @events: property qos: whether QOS events count
 * @has: which makers there are; GST_VFI_MAKER_FULL may be late, others missing for good
 * @rehearses: whether the cost of a maker that is not in use can be measured without
 *     showing what it makes (qos.h)
 */
typedef struct {
  GstVfiOnLate on_late;
  gboolean live;
  gboolean events;
  gboolean has[GST_VFI_N_MAKERS];
  gboolean rehearses;
} GstVfiQosConfig;

/* "full", "reduced", "flow", "half", "duplicates", "none"; static. */
const char *gst_vfi_rung_to_string (GstVfiRung rung);

/* How much of what could be shown is computed at @rung, of 1000000 for FULL: the quality
 * of QOS messages. */
gint gst_vfi_rung_quality (GstVfiRung rung);

/* The ladder that is in use: `on-late`, but not GST_VFI_ON_LATE_AUTO. */
GstVfiOnLate gst_vfi_ladder_of (const GstVfiQosConfig *config);

/* Whether @rung is one of the ladder. */
gboolean gst_vfi_ladder_has (const GstVfiQosConfig *config, GstVfiRung rung);

/* The highest rung. */
GstVfiRung gst_vfi_ladder_top (const GstVfiQosConfig *config);

/* The next rung below or above, or @rung itself at the ladder's end. */
GstVfiRung gst_vfi_ladder_below (const GstVfiQosConfig *config, GstVfiRung rung);
GstVfiRung gst_vfi_ladder_above (const GstVfiQosConfig *config, GstVfiRung rung);

/* Who makes pictures at @rung, or would if any were made. */
GstVfiMaker gst_vfi_ladder_maker (const GstVfiQosConfig *config, GstVfiRung rung);

/* Whether @rung computes in-between @index (from 1) of @count. For HALF, @in_turn decides
 * about the only in-between of a pair. */
gboolean gst_vfi_ladder_computes (
    GstVfiRung rung, guint index, guint count, gboolean in_turn);

/* How many of the in-betweens 1 ... @index @rung computes. */
guint gst_vfi_ladder_computed_up_to (GstVfiRung rung, guint index, guint count);

G_END_DECLS
