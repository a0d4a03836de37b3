/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What caps and tags say about a track. */
#pragma once

#include "media/types.h"

MediaTrackKind track_kind_of_caps(const GstCaps *caps);

/* Fills in all that follows from track->caps and track->tags. @global_tags, which may be
 * NULL, are asked for the orientation, too. */
void track_describe(MediaTrack *track, const GstTagList *global_tags);

/* Takes @count times of presentation in any order, in nanoseconds, and sorts them. */
void track_measure_rate(MediaVideo *video, gint64 *times, size_t count);
