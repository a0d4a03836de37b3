/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that repeat the one before, on the CPU: those that a coder sent again, which
 * repeats.h says how to tell, and those that differ by no more than a threshold. */
#include "scene/repeats.h"

#include <string.h>

#include <vfi/scene.h>

#include "pixels/pixels.h"
#include "pixels/samples.h"
#include "scene/luma.h"

/* Tiles side by side that are worked on at once, and a column on either side. */
#define STRIP_TILES 3
#define STRIP (STRIP_TILES * VFI_REPEATS_TILE)
#define PITCH (STRIP + 2)
#define ROWS (VFI_REPEATS_TILE + 2)

#define BLOCKS (VFI_REPEATS_TILE / VFI_REPEATS_BLOCK)

/* Luma of both frames around a row of tiles; beyond the frames it repeats their
 * edges. */
typedef struct {
    int16_t a[ROWS][PITCH], b[ROWS][PITCH];
    int width, height; /* of the tiles */
} Strip;

/* [y][x] of a tile. */
typedef struct {
    VfiRepeatSums block[BLOCKS][BLOCKS];
} Tile;

/* A block; zeros beyond the strip. */
#define PIXELS (VFI_REPEATS_BLOCK * VFI_REPEATS_BLOCK)
typedef struct {
    int16_t difference[PIXELS], absolute[PIXELS], x[PIXELS], y[PIXELS];
} Block;

static void load_row(const VfiVideoInfo *info, const VfiFrame *frame, int x, int y, int n,
                     int16_t *out)
{
    const VfiFormatDescription *format = vfi_format_describe(info->format);
    const float scale = vfi_repeats_scale(format->depth);
    float luma[PITCH];

    if (format->sample_bytes == 1 && format->colour != VFI_FAMILY_RGB &&
        format->component[0].pixel_stride == 1) {
        const uint8_t *in = vfi_sample_at(frame, &format->component[0], x, y);

        for (int i = 0; i < n; i++)
            out[i] = (int16_t)(in[i] * VFI_REPEATS_UNIT);
        return;
    }
    vfi_load_luma(info, frame, x, y, n, luma);
    for (int i = 0; i < n; i++)
        out[i] = (int16_t)(int)(vfi_clamp(luma[i] * scale, VFI_REPEATS_WHITE) + 0.5f);
}

/* @n columns from @x on and one on either side. */
static void load_wide_row(const VfiVideoInfo *info, const VfiFrame *frame, int x, int y,
                          int n, int16_t *out)
{
    const int left = x > 0 ? x - 1 : 0;
    const int right = x + n < info->width ? x + n + 1 : info->width;

    load_row(info, frame, left, y, right - left, out + (left - (x - 1)));
    if (x == 0)
        out[0] = out[1];
    if (x + n == info->width)
        out[n + 1] = out[n];
}

static void load_strip(const VfiVideoInfo *info, const VfiFrame *a, const VfiFrame *b,
                       int x, int y, Strip *strip)
{
    strip->width = info->width - x < STRIP ? info->width - x : STRIP;
    strip->height =
        info->height - y < VFI_REPEATS_TILE ? info->height - y : VFI_REPEATS_TILE;
    for (int row = 0; row < strip->height + 2; row++) {
        const int at = CLAMP(y + row - 1, 0, info->height - 1);

        load_wide_row(info, a, x, at, strip->width, strip->a[row]);
        load_wide_row(info, b, x, at, strip->width, strip->b[row]);
    }
}

/* @n ≤ 16 columns of row @y of the strip from column @x on, which become the block's from
 * @at on. */
VFI_ALWAYS_INLINE void measure_row(const Strip *strip, int x, int y, int n, int at,
                                   Block *block)
{
    const int16_t *a = &strip->a[y + 1][x + 1], *b = &strip->b[y + 1][x + 1];
    const int16_t *above_a = a - PITCH, *above_b = b - PITCH;
    const int16_t *below_a = a + PITCH, *below_b = b + PITCH;

    for (int i = 0; i < n; i++) {
        const int16_t difference = (int16_t)(b[i] - a[i]);

        block->difference[at + i] = difference;
        block->absolute[at + i] = (int16_t)(difference < 0 ? -difference : difference);
        block->x[at + i] = (int16_t)(a[i + 1] - a[i - 1] + b[i + 1] - b[i - 1]);
        block->y[at + i] = (int16_t)(below_a[i] - above_a[i] + below_b[i] - above_b[i]);
    }
}

/* In 32 bits the sums of a block have room. Not inlined: as loops of their own these
 * become multiplications of pairs. */
__attribute__((noinline)) static int32_t dot(const int16_t *a, const int16_t *b)
{
    int32_t sum = 0;

    for (int i = 0; i < PIXELS; i++)
        sum += (int32_t)a[i] * (int32_t)b[i];
    return sum;
}

__attribute__((noinline)) static int32_t total(const int16_t *a)
{
    int32_t sum = 0;

    for (int i = 0; i < PIXELS; i++)
        sum += a[i];
    return sum;
}

static bool detail_changed(const Block *block)
{
    const int side = VFI_REPEATS_DETAIL;

    for (int at = 0; at < PIXELS; at += side * VFI_REPEATS_BLOCK)
        for (int x = at; x < at + VFI_REPEATS_BLOCK; x += side) {
            int sum = 0;

            for (int i = 0; i < side * side; i++)
                sum += block->absolute[x + i / side * VFI_REPEATS_BLOCK + i % side];
            if (sum > VFI_REPEATS_DETAIL_MAX)
                return true;
        }
    return false;
}

/* FALSE if one of the smallest blocks has changed. */
static bool measure_block(const Strip *strip, int x, int y, VfiRepeatSums *sums)
{
    const int left = strip->width - x, below = strip->height - y;
    const int width = left < VFI_REPEATS_BLOCK ? left : VFI_REPEATS_BLOCK;
    const int height = below < VFI_REPEATS_BLOCK ? below : VFI_REPEATS_BLOCK;
    Block block;

    if (width < VFI_REPEATS_BLOCK || height < VFI_REPEATS_BLOCK) {
        memset(&block, 0, sizeof block);
        for (int row = 0; row < height; row++)
            measure_row(strip, x, y + row, width, row * VFI_REPEATS_BLOCK, &block);
    } else {
        for (int row = 0; row < VFI_REPEATS_BLOCK; row++)
            measure_row(strip, x, y + row, VFI_REPEATS_BLOCK, row * VFI_REPEATS_BLOCK,
                        &block);
    }
    sums->n = (int64_t)width * height;
    sums->xx = dot(block.x, block.x);
    sums->xy = dot(block.x, block.y);
    sums->yy = dot(block.y, block.y);
    sums->absolute = total(block.absolute);
    if (sums->absolute == 0) /* as in most blocks of a repeat */
        return true;
    sums->difference = total(block.difference);
    sums->x = dot(block.difference, block.x);
    sums->y = dot(block.difference, block.y);
    return sums->absolute <= VFI_REPEATS_DETAIL_MAX || !detail_changed(&block);
}

/* Fills the strip's tiles. FALSE as soon as one of the smallest blocks has changed. */
static bool measure_strip(const Strip *strip, Tile tiles[STRIP_TILES])
{
    memset(tiles, 0, STRIP_TILES * sizeof *tiles);
    for (int y = 0; y < strip->height; y += VFI_REPEATS_BLOCK)
        for (int x = 0; x < strip->width; x += VFI_REPEATS_BLOCK) {
            Tile *tile = &tiles[x / VFI_REPEATS_TILE];
            VfiRepeatSums *sums =
                &tile->block[y / VFI_REPEATS_BLOCK][x / VFI_REPEATS_BLOCK % BLOCKS];

            if (!measure_block(strip, x, y, sums))
                return false;
        }
    return true;
}

/* Sums over the frame so far. */
typedef struct {
    VfiRepeatSums sums;
    bool doubted;
} Frame;

/* Adds @tile to the frame; FALSE if one of its blocks has changed, of whatever size. */
static bool add_tile(Frame *frame, const Tile *tile)
{
    VfiRepeatSums whole = {0};

    for (int y = 0; y < BLOCKS; y += 2)
        for (int x = 0; x < BLOCKS; x += 2) {
            const int side = 2 * VFI_REPEATS_BLOCK;
            VfiRepeatSums four = {0};

            for (int i = 0; i < 4; i++) {
                const VfiRepeatSums *block = &tile->block[y + i / 2][x + i % 2];

                if (vfi_repeats_block_changed(block, VFI_REPEATS_BLOCK))
                    return false;
                vfi_repeats_add(&four, block);
            }
            if (vfi_repeats_block_changed(&four, side))
                return false;
            frame->doubted |= vfi_repeats_moved(&four, side, VFI_REPEATS_DOUBT);
            vfi_repeats_add(&whole, &four);
        }
    vfi_repeats_add(&frame->sums, &whole);
    return !vfi_repeats_tile_changed(&whole);
}

bool vfi_repeats_seen(const VfiVideoInfo *info, const VfiFrame *a, const VfiFrame *b)
{
    Tile tiles[STRIP_TILES];
    Frame frame = {0};
    Strip strip;

    for (int y = 0; y < info->height; y += VFI_REPEATS_TILE)
        for (int x = 0; x < info->width; x += STRIP) {
            load_strip(info, a, b, x, y, &strip);
            if (!measure_strip(&strip, tiles))
                return false;
            for (int i = 0; i * VFI_REPEATS_TILE < strip.width; i++)
                if (!add_tile(&frame, &tiles[i]))
                    return false;
        }
    return !vfi_repeats_frame_changed(&frame.sums, frame.doubted);
}

/* ---- by a threshold ---------------------------------------------------------------- */

/* Side of the blocks in which a repeated frame must not differ. */
#define REPEAT_BLOCK 16

/* Do all blocks of @width columns from @x and @height rows from @y on differ by at most
 * @limit codes in the mean? */
static bool blocks_repeat(const VfiVideoInfo *info, const VfiFrame *a, const VfiFrame *b,
                          int x, int y, int width, int height, double limit)
{
    float difference[VFI_PIXELS_BLOCK] = {0};
    float luma_a[VFI_PIXELS_BLOCK], luma_b[VFI_PIXELS_BLOCK];

    for (int row = y; row < y + height; row++) {
        vfi_load_luma(info, a, x, row, width, luma_a);
        vfi_load_luma(info, b, x, row, width, luma_b);
        for (int i = 0; i < width; i++)
            difference[i] += fabsf(luma_a[i] - luma_b[i]);
    }
    for (int left = 0; left < width; left += REPEAT_BLOCK) {
        int right = left + REPEAT_BLOCK < width ? left + REPEAT_BLOCK : width;
        double sum = 0;

        for (int i = left; i < right; i++)
            sum += (double)difference[i];
        /* Written so that NaN differs. */
        if (!(sum <= limit * (right - left) * height))
            return false;
    }
    return true;
}

gboolean vfi_frames_repeat(const VfiVideoInfo *info, const VfiFrame *a, const VfiFrame *b,
                           double threshold)
{
    const int depth = vfi_format_describe(info->format)->depth;
    const double codes = depth == 32 ? 1.0 / 255 : ldexp(1, depth - 8);

    if (a->id != 0 && a->id == b->id)
        return TRUE;
    /* First, for it stops at once where frames differ, and is quick where they do not. */
    if (vfi_pixels_equal(info, a, b))
        return TRUE;
    if (threshold < 0)
        return vfi_repeats_seen(info, a, b);
    if (!(threshold > 0))
        return FALSE;
    for (int y = 0; y < info->height; y += REPEAT_BLOCK)
        for (int x = 0; x < info->width; x += VFI_PIXELS_BLOCK) {
            int width = info->width - x, height = info->height - y;

            width = width < VFI_PIXELS_BLOCK ? width : VFI_PIXELS_BLOCK;
            height = height < REPEAT_BLOCK ? height : REPEAT_BLOCK;
            if (!blocks_repeat(info, a, b, x, y, width, height, threshold * codes))
                return FALSE;
        }
    return TRUE;
}
