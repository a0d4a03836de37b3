/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/probe.h"

/* Single frames in between may be progressive. */
#define FRAMES 8

static gboolean has_fields(Source *source, const SourceFrame *frame)
{
    GstVideoInfo info;
    if (GST_BUFFER_FLAG_IS_SET(frame->buffer, GST_VIDEO_BUFFER_FLAG_INTERLACED))
        return TRUE; /* also where the caps, which are the container's, deny it */
    if (!gst_video_info_from_caps(&info, source_caps(source)))
        return FALSE;
    GstVideoInterlaceMode mode = GST_VIDEO_INFO_INTERLACE_MODE(&info);
    return mode != GST_VIDEO_INTERLACE_MODE_PROGRESSIVE &&
           mode != GST_VIDEO_INTERLACE_MODE_MIXED;
}

gboolean probe_interlaced(const Media *media, const Interrupt *interrupt,
                          gboolean *interlaced, GError **error)
{
    SourceConfig config = {
        .path = media->path,
        .stream_id = source_stream_id(media),
        .filter = "",
        .to = GST_CLOCK_TIME_NONE,
        .slow_n = 1,
        .slow_d = 1,
    };
    *interlaced = media->video->video.interlaced;
    if (*interlaced)
        return TRUE;
    g_autoptr(Source) source = source_open(&config, interrupt, error);
    if (source == NULL)
        return FALSE;
    for (int i = 0; i < FRAMES && !*interlaced; i++) {
        g_autoptr(SourceFrame) frame = NULL;
        /* What is wrong with later frames is found when they are converted. */
        if (source_next(source, &frame, NULL) != SOURCE_FRAME)
            break;
        *interlaced = has_fields(source, frame);
    }
    return TRUE;
}
