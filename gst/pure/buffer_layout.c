/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pure/buffer_layout.h"

#include <gst/video/gstvideometa.h>

/* The extent of a plane in bytes; for tiled formats all its tiles are one row. */
typedef struct {
  gint64 row;
  gint64 rows;
  gint64 stride;
} Plane;

static void
explain (gchar **reason, gchar *text)
{
  if (reason != NULL && *reason == NULL)
    *reason = text;
  else
    g_free (text);
}

static gchar *
describe (const GstVideoInfo *info)
{
  return g_strdup_printf ("%s %dx%d with %u planes", GST_VIDEO_INFO_NAME (info),
      GST_VIDEO_INFO_WIDTH (info), GST_VIDEO_INFO_HEIGHT (info),
      GST_VIDEO_INFO_N_PLANES (info));
}

/* Whether the memory is said to hold a frame of @info; larger pictures hold it in their
 * corner. */
static gboolean
holds (const GstVideoInfo *info, GstVideoFormat format, guint width, guint height,
    guint n_planes, gchar **reason)
{
  g_autofree gchar *wanted = describe (info);

  if (format == GST_VIDEO_INFO_FORMAT (info) &&
      n_planes == GST_VIDEO_INFO_N_PLANES (info) &&
      width >= (guint) GST_VIDEO_INFO_WIDTH (info) &&
      height >= (guint) GST_VIDEO_INFO_HEIGHT (info))
    return TRUE;
  explain (
      reason, g_strdup_printf ("expected %s, as the caps say; found a buffer of %s %ux%u "
                               "with %u planes",
                  wanted, gst_video_format_to_string (format), width, height, n_planes));
  return FALSE;
}

gboolean
gst_vfi_layout_fits (const GstVideoInfo *info, const GstVideoInfo *found,
    GstBuffer *buffer, gchar **reason)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);

  if (meta != NULL)
    return holds (info, meta->format, meta->width, meta->height, meta->n_planes, reason);
  return holds (info, GST_VIDEO_INFO_FORMAT (found), (guint) GST_VIDEO_INFO_WIDTH (found),
      (guint) GST_VIDEO_INFO_HEIGHT (found), GST_VIDEO_INFO_N_PLANES (found), reason);
}

/* Bytes of a plane in the layout that GStreamer gives the format. */
static gint64
default_bytes (const GstVideoInfo *info, guint plane)
{
  gsize end = plane + 1 < GST_VIDEO_INFO_N_PLANES (info)
                  ? GST_VIDEO_INFO_PLANE_OFFSET (info, plane + 1)
                  : GST_VIDEO_INFO_SIZE (info);

  return (gint64) (end - GST_VIDEO_INFO_PLANE_OFFSET (info, plane));
}

/* The stride of a tiled plane counts tiles in both directions. */
static Plane
tiled_plane (const GstVideoInfo *usual, guint plane, gint stride)
{
  gint usual_stride = GST_VIDEO_INFO_PLANE_STRIDE (usual, plane);
  gint64 usual_x = GST_VIDEO_TILE_X_TILES (usual_stride);
  gint64 usual_y = GST_VIDEO_TILE_Y_TILES (usual_stride);
  gint64 x = stride > 0 ? GST_VIDEO_TILE_X_TILES (stride) : 0;
  gint64 y = stride > 0 ? GST_VIDEO_TILE_Y_TILES (stride) : 0;
  gint64 usual_bytes = default_bytes (usual, plane);
  gint64 bytes = usual_bytes / MAX (usual_x * usual_y, 1) * x * y;

  if (x < usual_x || y < usual_y)
    bytes = G_MAXINT64 / 2;
  return (Plane){.row = MAX (bytes, usual_bytes), .rows = 1, .stride = stride};
}

/* Whole groups of pixels count where they share samples: readers take all of them. */
static Plane
plane_of (const GstVideoInfo *usual, guint plane, gint stride)
{
  const GstVideoFormatInfo *format = usual->finfo;
  Plane result = {.stride = stride};

  if (GST_VIDEO_FORMAT_INFO_IS_TILED (format))
    return tiled_plane (usual, plane, stride);
  for (guint c = 0; c < GST_VIDEO_FORMAT_INFO_N_COMPONENTS (format); c++) {
    gint64 row;

    if (GST_VIDEO_FORMAT_INFO_PLANE (format, c) != plane)
      continue;
    row = (gint64) GST_VIDEO_INFO_COMP_WIDTH (usual, c) *
          GST_VIDEO_INFO_COMP_PSTRIDE (usual, c);
    if (GST_VIDEO_FORMAT_INFO_IS_COMPLEX (format) || row == 0)
      row = GST_VIDEO_INFO_PLANE_STRIDE (usual, plane);
    result.row = MAX (result.row, row);
    result.rows = MAX (result.rows, GST_VIDEO_INFO_COMP_HEIGHT (usual, c));
  }
  return result;
}

/* Whether the plane lies in @size bytes, from byte @start on. Distances that an int
 * cannot hold are refused too: GstVideoConverter counts in them. */
static gboolean
lies_inside (const Plane *plane, gint64 start, gint64 size)
{
  gint64 last = (plane->rows - 1) * plane->stride;

  if (plane->rows > 1 && ABS (plane->stride) < plane->row)
    return FALSE;
  return ABS (last) <= G_MAXINT && start + MIN (last, 0) >= 0 &&
         start + MAX (last, 0) <= size - plane->row;
}

/* Memory that is mapped in a way of its own (GstVideoMeta.map) need not say where it
 * lies. */
static gboolean
check_plane (const GstVideoFrame *map, const GstVideoInfo *usual, guint i, gchar **reason)
{
  gboolean has_meta = map->meta != NULL;
  const GstMapInfo *memory = &map->map[has_meta ? i : 0];
  guintptr from = (guintptr) memory->data;
  guintptr data = (guintptr) GST_VIDEO_FRAME_PLANE_DATA (map, i);
  Plane plane = plane_of (usual, i, GST_VIDEO_FRAME_PLANE_STRIDE (map, i));
  g_autofree gchar *wanted = NULL;

  if (has_meta && (from == 0 || data < from || data - from >= memory->size))
    return TRUE;
  if (lies_inside (&plane, (gint64) (data - from), (gint64) memory->size))
    return TRUE;
  wanted = describe (usual);
  explain (reason,
      g_strdup_printf ("expected plane %u of %s, %" G_GINT64_FORMAT
                       " rows of %" G_GINT64_FORMAT " bytes, within its memory of "
                       "%" G_GSIZE_FORMAT " bytes; found it at offset %" G_GUINT64_FORMAT
                       " with a stride of %" G_GINT64_FORMAT,
          i, wanted, plane.rows, plane.row, memory->size, (guint64) (data - from),
          plane.stride));
  return FALSE;
}

/* Why GStreamer could not map @buffer, as far as can be told. */
static gchar *
explain_failure (const GstVideoInfo *info, GstBuffer *buffer)
{
  const GstVideoMeta *meta = gst_buffer_get_video_meta (buffer);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree gchar *wanted = describe (info);

  g_string_append_printf (text,
      "expected %s in memory that can be mapped, %" G_GSIZE_FORMAT
      " bytes without padding; found %" G_GSIZE_FORMAT " bytes",
      wanted, GST_VIDEO_INFO_SIZE (info), gst_buffer_get_size (buffer));
  for (guint i = 0; meta != NULL && i < GST_VIDEO_INFO_N_PLANES (info); i++)
    g_string_append_printf (text,
        "%s plane %u at offset %" G_GSIZE_FORMAT " with a stride of %d",
        i == 0 ? " and" : ",", i, meta->offset[i], meta->stride[i]);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

gboolean
gst_vfi_layout_map (GstVideoFrame *map, const GstVideoInfo *info,
    const GstVideoInfo *found, GstBuffer *buffer, GstMapFlags flags, gchar **reason)
{
  GstVideoInfo usual;

  if (!gst_vfi_layout_fits (info, found, buffer, reason))
    return FALSE;
  if (!gst_video_info_set_format (&usual, GST_VIDEO_INFO_FORMAT (info),
          (guint) GST_VIDEO_INFO_WIDTH (info), (guint) GST_VIDEO_INFO_HEIGHT (info)) ||
      !gst_video_frame_map (
          map, found, buffer, (GstMapFlags) (flags | GST_VIDEO_FRAME_MAP_FLAG_NO_REF))) {
    explain (reason, explain_failure (info, buffer));
    return FALSE;
  }
  map->info.width = info->width;
  map->info.height = info->height;
  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (map); i++)
    if (!check_plane (map, &usual, i, reason)) {
      gst_video_frame_unmap (map);
      return FALSE;
    }
  return TRUE;
}

gboolean
gst_vfi_layout_can_be_converted (const GstVideoFrame *map, gchar **reason)
{
  for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (map); i++) {
    gint stride = GST_VIDEO_FRAME_PLANE_STRIDE (map, i);

    if (stride > 0 && stride <= G_MAXINT / 4)
      continue;
    explain (reason,
        g_strdup_printf ("expected strides above 0, for %s has to be converted for the "
                         "engine; found plane %u with a stride of %d",
            GST_VIDEO_INFO_NAME (&map->info), i, stride));
    return FALSE;
  }
  return TRUE;
}
