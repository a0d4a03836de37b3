/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is marked as an overlay: by a picture, by metas of frames; pictures that are no
 * good. What is found without is the engine's to test. */
#include "fixture.h"

#include <glib/gstdio.h>
#include <string.h>

enum { WIDTH = 64, HEIGHT = 48 };
#define CAPS "video/x-raw,format=GRAY8,width=64,height=48,framerate=20/1"
#define WIDER "video/x-raw,format=GRAY8,width=80,height=48,framerate=20/1"
#define MS GST_MSECOND

/* A picture of @width columns in a file of the test's folder: white in the upper
 * rows. */
static char *write_mask(const char *name, int width, int white_rows)
{
    char *path = g_build_filename(g_get_tmp_dir(), name, NULL);
    g_autoptr(GString) file = g_string_new(NULL);

    g_string_printf(file, "P5\n%d %d\n255\n", width, HEIGHT);
    for (int i = 0; i < width * HEIGHT; i++)
        g_string_append_c(file, (char)(i / width < white_rows ? 255 : 0));
    ck_assert(g_file_set_contents(path, file->str, (gssize)file->len, NULL));
    return path;
}

static Fixture *start(int index, const char *properties)
{
    Fixture *f = fixture_new(in_flight_mode(index), properties);

    fixture_set_caps(f, CAPS, NULL);
    return f;
}

static void push_noise(Fixture *f, guint number, int x, int y, int w, int h)
{
    GstBuffer *buffer = noise_frame(f, number + 1, number * 50 * MS, 50 * MS);

    if (w > 0)
        gst_buffer_add_video_region_of_interest_meta(buffer, "overlay", (guint)x,
                                                     (guint)y, (guint)w, (guint)h);
    gst_buffer_add_video_region_of_interest_meta(buffer, "face", 0, 0, 64, 48);
    ck_assert_int_eq(gst_harness_push(f->harness, buffer), GST_FLOW_OK);
}

/* In how many of the picture's rows from @begin to @end all of the in-between between
 * outputs @index - 1 and @index + 1 is their mean. */
static int mean_rows(Fixture *f, guint index, int begin, int end)
{
    GstMapInfo map[3];
    int n = 0;

    for (guint i = 0; i < 3; i++)
        ck_assert(gst_buffer_map(nth_buffer(f, index - 1 + i), &map[i], GST_MAP_READ));
    gsize stride = map[0].size / HEIGHT;
    for (int y = begin; y < end; y++) {
        gboolean is_mean = TRUE;
        for (gsize x = 0; x < stride; x++) {
            gsize at = (gsize)y * stride + x;
            int mean = (map[0].data[at] + map[2].data[at] + 1) / 2;
            is_mean = is_mean && map[1].data[at] == mean;
        }
        n += is_mean;
    }
    for (guint i = 0; i < 3; i++)
        gst_buffer_unmap(nth_buffer(f, index - 1 + i), &map[i]);
    return n;
}

/* The mask may change while frames flow; what it marks is kept, nothing else. */
GST_START_TEST(a_mask_is_kept)
{
    Fixture *f = start(__i__, "model=flow overlay=off");
    g_autofree char *path = write_mask("mask.pgm", WIDTH, 20);

    push_noise(f, 0, 0, 0, 0, 0);
    push_noise(f, 1, 0, 0, 0, 0);
    wait_for_buffers(f, 3);
    ck_assert_uint_eq(engine_stat(f, "with-overlays"), 0);
    ck_assert_int_lt(mean_rows(f, 1, 0, HEIGHT), 10);
    g_object_set(f->element, "overlay-mask", path, NULL);
    push_noise(f, 2, 0, 0, 0, 0);
    push_noise(f, 3, 0, 0, 0, 0);
    wait_for_buffers(f, 7);
    ck_assert_uint_ge(engine_stat(f, "with-overlays"), 1);
    ck_assert_int_eq(mean_rows(f, 5, 0, 20), 20);
    ck_assert_int_lt(mean_rows(f, 5, 20, HEIGHT), 10);
    g_object_set(f->element, "overlay-mask", "", NULL);
    push_noise(f, 4, 0, 0, 0, 0);
    push_noise(f, 5, 0, 0, 0, 0);
    wait_for_buffers(f, 11);
    ck_assert_int_lt(mean_rows(f, 9, 0, HEIGHT), 10);
    assert_warning(f, NULL);
    finish(f);
    fixture_free(f);
    g_remove(path);
}
GST_END_TEST

/* Each says what was expected, what was found, and that frames go on without. */
GST_START_TEST(bad_masks_are_warned_of)
{
    Fixture *f = start(__i__, "model=flow overlay=off");
    g_autofree char *path = write_mask("wide.pgm", 80, 20);
    g_autofree char *text = g_build_filename(g_get_tmp_dir(), "text.pgm", NULL);
    const struct {
        const char *path, *text;
    } cases[] = {
        {path, "expected a picture of the video's size, 64×48, found one of 80×48"},
        {text, "expected an 8-bit PGM file, which begins with \"P5\""},
        {"/no/such/file.pgm",
         "overlay-mask \"/no/such/file.pgm\": cannot open it: No such"},
        {"/dev/zero", "expected a file, found something else"},
        {g_get_tmp_dir(), "expected a file, found something else"},
    };
    guint number = 0;

    ck_assert(g_file_set_contents(text, "P2 64 48 255", -1, NULL));
    push_noise(f, number++, 0, 0, 0, 0);
    for (guint i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_object_set(f->element, "overlay-mask", cases[i].path, NULL);
        push_noise(f, number++, 0, 0, 0, 0);
        wait_for_buffers(f, 2 * number - 1);
        assert_warning(f, cases[i].text);
        assert_warning(f, NULL);
    }
    ck_assert_uint_eq(engine_stat(f, "with-overlays"), 0);
    /* It is right for other caps. */
    g_object_set(f->element, "overlay-mask", path, NULL);
    fixture_set_caps(f, WIDER, NULL);
    push_noise(f, number++, 0, 0, 0, 0);
    push_noise(f, number++, 0, 0, 0, 0);
    finish(f);
    assert_warning(f, NULL);
    ck_assert_uint_eq(engine_stat(f, "with-overlays"), 1);
    fixture_free(f);
    g_remove(path);
    g_remove(text);
}
GST_END_TEST

/* A region of either frame is kept in the pictures next to it; other kinds of regions
 * mean nothing. */
GST_START_TEST(regions_are_kept)
{
    Fixture *f = start(__i__, "model=flow overlay=off");

    push_noise(f, 0, 0, 0, 0, 0);
    push_noise(f, 1, 0, 8, WIDTH, 16);
    push_noise(f, 2, 0, 0, 0, 0);
    push_noise(f, 3, 0, 0, 0, 0);
    wait_for_buffers(f, 7);
    ck_assert_int_eq(mean_rows(f, 1, 8, 24), 16);
    ck_assert_int_lt(mean_rows(f, 1, 24, HEIGHT), 8);
    ck_assert_int_eq(mean_rows(f, 3, 8, 24), 16);
    ck_assert_int_lt(mean_rows(f, 5, 0, HEIGHT), 8);
    ck_assert_uint_eq(engine_stat(f, "with-overlays"), 2);
    finish(f);
    fixture_free(f);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("overlay");
    TCase *tcase = tcase_create("overlay");

    tcase_add_loop_test(tcase, a_mask_is_kept, 0, N_MODES);
    tcase_add_loop_test(tcase, bad_masks_are_warned_of, 0, N_MODES);
    tcase_add_loop_test(tcase, regions_are_kept, 0, N_MODES);
    suite_add_tcase(suite, tcase);
    return element_main(argc, argv, suite);
}
