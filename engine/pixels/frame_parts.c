/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pixels/frame_parts.h"

#include "pixels/motion.h"
#include "pixels/vectors.h"

/* The longest of @n components. */
static float longest(const float *vector, int n)
{
    Vector longest = v_set1(0.0f);
    float lanes[VFI_LANES], most = 0.0f;

    for (int i = 0; i < n; i += VFI_LANES)
        longest = v_max(v_abs(v_load(vector + i)), longest);
    v_store(lanes, longest);
    for (int i = 0; i < VFI_LANES; i++)
        most = lanes[i] > most ? lanes[i] : most;
    return most;
}

/* Whether all of it lies inside of a frame, for certain. */
static bool is_inside(const VfiPartedRun *run)
{
    const float far_x = longest(run->vector_x, run->n) / (float)(1 << run->shift_x);
    const float far_y = longest(run->vector_y, run->n) / (float)(1 << run->shift_y);

    return (float)run->x >= far_x && (float)run->y >= far_y &&
           (float)(run->x + run->n - 1) + far_x <= (float)(run->width - 1) &&
           (float)run->y + far_y <= (float)(run->height - 1);
}

/* How far a place is from the nearest of @size samples, in luma pixels. */
VFI_ALWAYS_INLINE Vector distance_beyond(Vector at, int size, int shift)
{
    const Vector before = v_sub(v_set1(0.0f), at);
    const Vector behind = v_sub(at, v_set1((float)(size - 1)));

    return v_mul(v_max(v_max(before, behind), v_set1(0.0f)), v_set1((float)(1 << shift)));
}

/* What the frame at @move times the vectors counts. */
VFI_ALWAYS_INLINE Vector seen_part(const VfiPartedRun *run, float move, Vector x, int i)
{
    const Vector move_x = v_set1(move / (float)(1 << run->shift_x));
    const Vector move_y = v_set1(move / (float)(1 << run->shift_y));
    const Vector at_x = v_fma(move_x, v_load(run->vector_x + i), x);
    const Vector at_y = v_fma(move_y, v_load(run->vector_y + i), v_set1((float)run->y));
    const Vector beyond = v_max(distance_beyond(at_x, run->width, run->shift_x),
                                distance_beyond(at_y, run->height, run->shift_y));

    return v_max(v_fma(beyond, v_set1(-1.0f / VFI_MOTION_EDGE), v_set1(1.0f)),
                 v_set1(VFI_MOTION_LEAST_PART));
}

bool vfi_part_weights(const VfiPartedRun *run, float t, float part[2][VFI_PIXELS_BLOCK])
{
    const int n = (run->n + 31) / 32 * 32;
    float columns[VFI_LANES];

    if (is_inside(run))
        return false;
    for (int i = 0; i < n; i += VFI_LANES) {
        for (int k = 0; k < VFI_LANES; k++)
            columns[k] = (float)(run->x + i + k);
        const Vector x = v_load(columns);
        const Vector first = v_mul(v_set1(1.0f - t), seen_part(run, -t, x, i));
        const Vector second = v_mul(v_set1(t), seen_part(run, 1.0f - t, x, i));
        const Vector unit = v_div(v_load(run->weight + i), v_add(first, second));
        v_store(part[0] + i, v_mul(first, unit));
        v_store(part[1] + i, v_mul(second, unit));
    }
    return true;
}
