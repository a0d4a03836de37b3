/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models that need no file in the element: what `auto` chooses and says, which quality of
 * `flow` runs, also beside a network, and its pictures in both in-flight modes. */
#include <stdbool.h>
#include <string.h>

#include <glib/gstdio.h>

#include "../engine/deterministic_weights.h"
#include "fixture.h"

#define MS GST_MSECOND
#define CAPS "video/x-raw,format=I420,width=96,height=64,framerate=20/1"

/* A folder that is the search path, but for the system's. */
static char *new_search_path(void)
{
    char *folder = g_dir_make_tmp("vfi-element-XXXXXX", NULL);

    ck_assert(folder != NULL);
    g_setenv("VFI_MODEL_PATH", folder, TRUE);
    g_setenv("XDG_DATA_HOME", folder, TRUE);
    return folder;
}

/* The text of the only INFO message that was posted since the last call. */
static char *only_info(Fixture *f)
{
    g_autoptr(GstMessage) message = gst_bus_pop_filtered(f->bus, GST_MESSAGE_INFO);
    g_autoptr(GstMessage) second = gst_bus_pop_filtered(f->bus, GST_MESSAGE_INFO);
    g_autoptr(GError) info = NULL;

    ck_assert_msg(message != NULL, "no INFO message");
    ck_assert_msg(second == NULL, "more than one INFO message");
    gst_message_parse_info(message, &info, NULL);
    return g_strdup(info->message);
}

static void assert_no_info(Fixture *f)
{
    g_autoptr(GstMessage) message = gst_bus_pop_filtered(f->bus, GST_MESSAGE_INFO);

    ck_assert(message == NULL);
}

static void assert_stat(Fixture *f, const char *name, const char *expected)
{
    GstStructure *stats = NULL;

    g_object_get(f->element, "stats", &stats, NULL);
    const char *found = gst_structure_get_string(stats, name);
    ck_assert_msg(g_strcmp0(found, expected) == 0, "%s is %s instead of %s", name, found,
                  expected);
    gst_structure_free(stats);
}

static void run(Fixture *f)
{
    fixture_set_caps(f, CAPS, NULL);
    push_frames(f, 3, 5);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 6);
}

GST_START_TEST(auto_without_a_rife_is_flow_and_says_so_once)
{
    static const char *const parts[] = {"flow", "tools/get-models", "VFI_MODEL_PATH"};
    g_autofree char *folder = new_search_path();
    Fixture *f = fixture_new(in_flight_mode(__i__), "model=auto");
    g_autofree char *text = only_info(f);

    ck_assert_msg(strstr(text, folder) != NULL, "%s", text);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        ck_assert_msg(strstr(text, parts[i]) != NULL, "no %s in: %s", parts[i], text);
    run(f);
    assert_stat(f, "model", "auto");
    assert_stat(f, "family", "flow");
    /* The model stays, so there is nothing new to say. */
    ck_assert_int_ne(gst_element_set_state(f->element, GST_STATE_READY),
                     GST_STATE_CHANGE_FAILURE);
    ck_assert_int_ne(gst_element_set_state(f->element, GST_STATE_PLAYING),
                     GST_STATE_CHANGE_FAILURE);
    assert_no_info(f);
    fixture_free(f);
    g_rmdir(folder);
}
GST_END_TEST

GST_START_TEST(auto_is_a_rife_that_is_found)
{
    g_autofree char *folder = new_search_path();
    g_autofree char *checkpoint = deterministic_checkpoint("rife_v4_0", NULL);
    g_autofree char *path = g_build_filename(folder, "rife-4.0.safetensors", NULL);
    g_autofree char *bytes = NULL;
    gsize length;

    ck_assert(g_file_get_contents(checkpoint, &bytes, &length, NULL));
    ck_assert(g_file_set_contents(path, bytes, (gssize)length, NULL));
    Fixture *f = fixture_new(in_flight_mode(__i__), "model=auto");
    g_autofree char *text = only_info(f);
    ck_assert_msg(strstr(text, "rife 4.0") != NULL && strstr(text, path) != NULL, "%s",
                  text);
    assert_stat(f, "family", "rife");
    assert_stat(f, "model-path", path);
    fixture_free(f);
    g_unlink(checkpoint);
    g_unlink(path);
    g_rmdir(folder);
}
GST_END_TEST

GST_START_TEST(models_that_are_named_say_nothing)
{
    g_autofree char *folder = new_search_path();
    Fixture *f = fixture_new(in_flight_mode(__i__), "model=flow");

    run(f);
    assert_no_info(f);
    assert_stat(f, "model", "flow");
    fixture_free(f);
    g_rmdir(folder);
}
GST_END_TEST

static const struct {
    const char *options;
    gboolean live;
    const char *quality;
} qualities[] = {
    {"", TRUE, "fast"},
    {"", FALSE, "medium"},
    {"model-options=options,quality=auto", TRUE, "fast"},
    {"model-options=options,quality=fast", FALSE, "fast"},
    {"model-options=options,quality=medium", TRUE, "medium"},
    {"model-options=options,quality=best", TRUE, "best"},
};

GST_START_TEST(quality_follows_options_and_liveness)
{
    g_autofree char *properties =
        g_strdup_printf("model=flow %s", qualities[__i__].options);
    Fixture *f = fixture_new(0, properties);

    gst_harness_set_live(f->harness, qualities[__i__].live);
    run(f);
    assert_stat(f, "quality", qualities[__i__].quality);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(other_models_have_no_quality)
{
    Fixture *f = fixture_new(0, "model=blend");

    run(f);
    assert_stat(f, "quality", NULL);
    fixture_free(f);
}
GST_END_TEST

/* Of `flow` that a network is polished by. */
GST_START_TEST(polished_networks_have_a_quality)
{
    static const char *const options[] = {
        "", "model-options=options,polish=true",
        "model-options=options,polish=true,bisect-depth=3"};
    static const char *const expected[] = {NULL, "medium", "medium"};
    g_autofree char *path = deterministic_checkpoint("rife_v3_6", NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(options); i++) {
        g_autofree char *properties =
            g_strdup_printf("threads=1 model=%s %s", path, options[i]);
        Fixture *f = fixture_new(in_flight_mode(__i__), properties);
        gst_harness_set_live(f->harness, FALSE);
        run(f);
        assert_stat(f, "family", "rife");
        assert_stat(f, "quality", expected[i]);
        fixture_free(f);
    }
    g_unlink(path);
}
GST_END_TEST

static const char *const bad_options[] = {
    "options,quality=slow",
    "options,quality=3",
    "options,ensemble=true",
};

GST_START_TEST(wrong_options_are_told_the_right_ones)
{
    GstElement *element = gst_element_factory_make("vfiinterp", NULL);
    g_autoptr(GstBus) bus = gst_bus_new();
    g_autoptr(GError) error = NULL;

    gst_object_ref_sink(element);
    gst_element_set_bus(element, bus);
    g_object_set(element, "model", "flow", NULL);
    gst_util_set_object_arg(G_OBJECT(element), "model-options", bad_options[__i__]);
    ck_assert_int_eq(gst_element_set_state(element, GST_STATE_READY),
                     GST_STATE_CHANGE_FAILURE);
    g_autoptr(GstMessage) message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
    gst_message_parse_error(message, &error, NULL);
    ck_assert(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
    ck_assert_msg(strstr(error->message, "quality (auto|fast|medium|best") != NULL, "%s",
                  error->message);
    gst_element_set_state(element, GST_STATE_NULL);
    gst_element_set_bus(element, NULL);
    gst_object_unref(element);
}
GST_END_TEST

/* A bright square that moves by 8 pixels a frame over a striped ground. */
static GstBuffer *moving_square(Fixture *f, int number)
{
    GstBuffer *buffer = flat_frame(f, 128, (guint64)number * 50 * MS, 50 * MS);
    GstVideoFrame frame;

    ck_assert(gst_video_frame_map(&frame, &f->info, buffer, GST_MAP_WRITE));
    for (int y = 0; y < 64; y++)
        for (int x = 0; x < 96; x++) {
            bool is_square =
                x >= 20 + 8 * number && x < 44 + 8 * number && y >= 20 && y < 44;
            guint8 *row = (guint8 *)GST_VIDEO_FRAME_PLANE_DATA(&frame, 0) +
                          y * GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0);
            row[x] = (guint8)(is_square ? 170 + (x * 5 + y * 3 - 40 * number) % 60
                                        : 40 + (x + 2 * y) % 30);
        }
    gst_video_frame_unmap(&frame);
    return buffer;
}

/* CRCs of all that a clip of four frames becomes. */
static void play_square(Fixture *f, guint32 crcs[16])
{
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(gst_harness_push(f->harness, moving_square(f, i)), GST_FLOW_OK);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 16);
    for (guint64 i = 0; i < 16; i++) {
        crcs[i] = picture_crc(&f->info, nth_buffer(f, i));
        if (i < 12)
            assert_times(nth_buffer(f, i), i * 12500 * GST_USECOND, 12500 * GST_USECOND);
    }
}

/* Queue and threads change nothing, nor does a flush in mid-stream. */
GST_START_TEST(modes_threads_and_seeks_change_no_bit)
{
    static const char *const properties[] = {"threads=1", "threads=2", "threads=5"};
    guint32 expected[16], found[16];
    GstSegment segment;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    for (size_t i = 0; i < G_N_ELEMENTS(properties); i++)
        for (int mode = 0; mode < N_MODES; mode++) {
            g_autofree char *all = g_strdup_printf(
                "model=flow multiplier=4 model-options=options,quality=%s %s",
                qualities[3 + __i__].quality, properties[i]);
            Fixture *f = fixture_new(in_flight_mode(mode), all);
            bool is_first = i == 0 && mode == 0;
            fixture_set_caps(f, CAPS, NULL);
            play_square(f, is_first ? expected : found);
            if (!is_first)
                ck_assert_int_eq(memcmp(found, expected, sizeof expected), 0);
            gst_harness_push_event(f->harness, gst_event_new_flush_start());
            gst_harness_push_event(f->harness, gst_event_new_flush_stop(TRUE));
            fixture_clear(f);
            gst_harness_push_event(f->harness, gst_event_new_segment(&segment));
            play_square(f, found);
            ck_assert_int_eq(memcmp(found, expected, sizeof expected), 0);
            ck_assert_uint_eq(engine_stat(f, "inferences"), 18);
            fixture_free(f);
        }
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-weightless");
    TCase *tcase = tcase_create("weightless");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, auto_without_a_rife_is_flow_and_says_so_once, 0, N_MODES);
    tcase_add_loop_test(tcase, auto_is_a_rife_that_is_found, 0, N_MODES);
    tcase_add_loop_test(tcase, models_that_are_named_say_nothing, 0, N_MODES);
    tcase_add_loop_test(tcase, quality_follows_options_and_liveness, 0,
                        (int)G_N_ELEMENTS(qualities));
    tcase_add_loop_test(tcase, modes_threads_and_seeks_change_no_bit, 0, 3);
    tcase_add_test(tcase, other_models_have_no_quality);
    tcase_add_loop_test(tcase, polished_networks_have_a_quality, 0, N_MODES);
    tcase_add_loop_test(tcase, wrong_options_are_told_the_right_ones, 0,
                        (int)G_N_ELEMENTS(bad_options));
    return element_main(argc, argv, suite);
}
