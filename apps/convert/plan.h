/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Everything that is known of a conversion before it begins. */
#pragma once

#include "convert/interpolator.h"
#include "convert/interrupt.h"
#include "convert/options.h"
#include "media/keep.h"

typedef struct {
    const ConvertOptions *options;
    gchar *input, *output;
    gchar *folder;   /* of the work, beside the output */
    gchar *pictures; /* path up to their numbers; NULL: no pictures */
    Media *media;
    ContainerKind container;
    gboolean interlaced; /* becomes a frame per field */
    VideoCodec codec;
    const Encoder *encoder;
    KeepOptions keep_options;
    KeepPlan *keep;
    int in_n, in_d;   /* rate of frames as the element sees them, slowed; 0/1: variable */
    int out_n, out_d; /* of the output; 0/1: variable */
    /* Frames farther apart than this, in the output's time, are not interpolated. */
    GstClockTime max_gap;
    gchar *filter;  /* elements in front of the interpolation, each followed by " ! " */
    gchar *formats; /* raw formats that the encoder takes; NULL: any, it converts */
    gboolean raises_chroma;    /* to 4:4:4, for an odd size */
    gchar *encode;             /* encoder, parser, caps, " ! " between them */
    GArray *properties;        /* of InterpolatorProperty, ends with one without a name */
    GPtrArray *strings;        /* that these point to */
    GstClockTime out_duration; /* of the output; GST_CLOCK_TIME_NONE if unknown */
} Plan;

/* What @options asks of @input; @output NULL is a name beside it. Opens the input, writes
 * nothing. NULL and a CONVERT_ERROR. */
Plan *plan_new(const ConvertOptions *options, const char *input, const char *output,
               const Interrupt *interrupt, GError **error);
void plan_free(Plan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Plan, plan_free)

/* Sets *error to what media/ found wrong, with the exit code for it; takes @cause. */
void plan_take_media_error(GError *cause, GError **error);

/* How many frames the output has, about; 0 if that is unknown. */
guint64 plan_frames(const Plan *plan);

/* Group "conversion" of all that decides what the pictures are; for the journal. */
GKeyFile *plan_decides(const Plan *plan);

/* Two lines for people: what comes in, what goes out. */
gchar *plan_text(const Plan *plan);
