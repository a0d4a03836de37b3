/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the element's properties say, read: plain values, which properties.c fills by its
 * table. No lock of their own. */
#pragma once

#include <gst/gst.h>

#include "pure/pair_rules.h"
#include "pure/place.h"

G_BEGIN_DECLS

/* Texts and @pairs are owned. */
typedef struct {
  guint multiplier;
  gdouble scale;
  GstVfiTail tail;
  gint unsupported; /* GstVfiUnsupported */
  gint on_error;    /* GstVfiOnError */
  struct {
    gint num;
    gint den;
  } bypass_framerate;    /* 0: never */
  guint64 bypass_pixels; /* 0: never */
  guint64 max_gap;       /* ns, 0: automatic */
  gint precision;        /* VfiPrecision */
  guint threads;
  guint clear_cache_after_n_pairs; /* 0: adaptive */
  guint stats_interval;            /* pairs; 0: never */
  gint max_in_flight;              /* -1: by liveness, 0: synchronous */
  gint on_late;                    /* GstVfiOnLate */
  guint64 latency_budget;
  guint64 live_timeout;
  gboolean qos;
  gchar *device;
  gboolean mark_droppable;
  gint model_cache;        /* GstVfiModelCache */
  gint feature_storage;    /* VfiFeatureStorage */
  guint64 memory_headroom; /* 0: automatic */
  guint64 memory_limit;    /* 0: none */
  guint tile_size;         /* 0: as memory_limit demands */
  gdouble scale_asked;     /* as it was set: .scale is a valid one */
  gdouble scene_threshold;
  gint overlay; /* VfiOverlay */
  gchar *overlay_mask;
  gint scene_mode;     /* GstVfiSceneMode */
  gint duplicate_mode; /* GstVfiDuplicateMode */
  gdouble duplicate_threshold;
  guint duplicate_max;
  gchar *multipliers;
  gchar *skip_pairs;
  gchar *only_pairs;
  /* What the last three say; follows them. */
  GstVfiPairs *pairs;
  guint largest_of_pairs;
  gchar *pairs_problem; /* why they say nothing, or NULL */
  guint serial;         /* counts changes */
} GstVfiSettings;

typedef enum {
  GST_VFI_UNSUPPORTED_ERROR,
  GST_VFI_UNSUPPORTED_PASSTHROUGH,
} GstVfiUnsupported;

typedef enum {
  GST_VFI_ON_ERROR_ERROR,
  GST_VFI_ON_ERROR_PASSTHROUGH,
  GST_VFI_ON_ERROR_DUPLICATE,
} GstVfiOnError;

typedef enum {
  GST_VFI_DUPLICATES_KEEP,
  GST_VFI_DUPLICATES_REPLACE,
} GstVfiDuplicateMode;

typedef enum {
  GST_VFI_MODEL_CACHE_KEEP,
  GST_VFI_MODEL_CACHE_RELEASE,
} GstVfiModelCache;

/* A copy of everything but the texts and what was read from them, so that nothing in it
 * needs to be freed. */
GstVfiSettings gst_vfi_settings_without_texts (const GstVfiSettings *settings);

/* How many repeated frames may be held back at once. */
guint gst_vfi_settings_max_repeats (const GstVfiSettings *settings);

G_END_DECLS
