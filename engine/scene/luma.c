/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "scene/luma.h"

#include "pixels/samples.h"

void vfi_load_luma(const VfiVideoInfo *info, const VfiFrame *frame, int x, int y, int n,
                   float *out)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const VfiLumaWeights luma = vfi_luma_weights(format);
    float codes[VFI_PIXELS_BLOCK];

    vfi_load_codes(out, vfi_sample_at(frame, &format->component[0], x, y), n, format,
                   &format->component[0]);
    if (luma.n == 1)
        return;
    for (int i = 0; i < n; i++)
        out[i] *= luma.weight[0];
    for (int c = 1; c < luma.n; c++) {
        const VfiComponent *component = &format->component[c];

        vfi_load_codes(codes, vfi_sample_at(frame, component, x, y), n, format,
                       component);
        for (int i = 0; i < n; i++)
            out[i] += luma.weight[c] * codes[i];
    }
}
