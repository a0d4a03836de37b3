/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One context for all elements of a pipeline: the one that frames come in is worked in. The
 * engine is asked about CUDA before libgstcuda is opened. */
#include "cuda/stream_context.h"

#include "cuda/cuda_library.h"
#include "pure/caps.h"
#include "stream/stream.h"

#define GST_CAT_DEFAULT gst_vfi_debug

#define FEATURE "memory:CUDAMemory"
#define CONTEXT_TYPE "gst.cuda.context"

/* Formats that both libgstcuda and the engine have. */
static const char *const formats[] = {"NV12", "I420", "P010_10LE", "I420_10LE", "Y444",
    "RGBA", "BGRA", "RGBx", "BGRx", "ARGB", "ABGR", "P016_LE", "Y444_16LE"};

static gboolean
structure_has_feature (const GstCaps *caps, guint index)
{
  GstCapsFeatures *features = gst_caps_get_features (caps, index);

  return features != NULL && gst_caps_features_contains (features, FEATURE);
}

gboolean
gst_vfi_cuda_has_feature (const GstCaps *caps)
{
  return gst_caps_get_size (caps) > 0 && structure_has_feature (caps, 0);
}

static void
set_formats (GstCaps *caps)
{
  GValue list = gst_vfi_caps_strings (formats, G_N_ELEMENTS (formats));

  gst_caps_set_value (caps, "format", &list);
  g_value_unset (&list);
}

GstCaps *
gst_vfi_cuda_template_caps (GstCaps *caps)
{
  GstCaps *with_cuda;

  if (!gst_vfi_cudamem_is_built ())
    return caps;
  with_cuda = gst_caps_copy (caps);
  set_formats (with_cuda);
  gst_caps_set_features_simple (with_cuda, gst_caps_features_new_single (FEATURE));
  gst_caps_append (with_cuda, caps);
  return with_cuda;
}

/* Contexts. */

/* N of "cuda:N", else -1. */
static gint
wanted_device (GstVfiStream *stream)
{
  gint device = -1;

  g_mutex_lock (&stream->lock);
  if (g_str_has_prefix (stream->settings->device, "cuda:"))
    device = (gint) g_ascii_strtoll (stream->settings->device + 5, NULL, 10);
  g_mutex_unlock (&stream->lock);
  return device;
}

/* Takes @context; the first one stays. */
static void
keep (GstVfiStream *stream, GstObject *context)
{
  g_mutex_lock (&stream->lock);
  if (stream->cuda == NULL)
    stream->cuda = g_steal_pointer (&context);
  g_mutex_unlock (&stream->lock);
  gst_clear_object (&context);
}

void
gst_vfi_cuda_set_context (GstVfiStream *stream, GstContext *wrapped)
{
  GstObject *context;

  if (wrapped == NULL || !gst_context_has_context_type (wrapped, CONTEXT_TYPE) ||
      !gst_vfi_cudamem_load ())
    return;
  context = gst_vfi_cudamem_unwrap (stream->element, wrapped, wanted_device (stream));
  if (context != NULL)
    keep (stream, context);
}

GstObject *
gst_vfi_cuda_get (GstVfiStream *stream)
{
  GstObject *context;

  g_mutex_lock (&stream->lock);
  context = stream->cuda != NULL ? gst_object_ref (stream->cuda) : NULL;
  g_mutex_unlock (&stream->lock);
  return context;
}

static gboolean
has_context (GstVfiStream *stream)
{
  g_mutex_lock (&stream->lock);
  gboolean has = stream->cuda != NULL;
  g_mutex_unlock (&stream->lock);
  return has;
}

/* What is found is given to the element, as an application would. */
static void
ask_neighbour (GstVfiStream *stream, GstPad *pad)
{
  g_autoptr (GstQuery) query = gst_query_new_context (CONTEXT_TYPE);
  GstContext *wrapped = NULL;

  if (!gst_pad_peer_query (pad, query))
    return;
  gst_query_parse_context (query, &wrapped);
  if (wrapped != NULL)
    gst_element_set_context (stream->element, wrapped);
}

/* From the application or the bin, at once or some time ago. */
static void
ask_application (GstVfiStream *stream)
{
  g_autoptr (GstContext) wrapped = NULL;

  gst_element_post_message (stream->element,
      gst_message_new_need_context (GST_OBJECT (stream->element), CONTEXT_TYPE));
  if (has_context (stream))
    return;
  wrapped = gst_element_get_context (stream->element, CONTEXT_TYPE);
  gst_vfi_cuda_set_context (stream, wrapped);
}

/* That of upstream, else of downstream, else of the application. */
static gboolean
find_context (GstVfiStream *stream)
{
  if (has_context (stream))
    return TRUE;
  if (!gst_vfi_cudamem_load ())
    return FALSE;
  ask_neighbour (stream, stream->sinkpad);
  if (!has_context (stream))
    ask_neighbour (stream, stream->srcpad);
  if (!has_context (stream))
    ask_application (stream);
  return has_context (stream);
}

/* What is offered. */

/* Keeps @hold (taken) for the session that comes. */
static void
keep_hold (GstVfiStream *stream, VfiDeviceHold *hold)
{
  VfiDeviceHold *old;

  g_mutex_lock (&stream->lock);
  old = stream->cuda_hold;
  stream->cuda_hold = hold;
  g_mutex_unlock (&stream->lock);
  vfi_device_release (old);
}

void
gst_vfi_cuda_let_go (GstVfiStream *stream)
{
  keep_hold (stream, NULL);
}

/* Whether a session could be on the device: cuDNN, the driver's version or the GPU may not do. It
 * is asked in the context that frames would come in, where somebody has one: another one would
 * take a second and hundreds of MB. What is planned is small, and let go of. */
static gboolean
device_opens (GstVfiStream *stream, VfiModel *model, const char *device)
{
  g_autoptr (GstObject) context = NULL;
  g_autoptr (GError) error = NULL;
  VfiDeviceHold *hold = NULL;
  VfiSessionConfig config = {
      .video = {.format = VFI_FORMAT_NV12, .width = 64, .height = 64},
      .device = g_str_equal (device, "auto") ? "cuda" : device,
      .precision = (VfiPrecision) gst_vfi_stream_settings (stream).precision,
  };
  VfiEstimate estimate;
  gboolean opens;

  find_context (stream);
  context = gst_vfi_cuda_get (stream);
  if (context != NULL)
    config.cuda_context = gst_vfi_cudamem_handle (context);
  else
    hold = vfi_device_hold (&config, &error);
  opens = error == NULL && vfi_model_estimate (model, &config, &estimate, &error);
  if (opens)
    keep_hold (stream, g_steal_pointer (&hold));
  else
    GST_INFO_OBJECT (stream->element, "no CUDA memory is offered: %s", error->message);
  vfi_device_release (hold);
  return opens;
}

/* Before there is a model nobody negotiates in earnest. */
static gboolean
is_usable (GstVfiStream *stream)
{
  g_autofree gchar *device = NULL;
  g_autoptr (VfiModel) model = NULL;
  GstVfiCudaAnswer answer;
  VfiSystemInfo info;

  g_mutex_lock (&stream->lock);
  device = g_strdup (stream->settings->device);
  model = stream->model != NULL ? vfi_model_ref (stream->model) : NULL;
  answer = stream->cuda_answer;
  g_mutex_unlock (&stream->lock);
  if (answer != GST_VFI_CUDA_UNKNOWN)
    return answer == GST_VFI_CUDA_WORKS;
  if (g_str_equal (device, "cpu"))
    return FALSE;
  vfi_system_info (&info);
  if (!info.has_cuda)
    GST_INFO_OBJECT (stream->element, "no CUDA memory is offered: %s", info.cuda);
  if (!info.has_cuda || !gst_vfi_cudamem_load ())
    answer = GST_VFI_CUDA_FAILS; /* for the process's life */
  else if (model == NULL)
    return TRUE;
  else
    answer =
        device_opens (stream, model, device) ? GST_VFI_CUDA_WORKS : GST_VFI_CUDA_FAILS;
  g_mutex_lock (&stream->lock);
  stream->cuda_answer = answer;
  g_mutex_unlock (&stream->lock);
  return answer == GST_VFI_CUDA_WORKS;
}

GstCaps *
gst_vfi_cuda_filter_caps (GstVfiStream *stream, GstCaps *caps)
{
  gboolean asked = FALSE;
  guint i = 0;

  while (i < gst_caps_get_size (caps)) {
    if (!structure_has_feature (caps, i)) {
      i++;
      continue;
    }
    if (!asked && is_usable (stream))
      return caps;
    asked = TRUE;
    caps = gst_caps_make_writable (caps);
    gst_caps_remove_structure (caps, i);
  }
  return caps;
}

gboolean
gst_vfi_cuda_answer (GstVfiStream *stream, GstQuery *query)
{
  g_autoptr (GstObject) context = NULL;
  g_autoptr (GstContext) wrapped = NULL;
  const gchar *type;

  if (!gst_query_parse_context_type (query, &type) || !g_str_equal (type, CONTEXT_TYPE))
    return FALSE;
  context = gst_vfi_cuda_get (stream);
  if (context == NULL)
    return FALSE;
  wrapped = gst_vfi_cudamem_wrap (context);
  gst_query_set_context (query, wrapped);
  return TRUE;
}

static void
make_context (GstVfiStream *stream)
{
  GstObject *context = gst_vfi_cudamem_context_new (wanted_device (stream));
  GstContext *wrapped;

  if (context == NULL)
    return;
  wrapped = gst_vfi_cudamem_wrap (context);
  keep (stream, context);
  gst_element_set_context (stream->element, wrapped);
  gst_element_post_message (stream->element,
      gst_message_new_have_context (GST_OBJECT (stream->element), wrapped));
}

gboolean
gst_vfi_cuda_ensure (GstVfiStream *stream)
{
  if (!find_context (stream) && gst_vfi_cudamem_load ())
    make_context (stream);
  return has_context (stream);
}

gboolean
gst_vfi_cuda_is_foreign (GstVfiStream *stream, GstBuffer *buffer)
{
  GstObject *context;

  if (stream->pictures.cuda == NULL)
    return FALSE;
  context = gst_vfi_cudamem_context_of (buffer);
  return context != NULL && gst_vfi_cudamem_handle (context) !=
                                gst_vfi_cudamem_handle (stream->pictures.cuda);
}

void
gst_vfi_cuda_adopt (GstVfiStream *stream, GstBuffer *buffer)
{
  GstObject *context = gst_object_ref (gst_vfi_cudamem_context_of (buffer));
  GstObject *old;

  GST_INFO_OBJECT (stream->element, "frames come in another CUDA context, %p", context);
  g_mutex_lock (&stream->lock);
  old = stream->cuda;
  stream->cuda = context;
  g_mutex_unlock (&stream->lock);
  gst_clear_object (&old);
}

void
gst_vfi_cuda_release (GstVfiStream *stream)
{
  GstObject *old;

  gst_vfi_cuda_let_go (stream);
  g_mutex_lock (&stream->lock);
  old = g_steal_pointer (&stream->cuda);
  g_mutex_unlock (&stream->lock);
  gst_clear_object (&old);
}
