/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames for the pixel tests: odd and negative strides with guard bytes around every row,
 * a seeded noise, and access to single code values that knows nothing of the code under
 * test. */
#pragma once

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <vfi/frame.h>

#include "pixels/format.h"
#include "pixels/pixels.h"

#define GUARD_BYTE 0xA5

typedef enum {
    LAYOUT_TIGHT,  /* rows touch, nothing around them: a sanitizer sees every overrun */
    LAYOUT_PADDED, /* an odd number of samples between rows, guard bytes everywhere */
    LAYOUT_BOTTOM_UP, /* the same with a negative stride */
    LAYOUT_COUNT
} Layout;

typedef struct {
    VfiVideoInfo info;
    VfiFrame frame;
    uint8_t *block[VFI_MAX_PLANES];
    size_t size[VFI_MAX_PLANES];
} TestFrame;

static inline TestFrame test_frame_new(const VfiVideoInfo *info, Layout layout)
{
    TestFrame result = {.info = *info};
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const size_t guard = layout == LAYOUT_TIGHT ? 0 : 64;

    for (int plane = 0; plane < format->n_planes; plane++) {
        size_t row = vfi_video_info_row_bytes(info, plane);
        size_t padding = layout == LAYOUT_TIGHT ? 0 : 7 * (size_t)format->sample_bytes;
        ptrdiff_t stride = (ptrdiff_t)(row + padding);
        int rows = vfi_video_info_rows(info, plane);

        result.size[plane] = (size_t)stride * (size_t)rows + 2 * guard;
        result.block[plane] = malloc(result.size[plane]);
        ck_assert_ptr_nonnull(result.block[plane]);
        memset(result.block[plane], GUARD_BYTE, result.size[plane]);
        result.frame.data[plane] = result.block[plane] + guard;
        result.frame.stride[plane] = stride;
        if (layout == LAYOUT_BOTTOM_UP) {
            result.frame.data[plane] += (rows - 1) * stride;
            result.frame.stride[plane] = -stride;
        }
    }
    return result;
}

static inline void test_frame_free(TestFrame *test)
{
    for (int plane = 0; plane < VFI_MAX_PLANES; plane++)
        free(test->block[plane]);
}

/* Blanks the rows in a copy of each plane's block: guard bytes must be all that is
 * left. */
static inline void test_frame_assert_guards(const TestFrame *test)
{
    for (int plane = 0; plane < vfi_format_planes(test->info.format); plane++) {
        uint8_t *copy = malloc(test->size[plane]);
        ck_assert_ptr_nonnull(copy);
        memcpy(copy, test->block[plane], test->size[plane]);
        for (int y = 0; y < vfi_video_info_rows(&test->info, plane); y++) {
            const uint8_t *row = test->frame.data[plane] + y * test->frame.stride[plane];
            memset(copy + (row - test->block[plane]), GUARD_BYTE,
                   vfi_video_info_row_bytes(&test->info, plane));
        }
        for (size_t at = 0; at < test->size[plane]; at++)
            if (copy[at] != GUARD_BYTE)
                ck_abort_msg("%s: byte %zu of plane %d's padding was written",
                             vfi_format_to_string(test->info.format), at, plane);
        free(copy);
    }
}

static inline int component_width(const VfiVideoInfo *info, int component)
{
    int shift = vfi_format_describe(info->format)->component[component].shift_x;
    return (info->width + (shift ? 1 : 0)) / (shift ? 2 : 1);
}

static inline int component_height(const VfiVideoInfo *info, int component)
{
    int shift = vfi_format_describe(info->format)->component[component].shift_y;
    return (info->height + (shift ? 1 : 0)) / (shift ? 2 : 1);
}

static inline uint8_t *sample_at(const TestFrame *test, int component, int x, int y)
{
    const VfiComponent *where =
        &vfi_format_describe(test->info.format)->component[component];
    return test->frame.data[where->plane] + y * test->frame.stride[where->plane] +
           (ptrdiff_t)x * where->pixel_stride + where->offset;
}

/* A sample's code value (f32 formats: the value). */
static inline double get_code(const TestFrame *test, int component, int x, int y)
{
    const VfiFormatDescription *format = vfi_format_describe(test->info.format);
    const uint8_t *sample = sample_at(test, component, x, y);
    uint16_t wide;
    float real;

    if (format->sample_bytes == 1)
        return *sample;
    if (format->sample_bytes == 2) {
        memcpy(&wide, sample, sizeof wide);
        return wide >> format->shift;
    }
    memcpy(&real, sample, sizeof real);
    return (double)real;
}

static inline void set_code(const TestFrame *test, int component, int x, int y,
                            double code)
{
    const VfiFormatDescription *format = vfi_format_describe(test->info.format);
    uint8_t *sample = sample_at(test, component, x, y);
    uint16_t wide = (uint16_t)((unsigned)code << format->shift);
    float real = (float)code;

    if (format->sample_bytes == 1)
        *sample = (uint8_t)code;
    else if (format->sample_bytes == 2)
        memcpy(sample, &wide, sizeof wide);
    else
        memcpy(sample, &real, sizeof real);
}

/* Largest code value; 1 for f32. */
static inline double largest_code(VfiFormat format)
{
    int depth = vfi_format_describe(format)->depth;
    return depth == 32 ? 1 : (1 << depth) - 1;
}

/* How far a code that was computed in f32 may be from what it should be before it is
 * rounded. */
static inline double rounding_slack(VfiFormat format)
{
    return 3e-7 * largest_code(format);
}

static inline uint32_t noise(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Random codes everywhere (f32: in [0,1]); unused bytes and bits random too. */
static inline void fill_noise(const TestFrame *test, uint32_t seed)
{
    const VfiFormat format = test->info.format;

    for (int plane = 0; plane < vfi_format_planes(format); plane++)
        for (int y = 0; y < vfi_video_info_rows(&test->info, plane); y++)
            for (size_t x = 0; x < vfi_video_info_row_bytes(&test->info, plane); x++)
                test->frame.data[plane][y * test->frame.stride[plane] + (ptrdiff_t)x] =
                    (uint8_t)noise(&seed);
    for (int c = 0; c < vfi_format_describe(format)->n_components; c++)
        for (int y = 0; y < component_height(&test->info, c); y++)
            for (int x = 0; x < component_width(&test->info, c); x++) {
                double code = format == VFI_FORMAT_RGB_F32
                                  ? noise(&seed) / 16777216.0
                                  : noise(&seed) % ((unsigned)largest_code(format) + 1);
                set_code(test, c, x, y, code);
            }
}

/* One sample against what it should be. Not ck_assert…(): that costs a system call. */
static inline void assert_code(const TestFrame *test, int component, int x, int y,
                               double want, double tolerance)
{
    double found = get_code(test, component, x, y);

    if (!(found - want <= tolerance && want - found <= tolerance))
        ck_abort_msg("%s %dx%d: component %d at %d, %d: want %.9g, found %.9g",
                     vfi_format_to_string(test->info.format), test->info.width,
                     test->info.height, component, x, y, want, found);
}

/* The unused bytes and bits of every output: x is 255, P010's low bits are 0. */
static inline void assert_filler(const TestFrame *test)
{
    const VfiFormatDescription *format = vfi_format_describe(test->info.format);
    int filler = vfi_format_filler_offset(format);

    for (int y = 0; filler >= 0 && y < test->info.height; y++) {
        const uint8_t *unused = test->frame.data[0] + y * test->frame.stride[0] + filler;
        for (ptrdiff_t x = 0; x < test->info.width; x++)
            if (unused[4 * x] != 255)
                ck_abort_msg("%s: unused byte of pixel %td, %d", format->name, x, y);
    }
    if (format->shift == 0)
        return;
    for (int c = 0; c < format->n_components; c++)
        for (int y = 0; y < component_height(&test->info, c); y++)
            for (int x = 0; x < component_width(&test->info, c); x++) {
                uint16_t wide;
                memcpy(&wide, sample_at(test, c, x, y), sizeof wide);
                if ((wide & ((1u << format->shift) - 1)) != 0)
                    ck_abort_msg("%s: low bits of sample %d, %d", format->name, x, y);
            }
}

/* @rgb, three planes of height × width floats, as a picture. */
static inline VfiRgbPicture test_rgb_picture(const float *rgb, int width, int height)
{
    return (VfiRgbPicture){
        .rgb = rgb, .padded_w = width, .plane = (size_t)width * (size_t)height};
}
