/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A clip three frames at a time: two that models are given, and the one between them that
 * was left out, which they have to find again. Every frame is decoded once; no more are
 * kept than the model sees. */
#pragma once

#include "compare/clip.h"

/** Most frames that a model sees: two, and six around them. */
#define TRIPLE_MOST_GIVEN 8

/** Why a frame between two others is, or is not, something to find. */
typedef enum {
    TRIPLE_MOVES, /**< it is */
    TRIPLE_CUT,   /**< a new scene begins before or after it */
    /** It shows one of its neighbours once more, as frames on twos do, and is much
     * farther from the other; or all three are the same bits. */
    TRIPLE_REPEATS,
} TripleKind;

/** Frames belong to the reader, until it is asked for the next triple. */
typedef struct {
    TripleKind kind;
    const ClipFrame *truth;        /**< the frame that was left out */
    const ClipFrame *first, *last; /**< those before and after it */
    /** What the model sees, oldest first: first and last, and beside them as many as it
     * wants; where there is none, at a cut and at the ends, the nearest again. */
    const ClipFrame *given[TRIPLE_MOST_GIVEN];
    guint n_given;
    double t; /**< where the truth's time lies between those of first (0) and last (1) */
} Triple;

typedef struct TripleReader TripleReader;

/** Reads from @clip, which must outlive it, for a model that sees @before and @after
 * frames around the two. */
TripleReader *triple_reader_new(Clip *clip, int before, int after);

/** Drops all frames. NULL is allowed. */
void triple_reader_free(TripleReader *reader);

/** Fills @triple with the next one; *found is FALSE at the end. Returns FALSE with an
 * error as clip_next() does. */
gboolean triple_reader_next(TripleReader *reader, Triple *triple, gboolean *found,
                            GError **error);

/** Frames that were read so far. */
guint triple_reader_n_frames(const TripleReader *reader);

/**
 * Where @truth lies between @first and @last, 0 to 1 without the ends. Exactly in the
 * middle if that is within 2 ms and within an eighth of the way, as containers round
 * times to whole milliseconds, or if the times make no sense.
 */
double triple_place(GstClockTime first, GstClockTime truth, GstClockTime last);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(TripleReader, triple_reader_free)
