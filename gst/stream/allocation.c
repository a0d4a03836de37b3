/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Allocation queries, pools and mapping. A pool from downstream is preferred: its buffers
 * are the ones that need no copy there. */
#include "stream/allocation.h"

#include <gst/video/gstvideometa.h>

#include "cuda/cuda_library.h"
#include "pure/buffer_layout.h"

/* A configured pool that is not active yet. Padded rows need GstVideoMeta to be
 * understood. */
static GstBufferPool *
new_own_pool (const GstVideoInfo *info, GstCaps *caps, gboolean with_meta,
    guint min_buffers, GstVfiPoolBytes *bytes)
{
  GstBufferPool *pool = gst_vfi_pool_new (bytes);
  GstStructure *config = gst_buffer_pool_get_config (pool);
  GstVideoAlignment alignment;
  GstAllocationParams params;

  gst_allocation_params_init (&params);
  params.align = GST_VFI_ALIGNMENT - 1;
  gst_buffer_pool_config_set_params (
      config, caps, (guint) GST_VIDEO_INFO_SIZE (info), min_buffers, 0);
  gst_buffer_pool_config_set_allocator (config, NULL, &params);
  if (with_meta) {
    gst_video_alignment_reset (&alignment);
    for (guint i = 0; i < GST_VIDEO_MAX_PLANES; i++)
      alignment.stride_align[i] = GST_VFI_ALIGNMENT - 1;
    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_ALIGNMENT);
    gst_buffer_pool_config_set_video_alignment (config, &alignment);
  }
  if (!gst_buffer_pool_set_config (pool, config))
    g_clear_pointer (&pool, gst_object_unref);
  return pool;
}

/* The same with CUDA memory, whose rows are always padded. */
static GstBufferPool *
new_cuda_pool (GstObject *cuda, const GstVideoInfo *info, GstCaps *caps,
    guint min_buffers, GstVfiPoolBytes *bytes)
{
  GstBufferPool *pool = gst_vfi_cudamem_pool_new (cuda);
  GstStructure *config = gst_buffer_pool_get_config (pool);

  if (bytes != NULL)
    gst_vfi_pool_count_in (pool, bytes);
  gst_buffer_pool_config_set_params (
      config, caps, (guint) GST_VIDEO_INFO_SIZE (info), min_buffers, 0);
  gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (!gst_buffer_pool_set_config (pool, config))
    g_clear_pointer (&pool, gst_object_unref);
  return pool;
}

static gboolean
is_of_system (GstBuffer *buffer)
{
  for (guint i = 0; i < gst_buffer_n_memory (buffer); i++)
    if (!gst_memory_is_type (gst_buffer_peek_memory (buffer, i), GST_ALLOCATOR_SYSMEM))
      return FALSE;
  return TRUE;
}

gboolean
gst_vfi_alloc_is_scarce (GstBuffer *buffer)
{
  GstStructure *config;
  guint max = 0;

  if (buffer->pool == NULL)
    return !is_of_system (buffer);
  config = gst_buffer_pool_get_config (buffer->pool);
  if (!gst_buffer_pool_config_get_params (config, NULL, NULL, NULL, &max))
    max = 0;
  gst_structure_free (config);
  return max != 0;
}

/* @pool (taken) running, or NULL. */
static GstBufferPool *
activate (GstBufferPool *pool)
{
  if (pool == NULL || gst_buffer_pool_set_active (pool, TRUE))
    return pool;
  gst_object_unref (pool);
  return NULL;
}

GstBufferPool *
gst_vfi_alloc_own_pool (const GstVideoInfo *info, GstCaps *caps, gboolean with_meta,
    GstVfiPoolBytes *bytes, GstObject *cuda)
{
  g_autoptr (GstCaps) made =
      caps != NULL ? gst_caps_ref (caps) : gst_video_info_to_caps ((GstVideoInfo *) info);

  return activate (cuda != NULL ? new_cuda_pool (cuda, info, made, 0, bytes)
                                : new_own_pool (info, made, with_meta, 0, bytes));
}

/* Bytes of the pool's buffers, with their padding. */
static guint
buffer_size (GstBufferPool *pool)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);
  guint size = 0;

  gst_buffer_pool_config_get_params (config, NULL, &size, NULL, NULL);
  gst_structure_free (config);
  return size;
}

/* What an element needs that says nothing, like a plain sink: the picture that is shown,
 * and the next. */
#define UNTOLD_NEED 2

guint
gst_vfi_alloc_ask_need (GstPad *srcpad)
{
  g_autoptr (GstCaps) caps = gst_pad_get_current_caps (srcpad);
  g_autoptr (GstQuery) query = NULL;
  guint need = 0;

  if (caps == NULL)
    return UNTOLD_NEED;
  query = gst_query_new_allocation (caps, FALSE);
  if (!gst_pad_peer_query (srcpad, query) ||
      gst_query_get_n_allocation_pools (query) == 0)
    return UNTOLD_NEED;
  for (guint i = 0; i < gst_query_get_n_allocation_pools (query); i++) {
    guint min = 0;
    gst_query_parse_nth_allocation_pool (query, i, NULL, NULL, &min, NULL);
    need = MAX (need, min);
  }
  return need;
}

gboolean
gst_vfi_alloc_propose (
    GstQuery *query, guint min_buffers, gboolean with_meta, GstObject *cuda)
{
  GstCaps *caps = NULL;
  gboolean need_pool = FALSE;
  GstVideoInfo info;
  g_autoptr (GstBufferPool) pool = NULL;

  gst_query_parse_allocation (query, &caps, &need_pool);
  if (caps == NULL || !gst_video_info_from_caps (&info, caps))
    return FALSE;
  if (need_pool) {
    pool = cuda != NULL ? new_cuda_pool (cuda, &info, caps, min_buffers, NULL)
                        : new_own_pool (&info, caps, with_meta, min_buffers, NULL);
    if (pool == NULL)
      return FALSE;
  }
  gst_query_add_allocation_pool (query, pool,
      pool != NULL ? buffer_size (pool) : (guint) GST_VIDEO_INFO_SIZE (&info),
      min_buffers, 0);
  if (with_meta || cuda != NULL)
    gst_query_add_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
  return TRUE;
}

void
gst_vfi_alloc_amend_proxied (GstQuery *query)
{
  guint i = 0;

  while (i < gst_query_get_n_allocation_pools (query)) {
    g_autoptr (GstBufferPool) pool = NULL;
    guint size, min, max;
    gst_query_parse_nth_allocation_pool (query, i, &pool, &size, &min, &max);
    if (max != 0 && min == max) {
      gst_query_remove_nth_allocation_pool (query, i);
      continue;
    }
    gst_query_set_nth_allocation_pool (query, i, pool, size, min + 1, max);
    i++;
  }
}

static void
set_allocator (GstStructure *config, GstQuery *query)
{
  GstAllocator *allocator = NULL;
  GstAllocationParams params;

  gst_allocation_params_init (&params);
  if (gst_query_get_n_allocation_params (query) > 0)
    gst_query_parse_nth_allocation_param (query, 0, &allocator, &params);
  params.align = MAX (params.align, GST_VFI_ALIGNMENT - 1);
  gst_buffer_pool_config_set_allocator (config, allocator, &params);
  g_clear_pointer (&allocator, gst_object_unref);
}

/* Configures downstream's @pool; accepts changes that the pool makes to the configuration
 * as long as it still fits. */
static gboolean
configure_pool (GstBufferPool *pool, GstCaps *caps, GstQuery *query, guint size,
    guint min, guint max, gboolean is_cuda)
{
  GstStructure *config = gst_buffer_pool_get_config (pool);

  gst_buffer_pool_config_set_params (config, caps, size, min, max);
  if (!is_cuda)
    set_allocator (config, query);
  if ((is_cuda ||
          gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL)) &&
      gst_buffer_pool_has_option (pool, GST_BUFFER_POOL_OPTION_VIDEO_META))
    gst_buffer_pool_config_add_option (config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (gst_buffer_pool_set_config (pool, config))
    return TRUE;

  config = gst_buffer_pool_get_config (pool);
  if (gst_buffer_pool_config_validate_params (config, caps, size, min, max))
    return gst_buffer_pool_set_config (pool, config);
  gst_structure_free (config);
  return FALSE;
}

/* The first pool of @query's answer, if it can be used: one of another context would need
 * copies. */
static GstBufferPool *
downstream_pool (GstQuery *query, GstCaps *caps, const GstVideoInfo *info, guint extra,
    GstObject *cuda)
{
  GstBufferPool *pool = NULL;
  guint size, min, max;

  if (gst_query_get_n_allocation_pools (query) == 0)
    return NULL;
  gst_query_parse_nth_allocation_pool (query, 0, &pool, &size, &min, &max);
  if (pool == NULL)
    return NULL;
  size = MAX (size, (guint) GST_VIDEO_INFO_SIZE (info));
  min += extra;
  if (max != 0)
    min = MIN (min, max);
  if ((cuda == NULL || gst_vfi_cudamem_is_pool_of (pool, cuda)) &&
      configure_pool (pool, caps, query, size, min, max, cuda != NULL) &&
      gst_buffer_pool_set_active (pool, TRUE))
    return pool;
  gst_object_unref (pool);
  return NULL;
}

GstBufferPool *
gst_vfi_alloc_decide (GstPad *srcpad, GstCaps *caps, const GstVideoInfo *info,
    guint extra, gboolean *with_meta, GstVfiPoolBytes *bytes, GstObject *cuda)
{
  g_autoptr (GstQuery) query = gst_query_new_allocation (caps, TRUE);
  GstBufferPool *pool = NULL;

  *with_meta = FALSE;
  if (gst_pad_peer_query (srcpad, query)) {
    *with_meta = gst_query_find_allocation_meta (query, GST_VIDEO_META_API_TYPE, NULL);
    pool = downstream_pool (query, caps, info, extra, cuda);
  }
  if (pool != NULL)
    return pool;
  return gst_vfi_alloc_own_pool (info, caps, *with_meta, bytes, cuda);
}

/* The engine wants 2-byte samples on 2-byte addresses. */
static gboolean
is_aligned (const GstVideoFrame *map)
{
  guintptr bits = 0;

  if (GST_VIDEO_FRAME_COMP_DEPTH (map, 0) <= 8)
    return TRUE;
  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (map); i++)
    bits |= (guintptr) GST_VIDEO_FRAME_PLANE_DATA (map, i) |
            (guintptr) GST_VIDEO_FRAME_PLANE_STRIDE (map, i);
  return (bits & 1) == 0;
}

gboolean
gst_vfi_alloc_map (GstBuffer *buffer, const GstVideoInfo *info, GstObject *cuda,
    GstMapFlags flags, GstVideoFrame *map, VfiFrame *picture, gboolean *misaligned,
    gchar **reason)
{
  *misaligned = FALSE;
  if (cuda != NULL ? !gst_vfi_cudamem_map (buffer, info, flags, map, reason)
                   : !gst_vfi_layout_map (map, info, info, buffer, flags, reason))
    return FALSE;
  if (!is_aligned (map)) {
    *misaligned = TRUE;
    gst_video_frame_unmap (map);
    return FALSE;
  }
  *picture = (VfiFrame){.memory = cuda != NULL ? VFI_MEMORY_CUDA : VFI_MEMORY_HOST};
  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (map); i++) {
    picture->data[i] = GST_VIDEO_FRAME_PLANE_DATA (map, i);
    picture->stride[i] = GST_VIDEO_FRAME_PLANE_STRIDE (map, i);
  }
  return TRUE;
}

gboolean
gst_vfi_alloc_copy (
    GstBuffer *to, GstBuffer *from, const GstVideoInfo *info, gchar **reason)
{
  GstVideoFrame source, target;
  gboolean copied;

  if (!gst_vfi_layout_map (&source, info, info, from, GST_MAP_READ, reason))
    return FALSE;
  if (!gst_vfi_layout_map (&target, info, info, to, GST_MAP_WRITE, reason)) {
    gst_video_frame_unmap (&source);
    return FALSE;
  }
  copied = gst_video_frame_copy (&target, &source);
  gst_video_frame_unmap (&target);
  gst_video_frame_unmap (&source);
  return copied;
}
