/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream/rehearsal.h"

#include "pure/view_order.h"

/* Names the first frame to sessions, so that they keep what they find of it: none of a
 * stream has such an id. The second one is new to them each time, as it is in a
 * stream. */
#define FRAME_ID (G_GUINT64_CONSTANT (1) << 60)

/* How far apart points of the texture are that have a brightness of their own, and how
 * far it moves, in pixels. */
#define GRAIN 8
#define MOVES_RIGHT 3
#define MOVES_DOWN 1

/* Of lines that formats are packed from: bytes of a pixel of 16 bits a component, and
 * pixels that packing may read beyond a line's end. */
#define DEEP_PIXEL_BYTES 8
#define LINE_MARGIN 16

enum {
  FIRST,
  SECOND,
  MADE,
  N_FRAMES,
};

struct _GstVfiRehearsal {
  GstVideoFrame maps[N_FRAMES]; /* which hold the buffers */
  guint n_mapped;
  VfiFrame frames[N_FRAMES];
  VfiJob *job; /* or NULL */
};

guint64
gst_vfi_rehearsal_bytes (const GstVideoInfo *info)
{
  return (guint64) N_FRAMES * GST_VIDEO_INFO_SIZE (info);
}

/* Frames. */

static GstBuffer *
try_buffer (gsize size)
{
  gpointer memory = g_try_malloc0 (size);

  return memory != NULL ? gst_buffer_new_wrapped (memory, size) : NULL;
}

/* @map holds the only reference to its buffer. */
static gboolean
map_new (GstVideoFrame *map, const GstVideoInfo *info)
{
  GstBuffer *buffer = try_buffer (GST_VIDEO_INFO_SIZE (info));
  gboolean mapped;

  if (buffer == NULL)
    return FALSE;
  mapped = gst_video_frame_map (map, info, buffer, GST_MAP_READWRITE);
  gst_buffer_unref (buffer);
  return mapped;
}

static guint
grain (guint x, guint y)
{
  guint hash = (x * 0x9e3779b1u) ^ (y * 0x85ebca77u);

  hash = (hash ^ (hash >> 15)) * 0x2c1b3c6du;
  return hash >> 24;
}

static guint8
shade (guint x, guint y)
{
  guint column = x / GRAIN, row = y / GRAIN, right = x % GRAIN, down = y % GRAIN;
  guint above = grain (column, row) * (GRAIN - right) + grain (column + 1, row) * right;
  guint below =
      grain (column, row + 1) * (GRAIN - right) + grain (column + 1, row + 1) * right;

  return (guint8) ((above * (GRAIN - down) + below * down) / (GRAIN * GRAIN));
}

/* Fills @line, of 8 or 16 bits a component and alpha first, as formats are packed from,
 * with line @y of a texture that has moved @steps times: grey and opaque. */
static void
draw_line (
    gpointer line, const GstVideoFormatInfo *unpacked, guint width, guint y, guint steps)
{
  gboolean is_deep = GST_VIDEO_FORMAT_INFO_DEPTH (unpacked, 0) > 8;
  gboolean is_rgb = GST_VIDEO_FORMAT_INFO_IS_RGB (unpacked);

  for (guint x = 0; x < width; x++) {
    guint8 value = shade (x + steps * MOVES_RIGHT, y + steps * MOVES_DOWN);
    guint8 other = is_rgb ? value : 0x80;
    guint8 pixel[] = {0xff, value, other, other};
    for (guint i = 0; i < G_N_ELEMENTS (pixel); i++)
      if (is_deep)
        ((guint16 *) line)[x * G_N_ELEMENTS (pixel) + i] = (guint16) (pixel[i] * 0x101);
      else
        ((guint8 *) line)[x * G_N_ELEMENTS (pixel) + i] = pixel[i];
  }
}

static void
draw (GstVideoFrame *frame, guint steps, gpointer line)
{
  const GstVideoFormatInfo *format = frame->info.finfo;
  const GstVideoFormatInfo *unpacked = gst_video_format_get_info (format->unpack_format);
  gint width = GST_VIDEO_FRAME_WIDTH (frame);

  for (gint y = 0; y < GST_VIDEO_FRAME_HEIGHT (frame); y++) {
    draw_line (line, unpacked, (guint) width, (guint) y, steps);
    format->pack_func (format, GST_VIDEO_PACK_FLAG_NONE, line, 0, frame->data,
        frame->info.stride, frame->info.chroma_site, y, width);
  }
}

/* The two frames that pictures are made of. They are packed line by line: a converter
 * would be more than they need. */
static gboolean
draw_frames (GstVfiRehearsal *rehearsal)
{
  gsize width = (gsize) GST_VIDEO_FRAME_WIDTH (&rehearsal->maps[FIRST]);
  gpointer line = g_try_malloc0_n (width + LINE_MARGIN, DEEP_PIXEL_BYTES);

  if (line == NULL)
    return FALSE;
  for (guint i = FIRST; i <= SECOND; i++)
    draw (&rehearsal->maps[i], i, line);
  g_free (line);
  return TRUE;
}

GstVfiRehearsal *
gst_vfi_rehearsal_new (const GstVideoInfo *info)
{
  GstVfiRehearsal *rehearsal = g_new0 (GstVfiRehearsal, 1);

  for (; rehearsal->n_mapped < N_FRAMES; rehearsal->n_mapped++) {
    GstVideoFrame *map = &rehearsal->maps[rehearsal->n_mapped];
    VfiFrame *frame = &rehearsal->frames[rehearsal->n_mapped];
    if (!map_new (map, info))
      break;
    for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES (map); i++) {
      frame->data[i] = GST_VIDEO_FRAME_PLANE_DATA (map, i);
      frame->stride[i] = GST_VIDEO_FRAME_PLANE_STRIDE (map, i);
    }
  }
  rehearsal->frames[FIRST].id = FRAME_ID;
  if (rehearsal->n_mapped == N_FRAMES && draw_frames (rehearsal))
    return rehearsal;
  gst_vfi_rehearsal_free (rehearsal);
  return NULL;
}

void
gst_vfi_rehearsal_free (GstVfiRehearsal *rehearsal)
{
  if (rehearsal == NULL)
    return;
  gst_vfi_rehearsal_stop (rehearsal);
  for (guint i = 0; i < rehearsal->n_mapped; i++)
    gst_video_frame_unmap (&rehearsal->maps[i]);
  g_free (rehearsal);
}

/* Jobs. */

gboolean
gst_vfi_rehearsal_begin (GstVfiRehearsal *rehearsal, VfiSession *session, GError **error)
{
  VfiFrame view[GST_VFI_MAX_VIEW_FRAMES];
  int before, after;
  VfiPair *pair;

  vfi_session_neighbours (session, &before, &after);
  for (int i = 0; i < before + 2 + after; i++)
    view[i] = rehearsal->frames[i <= before ? FIRST : SECOND];
  pair = vfi_session_begin (session, view, (gsize) before + 2 + (gsize) after, 0, error);
  if (pair == NULL)
    return FALSE;
  rehearsal->job = vfi_pair_submit (pair, 0.5, &rehearsal->frames[MADE], error);
  vfi_pair_unref (pair);
  return rehearsal->job != NULL;
}

VfiJob *
gst_vfi_rehearsal_job (const GstVfiRehearsal *rehearsal)
{
  return rehearsal->job;
}

gboolean
gst_vfi_rehearsal_finish (GstVfiRehearsal *rehearsal, GError **error)
{
  gboolean made = vfi_job_wait (rehearsal->job, error);

  g_clear_pointer (&rehearsal->job, vfi_job_unref);
  return made;
}

void
gst_vfi_rehearsal_cancel (GstVfiRehearsal *rehearsal)
{
  if (rehearsal->job != NULL)
    vfi_job_cancel (rehearsal->job);
}

void
gst_vfi_rehearsal_stop (GstVfiRehearsal *rehearsal)
{
  gst_vfi_rehearsal_cancel (rehearsal);
  if (rehearsal->job != NULL)
    gst_vfi_rehearsal_finish (rehearsal, NULL);
}
