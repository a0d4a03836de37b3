/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a run of a network is given beside its memory. It may lie in a device's memory, so
 * that a run that was captured as a whole reads what is of its turn. */
#pragma once

#include <stdint.h>

/* Numbers, one row each: suffix of the enumerator, identifier. FILL makes a picture of
 * one. The session sets TIME, IMAGE_MEAN, IMAGE_WIDTH and IMAGE_HEIGHT for every run;
 * STEP to WEIGHT_3 are a sampler's, which runs a segment several times: the model's
 * family sets those it wants before each run. The last are ranges of values that depend
 * on the frames, which the family sets, too. Others are 0. */
/* clang-format off */
#define VFI_RUN_INPUT_LIST(INPUT) \
    INPUT(TIME, time)               /* t of the in-between */ \
    INPUT(IMAGE_MEAN, image_mean)   /* of the pair's frames, where families want it */ \
    INPUT(STEP, step)               /* of a sampler, as its network counts them */ \
    INPUT(NOISE_LEVEL, noise_level) /* how much of the picture is noise by then */ \
    INPUT(WEIGHT_0, weight_0)       /* coefficients of the sums that a step ends with */ \
    INPUT(WEIGHT_1, weight_1) \
    INPUT(WEIGHT_2, weight_2) \
    INPUT(WEIGHT_3, weight_3) \
    INPUT(IMAGE_WIDTH, image_width)   /* of the picture or tile without its padding */ \
    INPUT(IMAGE_HEIGHT, image_height) \
    INPUT(IMAGE_MUL, image_mul) /* brings a frame into the range that its values say: */ \
    INPUT(IMAGE_ADD, image_add) /* image * mul + add; likewise, … */ \
    INPUT(SMALL_MUL, small_mul) /* … of the frames at the size at which flow is found */ \
    INPUT(SMALL_ADD, small_add) \
    INPUT(FIRST_MUL, first_mul) /* … by the earlier frame alone */ \
    INPUT(FIRST_ADD, first_add) \
    INPUT(RESIDUAL_MUL, residual_mul) /* 1 / first_mul */
/* clang-format on */

typedef enum {
#define VFI_RUN_INPUT_ENTRY(SUFFIX, identifier) VFI_RUN_INPUT_##SUFFIX,
    VFI_RUN_INPUT_LIST(VFI_RUN_INPUT_ENTRY)
#undef VFI_RUN_INPUT_ENTRY
        VFI_RUN_INPUT_COUNT
} VfiRunInput;

/* Which random numbers NOISE gives (noise.h): the same for the same fields, whenever and
 * wherever they are asked for. The family sets the seed, the session all else. */
typedef struct {
    uint64_t seed;      /* the user's, 0 by default */
    uint32_t key[2];    /* of the pair: low and high half of what it was begun with */
    uint32_t place;     /* of the in-between among those that are made one of another:
                         * sixteenths of the pair's time after the middle; below 16 */
    uint32_t round;     /* of the segment, from 0; below 65536 */
    uint32_t origin[2]; /* x and y of the tile's first pixel in the image; 0: no tile */
} VfiNoiseInputs;

typedef struct {
    float value[VFI_RUN_INPUT_COUNT];
    VfiNoiseInputs noise;
} VfiRunInputs;

/* "time", "image_mean", … */
const char *vfi_run_input_to_string(VfiRunInput input);
