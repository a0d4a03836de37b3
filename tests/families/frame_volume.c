/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "frame_volume.h"

#include <math.h>

#include "pixels_frames.h"

/* A rounding to f32 is 6e-8 of a value. Layers have values up to about 4 and sums of some
 * hundred products; Winograd's transforms add a digit, a warp's coordinates, of which
 * there are up to 100, another. Seen, over all of a network: 1.3e-6 and 5e-8. */
static const VolumeDifference f32_limits = {1e-5, 5e-7};

Volume volume_of_frame(Network *network, const VfiVideoInfo *video, const VfiFrame *frame)
{
    const TestFrame test = {.info = *video, .frame = *frame};
    Volume x = volume_new(network, 3, video->height, video->width);

    for (int c = 0; c < 3; c++)
        for (int y = 0; y < x.h; y++)
            for (int column = 0; column < x.w; column++)
                *volume_at(&x, c, y, column) =
                    get_code(&test, c, column, y) / largest_code(video->format);
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

void assert_picture(Network *network, const VfiVideoInfo *video, const VfiFrame *frame,
                    Volume expected, const char *what)
{
    VolumeDifference found =
        volume_compare(volume_of_frame(network, video, frame), expected);
    double half_code = 0.5 / largest_code(video->format);
    VolumeDifference limits = f32_limits;

    if (video->format != VFI_FORMAT_RGB_F32) {
        limits.max += half_code;
        limits.mean += half_code;
    }
    if (!(found.max <= limits.max && found.mean <= limits.mean))
        ck_abort_msg("%s: max %.2e, mean %.2e", what, found.max, found.mean);
}
