/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is compared and what came out: filled by measure.h and shown.h, written by
 * report_text.h, report_json.h and page.h. */
#pragma once

#include "common/installed_models.h"
#include "compare/judge.h"
#include "compare/maker.h"

/** A frame of the clip. */
typedef struct {
    guint frame; /**< number in the part that was read, from 0 */
    GstClockTime time;
} ClipPlace;

/** A model, with its options. */
typedef struct {
    char *label;   /**< for people, unlike that of all others */
    char *model;   /**< as vfi_model_open() takes it */
    char *options; /**< "NAME=VALUE,…"; NULL: none */
    InstalledModel *facts;
    char *problem;  /**< why there is no result; NULL if there is one */
    GArray *scores; /**< of Score, as many as left_out has */
    MakerStats stats;
} Contestant;

/** Why a frame is shown. */
typedef struct {
    guint contestant; /**< index in contestants */
    guint rank;       /**< 1: its worst, 2: its second worst …; 0: its median */
} Reason;

/** A frame that is shown, as PNG files of a part of it. */
typedef struct {
    guint at;                /**< index in left_out */
    GArray *reasons;         /**< of Reason, one or more */
    int x, y, width, height; /**< the part, pixels */
    GBytes *first, *truth, *last;
    GPtrArray *made; /**< of GBytes by contestant; NULL where there is none */
} Shown;

typedef struct {
    char *path;
    GstVideoInfo info;
    guint n_frames;   /**< that were read */
    GArray *left_out; /**< of ClipPlace: frames that were made again, by time */
    GArray *cuts;     /**< of ClipPlace: left out frames beside a cut, not compared */
    guint n_repeats;  /**< left out frames that repeat a neighbour, not compared */
    GPtrArray *contestants;
    GPtrArray *shown; /**< of Shown, by time */
} Comparison;

/** Nothing yet, of the clip at @path. */
Comparison *comparison_new(const char *path);

/** Frees it with all that is in it. NULL is allowed. */
void comparison_free(Comparison *comparison);

/** Adds a contestant; takes @facts over. */
Contestant *comparison_add(Comparison *comparison, const char *model, const char *options,
                           InstalledModel *facts);

/** One that starts with nothing but its place. */
Shown *comparison_show(Comparison *comparison, guint at);

/** What the scores of a contestant come to. */
typedef struct {
    double psnr;     /**< of the mean squared difference of luma of all frames, dB */
    double psnr_rgb; /**< the same of R, G and B */
    double ssim;     /**< mean of all frames' */
    guint worst; /**< index of the frame with the lowest PSNR of luma; first of equals */
    double fps;  /**< pictures a second; 0 if none was timed */
} Summary;

/** Sums up @contestant, which has a score or more. */
Summary contestant_summary(const Contestant *contestant);

/** Indices of its frames, from the lowest PSNR of luma to the highest, those that are
 * equal by time; free with g_array_unref(). */
GArray *contestant_ranking(const Contestant *contestant);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Comparison, comparison_free)
