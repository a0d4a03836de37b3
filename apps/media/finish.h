/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is put into a file after the muxer has written it, because the muxer cannot. */
#pragma once

#include "media/keep.h"

typedef struct {
    const MediaTrack *track; /* of the input */
    gint64 lead;             /* what is decoded and not presented at its beginning */
    const GstCaps *caps;     /* of the output; NULL if of no interest */
} FinishTrack;

/* The tags of the output's track that @track becomes; to be unreffed, or NULL. */
GstTagList *finish_tags(ContainerKind container, const MediaTrack *track);

/* Completes the file at @path, whose tracks in order are @tracks; @orientation, of the
 * video, may be NULL. FALSE and a MEDIA_ERROR. */
gboolean finish_file(ContainerKind container, const char *path, const FinishTrack *tracks,
                     guint count, const char *orientation, GError **error);

/* Adds those of @media's attachments to it that @plan keeps and the muxer does not
 * write. */
gboolean finish_attachments(ContainerKind container, const char *path, const Media *media,
                            const KeepPlan *plan, GError **error);
