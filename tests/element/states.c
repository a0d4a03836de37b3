/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* State changes, the model at READY, properties. */
#include "fixture.h"

#include <glib/gstdio.h>
#include <string.h>

#define MS GST_MSECOND
#define SMALL "video/x-raw,format=I420,width=16,height=16,framerate=20/1"
#define LARGE "video/x-raw,format=I420,width=3840,height=2160,framerate=20/1"

static void set_state(GstElement *element, GstState state)
{
    ck_assert_int_ne(gst_element_set_state(element, state), GST_STATE_CHANGE_FAILURE);
}

GST_START_TEST(up_and_down_with_data)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);

    for (int i = 0; i < 100; i++) {
        fixture_start(f, SMALL);
        push_frames(f, 3, i);
        finish(f);
        ck_assert_uint_eq(n_buffers(f), 6);
        fixture_clear(f);
        set_state(f->element, GST_STATE_NULL);
        set_state(f->element, GST_STATE_PLAYING);
        ck_assert_uint_eq(counter(f, "out"), 0);
    }
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(down_while_computing)
{
    Fixture *f = fixture_new(2, "multiplier=100");

    fixture_set_caps(f, LARGE, NULL);
    push_frames(f, 3, 20);
    wait_for_buffers(f, 2);
    set_state(f->element, GST_STATE_READY);
    ck_assert_uint_lt(counter(f, "interpolated"), 198);
    set_state(f->element, GST_STATE_PLAYING);
    fixture_clear(f);
    fixture_start(f, SMALL);
    push_frames(f, 1, 7);
    wait_for_buffers(f, 1);
    fixture_free(f);
}
GST_END_TEST

static GstElement *new_element(GstBus **bus)
{
    GstElement *element = gst_element_factory_make("vfiinterp", NULL);

    ck_assert(element != NULL);
    gst_object_ref_sink(element);
    *bus = gst_bus_new();
    gst_element_set_bus(element, *bus);
    return element;
}

static void free_element(GstElement *element, GstBus *bus)
{
    gst_element_set_state(element, GST_STATE_NULL);
    gst_element_set_bus(element, NULL);
    gst_object_unref(bus);
    gst_object_unref(element);
}

static GError *error_at_ready(GstElement *element, GstBus *bus)
{
    GstMessage *message;
    GError *error = NULL;

    ck_assert_int_eq(gst_element_set_state(element, GST_STATE_READY),
                     GST_STATE_CHANGE_FAILURE);
    message = gst_bus_pop_filtered(bus, GST_MESSAGE_ERROR);
    ck_assert_msg(message != NULL, "no error was posted");
    gst_message_parse_error(message, &error, NULL);
    gst_message_unref(message);
    return error;
}

GST_START_TEST(a_missing_model_fails_at_ready_and_can_be_mended)
{
    GstBus *bus;
    GstElement *element = new_element(&bus);
    g_autoptr(GError) error = NULL;

    g_setenv("VFI_MODEL_PATH", "/nonexistent/vfi-models", TRUE);
    g_object_set(element, "model", "no-such-model", NULL);
    error = error_at_ready(element, bus);
    ck_assert(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND));
    ck_assert_msg(strstr(error->message, "/nonexistent/vfi-models") != NULL, "%s",
                  error->message);
    g_object_set(element, "model", "blend", NULL);
    set_state(element, GST_STATE_PLAYING);
    free_element(element, bus);
}
GST_END_TEST

/* A file that is there but is no model: empty, garbage, cut off, a folder. */
static char *bad_file(int which, char **folder)
{
    static const char garbage[] = "PK\003\004 this is not a checkpoint at all";
    char *path;

    *folder = g_dir_make_tmp("vfi-element-XXXXXX", NULL);
    ck_assert(*folder != NULL);
    path = g_build_filename(*folder, "model.pkl", NULL);
    if (which == 3)
        ck_assert_int_eq(g_mkdir(path, 0700), 0);
    else
        ck_assert(g_file_set_contents(path, garbage,
                                      which == 0   ? 0
                                      : which == 1 ? (gssize)sizeof garbage - 1
                                                   : 4,
                                      NULL));
    return path;
}

GST_START_TEST(a_bad_file_fails_at_ready)
{
    GstBus *bus;
    GstElement *element = new_element(&bus);
    g_autofree char *folder = NULL;
    g_autofree char *path = bad_file(__i__, &folder);
    g_autoptr(GError) error = NULL;

    g_object_set(element, "model", path, NULL);
    error = error_at_ready(element, bus);
    ck_assert_int_eq(error->domain, GST_RESOURCE_ERROR);
    ck_assert_msg(strstr(error->message, path) != NULL, "%s", error->message);
    g_remove(path);
    g_rmdir(folder);
    free_element(element, bus);
}
GST_END_TEST

static const char *const bad_settings[][2] = {
    {"model-options", "options,no-such-option=3"},
    {"model-options", "options,x=(fraction)1/2"},
    {"device", "abacus"},
};

GST_START_TEST(bad_settings_fail_at_ready)
{
    GstBus *bus;
    GstElement *element = new_element(&bus);
    g_autoptr(GError) error = NULL;

    g_object_set(element, "model", "blend", NULL);
    gst_util_set_object_arg(G_OBJECT(element), bad_settings[__i__][0],
                            bad_settings[__i__][1]);
    error = error_at_ready(element, bus);
    ck_assert(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_SETTINGS));
    free_element(element, bus);
}
GST_END_TEST

GST_START_TEST(a_model_set_at_ready_is_used)
{
    GstBus *bus;
    GstElement *element = new_element(&bus);

    g_object_set(element, "model", "blend", NULL);
    set_state(element, GST_STATE_READY);
    g_object_set(element, "model", "/nonexistent/model.pkl", NULL);
    ck_assert_int_eq(gst_element_set_state(element, GST_STATE_PAUSED),
                     GST_STATE_CHANGE_FAILURE);
    free_element(element, bus);
}
GST_END_TEST

GST_START_TEST(stats_say_what_runs)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), "threads=1 device=cpu");
    GstStructure *stats = NULL;
    guint threads = 0;

    fixture_set_caps(f, SMALL, NULL);
    push_frames(f, 3, 5);
    finish(f);
    g_object_get(f->element, "stats", &stats, NULL);
    ck_assert_str_eq(gst_structure_get_string(stats, "model"), "blend");
    ck_assert_str_eq(gst_structure_get_string(stats, "family"), "blend");
    ck_assert_str_eq(gst_structure_get_string(stats, "device"), "cpu");
    ck_assert_str_eq(gst_structure_get_string(stats, "precision"), "f32");
    ck_assert(gst_structure_has_field_typed(stats, "variant", G_TYPE_STRING));
    ck_assert(gst_structure_has_field_typed(stats, "cpu-level", G_TYPE_STRING));
    ck_assert(gst_structure_has_field_typed(stats, "arena-bytes", G_TYPE_UINT64));
    ck_assert(gst_structure_get_uint(stats, "threads", &threads));
    ck_assert_uint_eq(threads, 1);
    ck_assert_uint_eq(engine_stat(f, "in"), 3);
    ck_assert_uint_eq(engine_stat(f, "out"), 6);
    ck_assert_uint_eq(engine_stat(f, "pairs"), 2);
    gst_structure_free(stats);
    fixture_free(f);
}
GST_END_TEST

/* Neither a GPU's libraries nor a sane backend path are needed to load. */
GST_START_TEST(loads_with_a_broken_backend_path)
{
    Fixture *f;

    g_setenv("VFI_BACKEND_PATH", "/nonexistent/vfi-cuda.so", TRUE);
    f = fixture_new(in_flight_mode(__i__), "device=auto");
    fixture_set_caps(f, SMALL, NULL);
    push_frames(f, 2, 5);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 4);
    fixture_free(f);
}
GST_END_TEST

GST_START_TEST(properties_read_back)
{
    GstBus *bus;
    GstElement *element = new_element(&bus);
    g_autofree char *model = NULL;
    g_autofree char *device = NULL;
    guint multiplier, threads;
    gint in_flight, tail, unsupported;
    gdouble scale;

    gst_util_set_object_arg(G_OBJECT(element), "tail", "hold");
    gst_util_set_object_arg(G_OBJECT(element), "unsupported", "passthrough");
    g_object_set(element, "model", "x", "multiplier", 7, "scale", 0.5, "device", "cpu",
                 "threads", 3, "max-in-flight", 4, NULL);
    g_object_get(element, "model", &model, "multiplier", &multiplier, "scale", &scale,
                 "device", &device, "threads", &threads, "max-in-flight", &in_flight,
                 "tail", &tail, "unsupported", &unsupported, NULL);
    ck_assert_str_eq(model, "x");
    ck_assert_str_eq(device, "cpu");
    ck_assert_uint_eq(multiplier, 7);
    ck_assert_uint_eq(threads, 3);
    ck_assert_int_eq(in_flight, 4);
    ck_assert_int_eq(tail, 1);
    ck_assert_int_eq(unsupported, 1);
    ck_assert(scale == 0.5);
    free_element(element, bus);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-states");
    TCase *tcase = tcase_create("states");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, up_and_down_with_data, 0, N_MODES);
    tcase_add_test(tcase, down_while_computing);
    tcase_add_test(tcase, a_missing_model_fails_at_ready_and_can_be_mended);
    tcase_add_loop_test(tcase, a_bad_file_fails_at_ready, 0, 4);
    tcase_add_loop_test(tcase, bad_settings_fail_at_ready, 0,
                        (int)G_N_ELEMENTS(bad_settings));
    tcase_add_test(tcase, a_model_set_at_ready_is_used);
    tcase_add_loop_test(tcase, stats_say_what_runs, 0, N_MODES);
    tcase_add_loop_test(tcase, loads_with_a_broken_backend_path, 0, N_MODES);
    tcase_add_test(tcase, properties_read_back);
    return element_main(argc, argv, suite);
}
