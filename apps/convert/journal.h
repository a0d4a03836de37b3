/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done already of an output, in a file that is replaced as a whole: whenever the
 * process dies, the file is there and true. It stands in the work folder beside the
 * output, with the finished segments. */
#pragma once

#include <gst/gst.h>

/* The first frames that the next segment is made from, by which a run that goes on knows
 * that it decoded the same. */
typedef struct {
    guint frames;       /* 0: nothing is known; decode from the start */
    GstClockTime time;  /* of the first of them, in the input */
    gchar checksum[33]; /* of all of them */
} JournalLead;

typedef struct {
    guint64 frames; /* that it shows; 0: there is no file for it */
    guint64 bytes;  /* of its file; 0: it is pictures, or there is none */
    JournalLead next;
} JournalSegment;

typedef struct _Journal Journal;

/* An output that nothing is done of. @decides: names and values, in group "conversion",
 * of all that decides what the pictures are; is copied. Nothing is written yet. */
Journal *journal_new(const char *path, GKeyFile *decides);

/* What journal_new() began. NULL and CONVERT_ERROR_RESUME if there is no such file, it is
 * damaged, or a value of @decides is another there: the message names each. */
Journal *journal_load(const char *path, GKeyFile *decides, GError **error);

void journal_free(Journal *journal);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Journal, journal_free)

/* Time of the first output; GST_CLOCK_TIME_NONE before journal_set_origin(). */
GstClockTime journal_origin(const Journal *journal);
void journal_set_origin(Journal *journal, GstClockTime origin);

/* Finished segments, from 0 without a gap. */
guint journal_segments(const Journal *journal);
void journal_segment(const Journal *journal, guint number, JournalSegment *segment);
void journal_append(Journal *journal, const JournalSegment *segment);

/* Forgets segments from @count on, which have to be made again. */
void journal_truncate(Journal *journal, guint count);

/* All segments are there: what remains is to put them together. */
gboolean journal_is_complete(const Journal *journal);
void journal_set_complete(Journal *journal);

/* Replaces the file, and returns when it is on the disk. FALSE and CONVERT_ERROR_OUTPUT
 * or CONVERT_ERROR_NO_SPACE. */
gboolean journal_save(Journal *journal, GError **error);
