/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The kernels of `flow` that work on rows, against their formulas. */
#include "cpu/kernel_table.h"
#include "guarded_rows.h"

#define LIMIT 2e-6

static const int widths[] = {1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33, 64, 100, 257};

static const VfiFlowKernels *kernels(void)
{
    return &vfi_cpu_kernels(test_level)->flow;
}

static GRand *random_of(int test, int width)
{
    return g_rand_new_with_seed((guint32)(test * 1000 + width));
}

START_TEST(halves_are_means_of_four)
{
    int w = widths[_i];
    g_autoptr(GRand) random = random_of(1, w);
    GuardedRow rows[] = {random_row(random, 2 * (size_t)w, 0, 255),
                         random_row(random, 2 * (size_t)w, 0, 255),
                         guarded_row((size_t)w)};

    kernels()->halve(rows[2].data, rows[0].data, rows[1].data, (size_t)w);
    for (ptrdiff_t x = 0; x < w; x++)
        check_close(rows[2].data[x],
                    ((double)rows[0].data[2 * x] + rows[0].data[2 * x + 1] +
                     rows[1].data[2 * x] + rows[1].data[2 * x + 1]) /
                        4,
                    LIMIT);
    free_rows(rows, G_N_ELEMENTS(rows));
}
END_TEST

START_TEST(differences_have_no_sign)
{
    int w = widths[_i];
    g_autoptr(GRand) random = random_of(2, w);
    GuardedRow rows[] = {random_row(random, (size_t)w, 0, 255),
                         random_row(random, (size_t)w, 0, 255)};
    g_autofree float *before = g_memdup2(rows[0].data, (size_t)w * sizeof(float));

    kernels()->difference(rows[0].data, rows[1].data, (size_t)w);
    for (int x = 0; x < w; x++)
        check_close(rows[0].data[x], fabs((double)before[x] - rows[1].data[x]), LIMIT);
    free_rows(rows, G_N_ELEMENTS(rows));
}
END_TEST

/* Vectors of two directions: two rows of @h of them each. */
static void random_flows(GRand *random, int w, int h, double reach, GuardedRow flow[4])
{
    for (int i = 0; i < 4; i++)
        flow[i] = random_row(random,
                             vfi_align_up((size_t)w, VFI_FLOW_ROW_FLOATS) *
                                 (size_t)(i < 2 ? 1 : h),
                             -reach, reach);
}

/* Where it is no tie, the place nearest to @at of @n. */
static int nearest(double at, int n)
{
    return (int)floor(CLAMP(at, 0, n - 1) + 0.5);
}

START_TEST(trust_falls_with_residuals_and_disagreement)
{
    const int w = widths[_i], h = 5;
    g_autoptr(GRand) random = random_of(3, w);
    GuardedRow residual[3], flow[4], dst = guarded_row((size_t)w);
    for (int i = 0; i < 3; i++)
        residual[i] = random_row(random, (size_t)w, 0, 60);
    random_flows(random, w, h, 7, flow);
    VfiFlowTrustRow row = {
        .residual = {residual[0].data, residual[1].data, residual[2].data},
        .x = flow[0].data,
        .y = flow[1].data,
        .back_x = flow[2].data,
        .back_y = flow[3].data,
        .back_row = vfi_align_up((size_t)w, VFI_FLOW_ROW_FLOATS),
        .w = w,
        .h = h,
        .line = 2,
        .falloff = 0.1f,
        .disagreement = 0.5f,
    };

    kernels()->trust(dst.data, &row);
    for (int x = 0; x < w; x++) {
        double sum = 0;
        for (int y = 0; y < 3; y++)
            for (int i = -1; i <= 1; i++)
                sum += row.residual[y][CLAMP(x + i, 0, w - 1)];
        double d = 0.1 * sum / 9;
        size_t at = (size_t)nearest(2 + (double)row.y[x], h) * row.back_row +
                    (size_t)nearest(x + (double)row.x[x], w);
        double e = 0.5 * hypot((double)row.x[x] + row.back_x[at],
                               (double)row.y[x] + row.back_y[at]);
        check_close(dst.data[x], 1 / ((1 + d * d + d * d * d * d) * (1 + e * e)), LIMIT);
    }
    free_rows(residual, 3);
    free_rows(flow, 4);
    free_row(&dst);
}
END_TEST

/* Vectors that lead anywhere look at samples of the flow. */
START_TEST(wild_vectors_are_not_trusted)
{
    static const float wild[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f, 1e6f};
    const int w = widths[_i], h = 3;
    g_autoptr(GRand) random = random_of(4, w);

    for (size_t k = 0; k < G_N_ELEMENTS(wild); k++) {
        GuardedRow residual = random_row(random, (size_t)w, 0, 60), flow[4];
        GuardedRow dst = guarded_row((size_t)w);
        random_flows(random, w, h, 7, flow);
        for (int x = 0; x < w; x++)
            flow[x % 2].data[x] = wild[k];
        VfiFlowTrustRow row = {
            .residual = {residual.data, residual.data, residual.data},
            .x = flow[0].data,
            .y = flow[1].data,
            .back_x = flow[2].data,
            .back_y = flow[3].data,
            .back_row = vfi_align_up((size_t)w, VFI_FLOW_ROW_FLOATS),
            .w = w,
            .h = h,
            .line = h - 1,
            .falloff = 0.1f,
            .disagreement = 0.5f,
        };
        kernels()->trust(dst.data, &row);
        for (int x = 0; x < w; x++)
            ck_assert(!(dst.data[x] > 1e-6f));
        free_row(&residual);
        free_row(&dst);
        free_rows(flow, 4);
    }
}
END_TEST

START_TEST(extents_are_exact)
{
    int w = widths[_i];
    g_autoptr(GRand) random = random_of(4, w);

    for (int at = 0; at < w; at++) {
        GuardedRow row = random_row(random, (size_t)w, -10, 10);
        float extent[2];
        row.data[at] = 20;
        row.data[w - 1 - at] = at == w - 1 - at ? 20 : -20;
        kernels()->extent(row.data, w, extent);
        ck_assert_float_eq(extent[1], 20);
        if (at != w - 1 - at)
            ck_assert_float_eq(extent[0], -20);
        free_row(&row);
    }
}
END_TEST

static VfiFlowSumRow sum_row(GuardedRow rows[3])
{
    return (VfiFlowSumRow){rows[0].data, rows[1].data, rows[2].data};
}

/* Weights of which some are holes; vectors times weights. */
static void random_sum(GRand *random, int w, GuardedRow rows[3])
{
    rows[0] = random_row(random, (size_t)w, 0, 2);
    for (int i = 1; i < 3; i++)
        rows[i] = random_row(random, (size_t)w, -30, 30);
    for (int x = 0; x < w; x++)
        if (g_rand_int_range(random, 0, 3) == 0)
            for (int i = 0; i < 3; i++)
                rows[i].data[x] *= g_rand_boolean(random) ? 1e-4f : 0.0f;
}

START_TEST(merged_sides_add_up_and_are_divided)
{
    int w = widths[_i];
    g_autoptr(GRand) random = random_of(5, w);
    GuardedRow rows[9];
    VfiFlowSumRow side[2];

    for (int s = 0; s < 2; s++) {
        random_sum(random, w, rows + 3 * s);
        side[s] = sum_row(rows + 3 * s);
    }
    for (int i = 6; i < 9; i++)
        rows[i] = guarded_row((size_t)w);
    VfiFlowSumRow both = sum_row(rows + 6);
    g_autofree float *before[6];
    for (int i = 0; i < 6; i++)
        before[i] = g_memdup2(rows[i].data, (size_t)w * sizeof(float));

    kernels()->merge(&both, side, 4.0f, w);
    for (int x = 0; x < w; x++) {
        for (int i = 0; i < 3; i++)
            check_close(rows[6 + i].data[x], (double)before[i][x] + before[3 + i][x],
                        LIMIT);
        for (int s = 0; s < 2; s++) {
            double weight = before[3 * s][x];
            if (weight < VFI_FLOW_HOLE) {
                ck_assert_float_eq(side[s].x[x], VFI_FLOW_NO_VECTOR);
                continue;
            }
            check_close(side[s].x[x], 4 * before[3 * s + 1][x] / weight, LIMIT);
            check_close(side[s].y[x], 4 * before[3 * s + 2][x] / weight, LIMIT);
        }
    }
    for (int i = 1; i < 6; i++)
        g_free(before[i]);
    free_rows(rows, G_N_ELEMENTS(rows));
}
END_TEST

START_TEST(pulled_sums_repeat_an_odd_edge)
{
    int fine_w = widths[_i], w = (fine_w + 1) / 2;
    g_autoptr(GRand) random = random_of(6, fine_w);
    GuardedRow rows[9];
    VfiFlowSumRow fine[2];

    for (int y = 0; y < 2; y++) {
        random_sum(random, fine_w, rows + 3 * y);
        fine[y] = sum_row(rows + 3 * y);
    }
    for (int i = 6; i < 9; i++)
        rows[i] = guarded_row((size_t)w);
    VfiFlowSumRow coarse = sum_row(rows + 6);
    kernels()->pull(&coarse, fine, w, fine_w);
    for (int x = 0; x < w; x++)
        for (int i = 0; i < 3; i++) {
            double sum = 0;
            for (int y = 0; y < 2; y++)
                sum += (double)rows[3 * y + i].data[2 * x] +
                       rows[3 * y + i].data[MIN(2 * x + 1, fine_w - 1)];
            check_close(rows[6 + i].data[x], sum, LIMIT);
        }
    free_rows(rows, G_N_ELEMENTS(rows));
}
END_TEST

START_TEST(thin_sums_are_filled_from_the_coarser_row)
{
    int w = widths[_i];

    for (int normalise = 0; normalise < 2; normalise++) {
        g_autoptr(GRand) random = random_of(7 + normalise, w);
        GuardedRow rows[6];
        random_sum(random, w, rows);
        random_sum(random, (w + 1) / 2, rows + 3);
        VfiFlowSumRow fine = sum_row(rows), coarse = sum_row(rows + 3);
        g_autofree float *weight = g_memdup2(fine.weight, (size_t)w * sizeof(float));
        g_autofree float *before = g_memdup2(fine.x, (size_t)w * sizeof(float));

        kernels()->push(&fine, &coarse, normalise != 0, w);
        for (int x = 0; x < w; x++) {
            bool fills = weight[x] < VFI_FLOW_THIN && coarse.weight[x / 2] > 0;
            double new_weight = weight[x], sum = before[x];
            if (fills) {
                new_weight += (double)VFI_FLOW_FILL;
                sum += (double)VFI_FLOW_FILL * coarse.x[x / 2] / coarse.weight[x / 2];
            }
            check_close(fine.weight[x], new_weight, LIMIT);
            check_close(fine.x[x], normalise ? sum / MAX(new_weight, 1e-9) : sum, LIMIT);
        }
        free_rows(rows, G_N_ELEMENTS(rows));
    }
}
END_TEST

static int compare_floats(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;

    return (x > y) - (x < y);
}

START_TEST(medians_are_the_third_of_five)
{
    int w = widths[_i];
    g_autoptr(GRand) random = random_of(9, w);
    GuardedRow rows[6];
    const float *src[5];

    for (int i = 0; i < 5; i++) {
        rows[i] = random_row(random, (size_t)w, -9, 9);
        src[i] = rows[i].data;
    }
    rows[5] = guarded_row((size_t)w);
    kernels()->median(rows[5].data, src, 2.0f, w);
    for (int x = 0; x < w; x++) {
        float five[5];
        for (int i = 0; i < 5; i++)
            five[i] = src[i][x];
        qsort(five, 5, sizeof *five, compare_floats);
        ck_assert_float_eq(rows[5].data[x], 2.0f * five[2]);
    }
    free_rows(rows, G_N_ELEMENTS(rows));
}
END_TEST

START_TEST(sides_take_what_they_lack)
{
    int w = widths[_i];
    g_autoptr(GRand) random = random_of(10, w);
    GuardedRow rows[4];

    for (int i = 0; i < 4; i++)
        rows[i] = random_row(random, (size_t)w, -9, 9);
    for (int x = 0; x < w; x += 3)
        rows[0].data[x] = VFI_FLOW_NO_VECTOR;
    g_autofree float *before = g_memdup2(rows[1].data, (size_t)w * sizeof(float));
    kernels()->sides(rows[0].data, rows[1].data, rows[2].data, rows[3].data, w);
    for (int x = 0; x < w; x++) {
        ck_assert_float_eq(rows[1].data[x], x % 3 == 0 ? rows[3].data[x] : before[x]);
        ck_assert(x % 3 != 0 || rows[0].data[x] == rows[2].data[x]);
    }
    free_rows(rows, G_N_ELEMENTS(rows));
}
END_TEST

/* ---- splat ------------------------------------------------------------------------- */

#define SPLAT_ROWS 9

/* What @row adds to a sample: the sum over its vectors of their shares there. */
static void expected_splat(const VfiFlowSplatRow *row, int x, int y, double sum[3])
{
    for (int i = 0; i < row->w; i++) {
        double dx = 1 - fabs(i + (double)row->t * row->x[i] - x);
        double dy = 1 - fabs(row->source_y + (double)row->t * row->y[i] - y);
        double share = MAX(dx, 0) * MAX(dy, 0) * row->weight[i];
        sum[0] += share;
        sum[1] += share * row->sign * row->x[i];
        sum[2] += share * row->sign * row->y[i];
    }
}

/* Vectors that stay together for @run samples. */
static void random_vectors(GRand *random, int w, int run, GuardedRow rows[3])
{
    rows[0] = random_row(random, (size_t)w, -9, 9);
    rows[1] = random_row(random, (size_t)w, -6, 6);
    rows[2] = random_row(random, (size_t)w, 0, 1);
    for (int x = 0; x < w; x++)
        for (int i = 0; i < 2 && x % run != 0; i++)
            rows[i].data[x] = rows[i].data[x - 1] * 1.001f;
}

START_TEST(vectors_are_shared_by_four_samples)
{
    int w = widths[_i];
    const int runs[] = {1, 5, 40, 1000};

    for (int k = 0; k < 4; k++) {
        g_autoptr(GRand) random = random_of(11 + k, w);
        size_t pitch = vfi_align_up((size_t)w, VFI_FLOW_ROW_FLOATS);
        GuardedRow rows[6];
        random_vectors(random, w, runs[k], rows);
        for (int i = 3; i < 6; i++) {
            rows[i] = guarded_row(pitch * SPLAT_ROWS);
            memset(rows[i].data, 0, rows[i].bytes);
        }
        VfiFlowSplatRow row = {
            .x = rows[0].data,
            .y = rows[1].data,
            .weight = rows[2].data,
            .sum_weight = rows[3].data,
            .sum_x = rows[4].data,
            .sum_y = rows[5].data,
            .sum_row = pitch,
            .w = w,
            .h = SPLAT_ROWS,
            .source_y = 4,
            .begin = 2,
            .end = 7,
            .t = 0.375f,
            .sign = -1.0f,
        };
        kernels()->splat(&row);
        for (int y = 0; y < SPLAT_ROWS; y++)
            for (int x = 0; x < w; x++) {
                double sum[3] = {0};
                if (y >= row.begin && y < row.end)
                    expected_splat(&row, x, y, sum);
                for (int i = 0; i < 3; i++)
                    check_close(rows[3 + i].data[(size_t)y * pitch + (size_t)x], sum[i],
                                1e-4);
            }
        free_rows(rows, G_N_ELEMENTS(rows));
    }
}
END_TEST

/* A row of the sums has the same bits whichever others are wanted with it. */
START_TEST(bands_do_not_change_a_splat)
{
    int w = widths[_i];
    g_autoptr(GRand) random = random_of(15, w);
    size_t pitch = vfi_align_up((size_t)w, VFI_FLOW_ROW_FLOATS);
    GuardedRow rows[9];
    random_vectors(random, w, 20, rows);
    for (int i = 3; i < 9; i++) {
        rows[i] = guarded_row(pitch * SPLAT_ROWS);
        memset(rows[i].data, 0, rows[i].bytes);
    }
    VfiFlowSplatRow row = {
        .x = rows[0].data,
        .y = rows[1].data,
        .weight = rows[2].data,
        .sum_row = pitch,
        .w = w,
        .h = SPLAT_ROWS,
        .end = SPLAT_ROWS,
        .t = 0.5f,
        .sign = 1.0f,
    };

    for (row.source_y = 0; row.source_y < SPLAT_ROWS; row.source_y++) {
        row.sum_weight = rows[3].data;
        row.sum_x = rows[4].data;
        row.sum_y = rows[5].data;
        row.begin = 0;
        row.end = SPLAT_ROWS;
        kernels()->splat(&row);
        row.sum_weight = rows[6].data;
        row.sum_x = rows[7].data;
        row.sum_y = rows[8].data;
        for (row.begin = 0; row.begin < SPLAT_ROWS; row.begin++) {
            row.end = row.begin + 1;
            kernels()->splat(&row);
        }
    }
    for (int i = 3; i < 6; i++)
        ck_assert_mem_eq(rows[i].data, rows[i + 3].data, rows[i].bytes);
    free_rows(rows, G_N_ELEMENTS(rows));
}
END_TEST

/* Wherever vectors lead, nothing outside of the sums is touched. */
START_TEST(wild_vectors_land_nowhere)
{
    static const float wild[] = {NAN, INFINITY, -INFINITY, 3e38f, -3e38f, 1e6f};
    int w = widths[_i];
    g_autoptr(GRand) random = random_of(16, w);
    size_t pitch = vfi_align_up((size_t)w, VFI_FLOW_ROW_FLOATS);

    for (size_t k = 0; k < G_N_ELEMENTS(wild); k++) {
        GuardedRow rows[6];
        random_vectors(random, w, 1, rows);
        for (int x = 0; x < w; x++)
            rows[x % 2].data[x] = wild[k];
        for (int i = 3; i < 6; i++) {
            rows[i] = guarded_row(pitch);
            memset(rows[i].data, 0, rows[i].bytes);
        }
        VfiFlowSplatRow row = {
            .x = rows[0].data,
            .y = rows[1].data,
            .weight = rows[2].data,
            .sum_weight = rows[3].data,
            .sum_x = rows[4].data,
            .sum_y = rows[5].data,
            .sum_row = pitch,
            .w = w,
            .h = 1,
            .end = 1,
            .t = 0.5f,
            .sign = 1.0f,
        };
        kernels()->splat(&row);
        for (int x = 0; x < w; x++)
            ck_assert_float_eq(rows[3].data[x], 0.0f);
        free_rows(rows, G_N_ELEMENTS(rows));
    }
}
END_TEST

static Suite *make_suite(void)
{
    const TTest *const tests[] = {
        halves_are_means_of_four,
        differences_have_no_sign,
        trust_falls_with_residuals_and_disagreement,
        wild_vectors_are_not_trusted,
        extents_are_exact,
        merged_sides_add_up_and_are_divided,
        pulled_sums_repeat_an_odd_edge,
        thin_sums_are_filled_from_the_coarser_row,
        medians_are_the_third_of_five,
        sides_take_what_they_lack,
        vectors_are_shared_by_four_samples,
        bands_do_not_change_a_splat,
        wild_vectors_land_nowhere,
    };
    Suite *suite = suite_create("flow_rows");
    TCase *tcase = tcase_create("flow_rows");

    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
        tcase_add_loop_test(tcase, tests[i], 0, G_N_ELEMENTS(widths));
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(int argc, char **argv)
{
    return kernel_test_main(argc, argv, make_suite);
}
