/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Encodes the frames of one segment, with an encoder of its own, into a file or into
 * numbered pictures. */
#pragma once

#include <gst/gst.h>

typedef struct {
    const char *launch; /* encoder, parser and caps, " ! " between them */
    GstCaps *caps;      /* of the frames */
    const char *path;   /* of the segment's file (GDP); of pictures up to the number */
    gboolean pictures;
    guint64 first; /* number of the first picture */
} SegmentWriterConfig;

typedef struct _SegmentWriter SegmentWriter;

/* NULL and a CONVERT_ERROR. A file has its name only when it is complete. */
SegmentWriter *segment_writer_new(const SegmentWriterConfig *config, GError **error);

/* Takes @buffer; waits while the encoder has enough to do. */
gboolean segment_writer_push(SegmentWriter *writer, GstBuffer *buffer, GError **error);

/* Returns when everything is on the disk. */
gboolean segment_writer_finish(SegmentWriter *writer, GError **error);

/* Size of the finished file; 0 for pictures. */
guint64 segment_writer_bytes(const SegmentWriter *writer);

/* Also removes a file that was not finished. */
void segment_writer_free(SegmentWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SegmentWriter, segment_writer_free)
