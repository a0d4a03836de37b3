/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of properties, and how their values get into settings and out again. */
#include "element/properties.h"

#include <vfi/session.h>

#include "pure/caps.h"
#include "pure/ladder.h"
#include "stream/content.h"

typedef enum {
  KIND_BOOLEAN,
  KIND_INT,
  KIND_UINT,
  KIND_UINT64, /* of the full range */
  KIND_DOUBLE,
  KIND_ENUM,
  KIND_FRACTION, /* not negative; 0/1 by default; two gints */
  KIND_STRING,
} Kind;

typedef enum {
  CHANGES_IN_READY,
  CHANGES_ALWAYS,
  CHANGES_CAPS, /* always, and output caps are chosen again */
} Change;

typedef struct {
  const char *name;
  const char *nick;
  const char *blurb;
  Kind kind;
  Change change;
  gsize offset; /* in GstVfiSettings */
  gdouble min;  /* numbers */
  gdouble max;
  gdouble default_number; /* numbers and enums */
  const char *default_string;
  GType (*enum_type) (void);
} Property;

#define FIELD(name) .offset = offsetof (GstVfiSettings, name)

static GType
tail_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {GST_VFI_TAIL_DUPLICATE, "Copies of the last frame, marked as GAP", "duplicate"},
      {GST_VFI_TAIL_HOLD, "One GAP event", "hold"},
      {GST_VFI_TAIL_NONE, "Nothing", "none"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstVfiInterpTail", values));
  return type;
}

static GType
unsupported_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {GST_VFI_UNSUPPORTED_ERROR, "Fail with an error that says what to do", "error"},
      {GST_VFI_UNSUPPORTED_PASSTHROUGH, "Let it through unchanged", "passthrough"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstVfiInterpUnsupported", values));
  return type;
}

static GType
feature_storage_get_type (void)
{
  static gsize type;
  static const GEnumValue values[] = {
      {VFI_FEATURE_STORAGE_AUTO, "CPU f32, CUDA f16", "auto"},
      {VFI_FEATURE_STORAGE_F32, "As they are computed", "f32"},
      {VFI_FEATURE_STORAGE_F16, "Half of the bytes, 11 significant bits", "f16"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (
        &type, g_enum_register_static ("GstVfiInterpFeatureStorage", values));
  return type;
}

static GType
precision_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {VFI_PRECISION_AUTO, "f32 on the CPU, f16 with CUDA", "auto"},
      {VFI_PRECISION_F32, "32 bits", "f32"},
      {VFI_PRECISION_TF32, "10 bits of mantissa (CUDA)", "tf32"},
      {VFI_PRECISION_BF16, "7 bits of mantissa (CPUs with AVX512-BF16)", "bf16"},
      {VFI_PRECISION_F16, "10 bits of mantissa, small range (CUDA)", "f16"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstVfiInterpPrecision", values));
  return type;
}

static GType
overlay_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {VFI_OVERLAY_AUTO, "They are found by themselves, and kept", "auto"},
      {VFI_OVERLAY_OFF, "Only what is marked as one is kept", "off"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstVfiInterpOverlay", values));
  return type;
}

static GType
on_error_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {GST_VFI_ON_ERROR_ERROR, "Fail with the engine's error", "error"},
      {GST_VFI_ON_ERROR_PASSTHROUGH, "Warn, then let frames through unchanged",
          "passthrough"},
      {GST_VFI_ON_ERROR_DUPLICATE, "Warn, and show frames again instead", "duplicate"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstVfiInterpOnError", values));
  return type;
}

static GType
on_late_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {GST_VFI_ON_LATE_AUTO, "duplicate in live pipelines, else wait", "auto"},
      {GST_VFI_ON_LATE_WAIT, "Make every in-between, however late", "wait"},
      {GST_VFI_ON_LATE_DUPLICATE, "Make fewer; copies of a frame take their places",
          "duplicate"},
      {GST_VFI_ON_LATE_SKIP, "Make fewer", "skip"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstVfiInterpOnLate", values));
  return type;
}

static GType
model_cache_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {GST_VFI_MODEL_CACHE_KEEP, "It stays until memory is short or it is cleared",
          "keep"},
      {GST_VFI_MODEL_CACHE_RELEASE, "It goes with the last element that uses it",
          "release"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstVfiInterpModelCache", values));
  return type;
}

static GType
scene_mode_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {GST_VFI_SCENE_NEAREST, "The frame that is nearer in time, marked as GAP",
          "nearest"},
      {GST_VFI_SCENE_DUPLICATE, "The frame before the cut, marked as GAP", "duplicate"},
      {GST_VFI_SCENE_NONE, "Nothing", "none"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstVfiInterpSceneMode", values));
  return type;
}

static GType
duplicate_mode_get_type (void)
{
  static gsize type = 0;
  static const GEnumValue values[] = {
      {GST_VFI_DUPLICATES_KEEP, "Leave them", "keep"},
      {GST_VFI_DUPLICATES_REPLACE, "Put interpolated frames in their places", "replace"},
      {0, NULL, NULL},
  };

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("GstVfiInterpDuplicates", values));
  return type;
}

static const Property properties[] = {
    {"multiplier", "Multiplier",
        "Preferred ratio of output to input frame rate; 1 passes frames through",
        KIND_UINT, CHANGES_CAPS, FIELD (multiplier), 1, GST_VFI_MAX_MULTIPLIER, 2},
    {"multipliers", "Multipliers",
        "A multiplier for each pair of frames, such as \"2,4,1\"; pairs after the list "
        "take multiplier. The output rate becomes variable",
        KIND_STRING, CHANGES_CAPS, FIELD (multipliers), .default_string = ""},
    {"skip-pairs", "Skip pairs",
        "Indices of pairs without interpolation, such as \"1,2,5-9\"; pair 0 is the "
        "first after a start, a flush or a new segment",
        KIND_STRING, CHANGES_ALWAYS, FIELD (skip_pairs), .default_string = ""},
    {"only-pairs", "Only pairs",
        "Indices of the only pairs with interpolation; not together with skip-pairs",
        KIND_STRING, CHANGES_ALWAYS, FIELD (only_pairs), .default_string = ""},
    {"scale", "Flow scale",
        "Scale that motion is estimated at, 0.25 to 4; 0 chooses by frame size. Smaller "
        "is faster; ignored by models without one",
        KIND_DOUBLE, CHANGES_CAPS, FIELD (scale), 0, 4, 1},
    {"device", "Device", "Where to compute: \"auto\", \"cpu\" or \"cuda[:N]\"",
        KIND_STRING, CHANGES_IN_READY, FIELD (device), .default_string = "auto"},
    {"precision", "Precision",
        "Number format of a network's multiplications; one that the device lacks is an "
        "error",
        KIND_ENUM, CHANGES_IN_READY, FIELD (precision),
        .default_number = VFI_PRECISION_AUTO, .enum_type = precision_get_type},
    {"feature-storage", "Feature storage",
        "How results of a network's per-frame part are kept for the next pair: f16 takes "
        "half of the bytes",
        KIND_ENUM, CHANGES_IN_READY, FIELD (feature_storage),
        .default_number = VFI_FEATURE_STORAGE_AUTO,
        .enum_type = feature_storage_get_type},
    {"threads", "Threads", "Threads that compute; 0 is every usable CPU", KIND_UINT,
        CHANGES_IN_READY, FIELD (threads), 0, 1024, 0},
    {"max-in-flight", "Max in flight",
        "Pairs of frames computed while earlier ones are on their way; -1 is 1 for live "
        "sources and else 2, 0 works in upstream's thread",
        KIND_INT, CHANGES_IN_READY, FIELD (max_in_flight), -1, 8, -1},
    {"clear-cache-after-n-pairs", "Clear cache after n pairs",
        "Give memory that is not in use back to the system whenever this many pairs are "
        "done; 0 chooses by free memory",
        KIND_UINT, CHANGES_ALWAYS, FIELD (clear_cache_after_n_pairs), 0, G_MAXUINT,
        VFI_CLEANUP_PAIRS_DEFAULT},
    {"stats-interval", "Statistics interval",
        "Post stats as an element message whenever this many pairs are done; 0 is never",
        KIND_UINT, CHANGES_ALWAYS, FIELD (stats_interval), 0, G_MAXUINT, 0},
    {"model-cache", "Model cache",
        "What happens to the model when the element goes to NULL", KIND_ENUM,
        CHANGES_ALWAYS, FIELD (model_cache), .default_number = GST_VFI_MODEL_CACHE_KEEP,
        .enum_type = model_cache_get_type},
    {"memory-headroom", "Memory headroom",
        "Bytes of memory that stay free when models are opened and working memory is "
        "taken; 0 is a tenth of the machine's, at least 512 MiB, at most a quarter of "
        "the process's limit",
        KIND_UINT64, CHANGES_ALWAYS, FIELD (memory_headroom)},
    {"memory-limit", "Memory limit",
        "Maximum of bytes that this element may take: working memory, what is kept of "
        "frames and the buffers it fills, without the model, which is shared; where that "
        "is not enough the network sees pictures in tiles. 0 is no limit",
        KIND_UINT64, CHANGES_ALWAYS, FIELD (memory_limit)},
    {"tile-size", "Tile size",
        "Largest width and height of the tiles that the network sees one by one; 0 makes "
        "tiles only where memory-limit demands them",
        KIND_UINT, CHANGES_ALWAYS, FIELD (tile_size), 0, 16384, 0},
    {"on-late", "On late", "What to do when in-betweens would come too late", KIND_ENUM,
        CHANGES_ALWAYS, FIELD (on_late), .default_number = GST_VFI_ON_LATE_AUTO,
        .enum_type = on_late_get_type},
    {"latency-budget", "Latency budget",
        "Time for an in-between in the latency that a live pipeline is told, in ns; 0 "
        "takes what was measured",
        KIND_UINT64, CHANGES_ALWAYS, FIELD (latency_budget)},
    {"live-timeout", "Live timeout",
        "When a live source has sent no frame for a frame interval and this time, in ns, "
        "copies of the last one are pushed until it does; 0 is off",
        KIND_UINT64, CHANGES_ALWAYS, FIELD (live_timeout)},
    {"qos", "QoS", "Whether QOS events count; if not, they only go on upstream",
        KIND_BOOLEAN, CHANGES_ALWAYS, FIELD (qos), .default_number = TRUE},
    {"tail", "Tail",
        "What follows the last frame where frames end (end of stream, gap, new caps)",
        KIND_ENUM, CHANGES_ALWAYS, FIELD (tail), .default_number = GST_VFI_TAIL_DUPLICATE,
        .enum_type = tail_get_type},
    {"unsupported", "Unsupported video",
        "What to do with video that cannot be interpolated, such as interlaced",
        KIND_ENUM, CHANGES_CAPS, FIELD (unsupported),
        .default_number = GST_VFI_UNSUPPORTED_ERROR, .enum_type = unsupported_get_type},
    {"scene-threshold", "Scene threshold",
        "Frames that differ by this score or more are a scene cut and not interpolated; "
        "0 is off",
        KIND_DOUBLE, CHANGES_ALWAYS, FIELD (scene_threshold), 0, 1,
        VFI_SCENE_THRESHOLD_DEFAULT},
    {"scene-mode", "Scene mode", "What is shown between two scenes", KIND_ENUM,
        CHANGES_ALWAYS, FIELD (scene_mode), .default_number = GST_VFI_SCENE_NEAREST,
        .enum_type = scene_mode_get_type},
    {"duplicate-mode", "Duplicate mode",
        "What to do with frames that repeat the one before; replacing adds the latency "
        "of duplicate-max frames",
        KIND_ENUM, CHANGES_CAPS, FIELD (duplicate_mode),
        .default_number = GST_VFI_DUPLICATES_KEEP, .enum_type = duplicate_mode_get_type},
    {"duplicate-threshold", "Duplicate threshold",
        "A frame repeats another if the mean luma difference in every block of 16x16 is "
        "at most this, in codes of 8 bits; 0 is bitwise, -1 tells motion from what lossy "
        "coders do to a repeat",
        KIND_DOUBLE, CHANGES_ALWAYS, FIELD (duplicate_threshold), VFI_REPEAT_AUTO, 255,
        VFI_REPEAT_AUTO},
    {"duplicate-max", "Duplicate maximum",
        "Maximum of repeats in a row that are replaced; of more, all stay", KIND_UINT,
        CHANGES_CAPS, FIELD (duplicate_max), 0, 64, 3},
    {"overlay", "Overlay",
        "Whether what lies still over moving video, such as subtitles and logos, is "
        "looked for and kept as it is; what is marked as such is kept in any case",
        KIND_ENUM, CHANGES_CAPS, FIELD (overlay), .default_number = VFI_OVERLAY_AUTO,
        .enum_type = overlay_get_type},
    {"overlay-mask", "Overlay mask",
        "File of an 8-bit PGM picture of the video's size: in-betweens stay as they are "
        "where it is white, whatever the model finds there",
        KIND_STRING, CHANGES_CAPS, FIELD (overlay_mask), .default_string = ""},
    {"mark-droppable", "Mark as droppable",
        "Flag everything that did not come in as DROPPABLE, so that \"identity "
        "drop-buffer-flags=droppable\" gives the originals back",
        KIND_BOOLEAN, CHANGES_ALWAYS, FIELD (mark_droppable)},
    {"on-error", "On error", "What to do when the engine fails", KIND_ENUM, CHANGES_CAPS,
        FIELD (on_error), .default_number = GST_VFI_ON_ERROR_ERROR,
        .enum_type = on_error_get_type},
    {"bypass-framerate", "Bypass frame rate",
        "Let video of a higher frame rate than this through unchanged; 0/1 never",
        KIND_FRACTION, CHANGES_CAPS, FIELD (bypass_framerate)},
    {"bypass-pixels", "Bypass pixels",
        "Let frames of more pixels (width * height) than this through unchanged; 0 never",
        KIND_UINT64, CHANGES_CAPS, FIELD (bypass_pixels)},
    {"max-gap", "Maximal gap",
        "Frames farther apart than this (ns) are not interpolated; 0 is the larger of "
        "four frames and 250 ms",
        KIND_UINT64, CHANGES_ALWAYS, FIELD (max_gap)},
};

static GParamSpec *
new_spec (const Property *p)
{
  GParamFlags flags = (GParamFlags) (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS);

  flags |=
      p->change == CHANGES_IN_READY ? GST_PARAM_MUTABLE_READY : GST_PARAM_MUTABLE_PLAYING;
  switch (p->kind) {
    case KIND_BOOLEAN:
      return g_param_spec_boolean (
          p->name, p->nick, p->blurb, p->default_number != 0, flags);
    case KIND_INT:
      return g_param_spec_int (p->name, p->nick, p->blurb, (gint) p->min, (gint) p->max,
          (gint) p->default_number, flags);
    case KIND_UINT:
      return g_param_spec_uint (p->name, p->nick, p->blurb, (guint) p->min,
          (guint) p->max, (guint) p->default_number, flags);
    case KIND_UINT64:
      return g_param_spec_uint64 (
          p->name, p->nick, p->blurb, 0, G_MAXUINT64, (guint64) p->default_number, flags);
    case KIND_DOUBLE:
      return g_param_spec_double (
          p->name, p->nick, p->blurb, p->min, p->max, p->default_number, flags);
    case KIND_ENUM:
      gst_type_mark_as_plugin_api (p->enum_type (), (GstPluginAPIFlags) 0);
      return g_param_spec_enum (
          p->name, p->nick, p->blurb, p->enum_type (), (gint) p->default_number, flags);
    case KIND_FRACTION:
      return gst_param_spec_fraction (
          p->name, p->nick, p->blurb, 0, 1, G_MAXINT, 1, 0, 1, flags);
    case KIND_STRING:
      return g_param_spec_string (p->name, p->nick, p->blurb, p->default_string, flags);
    default:
      g_return_val_if_reached (NULL);
  }
}

guint
gst_vfi_properties_install (GObjectClass *klass, guint first_id)
{
  for (guint i = 0; i < G_N_ELEMENTS (properties); i++)
    g_object_class_install_property (klass, first_id + i, new_spec (&properties[i]));
  return first_id + (guint) G_N_ELEMENTS (properties);
}

static gpointer
field (const GstVfiSettings *settings, const Property *property)
{
  return (char *) settings + property->offset;
}

void
gst_vfi_properties_init (GstVfiSettings *settings)
{
  *settings = (GstVfiSettings){0};
  for (guint i = 0; i < G_N_ELEMENTS (properties); i++) {
    g_autoptr (GParamSpec) spec = g_param_spec_ref_sink (new_spec (&properties[i]));
    gst_vfi_properties_set (settings, i, g_param_spec_get_default_value (spec));
  }
}

void
gst_vfi_properties_clear (GstVfiSettings *settings)
{
  g_clear_pointer (&settings->pairs, gst_vfi_pairs_unref);
  g_clear_pointer (&settings->pairs_problem, g_free);
  for (guint i = 0; i < G_N_ELEMENTS (properties); i++)
    if (properties[i].kind == KIND_STRING)
      g_clear_pointer ((gchar **) field (settings, &properties[i]), g_free);
}

static void
read_pairs (GstVfiSettings *settings)
{
  g_clear_pointer (&settings->pairs, gst_vfi_pairs_unref);
  g_clear_pointer (&settings->pairs_problem, g_free);
  gst_vfi_pairs_new (settings->multipliers, settings->skip_pairs, settings->only_pairs,
      &settings->pairs, &settings->pairs_problem);
  settings->largest_of_pairs =
      settings->pairs != NULL ? gst_vfi_pairs_largest_multiplier (settings->pairs) : 0;
}

gboolean
gst_vfi_properties_set (GstVfiSettings *settings, guint index, const GValue *value)
{
  const Property *property = &properties[index];
  gpointer to = field (settings, property);

  switch (property->kind) {
    case KIND_BOOLEAN:
      *(gboolean *) to = g_value_get_boolean (value);
      break;
    case KIND_INT:
      *(gint *) to = g_value_get_int (value);
      break;
    case KIND_UINT:
      *(guint *) to = g_value_get_uint (value);
      break;
    case KIND_UINT64:
      *(guint64 *) to = g_value_get_uint64 (value);
      break;
    case KIND_DOUBLE:
      *(gdouble *) to = g_value_get_double (value);
      break;
    case KIND_ENUM:
      *(gint *) to = g_value_get_enum (value);
      break;
    case KIND_FRACTION:
      ((gint *) to)[0] = gst_value_get_fraction_numerator (value);
      ((gint *) to)[1] = gst_value_get_fraction_denominator (value);
      break;
    case KIND_STRING:
      g_free (*(gchar **) to);
      *(gchar **) to = g_value_dup_string (value);
      if (*(gchar **) to == NULL)
        *(gchar **) to = g_strdup (property->default_string);
      break;
    default:
      break;
  }
  settings->serial++;
  if (property->kind == KIND_STRING)
    read_pairs (settings);
  /* There are no scales between 0, which is "auto", and the smallest. */
  if (to == &settings->scale) {
    settings->scale_asked = settings->scale;
    if (settings->scale > 0)
      settings->scale = MAX (settings->scale, 0.25);
  }
  return property->change == CHANGES_CAPS;
}

void
gst_vfi_properties_get (const GstVfiSettings *settings, guint index, GValue *value)
{
  const Property *property = &properties[index];
  gconstpointer from = field (settings, property);

  switch (property->kind) {
    case KIND_BOOLEAN:
      g_value_set_boolean (value, *(const gboolean *) from);
      break;
    case KIND_INT:
      g_value_set_int (value, *(const gint *) from);
      break;
    case KIND_UINT:
      g_value_set_uint (value, *(const guint *) from);
      break;
    case KIND_UINT64:
      g_value_set_uint64 (value, *(const guint64 *) from);
      break;
    case KIND_DOUBLE:
      g_value_set_double (value, *(const gdouble *) from);
      break;
    case KIND_ENUM:
      g_value_set_enum (value, *(const gint *) from);
      break;
    case KIND_FRACTION:
      gst_value_set_fraction (value, ((const gint *) from)[0], ((const gint *) from)[1]);
      break;
    case KIND_STRING:
      g_value_set_string (value, *(gchar *const *) from);
      break;
    default:
      break;
  }
}
