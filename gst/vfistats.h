/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the element counts, and the `stats` structure that applications read. */
#pragma once

#include <gst/gst.h>

#include <vfi/vfi.h>

G_BEGIN_DECLS

/* Buffers since READY→PAUSED. */
typedef struct {
  guint64 in;           /* came in */
  guint64 out;          /* went out, of all kinds */
  guint64 interpolated; /* made by the engine */
  guint64 duplicate;    /* copies of an original */
  guint64 drop;         /* inputs, or in-betweens, without a place in the output */
  guint64 identical;    /* of duplicate: between two identical frames */
  guint64 cuts;         /* pairs with a scene cut */
  guint64 replaced;     /* of interpolated: in the place of a repeat */
  gdouble scene_score;  /* of the last pair that was looked at */
} GstVfiCounters;

/* A new structure "vfiinterp-stats". @model and @session may be NULL; @session's counters
 * count from @base on. */
GstStructure *gst_vfi_stats_new (const GstVfiCounters *counters, VfiModel *model,
    VfiSession *session, const VfiSessionStats *base);

G_END_DECLS
