/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models of ncnn with deterministic weights, of the structure that rife-ncnn-vulkan's
 * have. */
#pragma once

#include <stdbool.h>

#include "state_dict.h"

typedef enum {
    NCNN_NO_BETA,      /* no residual layers */
    NCNN_BETA_FOLDED,  /* part of the weights: all betas are 1 (4.6) */
    NCNN_BETA_FIRST,   /* all of them at the beginning (4.5, 4.15 and later) */
    NCNN_BETA_BETWEEN, /* one layer ahead of their own (4.7 to 4.14, 4.25) */
    NCNN_BETA_LINKED, /* all at the beginning, the last one first: the graph says whose */
} NcnnBeta;

/* How the layers of the two encoders are mixed. */
typedef enum {
    NCNN_HEADS_AUTO,   /* two layers: layer by layer; four: frame by frame */
    NCNN_HEADS_LAYERS, /* both frames' first, both frames' second, … */
    NCNN_HEADS_FRAMES, /* all of one frame, all of the other */
    NCNN_HEADS_MIXED,  /* one layer ahead, then in turns */
} NcnnHeads;

/* A network. */
typedef struct {
    const char *family; /* as in state_dict_of() */
    int n_blocks;
    int width[5];
    int in_first, in; /* channels into the first block, into the others */
    int n_head;       /* layers of the encoder: 0, 2 or 4 */
    int head_width, head_out;
    const char *head_key; /* with the layer's number */
    int head_step;        /* of that number */
    int last;
    int groups;
    NcnnBeta beta;
    bool has_slopes;
    NcnnHeads heads;
    bool ensembles; /* each block twice */
} NcnnNetwork;

/* The two files, and what should be read out of them. */
typedef struct {
    GString *param;
    GByteArray *bin;
    GArray *entries; /* of StateEntry; betas that are 1 have the kind STATE_WEIGHT */
} NcnnFile;

/* With @f16 main weights are stored as that, rounded towards zero. */
NcnnFile *ncnn_file_new(const NcnnNetwork *network, bool f16);
void ncnn_file_free(NcnnFile *file);

/* Writes flownet.param and flownet.bin. */
void ncnn_file_write(const NcnnFile *file, const char *folder);

/* Bits of @value rounded towards zero to f16, and what they mean. */
guint16 ncnn_f16_bits(float value);
float ncnn_f16_value(float value);
