/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A muxer that is fed track by track from one thread, in about the order of time. */
#pragma once

#include "media/container.h"
#include "media/output_file.h"

typedef struct Writer Writer;
typedef struct WriterTrack WriterTrack;

/* Opens nothing yet. @path is the file to write, @scratch a file beside it that the muxer
 * may need meanwhile. NULL and MEDIA_ERROR_NO_DECODER if there is no such muxer. */
Writer *writer_new(ContainerKind container, const OutputFile *file, GError **error);

/* Of the whole file. @application may be NULL. */
void writer_set_tags(Writer *writer, const GstTagList *tags, const char *application);
void writer_set_toc(Writer *writer, GstToc *toc);

/* The next track, in the file's order; owned by the writer. @tags, of the track, may be
 * NULL. NULL and MEDIA_ERROR_UNSUPPORTED if the muxer takes no (more) such track. */
WriterTrack *writer_add(Writer *writer, MediaTrackKind kind, const GstCaps *caps,
                        const GstTagList *tags, GError **error);

/* After the last track was added. */
void writer_start(Writer *writer);

/* Queues @packet, which it takes, at @time, not before 0; @decoding, which may be before
 * it, is G_MININT64 where the format has no such time. Waits while much is queued that
 * the muxer can work on. FALSE if the muxer has failed: writer_finish() says how. */
gboolean writer_push(Writer *writer, WriterTrack *track, GstBuffer *packet, gint64 time,
                     gint64 decoding);

/* Nothing comes on @track before @time. */
void writer_skip(Writer *writer, WriterTrack *track, gint64 time);

/* Takes @event, which goes before the next packet. */
void writer_send(Writer *writer, WriterTrack *track, GstEvent *event);

/* Nothing comes on @track any more. */
void writer_end(Writer *writer, WriterTrack *track);

/* Ends all tracks and waits until the file is closed. FALSE and MEDIA_ERROR_NO_SPACE,
 * _WRITE or _UNSUPPORTED. */
gboolean writer_finish(Writer *writer, GError **error);

/* Stops whatever is going on. NULL is fine. */
void writer_free(Writer *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Writer, writer_free)
