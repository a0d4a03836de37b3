/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lies still over a video is found, kept as it is, and nothing else changed. Scenes
 * are painted, so that every in-between is known. */
#include <math.h>
#include <string.h>

#include <vfi/vfi.h>

#include "check_main.h"
#include "overlay_sessions.h"
#include "painted_noise.h"

enum { WIDTH = 400, HEIGHT = 240 };

/* ---- scenes ------------------------------------------------------------------------ */

static double texture(double x, double y)
{
    return 0.1 + 0.8 * (0.45 * waves(x, y, 41) + 0.35 * waves(x + 1000, y, 17) +
                        0.2 * waves(x, y + 1000, 7));
}

/* Letters as they might be: boxes of 5 × 7 dots of 3 × 3 pixels, half of them set. What
 * is not set of the pixels beside dots is an outline. */
enum { DOT = 3, LETTER_W = 6, LETTER_H = 8 };

static bool is_dot(int x, int y)
{
    int column = (int)floor((double)x / DOT), row = (int)floor((double)y / DOT);
    int letter = column / LETTER_W, line = row / LETTER_H;

    if (x < 0 || y < 0 || letter >= 12 || line >= 2 || column % LETTER_W == 5 ||
        row % LETTER_H == 7)
        return false;
    return hash(column + 100 * letter, row + 500 + 31 * line) < 0.5;
}

typedef enum { NO_LETTER, OUTLINE, LETTER } Ink;

static Ink ink_at(int x, int y)
{
    if (is_dot(x, y))
        return LETTER;
    for (int j = -1; j <= 1; j++)
        for (int i = -1; i <= 1; i++)
            if (is_dot(x + i, y + j))
                return OUTLINE;
    return NO_LETTER;
}

/* What a picture shows, of luma and, half as fine, of chroma. */
typedef struct {
    double move_x, move_y; /* of the background */
    double text_x, text_y; /* where letters begin; a negative x: there are none */
    double opacity;        /* of letters */
    double thing_x;        /* of something that passes; negative: nothing does */
} Scene;

static double shade(const Scene *scene, double x, double y)
{
    double value = texture(x - scene->move_x, y - scene->move_y);

    if (scene->thing_x >= 0 && x >= scene->thing_x && x < scene->thing_x + 90 && y > 60 &&
        y < 180)
        value = texture(x - scene->thing_x + 3000, y + 2000);
    return value;
}

static Ink scene_ink(const Scene *scene, double x, double y)
{
    return scene->text_x < 0
               ? NO_LETTER
               : ink_at((int)floor(x - scene->text_x), (int)floor(y - scene->text_y));
}

static void paint(const TestFrame *frame, const Scene *scene)
{
    const VfiFormatDescription *format = vfi_format_describe(frame->info.format);
    double largest = largest_code(frame->info.format);

    for (int c = 0; c < format->n_components; c++) {
        int step_x = 1 << format->component[c].shift_x;
        int step_y = 1 << format->component[c].shift_y;
        for (int y = 0; y < component_height(&frame->info, c); y++)
            for (int x = 0; x < component_width(&frame->info, c); x++) {
                double value = shade(scene, x * step_x, y * step_y);
                Ink ink = scene_ink(scene, x * step_x, y * step_y);
                double ink_value = c > 0 ? 0.5 : ink == LETTER ? 0.95 : 0.03;
                if (ink != NO_LETTER)
                    value += (ink_value - value) * scene->opacity;
                set_code(frame, c, x, y, round(value * largest));
            }
    }
}

static Scene scene_between(const Scene *a, const Scene *b, double t)
{
    Scene between = *a;

    between.move_x += (b->move_x - a->move_x) * t;
    between.move_y += (b->move_y - a->move_y) * t;
    between.text_x += (b->text_x - a->text_x) * t;
    between.text_y += (b->text_y - a->text_y) * t;
    between.thing_x += (b->thing_x - a->thing_x) * t;
    return between;
}

/* ---- making ------------------------------------------------------------------------ */

/* Two frames, the picture between them, and what comes of them. */
typedef struct {
    VfiVideoInfo video;
    TestFrame a, b, truth, off, found;
    uint64_t with_overlays;
} Trial;

static Trial trial_new(VfiFormat format, const char *quality, const Scene *a,
                       const Scene *b, double t)
{
    const VfiVideoInfo video = {.format = format, .width = WIDTH, .height = HEIGHT};
    const Scene between = scene_between(a, b, t);
    g_autoptr(VfiModel) model = open_flow(quality);
    VfiSessionConfig config = {.video = video, .device = "cpu", .threads = 2};
    g_autoptr(VfiSession) off = new_session(model, &config);
    config.overlay = VFI_OVERLAY_AUTO;
    g_autoptr(VfiSession) finding = new_session(model, &config);
    Trial trial = {.video = video,
                   .a = test_frame_new(&video, LAYOUT_PADDED),
                   .b = test_frame_new(&video, LAYOUT_BOTTOM_UP),
                   .truth = test_frame_new(&video, LAYOUT_TIGHT),
                   .off = test_frame_new(&video, LAYOUT_TIGHT),
                   .found = test_frame_new(&video, LAYOUT_PADDED)};

    paint(&trial.a, a);
    paint(&trial.b, b);
    paint(&trial.truth, &between);
    make(off, &trial.a, &trial.b, t, NULL, 0, &trial.off);
    make(finding, &trial.a, &trial.b, t, NULL, 0, &trial.found);
    test_frame_assert_guards(&trial.found);
    trial.with_overlays = count_overlays(finding);
    ck_assert_uint_eq(count_overlays(off), 0);
    return trial;
}

static void trial_free(Trial *trial)
{
    test_frame_free(&trial->a);
    test_frame_free(&trial->b);
    test_frame_free(&trial->truth);
    test_frame_free(&trial->off);
    test_frame_free(&trial->found);
}

/* Which pixels have ink. */
typedef bool InkMap[HEIGHT][WIDTH];

static void map_ink(const Scene *scene, InkMap map)
{
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            map[y][x] = scene_ink(scene, x, y) != NO_LETTER;
}

/* Mean difference of luma from the truth, in codes of 8 bits: of all pixels, or of those
 * with ink, or of those without any that have some within @reach. */
typedef enum { ALL, INK, AROUND } Part;

static bool is_part(Part part, InkMap ink, int x, int y)
{
    const int reach = 8;

    if (part == ALL)
        return x >= 24 && y >= 24 && x < WIDTH - 24 && y < HEIGHT - 24;
    if (ink[y][x])
        return part == INK;
    if (part == INK)
        return false;
    for (int j = MAX(y - reach, 0); j <= MIN(y + reach, HEIGHT - 1); j++)
        for (int i = MAX(x - reach, 0); i <= MIN(x + reach, WIDTH - 1); i++)
            if (ink[j][i])
                return true;
    return false;
}

static double mean_error(const Trial *trial, const TestFrame *made, Part part,
                         const Scene *scene)
{
    double sum = 0.0;
    int n = 0;
    InkMap ink;

    map_ink(scene, ink);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            if (is_part(part, ink, x, y)) {
                sum += fabs(get_code(made, 0, x, y) - get_code(&trial->truth, 0, x, y));
                n++;
            }
    ck_assert_int_gt(n, 0);
    return sum / n * 255.0 / largest_code(made->info.format);
}

/* Of the pixels with ink, the part that is exactly right. */
static double exact_share(const Trial *trial, const Scene *scene)
{
    int n = 0, n_exact = 0;
    InkMap ink;

    map_ink(scene, ink);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++)
            if (is_part(INK, ink, x, y)) {
                n_exact +=
                    get_code(&trial->found, 0, x, y) == get_code(&trial->truth, 0, x, y);
                n++;
            }
    return (double)n_exact / n;
}

/* ---- found by itself --------------------------------------------------------------- */

static const char *const qualities[] = {"fast", "medium", "best"};
static const VfiFormat formats[] = {VFI_FORMAT_I420, VFI_FORMAT_I420_10LE,
                                    VFI_FORMAT_GRAY16_LE, VFI_FORMAT_RGBX};
static const double motions[][2] = {{9, 0}, {-6, 4}, {0, 13}};

/* Letters stay what they are, and what is around them does not suffer. */
START_TEST(still_letters_over_a_moving_background)
{
    const char *quality = qualities[_i % 3];
    const double *motion = motions[_i / 3 % 3];
    const double t = _i % 2 ? 0.5 : 0.25;
    const Scene a = {.text_x = 90, .text_y = 100, .opacity = 1, .thing_x = -1};
    Scene b = a;

    b.move_x = motion[0];
    b.move_y = motion[1];
    Trial trial = trial_new(formats[_i % 4], quality, &a, &b, t);
    double ink = mean_error(&trial, &trial.found, INK, &a);
    double ink_off = mean_error(&trial, &trial.off, INK, &a);
    double exact = exact_share(&trial, &a);
    double around = mean_error(&trial, &trial.found, AROUND, &a);
    double around_off = mean_error(&trial, &trial.off, AROUND, &a);
    ck_assert_uint_eq(trial.with_overlays, 1);
    ck_assert_msg(ink <= 0.5 * ink_off, "letters are %.3f codes off, before that %.3f",
                  ink, ink_off);
    ck_assert_msg(exact >= 0.67, "%.3f of letters' pixels are exact", exact);
    ck_assert_msg(around <= around_off + 0.5, "around them %.2f, before that %.2f",
                  around, around_off);
    trial_free(&trial);
}
END_TEST

/* Text that moves with the background or by itself is no overlay. */
START_TEST(letters_that_move_go_on_moving)
{
    const Scene a = {.text_x = 90, .text_y = 120, .opacity = 1, .thing_x = -1};
    Scene b = a;

    b.text_y -= _i == 1 ? 5 : 10;
    if (_i == 2)
        b.move_x = 6;
    Trial trial = trial_new(VFI_FORMAT_I420, "medium", &a, &b, 0.5);
    Scene between = scene_between(&a, &b, 0.5);
    double found = mean_error(&trial, &trial.found, INK, &between);
    double off = mean_error(&trial, &trial.off, INK, &between);
    ck_assert_msg(found <= off + 0.1, "letters are %.2f codes off, without %.2f", found,
                  off);
    found = mean_error(&trial, &trial.found, ALL, &between);
    off = mean_error(&trial, &trial.off, ALL, &between);
    ck_assert_msg(found <= off + 0.05, "all is %.2f codes off, without %.2f", found, off);
    trial_free(&trial);
}
END_TEST

/* Letters that only one of the frames has. */
START_TEST(letters_that_appear_are_left_alone)
{
    Scene a = {.text_x = -1, .opacity = 1, .thing_x = -1};
    Scene b = {.move_x = 9, .text_x = 90, .text_y = 100, .opacity = 1, .thing_x = -1};
    Trial trial = _i == 0 ? trial_new(VFI_FORMAT_I420, "medium", &a, &b, 0.5)
                          : trial_new(VFI_FORMAT_I420, "medium", &b, &a, 0.5);

    ck_assert(same(&trial.found, &trial.off));
    ck_assert_uint_eq(trial.with_overlays, 0);
    trial_free(&trial);
}
END_TEST

/* A camera that stands still: something passes, or nothing moves at all. */
START_TEST(still_backgrounds_are_no_overlay)
{
    const Scene a = {.text_x = -1, .thing_x = _i == 0 ? 100 : 40 * _i};
    Scene b = a;

    b.thing_x += _i == 0 ? 1 : 7 * _i;
    Trial trial = trial_new(VFI_FORMAT_I420, "medium", &a, &b, 0.5);
    double found = mean_error(&trial, &trial.found, ALL, &a);
    double off = mean_error(&trial, &trial.off, ALL, &a);
    ck_assert_msg(found <= off + 0.01, "%.3f codes off, without %.3f", found, off);
    trial_free(&trial);
}
END_TEST

/* What shines through is not the same in both frames: there is nothing to be sure of. */
START_TEST(translucent_letters_do_not_get_worse)
{
    const Scene a = {.text_x = 90, .text_y = 100, .opacity = 0.5, .thing_x = -1};
    Scene b = a;

    b.move_x = 8;
    Trial trial = trial_new(VFI_FORMAT_I420, qualities[_i], &a, &b, 0.5);
    double found = mean_error(&trial, &trial.found, ALL, &a);
    double off = mean_error(&trial, &trial.off, ALL, &a);
    ck_assert_msg(found <= off + 0.02, "%.3f codes off, without %.3f", found, off);
    trial_free(&trial);
}
END_TEST

START_TEST(threads_and_times_change_no_bit)
{
    const VfiVideoInfo video = {
        .format = VFI_FORMAT_I420, .width = WIDTH, .height = HEIGHT};
    const Scene scenes[2] = {{.text_x = 90, .text_y = 100, .opacity = 1, .thing_x = -1},
                             {.move_x = 9,
                              .move_y = 3,
                              .text_x = 90,
                              .text_y = 100,
                              .opacity = 1,
                              .thing_x = -1}};
    g_autoptr(VfiModel) model = open_flow("fast");
    VfiSessionConfig config = {
        .video = video, .device = "cpu", .threads = 1, .overlay = VFI_OVERLAY_AUTO};
    g_autoptr(VfiSession) one = new_session(model, &config);
    config.threads = 3;
    g_autoptr(VfiSession) three = new_session(model, &config);
    TestFrame a = test_frame_new(&video, LAYOUT_TIGHT);
    TestFrame b = test_frame_new(&video, LAYOUT_TIGHT);
    TestFrame first = test_frame_new(&video, LAYOUT_TIGHT);
    TestFrame second = test_frame_new(&video, LAYOUT_TIGHT);

    paint(&a, &scenes[0]);
    paint(&b, &scenes[1]);
    make(one, &a, &b, 0.5, NULL, 0, &first);
    make(three, &b, &a, 0.25, NULL, 0, &second);
    make(three, &a, &b, 0.5, NULL, 0, &second);
    ck_assert(same(&first, &second));
    ck_assert_uint_eq(count_overlays(three), 2);
    test_frame_free(&a);
    test_frame_free(&b);
    test_frame_free(&first);
    test_frame_free(&second);
}
END_TEST

/* ---- memory ------------------------------------------------------------------------ */

START_TEST(memory_is_counted_and_limited)
{
    g_autoptr(VfiModel) model = open_flow("fast");
    VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_I420, .width = 640, .height = 360},
        .device = "cpu",
        .threads = 1};
    size_t pixels = 640 * 360;
    g_autofree uint8_t *mask = g_malloc0(pixels);
    VfiEstimate without, with, masked;
    VfiSessionStats stats;

    ck_assert(vfi_model_estimate(model, &config, &without, NULL));
    config.overlay = VFI_OVERLAY_AUTO;
    ck_assert(vfi_model_estimate(model, &config, &with, NULL));
    ck_assert_uint_ge(with.session_bytes, without.session_bytes + 4 * pixels);
    ck_assert_uint_le(with.session_bytes, without.session_bytes + 5 * pixels);
    config.overlay_mask = mask;
    ck_assert(vfi_model_estimate(model, &config, &masked, NULL));
    ck_assert_uint_eq(masked.session_bytes, with.session_bytes + pixels);
    config.overlay_mask = NULL;

    config.memory_limit = with.session_bytes;
    g_autoptr(VfiSession) fits = new_session(model, &config);
    vfi_session_get_stats(fits, &stats);
    ck_assert(stats.finds_overlays);
    ck_assert_uint_eq(stats.arena_bytes, with.session_bytes);
    config.memory_limit--;
    g_autoptr(VfiSession) limited = new_session(model, &config);
    vfi_session_get_stats(limited, &stats);
    ck_assert(!stats.finds_overlays);
    ck_assert_uint_eq(stats.tiles, 1);
    ck_assert_uint_eq(stats.arena_bytes, without.session_bytes);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("overlays");
    TCase *tcase = tcase_create("overlays");

    tcase_set_timeout(tcase, 240);
    add_thinned_loop_test(tcase, still_letters_over_a_moving_background, 0, 9);
    add_thinned_loop_test(tcase, letters_that_move_go_on_moving, 0, 3);
    add_thinned_loop_test(tcase, letters_that_appear_are_left_alone, 0, 2);
    add_thinned_loop_test(tcase, still_backgrounds_are_no_overlay, 0, 4);
    add_thinned_loop_test(tcase, translucent_letters_do_not_get_worse, 0, 3);
    tcase_add_test(tcase, threads_and_times_change_no_bit);
    tcase_add_test(tcase, memory_is_counted_and_limited);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
