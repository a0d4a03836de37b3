/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The search of `flow` for patches, and the dense flow, against their definitions in
 * double precision. */
#include <sys/mman.h>
#include <unistd.h>

#include "cpu/kernel_table.h"
#include "guarded_rows.h"

#define PATCH VFI_FLOW_PATCH

static const int sizes[][2] = {{1, 1},  {7, 1},   {1, 40},  {8, 8},   {9, 8},
                               {8, 13}, {16, 12}, {17, 33}, {45, 21}, {70, 12}};

typedef struct {
    GuardedRow pictures[2][VFI_FLOW_CHANNELS], patches[4];
    VfiFlowPatchField field;
} Scene;

static size_t picture_floats(const VfiFlowPictures *p)
{
    return (size_t)(p->h + 2 * VFI_FLOW_BORDER) * p->row;
}

/* Smooth and not flat, and the same a bit further on. */
static float luma(double x, double y, double seed)
{
    return (float)(128 + 50 * sin(0.31 * x + 0.2 * y + seed) +
                   40 * cos(0.17 * y - 0.23 * x + seed) + 30 * sin(0.5 * y - seed));
}

static void fill_picture(const VfiFlowPictures *p, float *whole, double shift_x,
                         double shift_y, double seed)
{
    for (int y = -VFI_FLOW_BORDER; y < p->h + VFI_FLOW_BORDER; y++)
        for (int x = -VFI_FLOW_LEAD; x < (int)p->row - VFI_FLOW_LEAD; x++)
            whole[(size_t)(y + VFI_FLOW_BORDER) * p->row + (size_t)(x + VFI_FLOW_LEAD)] =
                luma(CLAMP(x, 0, p->w - 1) - shift_x, CLAMP(y, 0, p->h - 1) - shift_y,
                     seed);
}

/* Two pictures of w × h samples, the second moved. */
static void make_scene(Scene *scene, int w, int h, int n_channels, double shift_x,
                       double shift_y)
{
    VfiFlowPatchField *field = &scene->field;
    VfiFlowPictures *p = &field->pictures;

    *field = (VfiFlowPatchField){
        .columns = vfi_flow_patches(w),
        .rows = vfi_flow_patches(h),
    };
    *p = (VfiFlowPictures){
        .n_channels = n_channels,
        .row = vfi_align_up(VFI_FLOW_LEAD + (size_t)w + VFI_FLOW_BORDER,
                            VFI_FLOW_ROW_FLOATS),
        .w = w,
        .h = h,
    };
    for (int c = 0; c < n_channels; c++) {
        for (int i = 0; i < 2; i++) {
            scene->pictures[i][c] = guarded_row(picture_floats(p));
            fill_picture(p, scene->pictures[i][c].data, i * shift_x, i * shift_y,
                         w + 0.1 * h + c);
        }
        size_t origin = VFI_FLOW_BORDER * p->row + VFI_FLOW_LEAD;
        p->from[c] = scene->pictures[0][c].data + origin;
        p->to[c] = scene->pictures[1][c].data + origin;
    }
    field->patch_row = vfi_align_up((size_t)field->columns, VFI_FLOW_ROW_FLOATS);
    for (int i = 0; i < 4; i++)
        scene->patches[i] = guarded_row(field->patch_row * (size_t)field->rows);
    field->x = scene->patches[0].data;
    field->y = scene->patches[1].data;
    field->cost = scene->patches[2].data;
    field->settled = scene->patches[3].data;
}

static void free_scene(Scene *scene)
{
    for (int i = 0; i < 2; i++)
        free_rows(scene->pictures[i], scene->field.pictures.n_channels);
    free_rows(scene->patches, 4);
}

static const VfiFlowKernels *kernels(void)
{
    return &vfi_cpu_kernels(test_level)->flow;
}

/* What sample (i, j) of patch (column, row) differs by if it moves by (x, y). */
static double difference(const VfiFlowPatchField *field, int channel, int column, int row,
                         double x, double y, int i, int j)
{
    const VfiFlowPictures *p = &field->pictures;
    int left = vfi_flow_patch_begin(column, p->w), top = vfi_flow_patch_begin(row, p->h);
    double reach = (double)VFI_FLOW_REACH, beyond = (double)VFI_FLOW_BEYOND;
    double px = CLAMP(left + x, -reach, p->w + beyond);
    double py = CLAMP(top + y, -reach, p->h + beyond);
    ptrdiff_t pitch = (ptrdiff_t)p->row;
    const float *to = p->to[channel] + ((int)floor(py) + j) * pitch + (int)floor(px) + i;
    double wx = px - floor(px), wy = py - floor(py);

    return (to[0] * (1 - wx) + to[1] * wx) * (1 - wy) +
           (to[pitch] * (1 - wx) + to[pitch + 1] * wx) * wy -
           p->from[channel][(top + j) * pitch + left + i];
}

static double cost_of(const VfiFlowPatchField *field, int column, int row, double x,
                      double y)
{
    double cost = 0;

    for (int c = 0; c < field->pictures.n_channels; c++) {
        double squares = 0, sum = 0;
        for (int j = 0; j < PATCH; j++)
            for (int i = 0; i < PATCH; i++) {
                double d = difference(field, c, column, row, x, y, i, j);
                squares += d * d;
                sum += d;
            }
        cost += squares - (double)VFI_FLOW_MEAN_REMOVED / (PATCH * PATCH) * sum * sum;
    }
    return cost;
}

static void begin_all(const VfiFlowPatchField *field)
{
    for (int row = 0; row < field->rows; row++)
        kernels()->begin(field, row);
}

/* Row by row, in pieces of @piece patches. */
static void sweep_all(const VfiFlowPatchField *field, int piece, bool reverse)
{
    for (int nth = 0; nth < field->rows; nth++)
        for (int k = 0; k < field->columns; k += piece)
            kernels()->sweep(field, reverse ? field->rows - 1 - nth : nth, k,
                             MIN(k + piece, field->columns), reverse);
}

static void search_all(const VfiFlowPatchField *field, int piece)
{
    begin_all(field);
    sweep_all(field, piece, false);
    sweep_all(field, piece, true);
}

START_TEST(costs_are_those_of_the_vectors)
{
    Scene scene;

    make_scene(&scene, sizes[_i / 2][0], sizes[_i / 2][1], _i % 2 == 0 ? 1 : 3, 1.7,
               -0.8);
    const VfiFlowPatchField *field = &scene.field;
    search_all(field, 1000);
    for (int row = 0; row < field->rows; row++)
        for (int column = 0; column < field->columns; column++) {
            size_t at = (size_t)row * field->patch_row + (size_t)column;
            double cost = cost_of(field, column, row, field->x[at], field->y[at]);
            check_close(field->cost[at], cost, 0.02);
            ck_assert_double_le(cost, cost_of(field, column, row, 0, 0) + 0.1);
        }
    free_scene(&scene);
}
END_TEST

START_TEST(a_shift_is_found)
{
    Scene scene;
    double error = 0;

    make_scene(&scene, 70, 45, 1, 1.7, -0.8);
    search_all(&scene.field, 1000);
    int n = 0;
    for (int row = 1; row < scene.field.rows - 1; row++)
        for (int column = 1; column < scene.field.columns - 1; column++, n++) {
            size_t at = (size_t)row * scene.field.patch_row + (size_t)column;
            error += hypot(scene.field.x[at] - 1.7, scene.field.y[at] + 0.8);
        }
    ck_assert_double_le(error / n, 0.05);
    free_scene(&scene);
}
END_TEST

/* A row may be done in any pieces, and only its own vectors change. */
START_TEST(pieces_do_not_change_vectors)
{
    Scene whole, pieces;

    make_scene(&whole, sizes[_i][0], sizes[_i][1], 3, 2.2, 1.1);
    make_scene(&pieces, sizes[_i][0], sizes[_i][1], 3, 2.2, 1.1);
    search_all(&whole.field, 1000);
    search_all(&pieces.field, 3);
    for (int i = 0; i < 4; i++)
        ck_assert_mem_eq(whole.patches[i].data, pieces.patches[i].data,
                         whole.patches[i].bytes);
    free_scene(&whole);
    free_scene(&pieces);
}
END_TEST

START_TEST(a_search_begins_with_twice_the_coarser_flow)
{
    Scene scene;

    make_scene(&scene, 37, 22, 1, 0, 0);
    VfiFlowPatchField *field = &scene.field;
    int w = 19, h = 11;
    size_t n = (size_t)w * (size_t)h;
    GuardedRow coarse[2] = {guarded_row(n), guarded_row(n)};
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++) {
            coarse[0].data[y * w + x] = (float)(0.5 * x - 0.25 * y);
            coarse[1].data[y * w + x] = (float)(1.0 * y + 2);
        }
    field->coarse[0] = coarse[0].data;
    field->coarse[1] = coarse[1].data;
    field->coarse_row = (size_t)w;
    field->coarse_w = w;
    field->coarse_h = h;
    begin_all(field);
    for (int row = 0; row < field->rows - 1; row++)
        for (int column = 0; column < field->columns - 1; column++) {
            size_t at = (size_t)row * field->patch_row + (size_t)column;
            double x = (column * 4 + 4 - 0.5) / 2, y = (row * 4 + 4 - 0.5) / 2;
            check_close(field->x[at], 2 * (0.5 * x - 0.25 * y), 1e-5);
            check_close(field->y[at], 2 * (y + 2), 1e-5);
        }
    free_rows(coarse, 2);
    free_scene(&scene);
}
END_TEST

static size_t patch_at(const VfiFlowPatchField *field, int row, int column)
{
    return (size_t)row * field->patch_row + (size_t)column;
}

/* Each way in which a patch learns of a vector, on its own: all begin far from the true
 * one, but for what leads to it at one place. */
START_TEST(vectors_spread)
{
    enum { LEFT, ABOVE, LANDED, OTHER, WAYS };
    const int row = 2, column = 3;
    Scene scene;

    make_scene(&scene, 45, 37, 1, 11, -9);
    VfiFlowPatchField *field = &scene.field;
    size_t n = field->patch_row * (size_t)field->rows;
    g_autofree float *planes = g_new0(float, 4 * n);
    for (int reverse = 0; reverse < 2; reverse++)
        for (int way = LEFT; way < WAYS; way++) {
            int step = reverse != 0 ? 1 : -1;
            size_t at = patch_at(field, row, column);
            begin_all(field);
            for (size_t i = 0; i < n; i++)
                planes[i] = planes[n + i] = VFI_FLOW_NO_VECTOR;
            memset(planes + 2 * n, 0, 2 * n * sizeof *planes);
            for (int axis = 0; axis < 2; axis++) {
                float v = axis == 0 ? 11.2f : -9.2f;
                float *vectors = axis == 0 ? field->x : field->y;
                field->landed[axis] = planes + (size_t)axis * n;
                field->other[axis] = planes + (size_t)(2 + axis) * n;
                if (way == LEFT)
                    vectors[patch_at(field, row, column + step)] = v;
                else if (way == ABOVE)
                    vectors[patch_at(field, row + step, column)] = v;
                else if (way == LANDED)
                    planes[(size_t)axis * n + at] = v;
                else /* the patch starts with no motion, and looks up itself */
                    planes[(size_t)(2 + axis) * n + at] = -v;
            }
            int k = reverse != 0 ? field->columns - 1 - column : column;
            kernels()->sweep(field, row, k, k + 1, reverse != 0);
            ck_assert_double_le(hypot(field->x[at] - 11, field->y[at] + 9), 0.15);
        }
    free_scene(&scene);
}
END_TEST

/* Leaving out what would change nothing changes nothing. */
START_TEST(settled_patches_would_stay)
{
    int n_channels = _i % 2 == 0 ? 1 : 3, n_settled = 0;
    Scene scenes[2];

    for (int i = 0; i < 2; i++) {
        make_scene(&scenes[i], 97, 60, n_channels, 1.7, -0.8);
        begin_all(&scenes[i].field);
        sweep_all(&scenes[i].field, 1000, false);
    }
    float *settled = scenes[1].field.settled;
    for (int row = 0; row < scenes[1].field.rows; row++)
        for (int column = 0; column < scenes[1].field.columns; column++) {
            n_settled += settled[patch_at(&scenes[1].field, row, column)] != 0.0f;
            settled[patch_at(&scenes[1].field, row, column)] = 0.0f;
        }
    ck_assert_int_gt(n_settled, 100);
    for (int i = 0; i < 2; i++)
        sweep_all(&scenes[i].field, 1000, true);
    for (int i = 0; i < 3; i++)
        ck_assert_mem_eq(scenes[0].patches[i].data, scenes[1].patches[i].data,
                         scenes[0].patches[i].bytes);
    for (int i = 0; i < 2; i++)
        free_scene(&scenes[i]);
}
END_TEST

START_TEST(the_last_sweep_leaves_votes)
{
    Scene scene;

    make_scene(&scene, 33, 20, 3, 1.7, -0.8);
    VfiFlowPatchField *field = &scene.field;
    begin_all(field);
    sweep_all(field, 1000, false);
    field->leaves_votes = true;
    sweep_all(field, 1000, true);
    for (int row = 0; row < field->rows; row++)
        for (int column = 0; column < field->columns; column++) {
            size_t at = patch_at(field, row, column);
            double cost = cost_of(field, column, row, field->x[at], field->y[at]);
            check_close(field->cost[at],
                        1 / (1 + (double)VFI_FLOW_VOTE * sqrt(MAX(cost, 0))), 1e-3);
        }
    free_scene(&scene);
}
END_TEST

/* ---- dense flow -------------------------------------------------------------------- */

static bool covers(int index, int size, int at)
{
    int begin = vfi_flow_patch_begin(index, size);

    return begin <= at && at < begin + PATCH;
}

static void expected_flow(const VfiFlowPatchField *field, int x, int y, double flow[2])
{
    const VfiFlowPictures *p = &field->pictures;
    double weight = 0;

    flow[0] = flow[1] = 0;
    for (int row = 0; row < field->rows; row++)
        for (int column = 0; column < field->columns; column++) {
            size_t at = (size_t)row * field->patch_row + (size_t)column;
            if (!covers(column, p->w, x) || !covers(row, p->h, y))
                continue;
            double d = fabs(difference(field, 0, column, row, field->x[at], field->y[at],
                                       x - vfi_flow_patch_begin(column, p->w),
                                       y - vfi_flow_patch_begin(row, p->h)));
            double vote = field->cost[at] / MAX(d, 1);
            weight += vote;
            flow[0] += vote * field->x[at];
            flow[1] += vote * field->y[at];
        }
    flow[0] /= weight;
    flow[1] /= weight;
}

START_TEST(dense_flow_is_the_mean_of_patches)
{
    g_autoptr(GRand) random = g_rand_new_with_seed((guint32)_i);
    int w = sizes[_i][0], h = sizes[_i][1];
    GuardedRow flow[2] = {guarded_row((size_t)w), guarded_row((size_t)w)};
    Scene scene;

    make_scene(&scene, w, h, 1, 1, 1);
    for (int row = 0; row < scene.field.rows; row++)
        for (int column = 0; column < scene.field.columns; column++) {
            size_t at = (size_t)row * scene.field.patch_row + (size_t)column;
            /* Some lead out of the border. */
            double reach = g_rand_int_range(random, 0, 10) == 0 ? 100 : 4;
            scene.field.x[at] = (float)g_rand_double_range(random, -reach, reach);
            scene.field.y[at] = (float)g_rand_double_range(random, -reach, reach);
            scene.field.cost[at] = (float)g_rand_double_range(random, 0.01, 1);
        }
    for (int y = 0; y < h; y++) {
        kernels()->densify(&scene.field, y, flow[0].data, flow[1].data);
        for (int x = 0; x < w; x++) {
            double expected[2];
            expected_flow(&scene.field, x, y, expected);
            check_close(flow[0].data[x], expected[0], 1e-4);
            check_close(flow[1].data[x], expected[1], 1e-4);
        }
    }
    free_rows(flow, 2);
    free_scene(&scene);
}
END_TEST

/* Pictures that fill the memory between two pages that may not be touched. */
START_TEST(nothing_outside_the_pictures_is_read)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    int w = sizes[_i][0], h = sizes[_i][1];
    GuardedRow flow[2] = {guarded_row((size_t)w), guarded_row((size_t)w)};
    Scene scene;

    make_scene(&scene, w, h, 1, 1, 1);
    VfiFlowPatchField *field = &scene.field;
    VfiFlowPictures *p = &field->pictures;
    size_t bytes = picture_floats(p) * sizeof(float);
    size_t pages = (bytes + page - 1) / page * page;
    char *memory =
        mmap(NULL, pages + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    ck_assert_int_eq(mprotect(memory + page, pages, PROT_READ | PROT_WRITE), 0);
    for (int at_end = 0; at_end < 2; at_end++) {
        float *whole =
            (float *)(void *)(memory + page + (at_end != 0 ? pages - bytes : 0));
        fill_picture(p, whole, 0, 0, 1);
        p->from[0] = p->to[0] = whole + VFI_FLOW_BORDER * p->row + VFI_FLOW_LEAD;
        for (int k = 0; k < 4; k++) {
            /* The search as far as it leads, then vectors far beyond all borders. */
            search_all(field, 1000);
            for (size_t i = 0; i < field->patch_row * (size_t)field->rows; i++) {
                field->x[i] = k % 2 == 0 ? 1e6f : -1e6f;
                field->y[i] = k / 2 == 0 ? 1e6f : -1e6f;
            }
            for (int row = 0; row < field->rows; row++)
                kernels()->sweep(field, row, 0, field->columns, true);
            for (int y = 0; y < h; y++)
                kernels()->densify(field, y, flow[0].data, flow[1].data);
        }
    }
    munmap(memory, pages + 2 * page);
    free_rows(flow, 2);
    free_scene(&scene);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("flow_search");
    TCase *tcase = tcase_create("flow_search");
    int n = G_N_ELEMENTS(sizes);

    tcase_add_loop_test(tcase, costs_are_those_of_the_vectors, 0, 2 * n);
    tcase_add_test(tcase, a_shift_is_found);
    tcase_add_loop_test(tcase, pieces_do_not_change_vectors, 0, n);
    tcase_add_test(tcase, a_search_begins_with_twice_the_coarser_flow);
    tcase_add_test(tcase, vectors_spread);
    tcase_add_loop_test(tcase, settled_patches_would_stay, 0, 2);
    tcase_add_test(tcase, the_last_sweep_leaves_votes);
    tcase_add_loop_test(tcase, dense_flow_is_the_mean_of_patches, 0, n);
    tcase_add_loop_test(tcase, nothing_outside_the_pictures_is_read, 0, n);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(int argc, char **argv)
{
    return kernel_test_main(argc, argv, make_suite);
}
