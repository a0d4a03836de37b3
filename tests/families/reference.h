/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the small families (families.h) make of frames, in plain C and double precision:
 * from the frames' RGB to the in-between's, written from the networks' descriptions.
 *
 * Frames and pictures are volumes of 3 channels, R, G, B in [0,1], of the frame's own
 * size. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "layers.h"

#define REFERENCE_MAX_VIEW 4

/* What is asked for besides a view. */
typedef struct {
    double t; /* 0 < t < 1 */
    /* Pictures that others are made from are kept in codes 0 … @codes; 0: as they are. */
    int codes;
    /* Of samplers only. */
    uint64_t key; /* of the pair */
    int place;    /* where others are made of it: sixteenths behind the middle */
    uint64_t seed;
    int steps; /* 0: as many as by default */
} ReferenceRequest;

typedef struct {
    const char *state_dict; /* of its checkpoint: deterministic_checkpoint() */
    const char *tensors;    /* the state dict by whose names it is stated here */
    const char *family;     /* its name in the engine */
    int frames_before, frames_after;
    /* The picture of one run of the network, @view oldest first. */
    Volume (*infer)(Network *network, const Volume *view,
                    const ReferenceRequest *request);
    /* For those that know middles only: times are multiples of 1/2^bisect_depth. 0: any
     * time is asked of the network itself. */
    int bisect_depth;
} Reference;

static inline int reference_view_frames(const Reference *reference)
{
    return reference->frames_before + 2 + reference->frames_after;
}

/* "three_frames", "three_frames_ahead", "four_frames", "sampler". */
const Reference *reference_of(const char *state_dict);

Network *reference_network(const Reference *reference);

/* The picture, with bisection where the family has that. */
Volume reference_picture(const Reference *reference, Network *network, const Volume *view,
                         const ReferenceRequest *request);

/* Whether the picture is made of another one that was rounded to codes: where single
 * precision rounds that the other way, it may be off by a code more. */
bool reference_rounds_twice(const Reference *reference, const ReferenceRequest *request);
