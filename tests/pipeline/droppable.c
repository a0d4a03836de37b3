/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The originals can be had back: two branches of one source, one of them through the
 * element and a filter that drops what may be dropped, give the same frames. */
#include <gst/app/gstappsink.h>
#include <gst/check/gstcheck.h>

#define PATIENCE (60 * GST_SECOND)
#define N_FRAMES 30

static const struct {
    const char *source, *options;
} cases[] = {
    {"videotestsrc pattern=ball", ""},
    {"videotestsrc pattern=ball", "multiplier=5 scene-threshold=0"},
    {"videotestsrc pattern=smpte", ""},             /* identical but for its noise */
    {"videotestsrc pattern=black", "multiplier=3"}, /* identical */
    {"videotestsrc pattern=blink", "scene-mode=nearest"}, /* nothing in common */
};
static const char *const in_flight[] = {"0", "2"};

static GstSample *pull(GstElement *pipeline, const char *name)
{
    g_autoptr(GstElement) sink = gst_bin_get_by_name(GST_BIN(pipeline), name);

    return gst_app_sink_try_pull_sample(GST_APP_SINK(sink), PATIENCE);
}

static void check_equal(GstSample *a, GstSample *b)
{
    GstBuffer *first = gst_sample_get_buffer(a), *second = gst_sample_get_buffer(b);
    GstMapInfo map;

    ck_assert_uint_eq(GST_BUFFER_PTS(first), GST_BUFFER_PTS(second));
    ck_assert_uint_eq(gst_buffer_get_size(first), gst_buffer_get_size(second));
    ck_assert(gst_buffer_map(second, &map, GST_MAP_READ));
    ck_assert_int_eq(gst_buffer_memcmp(first, 0, map.data, map.size), 0);
    gst_buffer_unmap(second, &map);
}

GST_START_TEST(dropping_gives_the_originals_back)
{
    const int which = __i__ / (int)G_N_ELEMENTS(in_flight);
    g_autofree char *line = g_strdup_printf(
        "%s num-buffers=%d ! video/x-raw,format=I420,width=64,height=48,framerate=25/1 ! "
        "tee name=t ! queue max-size-buffers=0 ! appsink name=wanted sync=false "
        "t. ! queue ! vfiinterp model=blend mark-droppable=true max-in-flight=%s %s ! "
        "identity drop-buffer-flags=droppable ! appsink name=found sync=false",
        cases[which].source, N_FRAMES, in_flight[__i__ % (int)G_N_ELEMENTS(in_flight)],
        cases[which].options);
    g_autoptr(GError) error = NULL;
    GstElement *pipeline = gst_parse_launch(line, &error);

    ck_assert_msg(error == NULL, "%s", error != NULL ? error->message : "");
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    for (int i = 0; i < N_FRAMES; i++) {
        g_autoptr(GstSample) wanted = pull(pipeline, "wanted");
        g_autoptr(GstSample) found = pull(pipeline, "found");
        ck_assert(wanted != NULL && found != NULL);
        check_equal(wanted, found);
    }
    ck_assert(pull(pipeline, "found") == NULL);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    gst_object_unref(pipeline);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("pipeline-droppable");
    TCase *tcase = tcase_create("droppable");
    SRunner *runner;
    int failed;

    gst_check_init(&argc, &argv);
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, dropping_gives_the_originals_back, 0,
                        (int)(G_N_ELEMENTS(cases) * G_N_ELEMENTS(in_flight)));
    runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
