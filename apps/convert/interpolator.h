/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element in a pipeline of its own, which makes one segment after the other. Between
 * two of them everything it knows of frames is flushed; the model and its memory stay. */
#pragma once

#include <gst/gst.h>

typedef struct {
    const char *name, *value; /* a property of vfiinterp */
} InterpolatorProperty;

typedef struct {
    GstCaps *caps;                          /* of frames that come in, with their rate */
    int rate_n, rate_d;                     /* of those that come out; 0/1: variable */
    const InterpolatorProperty *properties; /* up to one without a name */
} InterpolatorConfig;

typedef struct _Interpolator Interpolator;

/* Opens the model. NULL and CONVERT_ERROR_INTERPOLATION, or CONVERT_ERROR_MISSING where
 * the element is not to be found. */
Interpolator *interpolator_new(const InterpolatorConfig *config, GError **error);
void interpolator_free(Interpolator *interpolator);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Interpolator, interpolator_free)

/* Begins a segment. Between its first @lead frames and the next nothing has to be made,
 * but for the last of them. */
gboolean interpolator_begin(Interpolator *interpolator, guint lead, GError **error);

/* Whether it waits for frames. */
gboolean interpolator_wants(Interpolator *interpolator);

/* Takes @buffer, of the input's caps, with the time that counts in the output. */
void interpolator_push(Interpolator *interpolator, GstBuffer *buffer);

/* There are no more frames. */
void interpolator_end(Interpolator *interpolator);

typedef enum {
    INTERPOLATOR_FRAME,
    INTERPOLATOR_NOTHING_YET,
    INTERPOLATOR_END,
    INTERPOLATOR_FAILED,
} InterpolatorResult;

/* The next output, waiting for it up to @timeout. */
InterpolatorResult interpolator_pull(Interpolator *interpolator, GstClockTime timeout,
                                     GstSample **sample, GError **error);

/* How far the frame under way is where a slow model says so, 0 to 1; else 0. */
double interpolator_part(Interpolator *interpolator);

/* The element's "stats"; free with gst_structure_free(). */
GstStructure *interpolator_stats(Interpolator *interpolator);
