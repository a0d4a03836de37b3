/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a media file holds: its tracks in file order, and all that lies around them. */
#pragma once

#include <gst/gst.h>
#include <gst/video/video.h>

typedef enum {
    MEDIA_TRACK_VIDEO,
    MEDIA_TRACK_AUDIO,
    MEDIA_TRACK_SUBTITLE,
    MEDIA_TRACK_OTHER, /* data, timecodes, what GStreamer has no name for */
} MediaTrackKind;

/* What only video tracks have. */
typedef struct {
    int width, height; /* of the coded picture, before rotation and pixel aspect */
    /* The frame rate that the container or codec declares (some declare the mean); 0/1 if
     * it declares none. */
    int fps_n, fps_d;
    /* By the times of the first hundred frames or so: frames per second at the distance
     * that is in the middle of all, 0 if there are too few frames; and whether more than
     * one distance in twenty is another. */
    double usual_fps;
    gboolean varying;
    gboolean interlaced;
    int bit_depth;        /* of luma; 0 if unknown */
    gchar *chroma;        /* "4:2:0", "4:2:2", "4:4:4", "4:0:0", "rgb"; NULL if unknown */
    int pixel_n, pixel_d; /* pixel aspect ratio; 1/1 where nothing is said */
    gchar *colorimetry; /* as in caps: "bt709", "1:4:5:1", …; NULL if nothing is said */
    gchar *mastering_display; /* as in caps, "mastering-display-info"; NULL if there is
                                 none */
    gchar *light_level; /* as in caps, "content-light-level"; NULL if there is none */
    gchar *orientation; /* "rotate-90", "flip-rotate-180", …; NULL if upright */
} MediaVideo;

typedef struct {
    MediaTrackKind kind;
    guint number;     /* place in the file, from 0; also in Media::tracks */
    gchar *stream_id; /* by which parsebin knows the track */
    /* Encoded, as the demuxer (or, for video, the parser) says it. */
    GstCaps *caps;
    const char *codec;  /* short lower-case name: "h264", "aac", "srt"; see codec.h */
    gchar *description; /* what GStreamer calls the format: "H.264 (High Profile)" */
    gchar *language;    /* as in the file, ISO 639; NULL if none */
    gchar *title;       /* NULL if none */
    gboolean is_default, is_forced;
    /* Video only: a still picture to show for the file, which is no video to convert. */
    gboolean is_cover;
    GstTagList *tags; /* of this track; NULL if none */
    MediaVideo video; /* zero for tracks of other kinds */
} MediaTrack;

/* A file that the container carries along: a font, a cover picture. */
typedef struct {
    gboolean is_cover;
    gchar *name;       /* NULL if it has none */
    gchar *type;       /* MIME type; NULL if unknown */
    GstSample *sample; /* its bytes */
} MediaAttachment;

typedef struct {
    GstClockTime start, end; /* in the input's time; end may be GST_CLOCK_TIME_NONE */
    gchar *title;            /* NULL if it has none */
} MediaChapter;

/* Read-only after media_open(); times are running times of a pipeline that plays the file
 * from its beginning (but see origin), which decoded frames and passed-on packets carry.
 */
typedef struct {
    gchar *path;
    gchar *container;      /* what GStreamer calls it: "Matroska", "Quicktime" */
    GstClockTime duration; /* GST_CLOCK_TIME_NONE if unknown */
    /* The time stamp that is time 0: times are those of buffers less this. Where it is
     * GST_CLOCK_TIME_NONE they are running times. GStreamer 1.22's matroskademux begins
     * its segment at the first packet, and anew when a packet of another track is
     * earlier: until then running times are too small. */
    GstClockTime origin;
    GstTagList *tags;       /* of the whole file, without pictures; NULL if none */
    GPtrArray *tracks;      /* of MediaTrack, in file order */
    GPtrArray *attachments; /* of MediaAttachment */
    GPtrArray *chapters;    /* of MediaChapter, the first edition's outermost level */
    GstToc *toc;            /* all of it; NULL if none, or GStreamer does not see it */
    /* The video to convert: the first that is no cover. Owned by tracks. */
    const MediaTrack *video;
} Media;

static inline const MediaTrack *media_track(const Media *media, guint number)
{
    return (const MediaTrack *)g_ptr_array_index(media->tracks, number);
}
