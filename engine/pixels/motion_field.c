/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "pixels/motion_field.h"

#include <string.h>

/* A shift in whole cells, halves away from zero. */
static int cells_of_shift(int shift, int level)
{
    const int half = (1 << level) / 2;

    return shift < 0 ? -((half - shift) >> level) : (half + shift) >> level;
}

VfiMotionField vfi_motion_field(const VfiMotion *motion, int hypothesis)
{
    const bool shifted = hypothesis >= motion->n_flows;
    const float *const *flow = motion->flow[shifted ? 0 : hypothesis];
    VfiMotionField field = {.vector = {flow[0], flow[1]}};

    if (shifted) {
        const int8_t *shift = motion->shift[hypothesis - motion->n_flows];
        field.shift_x = cells_of_shift(shift[0], motion->level);
        field.shift_y = cells_of_shift(shift[1], motion->level);
    }
    return field;
}

/* out[i] = row[i], i from @begin to @end - 1; beyond the row's @size cells its ends. */
static void copy_cells(const float *row, int size, int begin, int end, float *out)
{
    const int first = begin < 0 ? (end < 0 ? end : 0) : begin;
    const int last = end > size ? (begin > size ? begin : size) : end;

    for (int i = begin; i < first; i++)
        out[i - begin] = row[0];
    if (first < last)
        memcpy(out + (first - begin), row + first, (size_t)(last - first) * sizeof *row);
    for (int i = last; i < end; i++)
        out[i - begin] = row[size - 1];
}

/* The row of the field that row @y of the grid reads. */
static const float *row_of(const VfiMotion *motion, const VfiMotionField *field, int axis,
                           int y)
{
    const int line = vfi_clamp_cell(y, motion->grid_h) + field->shift_y;

    return field->vector[axis] +
           (size_t)vfi_clamp_cell(line, motion->grid_h) * motion->row;
}

const float *vfi_motion_cells(const VfiMotion *motion, const VfiMotionField *field,
                              int axis, int x, int y, int n, float *room)
{
    const int line = vfi_clamp_cell(y, motion->grid_h) + field->shift_y;
    const float *row =
        field->vector[axis] + (size_t)vfi_clamp_cell(line, motion->grid_h) * motion->row;
    const int first = x + field->shift_x;
    const int begin = x < 0 ? -x : 0;
    const int end = x + n < motion->grid_w ? n : motion->grid_w - x;

    if (begin == 0 && end == n && first >= 0 &&
        first + n + 32 <= motion->grid_w) /* vectors read behind them */
        return row + first;
    copy_cells(row, motion->grid_w, first + begin, first + end, room + begin);
    for (int i = 0; i < begin; i++)
        room[i] = room[begin];
    for (int i = end; i < n; i++)
        room[i] = room[end - 1];
    return room;
}

const float *vfi_motion_spaced_cells(const VfiMotion *motion, const VfiMotionField *field,
                                     int axis, int x, int y, int n, float *room)
{
    const int spacing = motion->spacing;
    const int first = x * spacing + field->shift_x, last = first + (n - 1) * spacing;

    if (spacing == 1)
        return vfi_motion_cells(motion, field, axis, x, y, n, room);
    const float *row = row_of(motion, field, axis, y * spacing);
    if (first >= 0 && last < motion->grid_w)
        for (int i = 0; i < n; i++)
            room[i] = row[first + 2 * i];
    else
        for (int i = 0; i < n; i++)
            room[i] = row[vfi_clamp_cell(first + 2 * i, motion->grid_w)];
    return room;
}
