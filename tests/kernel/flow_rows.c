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

START_TEST(trust_falls_with_the_mean_of_nine_residuals)
{
    int w = widths[_i];
    g_autoptr(GRand) random = random_of(3, w);
    GuardedRow rows[] = {random_row(random, (size_t)w, 0, 60),
                         random_row(random, (size_t)w, 0, 60),
                         random_row(random, (size_t)w, 0, 60), guarded_row((size_t)w)};
    const float *residual[] = {rows[0].data, rows[1].data, rows[2].data};

    kernels()->trust(rows[3].data, residual, 0.1f, w);
    for (int x = 0; x < w; x++) {
        double sum = 0;
        for (int y = 0; y < 3; y++)
            for (int i = -1; i <= 1; i++)
                sum += residual[y][CLAMP(x + i, 0, w - 1)];
        double d = 0.1 * sum / 9;
        check_close(rows[3].data[x], 1 / (1 + d * d + d * d * d * d), LIMIT);
    }
    free_rows(rows, G_N_ELEMENTS(rows));
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

START_TEST(holes_are_filled_from_the_coarser_row)
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
            bool fills = weight[x] < VFI_FLOW_HOLE && coarse.weight[x / 2] > 0;
            double new_weight = fills ? VFI_FLOW_HOLE : weight[x];
            double sum = before[x];
            if (fills)
                sum = (double)VFI_FLOW_HOLE * coarse.x[x / 2] / coarse.weight[x / 2];
            ck_assert_float_eq(fine.weight[x], (float)new_weight);
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

/* ---- refinement -------------------------------------------------------------------- */

/* Three rows of a refinement, each of its planes. */
enum {
    FLOW_X = 0,
    FLOW_Y = 3,
    GRADIENT_X = 6,
    GRADIENT_Y,
    DIFFERENCE,
    DATA,
    SMOOTHNESS,
    SMOOTHNESS_ABOVE,
    PLANES
};

static void random_refinement(GRand *random, int w, GuardedRow rows[PLANES])
{
    for (int i = 0; i < DATA; i++)
        rows[i] = random_row(random, (size_t)w, -5, 5);
    for (int i = DATA; i < PLANES; i++)
        rows[i] = random_row(random, (size_t)w, 0.1, 3);
}

static VfiFlowRefineRow refine_row(const GuardedRow *rows, int w, int place)
{
    bool above = place != 0, below = place != 1;

    return (VfiFlowRefineRow){
        .flow = {rows[FLOW_X + 1].data, rows[FLOW_Y + 1].data},
        .above = {rows[FLOW_X + !above].data, rows[FLOW_Y + !above].data},
        .below = {rows[FLOW_X + 1 + below].data, rows[FLOW_Y + 1 + below].data},
        .gradient = {rows[GRADIENT_X].data, rows[GRADIENT_Y].data},
        .difference = rows[DIFFERENCE].data,
        .data_weight = rows[DATA].data,
        .smoothness = rows[SMOOTHNESS].data,
        .smoothness_above = rows[above ? SMOOTHNESS_ABOVE : SMOOTHNESS].data,
        .has_above = above,
        .has_below = below,
        .alpha = 5.0f,
        .omega = 1.6f,
        .w = w,
    };
}

/* The new flow at column @x, from the neighbours' @flow. */
static void expected_relaxation(const VfiFlowRefineRow *r, float *const flow[2], int x,
                                double result[2])
{
    double weight = 0, sum[2] = {0};
    double left = x > 0 ? r->smoothness[x - 1] : 0;
    double right = x < r->w - 1 ? r->smoothness[x] : 0;
    double above = r->has_above ? r->smoothness_above[x] : 0;
    double below = r->has_below ? r->smoothness[x] : 0;
    double gx = r->gradient[0][x], gy = r->gradient[1][x];

    weight = left + right + above + below;
    for (int i = 0; i < 2; i++)
        sum[i] = (x > 0 ? left * flow[i][x - 1] : 0) +
                 (x < r->w - 1 ? right * flow[i][x + 1] : 0) + above * r->above[i][x] +
                 below * r->below[i][x];
    double data = r->data_weight[x], d = r->difference[x];
    double u = flow[0][x], v = flow[1][x];
    u += (double)r->omega *
         ((sum[0] - data * gx * (d + gy * v)) / (data * gx * gx + weight) - u);
    v += (double)r->omega *
         ((sum[1] - data * gy * (d + gx * u)) / (data * gy * gy + weight) - v);
    result[0] = u;
    result[1] = v;
}

START_TEST(every_second_sample_is_relaxed)
{
    int w = widths[_i];

    for (int k = 0; k < 6; k++) {
        g_autoptr(GRand) random = random_of(20 + k, w);
        GuardedRow rows[PLANES];
        random_refinement(random, w, rows);
        VfiFlowRefineRow row = refine_row(rows, w, k / 2);
        row.first = k % 2;
        float *before[2] = {g_memdup2(row.flow[0], (size_t)w * sizeof(float)),
                            g_memdup2(row.flow[1], (size_t)w * sizeof(float))};
        kernels()->relax(&row);
        for (int x = 0; x < w; x++) {
            double expected[2] = {before[0][x], before[1][x]};
            if (x % 2 == row.first)
                expected_relaxation(&row, before, x, expected);
            for (int i = 0; i < 2; i++)
                check_close(row.flow[i][x], expected[i], 1e-4);
        }
        for (int i = 0; i < 2; i++)
            g_free(before[i]);
        free_rows(rows, PLANES);
    }
}
END_TEST

static double change(const float *flow, const float *below, int x, int w)
{
    double dx = (double)flow[MIN(x + 1, w - 1)] - flow[x],
           dy = (double)below[x] - flow[x];

    return dx * dx + dy * dy;
}

START_TEST(weights_fall_where_data_or_flow_change)
{
    int w = widths[_i];

    for (int place = 0; place < 3; place++) {
        g_autoptr(GRand) random = random_of(30 + place, w);
        GuardedRow rows[PLANES];
        random_refinement(random, w, rows);
        VfiFlowRefineRow row = refine_row(rows, w, place);
        kernels()->weigh(&row);
        for (int x = 0; x < w; x++) {
            double gx = row.gradient[0][x], gy = row.gradient[1][x];
            double norm = 1 / (gx * gx + gy * gy + 1);
            double rest = row.difference[x] + gx * row.flow[0][x] + gy * row.flow[1][x];
            double squares = change(row.flow[0], row.below[0], x, w) +
                             change(row.flow[1], row.below[1], x, w);
            check_close(row.data_weight[x],
                        (double)VFI_FLOW_DATA_WEIGHT * norm /
                            sqrt(rest * rest * norm + (double)VFI_FLOW_EPSILON),
                        1e-3);
            check_close(row.smoothness[x], 5 / sqrt(squares + (double)VFI_FLOW_EPSILON),
                        1e-4);
        }
        free_rows(rows, PLANES);
    }
}
END_TEST

START_TEST(differences_are_linear_around_the_flow)
{
    int w = widths[_i];
    g_autoptr(GRand) random = random_of(40, w);
    GuardedRow rows[PLANES], warped[3], pictures[3];
    random_refinement(random, w, rows);
    VfiFlowRefineRow row = refine_row(rows, w, 2);
    const float *from[3], *to[3];
    float *gradient[2] = {rows[GRADIENT_X].data, rows[GRADIENT_Y].data};

    for (int i = 0; i < 3; i++) {
        warped[i] = random_row(random, (size_t)w, 0, 255);
        pictures[i] = random_row(random, (size_t)w + 2, 0, 255);
        to[i] = warped[i].data;
        from[i] = pictures[i].data + 1;
    }
    kernels()->linearise(&row, from, to, gradient, rows[DIFFERENCE].data);
    for (int x = 0; x < w; x++) {
        double gx = ((double)to[1][MIN(x + 1, w - 1)] - to[1][MAX(x - 1, 0)] +
                     from[1][x + 1] - from[1][x - 1]) /
                    4;
        double gy = ((double)to[2][x] - to[0][x] + from[2][x] - from[0][x]) / 4;
        check_close(gradient[0][x], gx, 2e-5);
        check_close(gradient[1][x], gy, 2e-5);
        check_close(rows[DIFFERENCE].data[x],
                    (double)to[1][x] - from[1][x] - gx * row.flow[0][x] -
                        gy * row.flow[1][x],
                    2e-5 * 1000);
    }
    free_rows(warped, 3);
    free_rows(pictures, 3);
    free_rows(rows, PLANES);
}
END_TEST

static Suite *make_suite(void)
{
    const TTest *const tests[] = {
        halves_are_means_of_four,
        differences_have_no_sign,
        trust_falls_with_the_mean_of_nine_residuals,
        extents_are_exact,
        merged_sides_add_up_and_are_divided,
        pulled_sums_repeat_an_odd_edge,
        holes_are_filled_from_the_coarser_row,
        medians_are_the_third_of_five,
        sides_take_what_they_lack,
        vectors_are_shared_by_four_samples,
        bands_do_not_change_a_splat,
        wild_vectors_land_nowhere,
        every_second_sample_is_relaxed,
        weights_fall_where_data_or_flow_change,
        differences_are_linear_around_the_flow,
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
