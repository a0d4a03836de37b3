/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame_volume.h"

#include <math.h>

/* A rounding to f32 is 6e-8 of a value. Layers have values up to about 4 and sums of some
 * hundred products; Winograd's transforms add a digit, a warp's coordinates, of which
 * there are up to 100, another. Seen, over all of a network: 1.3e-6 and 5e-8. */
static const VolumeDifference f32_limits = {1e-5, 5e-7};

static double sample_of(const VfiVideoInfo *video, const VfiFrame *frame, int component,
                        int y, int x)
{
    bool is_f32 = video->format == VFI_FORMAT_RGB_F32;
    int plane = is_f32 ? component : (component + 2) % 3; /* G, B, R */
    const guint8 *row = frame->data[plane] + y * frame->stride[plane];

    return is_f32 ? (double)((const float *)(const void *)row)[x] : row[x] / 255.0;
}

Volume volume_of_frame(Network *network, const VfiVideoInfo *video, const VfiFrame *frame)
{
    Volume x = volume_new(network, 3, video->height, video->width);

    g_assert(video->format == VFI_FORMAT_RGB_F32 || video->format == VFI_FORMAT_GBR);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < x.h; y++)
            for (int column = 0; column < x.w; column++)
                *volume_at(&x, c, y, column) = sample_of(video, frame, c, y, column);
    return x;
}

VolumeDifference volume_compare(Volume a, Volume b)
{
    size_t n = (size_t)a.c * (size_t)a.h * (size_t)a.w;
    VolumeDifference difference = {0};

    for (size_t i = 0; i < n; i++) {
        double d = fabs(a.values[i] - b.values[i]);
        difference.max = d <= difference.max ? difference.max : d; /* NaN, too */
        difference.mean += d / (double)n;
    }
    return difference;
}

char *picture_problem(Network *network, const VfiVideoInfo *video, const VfiFrame *frame,
                      Volume expected, bool rounds_twice)
{
    VolumeDifference found =
        volume_compare(volume_of_frame(network, video, frame), expected);
    double half_code = video->format == VFI_FORMAT_RGB_F32 ? 0.0 : 0.5 / 255;
    double max = f32_limits.max + half_code * (rounds_twice ? 3 : 1);

    if (found.max <= max && found.mean <= f32_limits.mean + half_code)
        return NULL;
    return g_strdup_printf("max %.2e, mean %.2e", found.max, found.mean);
}
