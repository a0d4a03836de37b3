/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The input's frames around the segment that is made: what one segment needs of the
 * frames before its end, the next one needs again. */
#pragma once

#include "convert/journal.h"
#include "convert/source.h"

typedef struct _Feed Feed;

/* @source has to live on. */
Feed *feed_new(Source *source);
void feed_free(Feed *feed);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Feed, feed_free)

/* The next frame of the segment; belongs to the feed. */
SourceResult feed_next(Feed *feed, const SourceFrame **frame, GError **error);

/* Prepares the segment from @start to before @stop: reads on up to there, and has
 * feed_next() begin with the SCHEDULE_LEAD frames before it, or as many as there are;
 * these are *lead. Of the segment's frames that were given, as many are kept as the next
 * one's lead needs. SOURCE_FRAME, or SOURCE_END where no frame is at @start or behind
 * it. */
SourceResult feed_begin(Feed *feed, GstClockTime start, GstClockTime stop, guint *lead,
                        GError **error);

/* What feed_begin() found of the lead, for the journal. */
void feed_describe_lead(const Feed *feed, guint lead, JournalLead *found);

/* Reads on up to the lead that an earlier run described. SOURCE_END: these frames are not
 * there. */
SourceResult feed_find_lead(Feed *feed, const JournalLead *wanted, GError **error);

/* Forgets all frames; the source was moved. */
void feed_clear(Feed *feed);

/* When the last frame ends, once feed_next() or feed_begin() found SOURCE_END; 0 without
 * any frame. A frame of unknown duration lasts as long as the one before, or @usual. */
GstClockTime feed_end(const Feed *feed, GstClockTime usual);
