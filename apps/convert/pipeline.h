/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the pipelines of a conversion share. */
#pragma once

#include <gst/gst.h>

#include "convert/error.h"

/* Frames that wait in front of a pipeline at the most. */
#define PIPELINE_QUEUE 4

/* A pipeline by gst_parse_launch()'s language; a full reference. CONVERT_ERROR_MISSING
 * where an element is not installed. */
GstElement *pipeline_parse(const char *launch, GError **error);

/* FALSE and an error if one was posted, with @code unless it tells what it is (no space,
 * a missing plugin); waits for it up to @timeout. */
gboolean pipeline_is_well(GstElement *pipeline, GstClockTime timeout, ConvertError code,
                          GError **error);

/* To PLAYING, without waiting for frames. FALSE as pipeline_is_well(). */
gboolean pipeline_play(GstElement *pipeline, ConvertError code, GError **error);

/* To NULL, and frees it; NULL is allowed. */
void pipeline_free(GstElement *pipeline);

/* An element of @pipeline; lives as long as it. */
GstElement *pipeline_element(GstElement *pipeline, const char *name);

/* @text in quotes as gst_parse_launch() reads it. */
gchar *pipeline_quote(const char *text);
