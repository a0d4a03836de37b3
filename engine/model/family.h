/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The contract of a model family: how to recognise a checkpoint, which options it has,
 * and the graphs of its stages. One file per family in models/, listed in
 * models/registry.h. */
#pragma once

#include <stdbool.h>

#include <vfi/checkpoint.h>
#include <vfi/model.h>

#include "flow/flow_plan.h"
#include "graph/graph.h"
#include "pixels/pixels.h"

typedef struct VfiModelFamily VfiModelFamily;

/* When a graph runs: once (its results are kept as long as the session), once per frame
 * (its results are kept for the next pair), per pair (its results are kept for all
 * in-betweens), or per in-between. */
typedef enum {
    /* Sees neither frames nor their size without padding, which tiles do not share, but
     * ranges that set_ranges() sets: where these change, it runs again. */
    VFI_STAGE_CONSTANT,
    VFI_STAGE_FRAME,
    VFI_STAGE_PAIR,
    VFI_STAGE_TIME,
    VFI_STAGE_COUNT
} VfiStage;

/* The results of the time stage. */
typedef enum {
    /* No graph at all: the frames are blended. */
    VFI_OUTPUT_BLEND,
    /* "flow" (4 × H × W, pixels) and "mask" (1 × H × W, weight of frame 0 in [0,1]),
     * applied to the frames' own planes; where polishes() says so as one hypothesis of a
     * VfiMotion. */
    VFI_OUTPUT_FLOW,
    /* "rgb" (3 × H × W). */
    VFI_OUTPUT_RGB,
    /* A VfiMotion, which the steps of flow/ find instead of a graph, as thoroughly as
     * flow_quality() says; it is applied to the frames' own planes. */
    VFI_OUTPUT_MOTION,
} VfiOutputKind;

/* From this score on a checkpoint is recognised, if it has all tensors of the variant. */
#define VFI_SCORE_RECOGNISED 50

/* A family's verdict on a checkpoint. */
typedef struct {
    /* The highest wins. 0: nothing like this family. Below VFI_SCORE_RECOGNISED: it
     * resembles .variant but is not it. */
    int score;
    int variant;      /* the family's own index */
    const char *name; /* of the variant, static */
    VfiTimeMode time_mode;
    const char *refusal; /* why a network that is known cannot run, static; else NULL */
} VfiDetection;

/* Input of a family's functions: the checkpoint's variant and the options'
 * values. */
typedef struct {
    int variant;
    GHashTable *options; /* name → GVariant; every option of the table is there */
} VfiModelSetup;

/* What is known of one frame of a view. */
typedef struct {
    double minimum;       /* least of its RGB values, which are in [0,1] */
    double small_minimum; /* the same of the frame shrunk by small_scale() */
} VfiFrameRange;

/* A part of a family's networks, for whoever looks at files. */
typedef struct {
    const char *name;
    const char *prefix; /* of its tensors' names, less those of parts listed before */
} VfiFamilyPart;

struct VfiModelFamily {
    const char *name;
    const VfiOptionSpec *options;
    size_t n_options;
    /* Number of variants, from 0 on, and their names: where a checkpoint is not quite any
     * of them, messages name the one that it has most tensors of. 0: the one that
     * detect() says. */
    int n_variants;
    const char *(*variant_name)(int variant);
    const VfiFamilyPart *parts; /* NULL: networks are of one part */
    size_t n_parts;
    bool has_weights;
    bool has_scale;
    bool has_pair_stage; /* else VFI_STAGE_PAIR is never built */
    /* Whether the network may see a picture in tiles: its result at a pixel depends on
     * some hundred pixels around it, but for what next_segment() decides. */
    bool can_tile;
    bool wants_mean;    /* graphs use VFI_RUN_INPUT_IMAGE_MEAN */
    bool wants_minimum; /* set_ranges() is told what frames' least values are */
    /* Frames that the network sees before and after the two around the in-between: a view
     * is all of them, VFI_MAX_VIEW_FRAMES at the most. Stages but the frame stage see
     * them as FRAME0 …, oldest first; the two are [frames_before] and the next. */
    int frames_before, frames_after;

    /* Judges by tensor names and shapes alone. Families without weights have none. */
    VfiDetection (*detect)(const VfiCheckpoint *checkpoint);
    /* Judges values that were given for options, before their ranges are: for errors that
     * say more than a range does, and for values that do not go together. NULL: all in
     * range are good. */
    bool (*check)(const VfiModelSetup *setup, GError **error);
    /* Whether a tensor is needed with these options (training extras are not). NULL:
     * all. */
    bool (*wants)(const VfiModelSetup *setup, const char *tensor);
    /* Brings fresh weights into the form that the graphs read: names, folded factors.
     * NULL: they are used as they were loaded. */
    void (*prepare_weights)(VfiWeights *weights);
    /* What is right of and below a picture where it is padded, and so of tiles there. */
    VfiPadding pad;
    /* Least width and height that the graph can be built for; 0: any. */
    int min_size;
    /* Smallest multiple of width and height that the graph is exact for; NULL: 1. */
    int (*size_multiple)(const VfiModelSetup *setup, double scale);
    /* What a whole picture's width or height @size is padded to: a multiple of
     * size_multiple(), which tiles are padded to in any case. NULL: to the next one, or
     * to what the option pad-multiple says. */
    int (*padded_size)(const VfiModelSetup *setup, int size, double scale);
    VfiOutputKind (*output)(const VfiModelSetup *setup);
    /* Builds the graph of @stage; returns false where the family has no such stage.
     * Stages are built in their order; errors go to the graph. */
    bool (*build)(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                  double scale);
    /* VFI_OUTPUT_FLOW: whether the steps of flow/ look for motion, too, so that what the
     * network finds is one hypothesis among theirs. NULL: no. */
    bool (*polishes)(const VfiModelSetup *setup);
    /* VFI_OUTPUT_MOTION and polishes(): how thoroughly motion is looked for. @is_live:
     * pictures are wanted at once, so that the quickest is best where options leave it
     * open. */
    VfiFlowQuality (*flow_quality)(const VfiModelSetup *setup, bool is_live);
    /* Whether the in-between at @t is made by bisection (with an option "bisect-depth").
     * If it is at any @t, then at 0.5. NULL: as the detection's time mode says. */
    bool (*bisects)(const VfiModelSetup *setup, double t);
    /* By how much frames are shrunk to look for their least value then (bilinearly, to
     * whole pixels of each side times that, rounded down): at most 1. NULL or 0: not. */
    double (*small_scale)(const VfiModelSetup *setup);
    /* Sets those of the last run inputs (IMAGE_MUL …), which all stages see, that follow
     * from the whole frames of the view, oldest first; others are 0. What stages have
     * kept is computed again where its inputs were others. NULL: there are none. */
    void (*set_ranges)(const VfiModelSetup *setup, const VfiFrameRange *frames,
                       VfiRunInputs *inputs);
    /* Sets those of a sampler's run inputs that it wants, for round @round, from 0, of
     * @segment of the time stage. What is left alone is as in the run before, at first
     * 0. NULL: it wants none. */
    void (*set_inputs)(const VfiModelSetup *setup, int segment, int round,
                       VfiRunInputs *inputs);
    /* The segment of the time stage after @segment, given the scalars read back so far,
     * or -1 when the result is complete. NULL: one after the other, each of which
     * follows the one before. */
    int (*next_segment)(const VfiModelSetup *setup, int segment, const float *scalars);
};

/* Frames of a view. */
static inline int vfi_family_view_frames(const VfiModelFamily *family)
{
    return family->frames_before + 2 + family->frames_after;
}

/* Where the outputs of a stage lie: for the session, for the frame, for the pair or in
 * the arena. */
static inline VfiRegion vfi_stage_output_region(VfiStage stage)
{
    return stage == VFI_STAGE_CONSTANT ? VFI_REGION_CONSTANT
           : stage == VFI_STAGE_FRAME  ? VFI_REGION_FRAME0
           : stage == VFI_STAGE_PAIR   ? VFI_REGION_PAIR
                                       : VFI_REGION_ARENA;
}

/* What follows @segment of a time stage with @n_segments of them, or -1. */
int vfi_family_next_segment(const VfiModelFamily *family, const VfiModelSetup *setup,
                            int n_segments, int segment, const float *scalars);

/* The value of an option, which the family's table must have with that type. */
bool vfi_setup_boolean(const VfiModelSetup *setup, const char *option);
const char *vfi_setup_string(const VfiModelSetup *setup, const char *option);
unsigned vfi_setup_uint(const VfiModelSetup *setup, const char *option);
uint64_t vfi_setup_uint64(const VfiModelSetup *setup, const char *option);
double vfi_setup_double(const VfiModelSetup *setup, const char *option);

/* All families, NULL-terminated, in the order in which their variants are tried. The one
 * thing here that models/ has to provide: models/registry.c. */
const VfiModelFamily *const *vfi_families(void);

/* The family of that name, or NULL. */
const VfiModelFamily *vfi_family_find(const char *name);
