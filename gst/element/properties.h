/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Properties that are plain values: one table says their names, ranges and defaults, and
 * which field of GstVfiSettings holds each. A new one is a field and a line of the table. */
#pragma once

#include <gst/gst.h>

#include "pure/pair_rules.h"
#include "pure/place.h"

G_BEGIN_DECLS

/* What properties say. */
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
  GST_VFI_MODEL_CACHE_KEEP,
  GST_VFI_MODEL_CACHE_RELEASE,
} GstVfiModelCache;

/* Installs the table's properties with ids from @first_id on; returns the first id that is
 * free behind them. */
guint gst_vfi_properties_install (GObjectClass *klass, guint first_id);

/* Defaults of the table. */
void gst_vfi_settings_init (GstVfiSettings *settings);
void gst_vfi_settings_clear (GstVfiSettings *settings);

/* Of a property of the table, by its place in it (id - first_id). Setting returns whether
 * output caps have to be chosen anew. */
gboolean gst_vfi_settings_set (
    GstVfiSettings *settings, guint index, const GValue *value);
void gst_vfi_settings_get (const GstVfiSettings *settings, guint index, GValue *value);

G_END_DECLS
