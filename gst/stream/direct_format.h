/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which GStreamer formats the element takes, and how the engine sees them. Where the
 * engine has no direct path for a format one GstVideoConverter step bridges the gap. That
 * step only moves samples: the inner format never has less depth or chroma than the outer
 * one, and has alpha where that has; and no colour matrix is applied, because its
 * rounding would make in-betweens darker than originals. */
#pragma once

#include <gst/video/video.h>

#include <vfi/vfi.h>

G_BEGIN_DECLS

/* The format whose memory the engine can work in, for frames of @format: itself where
 * there is a direct path, GST_VIDEO_FORMAT_UNKNOWN where every possible one would lose
 * something. */
GstVideoFormat gst_vfi_format_inner (GstVideoFormat format);

/* Caps of both pad templates: every format with an inner one, direct formats first. New
 * reference. */
GstCaps *gst_vfi_format_template_caps (void);

/* Why frames of @info are not among the caps of the template: a sentence for users, to be
 * freed, that says what to put where. */
gchar *gst_vfi_format_explain (const GstCaps *caps, const GstVideoInfo *info);

/* What the engine needs to know about frames of @info, whose format must be an inner
 * one. */
VfiVideoInfo gst_vfi_format_video_info (const GstVideoInfo *info);

/* How pictures get from the stream's format to the engine's and back. Not thread-safe:
 * the streaming thread owns it. */
typedef struct {
  GstVideoInfo outer;          /* the stream's */
  GstVideoInfo inner;          /* the engine's; equals outer without converters */
  GstVideoConverter *to_inner; /* NULL where the path is direct */
  GstVideoConverter *to_outer;
} GstVfiPath;

/* Prepares @path (zeroed or cleared) for frames of @outer; FALSE if nothing fits. */
gboolean gst_vfi_path_init (GstVfiPath *path, const GstVideoInfo *outer);

/* Frees what gst_vfi_path_init() made; a zeroed path is allowed. */
void gst_vfi_path_clear (GstVfiPath *path);

G_END_DECLS
