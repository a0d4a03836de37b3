/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The packets of some tracks of a file, in the order in which they are asked for. The
 * file is read once, from its beginning, no faster than its packets are taken. */
#pragma once

#include "media/types.h"

typedef struct Reader Reader;

typedef struct {
    GstBuffer *buffer;
    GstCaps *caps;   /* of this packet; they may change from one to the next */
    gint64 time;     /* running time of presentation */
    gint64 duration; /* 0 if unknown */
    /* What is decoded and left out before that time; in neither of the two above. */
    gint64 skipped;
} ReaderPacket;

typedef enum {
    READER_PACKET,
    READER_LATER, /* the next one is not before the time that was asked for */
    READER_END,   /* there is none */
    READER_FAILED,
} ReaderAnswer;

/* Begins to read the tracks with TRUE in @wanted, which has one value for each of
 * @media's. */
Reader *reader_new(const Media *media, const gboolean *wanted, GError **error);

/* Looks at track @number's next packet, and waits while it may still come and be before
 * @before. @packet stays the reader's. FAILED sets @error. */
ReaderAnswer reader_peek(Reader *reader, guint number, gint64 before,
                         const ReaderPacket **packet, GError **error);

/* Takes what reader_peek() showed; to be unreffed. */
GstBuffer *reader_take(Reader *reader, guint number);

/* Forgets track @number's packets, those that come, too. */
void reader_leave(Reader *reader, guint number);

/* Custom events that came before the track's next packet (a DVD's palette), as many as
 * there are; NULL if there is none. To be unreffed. */
GstEvent *reader_take_event(Reader *reader, guint number);

/* From another thread: whoever waits in reader_peek() gets G_IO_ERROR_CANCELLED. */
void reader_cancel(Reader *reader);

void reader_free(Reader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reader, reader_free)
