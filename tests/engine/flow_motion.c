/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How well flow finds motion that is known. Limits are what a dense search on a grid of
 * 4 (fast), 2 and 1 luma samples should keep: a tenth of a sample of its level or less
 * on average where nothing but texture moves, more where a patch sees two motions. */
#include <stdlib.h>
#include <string.h>

#include "check_main.h"
#include "flow_run.h"
#include "flow_scene.h"

typedef struct {
    double mean, p95; /* of the lengths of errors, luma samples */
} Errors;

/* Which samples count: @margin from the edges, and of the object those this deep in it,
 * of the background those that far from it; at the time itself and in both frames. */
typedef struct {
    double margin, inside, outside;
} Region;

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* The motion of what a sample shows; NULL where that is not to be judged. */
static const Motion *motion_at(const Scene *scene, const Region *region, double t,
                               double x, double y)
{
    if (depth_in_object(scene, t, x, y) >= region->inside)
        return &scene->object;
    for (int i = 0; i < 2; i++) {
        double v[2];
        true_vector(&scene->background, t, x, y, v);
        if (depth_in_object(scene, i, x + (i - t) * v[0], y + (i - t) * v[1]) >
            -region->outside)
            return NULL;
    }
    if (depth_in_object(scene, t, x, y) > -region->outside)
        return NULL;
    return &scene->background;
}

static Errors errors_of(const VfiMotion *motion, const Scene *scene, const Region *region)
{
    int side = 1 << motion->level;
    g_autoptr(GArray) lengths = g_array_new(FALSE, FALSE, sizeof(double));
    double sum = 0, t = (double)motion->t;

    for (int j = 0; j < motion->grid_h; j++)
        for (int i = 0; i < motion->grid_w; i++) {
            size_t at = (size_t)j * motion->row + (size_t)i;
            double x = (i + 0.5) * side - 0.5, y = (j + 0.5) * side - 0.5, v[2];
            double edge = fmin(fmin(x, motion->grid_w * side - 1 - x),
                               fmin(y, motion->grid_h * side - 1 - y));
            const Motion *truth = motion_at(scene, region, t, x, y);
            if (truth == NULL || edge < region->margin)
                continue;
            true_vector(truth, t, x, y, v);
            double length = hypot((double)motion->flow[0][0][at] - v[0],
                                  (double)motion->flow[0][1][at] - v[1]);
            sum += length;
            g_array_append_val(lengths, length);
        }
    ck_assert_uint_gt(lengths->len, 100);
    qsort(lengths->data, lengths->len, sizeof(double), compare_doubles);
    return (Errors){sum / lengths->len,
                    g_array_index(lengths, double, lengths->len * 95 / 100)};
}

/* Checks flow[0] at @t in all qualities: errors are at most @mean and @p95 samples of the
 * quality's level. */
static void check_scene(const Scene *scene, int width, int height, float t,
                        const Region *region, double mean, double p95)
{
    VfiVideoInfo video = {.format = VFI_FORMAT_GRAY8, .width = width, .height = height};
    VfiFrame frames[2];

    for (int i = 0; i < 2; i++)
        draw_scene(scene, &video, i, &frames[i]);
    for (int quality = VFI_FLOW_FAST; quality <= (int)VFI_FLOW_BEST; quality++) {
        VfiMotion found;
        FlowRun run;
        flow_run_open(&run, &video, (VfiFlowQuality)quality, 2);
        ck_assert(flow_run_pair(&run, &video, &frames[0], &frames[1]));
        ck_assert(flow_run_time(&run, t, &found));
        Errors errors = errors_of(&found, scene, region);
        double side = 1 << found.level;
        if (g_getenv("VFI_TEST_SHOW_ERRORS") != NULL)
            g_printerr("# quality %d: mean %.3f of %.3f, p95 %.3f of %.3f\n", quality,
                       errors.mean, mean * side, errors.p95, p95 * side);
        ck_assert_msg(errors.mean <= mean * side && errors.p95 <= p95 * side,
                      "quality %d, t %g: mean %g, 95th percentile %g", quality, (double)t,
                      errors.mean, errors.p95);
        flow_run_close(&run);
    }
    for (int i = 0; i < 2; i++)
        vfi_frame_clear(&frames[i]);
}

START_TEST(shifts_are_found)
{
    static const double shifts[][2] = {{0, 0}, {0.5, 0.25}, {-3.3, 2.7}, {12, -7.5}};
    Scene scene = {.background = shift_by(shifts[_i][0], shifts[_i][1])};

    check_scene(&scene, 320, 180, 0.5f, &(Region){.margin = 28}, 0.06, 0.12);
}
END_TEST

START_TEST(large_shifts_are_found)
{
    static const double shifts[][2] = {{60.3, 8}, {-41, -33.5}};
    Scene scene = {.background = shift_by(shifts[_i][0], shifts[_i][1])};

    check_scene(&scene, 640, 360, 0.5f, &(Region){.margin = 80}, 0.06, 0.12);
}
END_TEST

/* The same at the times that other rates and bisections ask for. */
START_TEST(any_time_has_its_own_flow)
{
    static const float times[] = {0.001f, 0.25f, 0.6f, 0.999f};
    Scene scene = {.background = turn_and_zoom(0, 1.06, 160, 90)};

    check_scene(&scene, 320, 180, times[_i], &(Region){.margin = 28}, 0.1, 0.25);
}
END_TEST

/* A patch has one vector for all of its samples, four of which on either side of its
 * middle move by up to 0.4 of a sample otherwise. */
START_TEST(zooms_and_turns_are_found)
{
    static const double turns[][2] = {{0, 1.08}, {0, 0.93}, {4, 1}, {-6, 1.05}};
    Scene scene = {.background = turn_and_zoom(turns[_i][0], turns[_i][1], 150, 100)};

    check_scene(&scene, 320, 180, 0.5f, &(Region){.margin = 32}, 0.25, 0.5);
}
END_TEST

/* Flow of both the object and what it covers and uncovers, but for a seam of about two
 * patches. */
START_TEST(objects_move_before_backgrounds)
{
    static const double objects[][2] = {{14, -6}, {-9, 9}, {0, 0}};
    Scene scene = {
        .background = shift_by(-5, 3),
        .object = shift_by(objects[_i][0], objects[_i][1]),
        .left = 120,
        .top = 50,
        .width = 90,
        .height = 80,
    };

    check_scene(&scene, 320, 180, 0.5f,
                &(Region){.margin = 28, .inside = 16, .outside = 32}, 0.12, 0.3);
}
END_TEST

/* A fade to black in a second. What it does to a gradient cannot be told from motion: the
 * less of one there is, the larger the error. */
START_TEST(fades_do_not_move)
{
    Scene scene = {.background = shift_by(4.5, -2.25), .fade = 0.03};

    check_scene(&scene, 320, 180, 0.5f, &(Region){.margin = 28}, 0.5, 1.0);
}
END_TEST

START_TEST(noise_does_not_hide_motion)
{
    Scene scene = {.background = shift_by(6.25, 3.5), .noise = 10};

    check_scene(&scene, 320, 180, 0.5f, &(Region){.margin = 28}, 0.3, 0.7);
}
END_TEST

/* Of all motions that a repeated pattern may have made the least one. */
START_TEST(patterns_move_the_short_way)
{
    Scene scene = {.background = shift_by(3.5, -2.5), .period = 24};

    check_scene(&scene, 320, 180, 0.5f, &(Region){.margin = 28}, 0.1, 0.25);
}
END_TEST

/* Letters of a caption, thick enough to be seen on the coarsest grid that is used. */
START_TEST(captions_stand_still)
{
    Scene scene = {
        .background = shift_by(7, 0),
        .object = shift_by(0, 0),
        .left = 60,
        .top = 140,
        .width = 200,
        .height = 28,
    };

    check_scene(&scene, 320, 180, 0.5f,
                &(Region){.margin = 10, .inside = 8, .outside = 32}, 0.15, 0.5);
}
END_TEST

START_TEST(flat_areas_do_not_disturb)
{
    Scene scene = {
        .background = shift_by(0, 0),
        .object = shift_by(9, 5),
        .left = 100,
        .top = 40,
        .width = 100,
        .height = 90,
        .is_flat = true,
    };

    check_scene(&scene, 320, 180, 0.5f,
                &(Region){.margin = 0, .inside = 12, .outside = INFINITY}, 0.1, 0.25);
}
END_TEST

static Suite *make_suite(void)
{
    Suite *suite = suite_create("flow_motion");
    TCase *tcase = tcase_create("flow_motion");

    tcase_set_timeout(tcase, 120);
    add_thinned_loop_test(tcase, shifts_are_found, 0, 4);
    add_thinned_loop_test(tcase, large_shifts_are_found, 0, 2);
    add_thinned_loop_test(tcase, any_time_has_its_own_flow, 0, 4);
    add_thinned_loop_test(tcase, zooms_and_turns_are_found, 0, 4);
    add_thinned_loop_test(tcase, objects_move_before_backgrounds, 0, 3);
    tcase_add_test(tcase, fades_do_not_move);
    tcase_add_test(tcase, noise_does_not_hide_motion);
    tcase_add_test(tcase, patterns_move_the_short_way);
    tcase_add_test(tcase, captions_stand_still);
    tcase_add_test(tcase, flat_areas_do_not_disturb);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return check_main(make_suite());
}
