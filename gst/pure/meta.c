/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Metas by an explicit list: in GStreamer 1.22 captions, time codes and reference
 * timestamps have no tags, so that the usual rule (copy metas without tags) would repeat
 * every caption on every in-between. */
#include "pure/meta.h"

#include "pure/share.h"

#include <gst/video/gstvideometa.h>
#include <gst/video/video-anc.h>
#include <gst/video/video-overlay-composition.h>

static gboolean
belongs_on_made_frames (GType api)
{
  return api == GST_VIDEO_AFD_META_API_TYPE || api == GST_VIDEO_BAR_META_API_TYPE ||
         api == GST_VIDEO_OVERLAY_COMPOSITION_META_API_TYPE ||
         api == GST_VIDEO_CROP_META_API_TYPE;
}

static void
copy_meta (GstBuffer *out, GstBuffer *from, GstMeta *meta)
{
  GstMetaTransformCopy whole = {.region = FALSE, .offset = 0, .size = (gsize) -1};
  if (meta->info->transform_func)
    meta->info->transform_func (out, meta, from, _gst_meta_transform_copy, &whole);
}

static void
copy_metas (GstBuffer *out, GstBuffer *from, gboolean with_layout)
{
  gpointer state = NULL;
  for (GstMeta *meta; (meta = gst_buffer_iterate_meta (from, &state));) {
    GType api = meta->info->api;
    if (belongs_on_made_frames (api) || (with_layout && api == GST_VIDEO_META_API_TYPE))
      copy_meta (out, from, meta);
  }
}

gboolean
gst_vfi_meta_same_crop (GstBuffer *a, GstBuffer *b)
{
  const GstVideoCropMeta *crop_a = gst_buffer_get_video_crop_meta (a);
  const GstVideoCropMeta *crop_b = gst_buffer_get_video_crop_meta (b);
  if (!crop_a || !crop_b)
    return crop_a == crop_b;
  return crop_a->x == crop_b->x && crop_a->y == crop_b->y &&
         crop_a->width == crop_b->width && crop_a->height == crop_b->height;
}

static void
set_flags (GstBuffer *out, gboolean corrupted, gboolean gap, gboolean droppable)
{
  GST_BUFFER_FLAG_UNSET (
      out, GST_BUFFER_FLAG_CORRUPTED | GST_BUFFER_FLAG_GAP | GST_BUFFER_FLAG_DROPPABLE);
  if (corrupted)
    GST_BUFFER_FLAG_SET (out, GST_BUFFER_FLAG_CORRUPTED);
  if (gap)
    GST_BUFFER_FLAG_SET (out, GST_BUFFER_FLAG_GAP);
  if (droppable)
    GST_BUFFER_FLAG_SET (out, GST_BUFFER_FLAG_DROPPABLE);
}

void
gst_vfi_meta_copy_in_between (
    GstBuffer *out, GstBuffer *a, GstBuffer *b, gboolean droppable)
{
  copy_metas (out, a, FALSE);
  gboolean corrupted = GST_BUFFER_FLAG_IS_SET (a, GST_BUFFER_FLAG_CORRUPTED) ||
                       GST_BUFFER_FLAG_IS_SET (b, GST_BUFFER_FLAG_CORRUPTED);
  set_flags (out, corrupted, FALSE, droppable);
}

static gboolean
is_about_memory (GType api)
{
  return api == GST_VIDEO_META_API_TYPE ||
         gst_meta_api_type_has_tag (api, g_quark_from_string (GST_META_TAG_MEMORY_STR)) ||
         gst_meta_api_type_has_tag (
             api, g_quark_from_string (GST_META_TAG_MEMORY_REFERENCE_STR));
}

void
gst_vfi_meta_copy_to_other_memory (GstBuffer *out, GstBuffer *from)
{
  gpointer state = NULL;
  for (GstMeta *meta; (meta = gst_buffer_iterate_meta (from, &state));)
    if (!is_about_memory (meta->info->api))
      copy_meta (out, from, meta);
}

void
gst_vfi_meta_copy_replacement (
    GstBuffer *out, GstBuffer *a, GstBuffer *b, GstBuffer *instead)
{
  gboolean corrupted = GST_BUFFER_FLAG_IS_SET (a, GST_BUFFER_FLAG_CORRUPTED) ||
                       GST_BUFFER_FLAG_IS_SET (b, GST_BUFFER_FLAG_CORRUPTED) ||
                       GST_BUFFER_FLAG_IS_SET (instead, GST_BUFFER_FLAG_CORRUPTED);
  gst_vfi_meta_copy_to_other_memory (out, instead);
  set_flags (
      out, corrupted, FALSE, GST_BUFFER_FLAG_IS_SET (instead, GST_BUFFER_FLAG_DROPPABLE));
}

GstBuffer *
gst_vfi_meta_new_duplicate (GstBuffer *a, gboolean droppable)
{
  GstBuffer *out = gst_buffer_new ();
  if (!gst_vfi_share_memory (out, a)) {
    gst_buffer_unref (out);
    return NULL;
  }
  copy_metas (out, a, TRUE);
  set_flags (out, GST_BUFFER_FLAG_IS_SET (a, GST_BUFFER_FLAG_CORRUPTED), TRUE, droppable);
  return out;
}
