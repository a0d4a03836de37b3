/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Numbers that a run of a network is given, one row each: suffix of the enumerator,
 * identifier. FILL makes a picture of one. They may lie in a device's memory, so that a
 * run that was captured as a whole reads those of its turn. */
#pragma once

/* clang-format off */
#define VFI_RUN_INPUT_LIST(INPUT) \
    INPUT(TIME, time)             /* t of the in-between */ \
    INPUT(IMAGE_MEAN, image_mean) /* of the pair's frames, for families that want it */
/* clang-format on */

typedef enum {
#define VFI_RUN_INPUT_ENTRY(SUFFIX, identifier) VFI_RUN_INPUT_##SUFFIX,
    VFI_RUN_INPUT_LIST(VFI_RUN_INPUT_ENTRY)
#undef VFI_RUN_INPUT_ENTRY
        VFI_RUN_INPUT_COUNT
} VfiRunInput;

typedef struct {
    float value[VFI_RUN_INPUT_COUNT];
} VfiRunInputs;

/* "time", "image_mean", … */
const char *vfi_run_input_to_string(VfiRunInput input);
