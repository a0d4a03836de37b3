/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads the beginning of a file, as far as needed to know its tracks. */
#pragma once

#include "media/types.h"

/* What a file says by itself. */
typedef struct {
    GstCaps *container;
    GstClockTime duration;
    GstClockTime origin; /* as in Media */
    GstTagList *tags; /* of the whole file, with pictures and attachments; may be empty */
    GstToc *toc;      /* NULL if none */
    GPtrArray *tracks; /* of MediaTrack, described by track_describe() */
} Scan;

/* FALSE and a MEDIA_ERROR. */
gboolean scan_file(const char *path, Scan *scan, GError **error);

/* Frees what is in it. */
void scan_clear(Scan *scan);

void scan_free_track(gpointer track);
