/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* NOISE: standard normal numbers, which the run's seed, key and round choose. */
#include "op/descriptor.h"

/* Places are counted in 16 bits. */
#define MAX_SIDE 65535

static bool infer(const VfiOp *op, VfiShape *result, GError **error)
{
    const VfiNoiseParams *p = &op->u.noise;

    if (MIN(p->channels, MIN(p->height, p->width)) < 1 ||
        p->channels > VFI_NOISE_MAX_CHANNELS || MAX(p->height, p->width) > MAX_SIDE)
        return vfi_op_refuse(op, error,
                             "%d×%d×%d is no size, expected 1 to %d channels of 1 to %d "
                             "in each direction",
                             p->channels, p->height, p->width, VFI_NOISE_MAX_CHANNELS,
                             MAX_SIDE);
    if (p->stream >= VFI_NOISE_MAX_STREAMS)
        return vfi_op_refuse(op, error, "there are more than %d of them",
                             VFI_NOISE_MAX_STREAMS);
    if (p->reduction < 1)
        return vfi_op_refuse(op, error, "a reduction by %d, expected 1 or more",
                             p->reduction);
    *result = (VfiShape){p->channels, p->height, p->width};
    return true;
}

#define OF(c, h, w, number, factor)                                                      \
    .params.noise = {                                                                    \
        .channels = (c),                                                                 \
        .height = (h),                                                                   \
        .width = (w),                                                                    \
        .stream = (number),                                                              \
        .reduction = (factor),                                                           \
    }

#define ALL_BITS 0xffffffffu

static const VfiOpCase cases[] = {
    {OF(1, 1, 1, 0, 1)},
    {OF(4, 7, 33, 3, 1), .noise = {.seed = 1, .key = {2, 3}, .round = 4}},
    {OF(3, 5, 65, 0, 8), .noise = {.key = {0, 7}, .origin = {4096, 72}}},
    {OF(7, 9, 20, 1, 4),
     .noise = {.seed = ALL_BITS, .place = 5, .round = 1, .origin = {12, 65532}}},
    {OF(256, 3, 2, 40, 1), .noise = {.seed = UINT64_C(1) << 32, .place = 8}},
    {OF(10, 64, 700, 2, 1), .noise = {.key = {40000000, 0}, .round = 9}},
    {OF(2, 35, 64, VFI_NOISE_MAX_STREAMS - 1, 1),
     .noise = {UINT64_MAX, {ALL_BITS, ALL_BITS}, 15, 65535, {65472, 65501}}},
};

const VfiOpDescriptor vfi_op_noise = {
    .result = VFI_LAYOUT_PLANAR,
    .infer = infer,
    .tolerance = VFI_TOLERANCE_ROUNDING,
    .cases = cases,
    .n_cases = G_N_ELEMENTS(cases),
};
