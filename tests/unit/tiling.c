/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tiles: they cover the picture, begin where the network's pyramids do, share what they
 * should, and their weights add up to one. */
#include <glib.h>

#include "check_main.h"
#include "session/tiling.h"

static const int sizes[] = {64,  128,  256,  320,  384,  512,  640,  704,
                            768, 1088, 1280, 1920, 2176, 3840, 4352, 8192};
static const int alignments[] = {64, 128, 256};
static const double scales[] = {1, 2, 0.5, 0.25};

#define N_CASES                                                                          \
    ((int)(G_N_ELEMENTS(sizes) * G_N_ELEMENTS(alignments) * G_N_ELEMENTS(scales)))

typedef struct {
    int size, alignment;
    double scale;
} Case;

/* Case @index; FALSE if the size is no multiple of the alignment. */
static gboolean case_at(int index, Case *c)
{
    *c = (Case){
        .size = sizes[index % (int)G_N_ELEMENTS(sizes)],
        .alignment =
            alignments[index / (int)G_N_ELEMENTS(sizes) % (int)G_N_ELEMENTS(alignments)],
        .scale = scales[index / (int)(G_N_ELEMENTS(sizes) * G_N_ELEMENTS(alignments))],
    };
    return c->size % c->alignment == 0;
}

static void assert_tiles(const VfiTileAxis *axis, const Case *c)
{
    int overlap = vfi_tile_overlap(axis->tile, c->alignment, c->scale);

    ck_assert_int_eq(axis->size, c->size);
    ck_assert_int_eq(axis->tile % c->alignment, 0);
    ck_assert_int_eq(vfi_tile_start(axis, 0), 0);
    ck_assert_int_eq(vfi_tile_start(axis, axis->n - 1) + axis->tile, axis->size);
    for (int i = 0; i + 1 < axis->n; i++) {
        int step = vfi_tile_start(axis, i + 1) - vfi_tile_start(axis, i);
        ck_assert_int_eq(vfi_tile_start(axis, i) % c->alignment, 0);
        ck_assert_int_gt(step, 0);
        ck_assert_msg(axis->tile - step >= overlap,
                      "%d tiles of %d for %d: tiles %d and %d share %d, not %d", axis->n,
                      axis->tile, c->size, i, i + 1, axis->tile - step, overlap);
    }
}

/* Exactly 1 everywhere, and each tile only where it has pixels. */
static void assert_weights(const VfiTileAxis *axis)
{
    g_autofree float *sum = g_new0(float, axis->size);

    for (int i = 0; i < axis->n; i++) {
        g_autofree float *weights = g_new(float, axis->size);
        int begin, end, start = vfi_tile_start(axis, i);
        vfi_tile_reach(axis, i, &begin, &end);
        ck_assert_int_ge(begin, start);
        ck_assert_int_le(end, start + axis->tile);
        vfi_tile_weights(axis, i, begin, end, weights);
        for (int at = begin; at < end; at++) {
            if (!(weights[at - begin] > 0.0f))
                ck_abort_msg("weight of tile %d at %d is %g", i, at,
                             (double)weights[at - begin]);
            sum[at] += weights[at - begin];
        }
    }
    for (int at = 0; at < axis->size; at++)
        if (sum[at] != 1.0f)
            ck_abort_msg("weights at %d of %d are %.9g in all", at, axis->size,
                         (double)sum[at]);
}

START_TEST(any_number_of_tiles_covers_the_picture)
{
    Case c;

    if (!case_at(_i, &c))
        return;
    for (int n = 1; n < 12; n++) {
        VfiTileAxis axis = vfi_tile_axis(c.size, n, 0, c.alignment, c.scale);
        ck_assert_int_le(axis.n, n);
        assert_tiles(&axis, &c);
        assert_weights(&axis);
    }
}
END_TEST

START_TEST(any_largest_size_covers_the_picture)
{
    Case c;

    if (!case_at(_i, &c))
        return;
    int smallest = vfi_tile_smallest(c.alignment, c.scale);
    for (int largest = 1; largest < 1500; largest += 77) {
        VfiTileAxis axis = vfi_tile_axis(c.size, 1, largest, c.alignment, c.scale);
        ck_assert(axis.tile <= MAX(largest, smallest) || axis.tile == c.size);
        ck_assert(axis.n > 1 || c.size <= MAX(largest, smallest));
        assert_tiles(&axis, &c);
        assert_weights(&axis);
    }
}
END_TEST

START_TEST(overlap_follows_tile_and_scale)
{
    static const struct {
        int tile;
        double scale;
        int overlap;
    } table[] = {{256, 1, 128},   {384, 1, 192},    {512, 1, 256},
                 {1024, 1, 256},  {512, 2, 256},    {512, 0.5, 256},
                 {768, 0.5, 384}, {1024, 0.5, 512}, {2048, 0.25, 1024}};

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
        ck_assert_int_eq(vfi_tile_overlap(table[i].tile, 64, table[i].scale),
                         table[i].overlap);
    ck_assert_int_eq(vfi_tile_smallest(64, 1), 256);
    ck_assert_int_eq(vfi_tile_smallest(64, 0.25), 1024);
}
END_TEST

/* Ramps lie around seams only: what borders the picture's edge counts in full. */
START_TEST(borders_have_no_ramp)
{
    VfiTileAxis axis = vfi_tile_axis(1920, 1, 512, 64, 1);
    float weight;

    ck_assert_int_gt(axis.n, 2);
    vfi_tile_weights(&axis, 0, 0, 1, &weight);
    ck_assert(weight == 1.0f);
    vfi_tile_weights(&axis, axis.n - 1, 1919, 1920, &weight);
    ck_assert(weight == 1.0f);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("tiling");
    TCase *tcase = tcase_create("tiling");

    tcase_add_loop_test(tcase, any_number_of_tiles_covers_the_picture, 0, N_CASES);
    tcase_add_loop_test(tcase, any_largest_size_covers_the_picture, 0, N_CASES);
    tcase_add_test(tcase, overlap_follows_tile_and_scale);
    tcase_add_test(tcase, borders_have_no_ramp);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
