/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The GObject side of vfiinterp: properties, state changes, the model. What happens to
 * buffers is in stream.c and below. */

/**
 * SECTION:element-vfiinterp
 * @title: vfiinterp
 * @short_description: raises the frame rate of video by neural frame interpolation
 *
 * vfiinterp makes new frames between those that come in. Without further caps it doubles
 * the frame rate; #GstVfiInterp:multiplier or a capsfilter after it asks for more. Frames
 * that come in leave unchanged. A model that is a file is found by name on the search
 * path (`VFI_MODEL_PATH`, `$XDG_DATA_HOME/vfi/models`, …) or given as a path.
 *
 * ## Example launch lines
 * |[
 * gst-launch-1.0 filesrc location=in.mp4 ! decodebin ! vfiinterp ! videoconvert \
 *     ! autovideosink
 * ]| Doubles the frame rate with the best RIFE model that is installed, or, without any,
 * with `flow`, which needs no file.
 * |[
 * gst-launch-1.0 videotestsrc num-buffers=30 pattern=ball ! video/x-raw,framerate=15/1 \
 *     ! vfiinterp model=flow ! video/x-raw,framerate=60/1 ! fakesink
 * ]| Moves what moves between the frames, whatever models are installed.
 */
#include "element/gstvfiinterp.h"

#include "cuda/stream_context.h"
#include "element/open_model.h"
#include "element/properties.h"
#include "stream/reference.h"
#include "stream/report.h"
#include "stream/stats.h"
#include "stream/stream.h"

#define GST_CAT_DEFAULT gst_vfi_debug

#define DEFAULT_MODEL "auto"
/* Properties of the table in properties.c follow from PROP_SETTINGS on. */
enum {
  PROP_0,
  PROP_MODEL,
  PROP_MODEL_OPTIONS,
  PROP_IN,
  PROP_OUT,
  PROP_INTERPOLATED,
  PROP_DUPLICATE,
  PROP_DROP,
  PROP_STATS,
  PROP_SETTINGS,
};

struct _GstVfiInterp {
  GstElement parent;

  GstVfiStream *stream;
  GstVfiSettings settings; /* guarded by the stream's lock */
  /* Guarded by OBJECT_LOCK. */
  gchar *model_name;
  GstStructure *model_options;
  /* State changes only. */
  VfiModel *model;
  gchar *model_device; /* the device that it was opened for */
  VfiPrecision model_precision;
  /* Set under OBJECT_LOCK: the model in use is not the one that properties name. */
  gboolean model_changed;
};

G_DEFINE_FINAL_TYPE (GstVfiInterp, gst_vfi_interp, GST_TYPE_ELEMENT)
GST_ELEMENT_REGISTER_DEFINE (vfiinterp, "vfiinterp", GST_RANK_NONE, GST_TYPE_VFI_INTERP);

/* Model */

/* Reads settings that the model depends on. Returns the device's name, which @config
 * points to. */
static gchar *
cache_config (GstVfiInterp *self, VfiModelCacheConfig *config)
{
  const GstVfiSettings *settings = &self->settings;
  gchar *device;

  g_mutex_lock (&self->stream->lock);
  device = g_strdup (settings->device);
  *config = (VfiModelCacheConfig){
      .device = device,
      .precision = (VfiPrecision) settings->precision,
      .memory_headroom = settings->memory_headroom,
  };
  g_mutex_unlock (&self->stream->lock);
  return device;
}

static void
let_go_of_model (GstVfiInterp *self, VfiModel *model)
{
  gint model_cache = gst_vfi_stream_settings (self->stream).model_cache;

  if (model == NULL)
    return;
  vfi_model_set_keep (model, model_cache == GST_VFI_MODEL_CACHE_KEEP);
  vfi_model_unref (model);
  if (model_cache == GST_VFI_MODEL_CACHE_RELEASE)
    vfi_soft_clear ();
}

/* Makes self->model what the properties name. Runs in state changes. */
static gboolean
open_model (GstVfiInterp *self)
{
  VfiModelCacheConfig config;
  g_autofree gchar *device = cache_config (self, &config);
  g_autofree gchar *name = NULL;
  GstStructure *options;
  VfiModel *model, *old;

  GST_OBJECT_LOCK (self);
  if (self->model != NULL && !self->model_changed &&
      g_str_equal (self->model_device, device) &&
      self->model_precision == config.precision) {
    GST_OBJECT_UNLOCK (self);
    return TRUE;
  }
  name = g_strdup (self->model_name);
  options = self->model_options != NULL ? gst_structure_copy (self->model_options) : NULL;
  self->model_changed = FALSE;
  GST_OBJECT_UNLOCK (self);

  model = gst_vfi_model_load (GST_ELEMENT (self), name, options, &config);
  g_clear_pointer (&options, gst_structure_free);
  g_free (self->model_device);
  self->model_device = g_steal_pointer (&device);
  self->model_precision = config.precision;
  GST_OBJECT_LOCK (self);
  old = self->model;
  self->model = model;
  GST_OBJECT_UNLOCK (self);
  let_go_of_model (self, old);
  return model != NULL;
}

static void
close_model (GstVfiInterp *self)
{
  GST_OBJECT_LOCK (self);
  VfiModel *model = g_steal_pointer (&self->model);
  GST_OBJECT_UNLOCK (self);
  let_go_of_model (self, model);
}

static gboolean
check_device (GstVfiInterp *self)
{
  g_autofree gchar *device = gst_vfi_stream_device (self->stream);

  if (g_str_equal (device, "auto") || g_str_equal (device, "cpu") ||
      g_regex_match_simple ("^cuda(:[0-9]+)?$", device, 0, 0))
    return TRUE;
  GST_ELEMENT_ERROR (self, RESOURCE, SETTINGS,
      ("device: expected auto, cpu or cuda[:N], found \"%s\".", device), (NULL));
  return FALSE;
}

static GstStateChangeReturn
gst_vfi_interp_change_state (GstElement *element, GstStateChange transition)
{
  GstVfiInterp *self = GST_VFI_INTERP (element);
  GstStateChangeReturn ret;

  switch (transition) {
    case GST_STATE_CHANGE_NULL_TO_READY:
      if (!check_device (self) || !open_model (self) ||
          !gst_vfi_reference_check_pairs (self->stream))
        return GST_STATE_CHANGE_FAILURE;
      break;
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      if (!check_device (self) || !open_model (self) ||
          !gst_vfi_reference_check_pairs (self->stream))
        return GST_STATE_CHANGE_FAILURE;
      gst_vfi_stream_start (self->stream, self->model);
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      gst_vfi_stream_close (self->stream, GST_VFI_CLOSED_BY_STATE);
      break;
    default:
      break;
  }
  ret =
      GST_ELEMENT_CLASS (gst_vfi_interp_parent_class)->change_state (element, transition);
  switch (transition) {
    case GST_STATE_CHANGE_READY_TO_PAUSED:
      if (ret == GST_STATE_CHANGE_FAILURE)
        gst_vfi_stream_stop (self->stream);
      break;
    case GST_STATE_CHANGE_PAUSED_TO_READY:
      gst_vfi_stream_stop (self->stream);
      vfi_soft_clear ();
      break;
    case GST_STATE_CHANGE_READY_TO_NULL:
      close_model (self);
      break;
    default:
      break;
  }
  return ret;
}

static void
gst_vfi_interp_set_context (GstElement *element, GstContext *context)
{
  gst_vfi_stream_set_context (GST_VFI_INTERP (element)->stream, context);
  GST_ELEMENT_CLASS (gst_vfi_interp_parent_class)->set_context (element, context);
}

/* Properties */

static void
set_model_property (GstVfiInterp *self, guint id, const GValue *value)
{
  GST_OBJECT_LOCK (self);
  if (id == PROP_MODEL) {
    const gchar *name = g_value_get_string (value);
    g_free (self->model_name);
    self->model_name = g_strdup (name != NULL ? name : DEFAULT_MODEL);
  } else {
    const GstStructure *options = gst_value_get_structure (value);
    g_clear_pointer (&self->model_options, gst_structure_free);
    self->model_options = options != NULL ? gst_structure_copy (options) : NULL;
  }
  self->model_changed = TRUE;
  GST_OBJECT_UNLOCK (self);
}

static void
set_setting (GstVfiInterp *self, guint id, const GValue *value)
{
  gboolean reconfigure;

  g_mutex_lock (&self->stream->lock);
  reconfigure = gst_vfi_properties_set (&self->settings, id - PROP_SETTINGS, value);
  g_mutex_unlock (&self->stream->lock);
  if (reconfigure)
    gst_pad_mark_reconfigure (self->stream->srcpad);
}

static void
gst_vfi_interp_set_property (
    GObject *object, guint id, const GValue *value, GParamSpec *pspec)
{
  GstVfiInterp *self = GST_VFI_INTERP (object);

  (void) pspec;
  if (id >= PROP_SETTINGS)
    set_setting (self, id, value);
  else
    set_model_property (self, id, value);
}

static void
get_model_property (GstVfiInterp *self, guint id, GValue *value)
{
  GST_OBJECT_LOCK (self);
  if (id == PROP_MODEL)
    g_value_set_string (value, self->model_name);
  else
    gst_value_set_structure (value, self->model_options);
  GST_OBJECT_UNLOCK (self);
}

static void
get_counter (GstVfiInterp *self, guint id, GValue *value)
{
  GstVfiCounters counters = gst_vfi_report_counters (self->stream);
  const guint64 by_id[] = {
      [PROP_IN - PROP_IN] = counters.in,
      [PROP_OUT - PROP_IN] = counters.out,
      [PROP_INTERPOLATED - PROP_IN] = counters.interpolated,
      [PROP_DUPLICATE - PROP_IN] = counters.duplicate,
      [PROP_DROP - PROP_IN] = counters.drop,
  };

  g_value_set_uint64 (value, by_id[id - PROP_IN]);
}

static void
get_stats (GstVfiInterp *self, GValue *value)
{
  VfiModel *model = NULL;

  GST_OBJECT_LOCK (self);
  if (self->model != NULL)
    model = vfi_model_ref (self->model);
  GST_OBJECT_UNLOCK (self);
  g_value_take_boxed (value, gst_vfi_report_stats (self->stream, model));
  vfi_model_unref (model);
}

/* Action signals; any thread. */

static void
clear_cache (GstVfiInterp *self, gboolean full)
{
  GST_CAT_INFO_OBJECT (
      gst_vfi_memory_debug, self, "clearing caches%s", full ? ", idle models too" : "");
  vfi_clear_cache (full);
}

static void
reset_stats (GstVfiInterp *self)
{
  gst_vfi_report_reset_stats (self->stream);
}

static void
add_actions (GType type)
{
  const GSignalFlags flags = (GSignalFlags) (G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION);

  /**
   * GstVfiInterp::clear-cache:
   * @full: whether to drop idle models, too
   *
   * Gives memory that is not in use back to the system, process-wide.
   */
  g_signal_new_class_handler ("clear-cache", type, flags, G_CALLBACK (clear_cache), NULL,
      NULL, NULL, G_TYPE_NONE, 1, G_TYPE_BOOLEAN);
  /**
   * GstVfiInterp::reset-stats:
   *
   * Sets all counters, also those of #GstVfiInterp:stats, to zero.
   */
  g_signal_new_class_handler ("reset-stats", type, flags, G_CALLBACK (reset_stats), NULL,
      NULL, NULL, G_TYPE_NONE, 0);
}

static void
gst_vfi_interp_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  GstVfiInterp *self = GST_VFI_INTERP (object);

  (void) pspec;
  switch (id) {
    case PROP_MODEL:
    case PROP_MODEL_OPTIONS:
      get_model_property (self, id, value);
      break;
    case PROP_IN:
    case PROP_OUT:
    case PROP_INTERPOLATED:
    case PROP_DUPLICATE:
    case PROP_DROP:
      get_counter (self, id, value);
      break;
    case PROP_STATS:
      get_stats (self, value);
      break;
    default:
      g_mutex_lock (&self->stream->lock);
      gst_vfi_properties_get (&self->settings, id - PROP_SETTINGS, value);
      g_mutex_unlock (&self->stream->lock);
      break;
  }
}

static void
gst_vfi_interp_finalize (GObject *object)
{
  GstVfiInterp *self = GST_VFI_INTERP (object);

  close_model (self);
  gst_vfi_stream_free (self->stream);
  gst_vfi_properties_clear (&self->settings);
  g_free (self->model_device);
  g_free (self->model_name);
  g_clear_pointer (&self->model_options, gst_structure_free);
  G_OBJECT_CLASS (gst_vfi_interp_parent_class)->finalize (object);
}

static void
gst_vfi_interp_init (GstVfiInterp *self)
{
  self->model_name = g_strdup (DEFAULT_MODEL);
  gst_vfi_properties_init (&self->settings);
  self->stream = gst_vfi_stream_new (GST_ELEMENT (self), &self->settings);
}

#define FLAGS (G_PARAM_READWRITE | G_PARAM_STATIC_STRINGS)
#define READY_FLAGS (FLAGS | GST_PARAM_MUTABLE_READY)

static void
install_model (GObjectClass *klass)
{
  g_object_class_install_property (klass, PROP_MODEL,
      g_param_spec_string ("model", "Model",
          "Name of a model on the search path, or a file; \"flow\" and \"blend\" need "
          "none, \"auto\" is the highest RIFE found, else \"flow\"",
          DEFAULT_MODEL, READY_FLAGS));
  g_object_class_install_property (klass, PROP_MODEL_OPTIONS,
      g_param_spec_boxed ("model-options", "Model options",
          "Options of the model's family, such as \"options,ensemble=true\"",
          GST_TYPE_STRUCTURE, READY_FLAGS));
}

static void
install_counter (GObjectClass *klass, guint id, const char *name, const char *blurb)
{
  g_object_class_install_property (klass, id,
      g_param_spec_uint64 (name, name, blurb, 0, G_MAXUINT64, 0,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
install_readings (GObjectClass *klass)
{
  install_counter (klass, PROP_IN, "in", "Frames that came in");
  install_counter (klass, PROP_OUT, "out", "Frames that went out");
  install_counter (klass, PROP_INTERPOLATED, "interpolated", "Frames made in between");
  install_counter (klass, PROP_DUPLICATE, "duplicate", "Frames shown again");
  install_counter (klass, PROP_DROP, "drop", "Frames without a place in the output");
  g_object_class_install_property (klass, PROP_STATS,
      g_param_spec_boxed ("stats", "Statistics",
          "The model, device and sizes that run, and how much ran", GST_TYPE_STRUCTURE,
          G_PARAM_READABLE | G_PARAM_STATIC_STRINGS));
}

static void
add_pad_templates (GstElementClass *klass)
{
  g_autoptr (GstCaps) caps = gst_vfi_cuda_template_caps (gst_vfi_format_template_caps ());

  gst_element_class_add_pad_template (
      klass, gst_pad_template_new ("sink", GST_PAD_SINK, GST_PAD_ALWAYS, caps));
  gst_element_class_add_pad_template (
      klass, gst_pad_template_new ("src", GST_PAD_SRC, GST_PAD_ALWAYS, caps));
}

static void
gst_vfi_interp_class_init (GstVfiInterpClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  GstElementClass *element_class = GST_ELEMENT_CLASS (klass);

  object_class->set_property = GST_DEBUG_FUNCPTR (gst_vfi_interp_set_property);
  object_class->get_property = GST_DEBUG_FUNCPTR (gst_vfi_interp_get_property);
  object_class->finalize = GST_DEBUG_FUNCPTR (gst_vfi_interp_finalize);
  element_class->set_context = GST_DEBUG_FUNCPTR (gst_vfi_interp_set_context);
  element_class->change_state = GST_DEBUG_FUNCPTR (gst_vfi_interp_change_state);
  install_model (object_class);
  gst_vfi_properties_install (object_class, PROP_SETTINGS);
  install_readings (object_class);
  gst_vfi_stats_make_names ();
  add_actions (G_TYPE_FROM_CLASS (klass));
  add_pad_templates (element_class);
  gst_element_class_set_static_metadata (element_class, "Video frame interpolator",
      "Filter/Effect/Video", "Raises the frame rate by neural frame interpolation",
      "The vfiinterp authors");
}
