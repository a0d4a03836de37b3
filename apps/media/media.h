/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Looks at media files; types.h says what is found. */
#pragma once

#include "media/error.h"
#include "media/types.h"

/* Reads the beginning of the file at @path, without decoding. Blocks. NULL and a
 * MEDIA_ERROR if it cannot be read, is no media, has no video, or needs a plugin that is
 * not installed to read the video. gst_init() must have been called. */
Media *media_open(const char *path, GError **error);

void media_free(Media *media);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Media, media_free)

/* A track as people name it: "audio track 2 (aac, deu)"; the number counts from 1 in its
 * kind. */
gchar *media_track_name(const Media *media, const MediaTrack *track);
