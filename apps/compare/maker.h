/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A model at work on one clip: makes the frames that were left out, one at a time, and
 * measures what that takes. */
#pragma once

#include "compare/triples.h"

/** What makes the frames. */
typedef struct {
    const char *model;   /**< as vfi_model_open() takes it */
    const char *options; /**< "NAME=VALUE,…", or NULL */
    const char *device;  /**< as in VfiSessionConfig, as are those below */
    double scale;
    guint64 memory_limit;
} MakerConfig;

/** What was measured so far. */
typedef struct {
    guint n_timed;  /**< pictures whose time counts: all but the first, which warms up */
    double seconds; /**< that these took, without waiting */
    guint64 memory; /**< most bytes that model and session had, on their device */
    const char *device, *precision; /**< in effect; static */
    double scale;                   /**< in effect */
    guint tiles;                    /**< 1: whole pictures */
} MakerStats;

typedef struct Maker Maker;

/** Opens the model and builds a session for frames of @info. Returns NULL with an error
 * of the engine's. */
Maker *maker_new(const MakerConfig *config, const GstVideoInfo *info, GError **error);

/** Ends the session and drops the model. NULL is allowed. */
void maker_free(Maker *maker);

/** Frames that the model sees around the two, for triple_reader_new(). */
void maker_neighbours(const Maker *maker, int *before, int *after);

/** Makes the frame that @triple leaves out, by its time. The result is the maker's and
 * changes with the next call. Returns NULL with an error of the engine's. */
const GstVideoFrame *maker_make(Maker *maker, const Triple *triple, GError **error);

/** Fills @stats. */
void maker_get_stats(const Maker *maker, MakerStats *stats);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Maker, maker_free)
