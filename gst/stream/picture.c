/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Held originals and outputs: mapping, conversion to and from the engine's format. Copies
 * are made where memory would otherwise be shared: a pool throws away a buffer that comes
 * back while somebody else still holds its memory. */
#include "stream/picture.h"

#include "cuda/cuda_library.h"
#include "pure/buffer_layout.h"
#include "pure/meta.h"
#include "stream/allocation.h"

static void
release_pool (GstBufferPool **pool)
{
  if (*pool != NULL)
    gst_buffer_pool_set_active (*pool, FALSE);
  gst_clear_object (pool);
}

gboolean
gst_vfi_pictures_set_format (
    GstVfiPictures *pictures, const GstVideoInfo *outer, GstObject *cuda)
{
  release_pool (&pictures->inner_pool);
  gst_object_replace (&pictures->cuda, cuda);
  return gst_vfi_path_init (&pictures->path, outer);
}

guint64
gst_vfi_pictures_need (const GstVfiPictures *pictures, guint n_outputs, guint n_originals)
{
  const GstVfiPath *path = &pictures->path;
  guint64 bytes = (guint64) n_outputs * GST_VIDEO_INFO_SIZE (&path->outer);

  if (path->to_inner != NULL)
    bytes += ((guint64) n_outputs + n_originals) * GST_VIDEO_INFO_SIZE (&path->inner);
  return bytes;
}

void
gst_vfi_pictures_clear (GstVfiPictures *pictures)
{
  gst_vfi_path_clear (&pictures->path);
  release_pool (&pictures->inner_pool);
  release_pool (&pictures->out_pool);
  gst_clear_object (&pictures->cuda);
  g_clear_pointer (&pictures->problem, g_free);
}

static GstBuffer *
acquire_inner (GstVfiPictures *pictures)
{
  GstBuffer *buffer = NULL;

  if (pictures->inner_pool == NULL)
    pictures->inner_pool = gst_vfi_alloc_own_pool (
        &pictures->path.inner, NULL, TRUE, pictures->pool_bytes, pictures->cuda);
  if (pictures->inner_pool == NULL ||
      gst_buffer_pool_acquire_buffer (pictures->inner_pool, &buffer, NULL) != GST_FLOW_OK)
    return NULL;
  gst_vfi_pool_note (pictures->inner_pool, buffer);
  return buffer;
}

/* Moves a picture between two buffers, through @converter or, without one, as it is. */
static gboolean
transfer (GstBuffer *to, const GstVideoInfo *to_info, GstBuffer *from,
    const GstVideoInfo *from_info, GstVideoConverter *converter, gchar **reason)
{
  GstVideoFrame source, target;
  gboolean sound;

  if (converter == NULL)
    return gst_vfi_alloc_copy (to, from, from_info, reason);
  if (!gst_vfi_layout_map (&source, from_info, from_info, from, GST_MAP_READ, reason))
    return FALSE;
  if (!gst_vfi_layout_map (&target, to_info, to_info, to, GST_MAP_WRITE, reason)) {
    gst_video_frame_unmap (&source);
    return FALSE;
  }
  sound = gst_vfi_layout_can_be_converted (&source, reason) &&
          gst_vfi_layout_can_be_converted (&target, reason);
  if (sound)
    gst_video_converter_frame (converter, &source, &target);
  gst_video_frame_unmap (&target);
  gst_video_frame_unmap (&source);
  return sound;
}

static gboolean
map_copy (GstVfiPictures *pictures, GstVfiFrame *frame)
{
  gboolean misaligned;

  frame->readable = acquire_inner (pictures);
  if (frame->readable == NULL)
    return FALSE;
  if (transfer (frame->readable, &pictures->path.inner, frame->buffer,
          &pictures->path.outer, pictures->path.to_inner, &pictures->problem) &&
      gst_vfi_alloc_map (frame->readable, &pictures->path.inner, NULL, GST_MAP_READ,
          &frame->map, &frame->picture, &misaligned, &pictures->problem))
    return TRUE;
  g_clear_pointer (&frame->readable, gst_buffer_unref);
  return FALSE;
}

static gboolean
map_frame (GstVfiPictures *pictures, GstVfiFrame *frame)
{
  gboolean misaligned = FALSE;

  if (pictures->path.to_inner != NULL)
    return map_copy (pictures, frame);
  if (gst_vfi_alloc_map (frame->buffer, &pictures->path.inner, pictures->cuda,
          GST_MAP_READ, &frame->map, &frame->picture, &misaligned, &pictures->problem)) {
    frame->readable = frame->buffer;
    return TRUE;
  }
  return misaligned && pictures->cuda == NULL && map_copy (pictures, frame);
}

static void
frame_clear (gpointer data)
{
  GstVfiFrame *frame = data;

  if (frame->readable != NULL)
    gst_video_frame_unmap (&frame->map);
  if (frame->readable != frame->buffer)
    gst_clear_buffer (&frame->readable);
  gst_buffer_unref (frame->buffer);
}

GstVfiFrame *
gst_vfi_frame_new (GstVfiPictures *pictures, GstBuffer *buffer, guint64 id)
{
  GstVfiFrame *frame = g_atomic_rc_box_new0 (GstVfiFrame);

  frame->buffer = buffer;
  g_clear_pointer (&pictures->problem, g_free);
  if (!map_frame (pictures, frame)) {
    gst_vfi_frame_unref (frame);
    return NULL;
  }
  frame->picture.id = id;
  return frame;
}

GstVfiFrame *
gst_vfi_frame_ref (GstVfiFrame *frame)
{
  return g_atomic_rc_box_acquire (frame);
}

void
gst_vfi_frame_unref (GstVfiFrame *frame)
{
  g_atomic_rc_box_release_full (frame, frame_clear);
}

/* Out of a pool: to allocate and free device memory for each frame makes the device
 * wait. */
static GstBuffer *
copy_on_device (GstVfiPictures *pictures, GstBuffer *buffer)
{
  g_autoptr (GstBuffer) copy = acquire_inner (pictures);

  g_clear_pointer (&pictures->problem, g_free);
  if (copy == NULL ||
      !gst_vfi_cudamem_copy (copy, buffer, &pictures->path.inner, &pictures->problem))
    return NULL;
  gst_buffer_copy_into (
      copy, buffer, GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS, 0, (gsize) -1);
  gst_vfi_meta_copy_to_other_memory (copy, buffer);
  return g_steal_pointer (&copy);
}

GstVfiFrame *
gst_vfi_frame_detach (GstVfiPictures *pictures, GstVfiFrame *frame)
{
  GstVfiFrame *detached;
  GstBuffer *copy;

  if (frame->detached)
    return gst_vfi_frame_ref (frame);
  copy = pictures->cuda != NULL ? copy_on_device (pictures, frame->buffer)
                                : gst_buffer_copy_deep (frame->buffer);
  if (copy == NULL)
    return NULL;
  detached = gst_vfi_frame_new (pictures, copy, frame->picture.id);
  if (detached != NULL)
    detached->detached = TRUE;
  return detached;
}

static GstFlowReturn
acquire_out (GstVfiPictures *pictures, gboolean wait, GstBuffer **buffer)
{
  GstBufferPoolAcquireParams params = {
      .flags = wait ? GST_BUFFER_POOL_ACQUIRE_FLAG_NONE
                    : GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT,
  };

  GstFlowReturn ret =
      gst_buffer_pool_acquire_buffer (pictures->out_pool, buffer, &params);

  if (ret == GST_FLOW_OK)
    gst_vfi_pool_note (pictures->out_pool, *buffer);
  return ret;
}

static gboolean
map_output (GstVfiOutput *output, GstVfiPictures *pictures, gboolean *misaligned)
{
  output->mapped =
      gst_vfi_alloc_map (output->target, &pictures->path.inner, pictures->cuda,
          GST_MAP_WRITE, &output->map, &output->picture, misaligned, &pictures->problem);
  return output->mapped;
}

GstFlowReturn
gst_vfi_output_open (GstVfiOutput *output, GstVfiPictures *pictures, gboolean wait)
{
  gboolean misaligned = FALSE;
  GstFlowReturn ret;

  g_clear_pointer (&pictures->problem, g_free);
  if (pictures->path.to_outer == NULL) {
    ret = acquire_out (pictures, wait, &output->target);
    if (ret != GST_FLOW_OK)
      return ret;
    if (map_output (output, pictures, &misaligned))
      return GST_FLOW_OK;
    g_clear_pointer (&output->target, gst_buffer_unref);
    if (!misaligned || pictures->cuda != NULL)
      return GST_FLOW_ERROR;
  }
  output->target = acquire_inner (pictures);
  if (output->target == NULL || !map_output (output, pictures, &misaligned))
    return GST_FLOW_ERROR;
  output->buffer = NULL;
  return GST_FLOW_OK;
}

GstFlowReturn
gst_vfi_output_finish (GstVfiOutput *output, GstVfiPictures *pictures)
{
  GstFlowReturn ret;

  gst_video_frame_unmap (&output->map);
  output->mapped = FALSE;
  g_clear_pointer (&pictures->problem, g_free);
  if (output->target->pool == pictures->out_pool) {
    output->buffer = g_steal_pointer (&output->target);
    return GST_FLOW_OK;
  }
  ret = acquire_out (pictures, TRUE, &output->buffer);
  if (ret == GST_FLOW_OK &&
      !transfer (output->buffer, &pictures->path.outer, output->target,
          &pictures->path.inner, pictures->path.to_outer, &pictures->problem))
    ret = GST_FLOW_ERROR;
  g_clear_pointer (&output->target, gst_buffer_unref);
  return ret;
}

void
gst_vfi_output_clear (GstVfiOutput *output)
{
  if (output->mapped)
    gst_video_frame_unmap (&output->map);
  output->mapped = FALSE;
  g_clear_pointer (&output->target, gst_buffer_unref);
  g_clear_pointer (&output->buffer, gst_buffer_unref);
}
