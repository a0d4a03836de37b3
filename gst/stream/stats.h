/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element's counters, and the `stats` structure that applications read. */
#pragma once

#include <gst/gst.h>

#include <vfi/vfi.h>

#include "pure/ladder.h"

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
  guint64 edge_views;   /* views in which a frame takes the place of missing ones */
  guint64 rung_changes; /* between two pairs */
  guint64 by_rung[GST_VFI_N_RUNGS]; /* of interpolated: by their pairs' rungs */
  gdouble scene_score;              /* of the last pair that was looked at */
} GstVfiCounters;

/* Where the values of `stats` come from. */
typedef struct {
  GstVfiCounters counters;
  VfiModel *model;      /* or NULL */
  VfiSession *session;  /* or NULL */
  VfiSessionStats base; /* the session's counters count from here on */
  gsize pool_bytes;
} GstVfiStatsSource;

/* A new structure "vfiinterp-stats". */
GstStructure *gst_vfi_stats_new (const GstVfiStatsSource *source);

/* Has GLib's table of names hold those of all fields, while there is one thread: when two
 * threads ask for stats for the first time, its lock is not seen by ThreadSanitizer. */
void gst_vfi_stats_make_names (void);

G_END_DECLS
