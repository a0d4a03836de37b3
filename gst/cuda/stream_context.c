/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One context for all elements of a pipeline: the element works in the context that
 * frames come in. The engine is asked about CUDA before libgstcuda is opened. */
#include "cuda/stream_context.h"

#include "cuda/cuda_library.h"
#include "pure/caps.h"

GST_DEBUG_CATEGORY_EXTERN (gst_vfi_debug);
#define GST_CAT_DEFAULT gst_vfi_debug

#define FEATURE "memory:CUDAMemory"
#define CONTEXT_TYPE "gst.cuda.context"

/* Whether sessions can be on a CUDA device. */
typedef enum {
  GST_VFI_CUDA_UNKNOWN,
  GST_VFI_CUDA_WORKS,
  GST_VFI_CUDA_FAILS,
} GstVfiCudaAnswer;

struct _GstVfiCuda {
  GstElement *element; /* not owned, nor are its pads */
  GstPad *sinkpad;
  GstPad *srcpad;

  GMutex lock; /* the last of all: nothing is called under it. Guards what follows */
  GstObject *context; /* or NULL */
  GstVfiCudaAnswer answer;
  VfiDeviceHold *hold; /* the device that was asked, until there is a session */
};

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

GstVfiCuda *
gst_vfi_cuda_new (GstElement *element, GstPad *sinkpad, GstPad *srcpad)
{
  GstVfiCuda *cuda = g_new0 (GstVfiCuda, 1);

  cuda->element = element;
  cuda->sinkpad = sinkpad;
  cuda->srcpad = srcpad;
  g_mutex_init (&cuda->lock);
  return cuda;
}

void
gst_vfi_cuda_free (GstVfiCuda *cuda)
{
  gst_vfi_cuda_release (cuda);
  g_mutex_clear (&cuda->lock);
  g_free (cuda);
}

/* Contexts. */

/* N of "cuda:N", else -1. */
static gint
device_number (const char *device)
{
  return g_str_has_prefix (device, "cuda:")
             ? (gint) g_ascii_strtoll (device + 5, NULL, 10)
             : -1;
}

/* Takes @context; the first one stays. */
static void
keep (GstVfiCuda *cuda, GstObject *context)
{
  g_mutex_lock (&cuda->lock);
  if (cuda->context == NULL)
    cuda->context = g_steal_pointer (&context);
  g_mutex_unlock (&cuda->lock);
  gst_clear_object (&context);
}

void
gst_vfi_cuda_set_context (GstVfiCuda *cuda, const char *device, GstContext *wrapped)
{
  GstObject *context;

  if (wrapped == NULL || !gst_context_has_context_type (wrapped, CONTEXT_TYPE) ||
      !gst_vfi_cudamem_load ())
    return;
  context = gst_vfi_cudamem_unwrap (cuda->element, wrapped, device_number (device));
  if (context != NULL)
    keep (cuda, context);
}

GstObject *
gst_vfi_cuda_ref_context (GstVfiCuda *cuda)
{
  GstObject *context;

  g_mutex_lock (&cuda->lock);
  context = cuda->context != NULL ? gst_object_ref (cuda->context) : NULL;
  g_mutex_unlock (&cuda->lock);
  return context;
}

static gboolean
has_context (GstVfiCuda *cuda)
{
  g_mutex_lock (&cuda->lock);
  gboolean has = cuda->context != NULL;
  g_mutex_unlock (&cuda->lock);
  return has;
}

/* A context that is found is given to the element, as an application would. */
static void
ask_neighbour (GstVfiCuda *cuda, GstPad *pad)
{
  g_autoptr (GstQuery) query = gst_query_new_context (CONTEXT_TYPE);
  GstContext *wrapped = NULL;

  if (!gst_pad_peer_query (pad, query))
    return;
  gst_query_parse_context (query, &wrapped);
  if (wrapped != NULL)
    gst_element_set_context (cuda->element, wrapped);
}

/* From the application or the bin, at once or some time ago. */
static void
ask_application (GstVfiCuda *cuda, const char *device)
{
  g_autoptr (GstContext) wrapped = NULL;

  gst_element_post_message (cuda->element,
      gst_message_new_need_context (GST_OBJECT (cuda->element), CONTEXT_TYPE));
  if (has_context (cuda))
    return;
  wrapped = gst_element_get_context (cuda->element, CONTEXT_TYPE);
  gst_vfi_cuda_set_context (cuda, device, wrapped);
}

/* That of upstream, else of downstream, else of the application. */
static gboolean
find_context (GstVfiCuda *cuda, const char *device)
{
  if (has_context (cuda))
    return TRUE;
  if (!gst_vfi_cudamem_load ())
    return FALSE;
  ask_neighbour (cuda, cuda->sinkpad);
  if (!has_context (cuda))
    ask_neighbour (cuda, cuda->srcpad);
  if (!has_context (cuda))
    ask_application (cuda, device);
  return has_context (cuda);
}

/* What is offered. */

/* Takes @hold, which replaces the last one. */
static void
keep_hold (GstVfiCuda *cuda, VfiDeviceHold *hold)
{
  VfiDeviceHold *old;

  g_mutex_lock (&cuda->lock);
  old = cuda->hold;
  cuda->hold = hold;
  g_mutex_unlock (&cuda->lock);
  vfi_device_release (old);
}

void
gst_vfi_cuda_release_hold (GstVfiCuda *cuda)
{
  keep_hold (cuda, NULL);
}

/* Whether a session could be on the device: cuDNN, the driver's version or the GPU may
 * not do. It is asked in the context that frames would come in, where somebody has one:
 * another one would take a second and hundreds of MB. The session that is planned to find
 * out is small, and is not kept. */
static gboolean
device_opens (GstVfiCuda *cuda, const GstVfiCudaUse *use)
{
  g_autoptr (GstObject) context = NULL;
  g_autoptr (GError) error = NULL;
  VfiDeviceHold *hold = NULL;
  VfiSessionConfig config = {
      .video = {.format = VFI_FORMAT_NV12, .width = 64, .height = 64},
      .device = g_str_equal (use->device, "auto") ? "cuda" : use->device,
      .precision = use->precision,
  };
  VfiEstimate estimate;
  gboolean opens;

  find_context (cuda, use->device);
  context = gst_vfi_cuda_ref_context (cuda);
  if (context != NULL)
    config.cuda_context = gst_vfi_cudamem_handle (context);
  else
    hold = vfi_device_hold (&config, &error);
  opens = error == NULL && vfi_model_estimate (use->model, &config, &estimate, &error);
  if (opens)
    keep_hold (cuda, g_steal_pointer (&hold));
  else
    GST_INFO_OBJECT (cuda->element, "no CUDA memory is offered: %s", error->message);
  vfi_device_release (hold);
  return opens;
}

/* Without a model, which comes before caps do, the answer is preliminary. */
static gboolean
is_usable (GstVfiCuda *cuda, const GstVfiCudaUse *use)
{
  GstVfiCudaAnswer answer;
  VfiSystemInfo info;

  g_mutex_lock (&cuda->lock);
  answer = cuda->answer;
  g_mutex_unlock (&cuda->lock);
  if (answer != GST_VFI_CUDA_UNKNOWN)
    return answer == GST_VFI_CUDA_WORKS;
  if (g_str_equal (use->device, "cpu"))
    return FALSE;
  vfi_system_info (&info);
  if (!info.has_cuda)
    GST_INFO_OBJECT (cuda->element, "no CUDA memory is offered: %s", info.cuda);
  if (!info.has_cuda || !gst_vfi_cudamem_load ())
    answer = GST_VFI_CUDA_FAILS; /* for the process's life */
  else if (use->model == NULL)
    return TRUE;
  else
    answer = device_opens (cuda, use) ? GST_VFI_CUDA_WORKS : GST_VFI_CUDA_FAILS;
  g_mutex_lock (&cuda->lock);
  cuda->answer = answer;
  g_mutex_unlock (&cuda->lock);
  return answer == GST_VFI_CUDA_WORKS;
}

void
gst_vfi_cuda_forget_answer (GstVfiCuda *cuda)
{
  g_mutex_lock (&cuda->lock);
  cuda->answer = GST_VFI_CUDA_UNKNOWN;
  g_mutex_unlock (&cuda->lock);
}

GstCaps *
gst_vfi_cuda_filter_caps (GstVfiCuda *cuda, const GstVfiCudaUse *use, GstCaps *caps)
{
  gboolean asked = FALSE;
  guint i = 0;

  while (i < gst_caps_get_size (caps)) {
    if (!structure_has_feature (caps, i)) {
      i++;
      continue;
    }
    if (!asked && is_usable (cuda, use))
      return caps;
    asked = TRUE;
    caps = gst_caps_make_writable (caps);
    gst_caps_remove_structure (caps, i);
  }
  return caps;
}

gboolean
gst_vfi_cuda_answer (GstVfiCuda *cuda, GstQuery *query)
{
  g_autoptr (GstObject) context = NULL;
  g_autoptr (GstContext) wrapped = NULL;
  const gchar *type;

  if (!gst_query_parse_context_type (query, &type) || !g_str_equal (type, CONTEXT_TYPE))
    return FALSE;
  context = gst_vfi_cuda_ref_context (cuda);
  if (context == NULL)
    return FALSE;
  wrapped = gst_vfi_cudamem_wrap (context);
  gst_query_set_context (query, wrapped);
  return TRUE;
}

static void
make_context (GstVfiCuda *cuda, const char *device)
{
  GstObject *context = gst_vfi_cudamem_context_new (device_number (device));
  GstContext *wrapped;

  if (context == NULL)
    return;
  wrapped = gst_vfi_cudamem_wrap (context);
  keep (cuda, context);
  gst_element_set_context (cuda->element, wrapped);
  gst_element_post_message (
      cuda->element, gst_message_new_have_context (GST_OBJECT (cuda->element), wrapped));
}

gboolean
gst_vfi_cuda_ensure (GstVfiCuda *cuda, const char *device)
{
  if (!find_context (cuda, device) && gst_vfi_cudamem_load ())
    make_context (cuda, device);
  return has_context (cuda);
}

gboolean
gst_vfi_cuda_is_foreign (GstObject *current, GstBuffer *buffer)
{
  GstObject *context;

  if (current == NULL)
    return FALSE;
  context = gst_vfi_cudamem_context_of (buffer);
  return context != NULL &&
         gst_vfi_cudamem_handle (context) != gst_vfi_cudamem_handle (current);
}

void
gst_vfi_cuda_adopt (GstVfiCuda *cuda, GstBuffer *buffer)
{
  GstObject *context = gst_object_ref (gst_vfi_cudamem_context_of (buffer));
  GstObject *old;

  GST_INFO_OBJECT (cuda->element, "frames come in another CUDA context, %p", context);
  g_mutex_lock (&cuda->lock);
  old = cuda->context;
  cuda->context = context;
  g_mutex_unlock (&cuda->lock);
  gst_clear_object (&old);
}

void
gst_vfi_cuda_release (GstVfiCuda *cuda)
{
  GstObject *old;

  gst_vfi_cuda_release_hold (cuda);
  g_mutex_lock (&cuda->lock);
  old = g_steal_pointer (&cuda->context);
  g_mutex_unlock (&cuda->lock);
  gst_clear_object (&old);
}
