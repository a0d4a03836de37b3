/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* libgstcuda by a table of its functions, all or none; the only file that includes its
 * headers. */
#include "cuda/cuda_library.h"

#include <dlfcn.h>
#include <gst/cuda/gstcudabufferpool.h>
#include <gst/cuda/gstcudacontext.h>
#include <gst/cuda/gstcudaloader.h>
#include <gst/cuda/gstcudamemory.h>

#include "pure/buffer_layout.h"

GST_DEBUG_CATEGORY_EXTERN (gst_vfi_debug);
#define GST_CAT_DEFAULT gst_vfi_debug

#define LIBRARY "libgstcuda-1.0.so.0"

/* Those of gstcudautils.h are written out: that header wants more than a toolkit has. */
typedef struct {
  __typeof__ (&gst_cuda_load_library) load_library;
  CUresult (*init) (unsigned int flags);
  __typeof__ (&gst_cuda_memory_init_once) memory_init_once;
  __typeof__ (&gst_is_cuda_memory) is_memory;
  __typeof__ (&gst_cuda_context_new) context_new;
  __typeof__ (&gst_cuda_context_get_handle) context_get_handle;
  __typeof__ (&gst_cuda_buffer_pool_get_type) pool_get_type;
  __typeof__ (&gst_cuda_buffer_pool_new) pool_new;
  CUresult (*memcpy2d) (const CUDA_MEMCPY2D *copy, CUstream stream);
  CUresult (*stream_create) (CUstream *stream, unsigned int flags);
  CUresult (*stream_destroy) (CUstream stream);
  CUresult (*stream_synchronize) (CUstream stream);
  __typeof__ (&gst_cuda_context_push) context_push;
  __typeof__ (&gst_cuda_context_pop) context_pop;
  GstContext *(*wrap) (GstCudaContext *context);
  gboolean (*handle_set_context) (
      GstElement *element, GstContext *wrapped, gint device_id, GstCudaContext **context);
  /* From GStreamer 1.24 on, memory may come with work that is still queued. */
  void (*memory_sync) (GstCudaMemory *memory);
} Library;

static Library library;

static gboolean
find_functions (void *handle)
{
  const struct {
    const char *name;
    gpointer *function;
  } wanted[] = {
      {"gst_cuda_load_library", (gpointer *) &library.load_library},
      {"CuInit", (gpointer *) &library.init},
      {"CuMemcpy2DAsync", (gpointer *) &library.memcpy2d},
      {"CuStreamCreate", (gpointer *) &library.stream_create},
      {"CuStreamDestroy", (gpointer *) &library.stream_destroy},
      {"CuStreamSynchronize", (gpointer *) &library.stream_synchronize},
      {"gst_cuda_context_push", (gpointer *) &library.context_push},
      {"gst_cuda_context_pop", (gpointer *) &library.context_pop},
      {"gst_cuda_memory_init_once", (gpointer *) &library.memory_init_once},
      {"gst_is_cuda_memory", (gpointer *) &library.is_memory},
      {"gst_cuda_context_new", (gpointer *) &library.context_new},
      {"gst_cuda_context_get_handle", (gpointer *) &library.context_get_handle},
      {"gst_cuda_buffer_pool_get_type", (gpointer *) &library.pool_get_type},
      {"gst_cuda_buffer_pool_new", (gpointer *) &library.pool_new},
      {"gst_context_new_cuda_context", (gpointer *) &library.wrap},
      {"gst_cuda_handle_set_context", (gpointer *) &library.handle_set_context},
  };

  for (guint i = 0; i < G_N_ELEMENTS (wanted); i++)
    if ((*wanted[i].function = dlsym (handle, wanted[i].name)) == NULL)
      return FALSE;
  *(gpointer *) &library.memory_sync = dlsym (handle, "gst_cuda_memory_sync");
  return TRUE;
}

/* libgstcuda opens the driver with GModule, which takes a libtool archive of that name in
 * the current folder rather than what the loader finds, and runs the code that it
 * names. */
static gboolean
would_load_from_current_folder (void)
{
  return g_file_test ("libcuda.so.1.la", G_FILE_TEST_EXISTS);
}

static gboolean
open_library (void)
{
  void *handle;

  if (would_load_from_current_folder ()) {
    GST_WARNING (
        "no CUDA memory: the current folder holds libcuda.so.1.la, which GStreamer "
        "would take for the driver; start from another folder");
    return FALSE;
  }
  handle = dlopen (LIBRARY, RTLD_LAZY | RTLD_LOCAL);
  if (handle == NULL) {
    GST_INFO ("no CUDA memory: %s", dlerror ());
    return FALSE;
  }
  if (!find_functions (handle) || !library.load_library () ||
      library.init (0) != CUDA_SUCCESS) {
    GST_INFO ("no CUDA memory: %s lacks a function, or there is no driver", LIBRARY);
    return FALSE; /* it stays: it may have registered something already */
  }
  library.memory_init_once ();
  return TRUE;
}

gboolean
gst_vfi_cudamem_is_built (void)
{
  return TRUE;
}

gboolean
gst_vfi_cudamem_load (void)
{
  static gsize loaded;

  if (g_once_init_enter (&loaded))
    g_once_init_leave (&loaded, open_library () ? 2 : 1);
  return loaded == 2;
}

GstObject *
gst_vfi_cudamem_context_new (gint device)
{
  return (GstObject *) library.context_new ((guint) MAX (device, 0));
}

GstObject *
gst_vfi_cudamem_unwrap (GstElement *element, GstContext *wrapped, gint device)
{
  GstCudaContext *context = NULL;

  library.handle_set_context (element, wrapped, device, &context);
  return (GstObject *) context;
}

GstContext *
gst_vfi_cudamem_wrap (GstObject *context)
{
  return library.wrap ((GstCudaContext *) context);
}

gpointer
gst_vfi_cudamem_handle (GstObject *context)
{
  return library.context_get_handle ((GstCudaContext *) context);
}

static GstCudaMemory *
memory_of (GstBuffer *buffer)
{
  GstMemory *memory;

  if (gst_buffer_n_memory (buffer) != 1)
    return NULL;
  memory = gst_buffer_peek_memory (buffer, 0);
  return library.is_memory (memory) ? GST_CUDA_MEMORY_CAST (memory) : NULL;
}

GstObject *
gst_vfi_cudamem_context_of (GstBuffer *buffer)
{
  GstCudaMemory *memory = memory_of (buffer);

  return memory != NULL ? (GstObject *) memory->context : NULL;
}

GstBufferPool *
gst_vfi_cudamem_pool_new (GstObject *context)
{
  return library.pool_new ((GstCudaContext *) context);
}

gboolean
gst_vfi_cudamem_is_pool_of (GstBufferPool *pool, GstObject *context)
{
  return G_TYPE_CHECK_INSTANCE_TYPE (pool, library.pool_get_type ()) &&
         gst_vfi_cudamem_handle (
             (GstObject *) GST_CUDA_BUFFER_POOL_CAST (pool)->context) ==
             gst_vfi_cudamem_handle (context);
}

/* Where the buffer does not say how it is laid out, its memory does; caps never do. */
gboolean
gst_vfi_cudamem_map (GstBuffer *buffer, const GstVideoInfo *info, GstMapFlags flags,
    GstVideoFrame *map, gchar **reason)
{
  GstCudaMemory *memory = memory_of (buffer);

  if (memory == NULL)
    return FALSE;
  if (!gst_vfi_layout_map (map, info,
          gst_buffer_get_video_meta (buffer) == NULL ? &memory->info : info, buffer,
          (GstMapFlags) (flags | GST_MAP_CUDA), reason))
    return FALSE;
  if (library.memory_sync != NULL)
    library.memory_sync (memory);
  return TRUE;
}

/* A stream of a pool's own: copies into its buffers wait for nothing else on the
 * device. */
typedef struct {
  GstCudaContext *context;
  CUstream stream;
} CopyStream;

static void
copy_stream_free (gpointer data)
{
  CopyStream *copies = data;

  if (library.context_push (copies->context)) {
    library.stream_destroy (copies->stream);
    library.context_pop (NULL);
  }
  gst_object_unref (copies->context);
  g_free (copies);
}

/* The context is current. Only the streaming thread copies. */
static gboolean
get_copy_stream (GstBufferPool *pool, CUstream *stream)
{
  const unsigned non_blocking = 1;
  CopyStream *copies = g_object_get_data (G_OBJECT (pool), "vfi-copies");

  if (copies == NULL) {
    if (library.stream_create (stream, non_blocking) != CUDA_SUCCESS)
      return FALSE;
    copies = g_new0 (CopyStream, 1);
    copies->context = gst_object_ref (GST_CUDA_BUFFER_POOL_CAST (pool)->context);
    copies->stream = *stream;
    g_object_set_data_full (G_OBJECT (pool), "vfi-copies", copies, copy_stream_free);
  }
  *stream = copies->stream;
  return TRUE;
}

static gboolean
copy_planes (const GstVideoFrame *to, const GstVideoFrame *from, CUstream stream)
{
  gboolean copied = TRUE;

  for (guint i = 0; copied && i < GST_VIDEO_FRAME_N_PLANES (to); i++) {
    gint component[GST_VIDEO_MAX_COMPONENTS];
    gst_video_format_info_component (to->info.finfo, i, component);
    CUDA_MEMCPY2D copy = {
        .srcMemoryType = CU_MEMORYTYPE_DEVICE,
        .srcDevice = (CUdeviceptr) GST_VIDEO_FRAME_PLANE_DATA (from, i),
        .srcPitch = (size_t) GST_VIDEO_FRAME_PLANE_STRIDE (from, i),
        .dstMemoryType = CU_MEMORYTYPE_DEVICE,
        .dstDevice = (CUdeviceptr) GST_VIDEO_FRAME_PLANE_DATA (to, i),
        .dstPitch = (size_t) GST_VIDEO_FRAME_PLANE_STRIDE (to, i),
        .WidthInBytes = (size_t) (GST_VIDEO_FRAME_COMP_WIDTH (to, component[0]) *
                                  GST_VIDEO_FRAME_COMP_PSTRIDE (to, component[0])),
        .Height = (size_t) GST_VIDEO_FRAME_COMP_HEIGHT (to, component[0]),
    };
    copied = library.memcpy2d (&copy, stream) == CUDA_SUCCESS;
  }
  return library.stream_synchronize (stream) == CUDA_SUCCESS && copied;
}

gboolean
gst_vfi_cudamem_copy (
    GstBuffer *to, GstBuffer *from, const GstVideoInfo *info, gchar **reason)
{
  GstCudaContext *context = GST_CUDA_BUFFER_POOL_CAST (to->pool)->context;
  GstVideoFrame source, target;
  gboolean copied = FALSE;
  CUstream stream;

  if (!gst_vfi_cudamem_map (from, info, GST_MAP_READ, &source, reason))
    return FALSE;
  if (gst_vfi_cudamem_map (to, info, GST_MAP_WRITE, &target, reason)) {
    if (library.context_push (context)) {
      copied =
          get_copy_stream (to->pool, &stream) && copy_planes (&target, &source, stream);
      library.context_pop (NULL);
    }
    gst_video_frame_unmap (&target);
  }
  gst_video_frame_unmap (&source);
  return copied;
}
