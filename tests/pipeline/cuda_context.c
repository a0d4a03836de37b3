/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Contexts of the device: sharing, life, and what happens without one or when one
 * fails. */
#include <gst/app/gstappsink.h>

#include "cuda_pipeline.h"

static gboolean has_cuda(const GstCaps *caps)
{
    for (guint i = 0; i < gst_caps_get_size(caps); i++)
        if (gst_caps_features_contains(gst_caps_get_features(caps, i),
                                       "memory:CUDAMemory"))
            return TRUE;
    return FALSE;
}

GST_START_TEST(the_pipeline_has_one_context)
{
    g_autofree char *from = source("ball", 5, "NV12", 64, 48);
    g_autofree char *line =
        g_strdup_printf("%s" UPLOAD "vfiinterp device=%s model=blend" DOWNLOAD SINK, from,
                        __i__ == 0 ? "cuda" : "auto");
    GstElement *pipeline = parse(line);
    g_autoptr(GPtrArray) samples = NULL;
    uint64_t before = counters().contexts_made; /* GStreamer's plugin tries one */

    ck_assert_uint_eq(counters().contexts, 0);
    set_state(pipeline, GST_STATE_PLAYING);
    samples = collect_from(pipeline);
    ck_assert_uint_eq(samples->len, 10);
    ck_assert_uint_eq(counters().contexts, 1);
    /* nor was there another one that was only asked */
    ck_assert_uint_eq(counters().contexts_made, before + 1);
    release(pipeline);
}
GST_END_TEST

/* Whoever asks for caps does not have the device started for nothing: the session takes
 * it over. */
GST_START_TEST(a_device_is_started_once)
{
    GstElement *pipeline = parse("videotestsrc num-buffers=3 name=in ! vfiinterp name=v "
                                 "device=cuda model=blend ! fakesink");
    g_autoptr(GstElement) in = gst_bin_get_by_name(GST_BIN(pipeline), "in");
    g_autoptr(GstElement) element = gst_bin_get_by_name(GST_BIN(pipeline), "v");
    g_autoptr(GstPad) pad = gst_element_get_static_pad(element, "sink");
    g_autoptr(GstCaps) offered = NULL;
    g_autoptr(GError) error = NULL;

    gst_element_set_locked_state(in, TRUE); /* no frames yet */
    set_state(pipeline, GST_STATE_PAUSED);
    uint64_t before = counters().contexts_made;
    offered = gst_pad_query_caps(pad, NULL);
    ck_assert(has_cuda(offered));
    ck_assert_uint_eq(counters().contexts_made, before + 1);
    set_state(pipeline, GST_STATE_PLAYING);
    gst_element_set_locked_state(in, FALSE);
    ck_assert(gst_element_sync_state_with_parent(in));
    error = wait_for_end(pipeline);
    ck_assert(error == NULL);
    ck_assert_uint_eq(counters().contexts_made, before + 1);
    gst_clear_object(&in);
    gst_clear_object(&element);
    gst_clear_object(&pad);
    release(pipeline);
    ck_assert_uint_eq(counters().contexts, 0);
}
GST_END_TEST

GST_START_TEST(frames_of_another_context_are_taken)
{
    g_autofree char *from = source("ball", 3, "NV12", 64, 48);
    g_autofree char *behind = g_strdup_printf("max-in-flight=%d" DOWNLOAD SINK, __i__);
    g_autoptr(GPtrArray) wanted = on_the_cpu(from);
    g_autoptr(GPtrArray) found = NULL;
    Fed fed = fed_new(behind);

    for (int turn = 0; turn < 2; turn++) {
        g_autoptr(GPtrArray) frames = uploaded(from);
        feed(&fed, frames, FALSE);
    }
    fed_end(&fed);
    found = collect_from(fed.pipeline);
    ck_assert_uint_eq(found->len, 2 * wanted->len);
    for (guint i = 0; i < found->len; i++)
        ck_assert_int_eq(difference(found->pdata[i], wanted->pdata[i % wanted->len]), 0);
    fed_free(&fed);
}
GST_END_TEST

/* Two pictures of each context, which see frames of their own only. */
GST_START_TEST(views_do_not_cross_contexts)
{
    g_autofree char *from = source("ball", 3, "NV12", 64, 48);
    g_autofree char *behind =
        g_strdup_printf("max-in-flight=%d model=sum-1-1" DOWNLOAD SINK, __i__);
    g_autoptr(GstStructure) stats = NULL;
    g_autoptr(GstElement) element = NULL;
    g_autoptr(GPtrArray) found = NULL;
    guint64 made = 0, edges = 0;
    Fed fed = fed_new(behind);

    for (int turn = 0; turn < 2; turn++) {
        g_autoptr(GPtrArray) frames = uploaded(from);
        feed(&fed, frames, FALSE);
    }
    fed_end(&fed);
    found = collect_from(fed.pipeline);
    ck_assert_uint_eq(found->len, 12);
    element = gst_bin_get_by_name(GST_BIN(fed.pipeline), "v");
    g_object_get(element, "stats", &stats, "interpolated", &made, NULL);
    ck_assert(gst_structure_get_uint64(stats, "edge-views", &edges));
    ck_assert_uint_eq(made, 4);
    ck_assert_uint_eq(edges, 4);
    fed_free(&fed);
}
GST_END_TEST

GST_START_TEST(cycles_leave_nothing_behind)
{
    g_autofree char *from = source("ball", 1000, "NV12", 64, 48);
    g_autofree char *line = g_strdup_printf(
        "%s" UPLOAD "vfiinterp name=v device=cuda model=blend" DOWNLOAD SINK, from);
    GstElement *pipeline = parse(line);
    VfiSimulatedCounters first = {0}, last;

    for (int i = 0; i < 8; i++) {
        g_autoptr(GstElement) sink = gst_bin_get_by_name(GST_BIN(pipeline), "sink");
        set_state(pipeline, GST_STATE_PLAYING);
        for (int frame = 0; frame < 3 + i; frame++) {
            g_autoptr(GstSample) sample =
                gst_app_sink_try_pull_sample(GST_APP_SINK(sink), PATIENCE);
            ck_assert(sample != NULL);
        }
        set_state(pipeline, i % 2 == 0 ? GST_STATE_NULL : GST_STATE_READY);
        set_state(pipeline, GST_STATE_NULL);
        last = counters();
        if (i == 0)
            first = last;
        ck_assert_uint_eq(last.allocations, first.allocations);
        ck_assert_uint_eq(last.pinned_allocations, first.pinned_allocations);
        ck_assert_uint_eq(last.contexts, first.contexts);
        ck_assert_uint_eq(last.streams, first.streams);
        ck_assert_uint_eq(last.events, first.events);
    }
    ck_assert_uint_eq(last.allocations, 0);
    gst_object_unref(pipeline);
    ck_assert_uint_eq(counters().contexts, 0);
}
GST_END_TEST

/* ---- without ----------------------------------------------------------------------- */

static gboolean offers_cuda(const char *device)
{
    GstElement *element = gst_element_factory_make("vfiinterp", NULL);
    g_autoptr(GstPad) pad = gst_element_get_static_pad(element, "sink");
    g_autoptr(GstCaps) offered = NULL;
    gboolean found;

    g_object_set(element, "device", device, NULL);
    offered = gst_pad_query_caps(pad, NULL);
    found = has_cuda(offered);
    gst_object_unref(element);
    return found;
}

GST_START_TEST(the_cpu_takes_no_cuda_memory)
{
    g_autofree char *from = source("ball", 3, "NV12", 64, 48);
    g_autofree char *chosen = g_strdup_printf(
        "%s cudaupload ! vfiinterp device=cpu model=blend ! fakesink", from);
    g_autofree char *forced =
        g_strdup_printf("%s" UPLOAD "vfiinterp device=cpu model=blend ! fakesink", from);
    g_autoptr(GError) error = NULL;

    ck_assert(offers_cuda("auto"));
    ck_assert(offers_cuda("cuda"));
    ck_assert(!offers_cuda("cpu"));
    run_to_end(chosen);
    gst_object_unref(gst_parse_launch(forced, &error));
    ck_assert(error != NULL);
}
GST_END_TEST

GST_START_TEST(without_a_driver_the_cpu_works)
{
    g_autofree char *from = source("ball", 3, "NV12", 64, 48);
    g_autofree char *line =
        g_strdup_printf("%s vfiinterp device=auto model=blend ! fakesink", from);

    vfi_simulated_set_no_driver(true);
    ck_assert(!offers_cuda("auto"));
    run_to_end(line);
}
GST_END_TEST

GST_START_TEST(without_cudnn_the_cpu_works)
{
    g_autofree char *from = source("ball", 3, "NV12", 64, 48);
    g_autofree char *line = g_strdup_printf(
        "%s cudaupload ! vfiinterp device=auto model=blend ! cudadownload ! fakesink",
        from);
    g_autofree char *forced =
        g_strdup_printf("%s" UPLOAD "vfiinterp device=auto model=blend ! fakesink", from);
    GstElement *pipeline;
    g_autoptr(GError) error = NULL;

    g_setenv("VFI_CUDNN_PATH", "/nonexistent", TRUE);
    run_to_end(line);
    pipeline = gst_parse_launch(forced, &error);
    ck_assert(g_error_matches(error, GST_PARSE_ERROR, GST_PARSE_ERROR_LINK));
    g_clear_object(&pipeline);
}
GST_END_TEST

/* ---- failures ---------------------------------------------------------------------- */

#define OUT_OF_RESOURCES 701 /* this launch only */
#define LAUNCH_FAILURE 719   /* the context is lost */

static const struct {
    int error;
    const char *on_error;
    guint min_made; /* of 9 */
    gboolean ends;  /* with an error */
    const char *way;
} failures[] = {
    {OUT_OF_RESOURCES, "duplicate", 5, FALSE, ""},
    {OUT_OF_RESOURCES, "duplicate", 5, FALSE, UPLOAD},
    {OUT_OF_RESOURCES, "error", 0, TRUE, ""},
    {LAUNCH_FAILURE, "duplicate", 0, FALSE, ""},
    {LAUNCH_FAILURE, "passthrough", 0, FALSE, ""},
    {LAUNCH_FAILURE, "error", 0, TRUE, ""},
};

GST_START_TEST(a_failing_device_follows_on_error)
{
    g_autofree char *from = source("ball", 10, "NV12", 64, 48);
    g_autofree char *line = g_strdup_printf(
        "%s %s vfiinterp name=v device=cuda model=blend scene-threshold=0 "
        "on-error=%s ! fakesink name=sink",
        from, failures[__i__].way, failures[__i__].on_error);
    GstElement *pipeline = parse(line);
    g_autoptr(GstElement) element = gst_bin_get_by_name(GST_BIN(pipeline), "v");
    g_autoptr(GError) error = NULL;
    guint64 out, made;

    vfi_simulated_fail_launch(6, failures[__i__].error);
    set_state(pipeline, GST_STATE_PLAYING);
    error = wait_for_end(pipeline);
    g_object_get(element, "out", &out, "interpolated", &made, NULL);
    ck_assert_int_eq(error != NULL, failures[__i__].ends);
    ck_assert_uint_ge(made, failures[__i__].min_made);
    /* a frame in CUDA memory that could not be compared is interpolated all the same */
    if (failures[__i__].way[0] == '\0')
        ck_assert_uint_lt(made, 9);
    if (!failures[__i__].ends)
        ck_assert_uint_ge(out, 10);
    gst_object_unref(element);
    element = NULL;
    release(pipeline);
}
GST_END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, the_pipeline_has_one_context, 0, 2);
    tcase_add_test(tcase, a_device_is_started_once);
    tcase_add_loop_test(tcase, frames_of_another_context_are_taken, 0, 3);
    tcase_add_loop_test(tcase, views_do_not_cross_contexts, 0, 3);
    tcase_add_test(tcase, cycles_leave_nothing_behind);
    tcase_add_test(tcase, the_cpu_takes_no_cuda_memory);
    tcase_add_test(tcase, without_a_driver_the_cpu_works);
    tcase_add_test(tcase, without_cudnn_the_cpu_works);
    tcase_add_loop_test(tcase, a_failing_device_follows_on_error, 0,
                        (int)G_N_ELEMENTS(failures));
}

int main(int argc, char **argv)
{
    return cuda_main(argc, argv, add_tests);
}
