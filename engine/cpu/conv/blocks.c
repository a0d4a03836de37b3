/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Output groups and epilogues of convolutions into channel blocks. */
#include "cpu/conv/blocks.h"

#include "base/alloc.h"

int vfi_out_groups(int n_blocks)
{
    return MAX(n_blocks / 2, 1);
}

VfiOutGroup vfi_out_group(int n_blocks, int group)
{
    if (n_blocks == 1)
        return (VfiOutGroup){0, 1};
    if (n_blocks % 2 == 0)
        return (VfiOutGroup){2 * group, 2};
    return group == 0 ? (VfiOutGroup){0, 3} : (VfiOutGroup){2 * group + 1, 2};
}

float *vfi_block_epilogue_new(const VfiConvParams *p, int channels, int block,
                              GError **error)
{
    int padded = vfi_padded_channels(channels, block);
    float *values =
        vfi_try_alloc((size_t)padded, 2 * sizeof(float), "biases and slopes", error);

    if (values == NULL)
        return NULL;
    for (int c = 0; c < padded; c++) {
        float slope = 1.0f;
        if (p->activation.kind == VFI_ACTIVATION_PRELU)
            slope = c < channels ? p->activation.slope[c] : 0.0f;
        else if (p->activation.kind == VFI_ACTIVATION_LEAKY)
            slope = p->activation.leak;
        values[c] = c < channels && p->bias != NULL ? p->bias[c] : 0.0f;
        values[padded + c] = slope;
    }
    return values;
}

VfiBlockEpilogue vfi_block_epilogue(const float *values, const VfiConvParams *p,
                                    int channels, int block, int index)
{
    return (VfiBlockEpilogue){
        .bias = values + (size_t)index * (size_t)block,
        .slope =
            values + vfi_padded_channels(channels, block) + (size_t)index * (size_t)block,
        .residual_place = p->residual,
    };
}
