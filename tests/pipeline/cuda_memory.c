/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames that stay on the device: what is made of them, what is copied, which memory they
 * are in. */
#include <glib/gstdio.h>

#include <string.h>

#include "../engine/deterministic_weights.h"
#include "cuda_pipeline.h"

/* The same frames interpolated on the device, where they stay, and on the CPU. */
static void check_same_as_cpu(const char *from, const char *options, int most)
{
    g_autofree char *on_device = g_strdup_printf(
        "%s" UPLOAD "vfiinterp device=cuda %s" DOWNLOAD SINK, from, options);
    g_autofree char *on_cpu =
        g_strdup_printf("%s vfiinterp device=cpu %s" SINK, from, options);
    g_autoptr(GPtrArray) found = collect(on_device);
    g_autoptr(GPtrArray) wanted = collect(on_cpu);

    check_alike(on_device, found, wanted, most);
}

/* ---- results ----------------------------------------------------------------------- */

static const char *const formats[] = {"NV12", "I420",    "P010_10LE", "I420_10LE", "Y444",
                                      "RGBA", "BGRA",    "RGBx",      "BGRx",      "ARGB",
                                      "ABGR", "P016_LE", "Y444_16LE"};
static const struct {
    int width, height;
    const char *options;
} cases[] = {
    {66, 50, "model=blend max-in-flight=0"},
    {65, 51, "model=blend max-in-flight=2 multiplier=3"},
};

GST_START_TEST(every_format_is_blended_as_on_the_cpu)
{
    int which = __i__ % (int)G_N_ELEMENTS(cases);
    g_autofree char *from = source("ball", 4, formats[__i__ / (int)G_N_ELEMENTS(cases)],
                                   cases[which].width, cases[which].height);

    check_same_as_cpu(from, cases[which].options, 0);
}
GST_END_TEST

/* Frames that are copied to the device and those that lie there give the same. */
GST_START_TEST(a_network_sees_the_same_frames)
{
    g_autofree char *path = deterministic_checkpoint("rife_v4_0", NULL);
    g_autofree char *from = source("ball", 3, formats[__i__], 64, 64);
    g_autofree char *element = g_strdup_printf("vfiinterp device=cuda model=%s", path);
    g_autofree char *there =
        g_strdup_printf("%s" UPLOAD "%s" DOWNLOAD SINK, from, element);
    g_autofree char *copied = g_strdup_printf("%s %s" SINK, from, element);
    g_autoptr(GPtrArray) found = collect(there);
    g_autoptr(GPtrArray) wanted = collect(copied);

    ck_assert_uint_eq(wanted->len, 6);
    check_alike(there, found, wanted, 0);
    ck_assert_int_gt(difference(wanted->pdata[0], wanted->pdata[1]), 0);
    g_unlink(path);
}
GST_END_TEST

GST_START_TEST(a_network_in_f32_gives_the_cpus_pictures)
{
    g_autofree char *path = deterministic_checkpoint("rife_v4_0", NULL);
    g_autofree char *from = source("ball", 3, formats[__i__], 64, 64);
    g_autofree char *options =
        g_strdup_printf("model=%s precision=f32 feature-storage=f32 threads=2", path);

    check_same_as_cpu(from, options, 1); /* of rounding */
    g_unlink(path);
}
GST_END_TEST

static const char *const qualities[] = {"fast", "medium", "best"};

/* Nearly: of two vectors that cost the same within rounding either may be taken. */
GST_START_TEST(motion_is_found_as_on_the_cpu)
{
    static const char *const of_bytes[] = {"NV12", "I420", "RGBA"};
    g_autofree char *from = source("ball", 4, of_bytes[__i__], 130, 98);
    g_autofree char *options = g_strdup_printf(
        "model=flow model-options=options,quality=%s multiplier=3", qualities[__i__]);

    check_same_as_cpu(from, options, 3);
}
GST_END_TEST

GST_START_TEST(cuts_and_repeats_are_seen)
{
    static const char *const patterns[] = {"blink", "black", "ball", "snow"};
    g_autofree char *from = source(patterns[__i__], 6, "NV12", 64, 48);
    g_autofree char *repeating =
        g_strdup_printf("%s videorate ! video/x-raw,framerate=45/1 ! ", from);

    check_same_as_cpu(from, "model=blend", 0);
    check_same_as_cpu(from, "model=blend scene-mode=duplicate", 0);
    check_same_as_cpu(repeating, "model=blend duplicate-mode=replace", 0);
}
GST_END_TEST

/* ---- copies ------------------------------------------------------------------------ */

/* What goes over the bus while a line runs. */
static VfiSimulatedCounters copied_by(const char *line)
{
    VfiSimulatedCounters before = counters(), after;

    run_to_end(line);
    after = counters();
    after.host_to_device_bytes -= before.host_to_device_bytes;
    after.device_to_host_bytes -= before.device_to_host_bytes;
    after.device_to_device_bytes -= before.device_to_device_bytes;
    return after;
}

/* What the device is asked about a pair is answered in a few bytes; a signature has 16
 * KiB. */
static const struct {
    const char *options;
    guint64 max_back; /* bytes a frame */
} copies[] = {
    {"model=blend scene-threshold=0", 64},
    {"model=blend scene-threshold=0 max-in-flight=0 multiplier=4", 64},
    {"model=blend", 17000},
    {"model=blend duplicate-mode=replace", 17000},
    {"model=flow scene-threshold=0", 64},
    {"model=flow scene-threshold=0 max-in-flight=0 multiplier=4", 64},
    {"model=blend multiplier=1", 0},
    {"model=blend bypass-pixels=1", 0},
    {"model=blend skip-pairs=0-100 scene-threshold=0", 0},
};

#define N_COPIED 10

GST_START_TEST(no_picture_leaves_the_device)
{
    g_autofree char *from = source("ball", N_COPIED, "NV12", 320, 240);
    g_autofree char *without = g_strdup_printf("%s" UPLOAD "fakesink", from);
    g_autofree char *with = g_strdup_printf(
        "%s" UPLOAD "vfiinterp device=cuda %s ! fakesink", from, copies[__i__].options);
    VfiSimulatedCounters wanted = copied_by(without), found = copied_by(with);

    ck_assert_uint_eq(found.host_to_device_bytes, wanted.host_to_device_bytes);
    ck_assert_uint_eq(wanted.device_to_host_bytes, 0);
    ck_assert_uint_le(found.device_to_host_bytes, N_COPIED * copies[__i__].max_back);
}
GST_END_TEST

/* Its session is built aside, and copies are shown until it is there. */
GST_START_TEST(a_live_stream_stays_on_the_device)
{
    g_autofree char *path = deterministic_checkpoint("rife_v4_0", NULL);
    g_autofree char *line = g_strdup_printf(
        "videotestsrc is-live=true pattern=ball num-buffers=8 ! video/x-raw,format=NV12,"
        "width=320,height=240,framerate=25/1 ! " UPLOAD
        "vfiinterp device=cuda model=%s scene-threshold=0 ! " IN_CUDA SINK,
        path);
    g_autoptr(GPtrArray) samples = collect(line);

    ck_assert_uint_ge(samples->len, 8);
    for (guint i = 0; i < samples->len; i++) {
        GstBuffer *buffer = gst_sample_get_buffer(samples->pdata[i]);
        ck_assert(
            gst_memory_is_type(gst_buffer_peek_memory(buffer, 0), "gst.cuda.memory"));
    }
    /* lower rungs are rehearsed with pictures of their own, in the host's memory */
    ck_assert_uint_lt(counters().device_to_host_bytes, 4 * 320 * 240 * 3 / 2);
    g_unlink(path);
}
GST_END_TEST

/* ---- buffers ----------------------------------------------------------------------- */

typedef struct {
    GPtrArray *originals; /* GstMemory */
    guint n_same, n_made;
    gsize pool_bytes;
} Watch;

static GstPadProbeReturn note_original(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Watch *watch = data;

    (void)pad;
    g_ptr_array_add(watch->originals,
                    gst_buffer_get_memory(GST_PAD_PROBE_INFO_BUFFER(info), 0));
    return GST_PAD_PROBE_OK;
}

static GstPadProbeReturn note_output(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    Watch *watch = data;
    GstBuffer *buffer = GST_PAD_PROBE_INFO_BUFFER(info);
    GstMemory *memory = gst_buffer_peek_memory(buffer, 0);
    g_autoptr(GstElement) element = gst_pad_get_parent_element(pad);
    g_autoptr(GstStructure) stats = NULL;
    guint64 bytes = 0;

    ck_assert(gst_memory_is_type(memory, "gst.cuda.memory"));
    ck_assert(gst_buffer_get_video_meta(buffer) != NULL);
    if (g_ptr_array_find(watch->originals, memory, NULL)) {
        watch->n_same++;
    } else {
        watch->n_made++;
        ck_assert(buffer->pool != NULL);
    }
    g_object_get(element, "stats", &stats, NULL);
    gst_structure_get_uint64(stats, "pool-bytes", &bytes);
    watch->pool_bytes = MAX(watch->pool_bytes, bytes);
    return GST_PAD_PROBE_OK;
}

static void watch_pad(GstElement *element, const char *name, GstPadProbeCallback probe,
                      Watch *watch)
{
    g_autoptr(GstPad) pad = gst_element_get_static_pad(element, name);

    gst_pad_add_probe(pad, GST_PAD_PROBE_TYPE_BUFFER, probe, watch, NULL);
}

GST_START_TEST(originals_pass_and_pictures_are_made_in_a_pool)
{
    g_autofree char *from = source("ball", 5, "I420", 64, 48);
    g_autofree char *line = g_strdup_printf(
        "%s" UPLOAD "vfiinterp name=v device=cuda model=blend ! " IN_CUDA " ! fakesink",
        from);
    GstElement *pipeline = parse(line);
    g_autoptr(GstElement) element = gst_bin_get_by_name(GST_BIN(pipeline), "v");
    Watch watch = {.originals =
                       g_ptr_array_new_with_free_func((GDestroyNotify)gst_memory_unref)};
    g_autoptr(GError) error = NULL;

    watch_pad(element, "sink", note_original, &watch);
    watch_pad(element, "src", note_output, &watch);
    set_state(pipeline, GST_STATE_PLAYING);
    error = wait_for_end(pipeline);
    ck_assert(error == NULL);
    ck_assert_uint_eq(watch.originals->len, 5);
    ck_assert_uint_eq(watch.n_same, 6); /* the last one twice */
    ck_assert_uint_eq(watch.n_made, 4);
    ck_assert_uint_ge(watch.pool_bytes, 64 * 48 * 3 / 2);
    set_state(pipeline, GST_STATE_NULL);
    g_ptr_array_unref(watch.originals);
    gst_object_unref(element);
    element = NULL;
    gst_object_unref(pipeline);
}
GST_END_TEST

GST_START_TEST(a_layout_without_meta_is_the_memorys)
{
    static const char *const with_chroma[] = {"NV12", "I420", "P010_10LE"};
    g_autofree char *from = source("ball", 4, with_chroma[__i__], 66, 50);
    g_autoptr(GPtrArray) frames = uploaded(from);
    g_autoptr(GPtrArray) wanted = on_the_cpu(from);
    g_autoptr(GPtrArray) found = NULL;
    Fed fed = fed_new(DOWNLOAD SINK);

    feed(&fed, frames, TRUE);
    fed_end(&fed);
    found = collect_from(fed.pipeline);
    ck_assert_uint_eq(found->len, wanted->len);
    for (guint i = 1; i < found->len - 1; i += 2) /* originals leave as they came */
        ck_assert_int_eq(difference(found->pdata[i], wanted->pdata[i]), 0);
    fed_free(&fed);
}
GST_END_TEST

/* An appsink answers when the application has taken all. */
static GstPadProbeReturn keep_from_sink(GstPad *pad, GstPadProbeInfo *info, gpointer data)
{
    (void)pad;
    (void)data;
    return GST_QUERY_TYPE(GST_PAD_PROBE_INFO_QUERY(info)) == GST_QUERY_DRAIN
               ? GST_PAD_PROBE_DROP
               : GST_PAD_PROBE_OK;
}

/* Upstream wants its buffers back: what is held of them is copied on the device. */
GST_START_TEST(a_drained_frame_stays_on_the_device)
{
    g_autofree char *from = source("ball", 3, "I420", 320, 240);
    g_autoptr(GPtrArray) frames = uploaded(from);
    g_autoptr(GPtrArray) wanted = on_the_cpu(from);
    g_autoptr(GPtrArray) found = NULL;
    Fed fed = fed_new("scene-threshold=0 ! " IN_CUDA SINK);
    g_autoptr(GstElement) element = gst_bin_get_by_name(GST_BIN(fed.pipeline), "v");
    g_autoptr(GstPad) pad = gst_element_get_static_pad(element, "sink");
    g_autoptr(GstPad) src = gst_element_get_static_pad(element, "src");
    guint64 before = counters().device_to_host_bytes;

    gst_pad_add_probe(src, GST_PAD_PROBE_TYPE_QUERY_DOWNSTREAM, keep_from_sink, NULL,
                      NULL);
    for (guint i = 0; i < frames->len; i++) {
        g_autoptr(GPtrArray) one = g_ptr_array_new();
        g_autoptr(GstQuery) query = gst_query_new_drain();
        guint64 in = 0;
        g_ptr_array_add(one, frames->pdata[i]);
        feed(&fed, one, FALSE);
        while (in <= i) {
            g_thread_yield();
            g_object_get(element, "in", &in, NULL);
        }
        gst_pad_query(pad, query);
    }
    fed_end(&fed);
    found = collect_from(fed.pipeline);
    ck_assert_uint_lt(counters().device_to_host_bytes - before, 1000);
    ck_assert_uint_ge(counters().device_to_device_bytes, 3 * 320 * 240 * 3 / 2);
    gst_clear_object(&src);
    check_alike("drained", found, wanted, 0);
    gst_clear_object(&pad);
    gst_clear_object(&element);
    fed_free(&fed);
}
GST_END_TEST

GST_START_TEST(memory_may_change_between_two_caps)
{
    g_autofree char *from = source("ball", 3, "NV12", 64, 48);
    g_autofree char *plain = g_strdup_printf("%s identity" SINK, from);
    g_autoptr(GPtrArray) frames = uploaded(from), in_host = collect(plain);
    g_autoptr(GPtrArray) wanted = on_the_cpu(from);
    g_autoptr(GPtrArray) found = NULL;
    Fed fed = fed_new(DOWNLOAD SINK);

    for (int turn = 0; turn < 4; turn++)
        feed(&fed, turn % 2 == 0 ? frames : in_host, FALSE);
    fed_end(&fed);
    found = collect_from(fed.pipeline);
    ck_assert_uint_eq(found->len, 4 * wanted->len);
    for (guint i = 0; i < found->len; i++)
        ck_assert_int_eq(difference(found->pdata[i], wanted->pdata[i % wanted->len]), 0);
    fed_free(&fed);
}
GST_END_TEST

GST_START_TEST(host_memory_under_caps_of_cuda_is_an_error)
{
    g_autofree char *from = source("ball", 3, "NV12", 64, 48);
    g_autofree char *plain = g_strdup_printf("%s identity" SINK, from);
    g_autoptr(GPtrArray) in_host = collect(plain);
    g_autoptr(GPtrArray) wrong = g_ptr_array_new_with_free_func(unref_sample);
    g_autoptr(GError) error = NULL;
    Fed fed = fed_new(" ! fakesink");
    g_autoptr(GstCaps) caps = gst_caps_copy(gst_sample_get_caps(in_host->pdata[0]));

    gst_caps_set_features_simple(caps,
                                 gst_caps_features_from_string("memory:CUDAMemory"));
    g_ptr_array_add(wrong, gst_sample_new(gst_sample_get_buffer(in_host->pdata[0]), caps,
                                          NULL, NULL));
    feed(&fed, wrong, FALSE);
    error = wait_for_end(fed.pipeline);
    ck_assert(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ));
    fed_free(&fed);
}
GST_END_TEST

/* What leads out of the device's memory: a meta, or where there is none the caps. */
GST_START_TEST(frames_beyond_their_memory_are_an_error)
{
    const gboolean bare = __i__ == 3;
    g_autofree char *from = source("ball", 2, "NV12", 64, 48);
    g_autoptr(GPtrArray) frames = uploaded(from);
    g_autoptr(GPtrArray) wrong = g_ptr_array_new_with_free_func(unref_sample);
    g_autoptr(GstCaps) caps = gst_caps_copy(gst_sample_get_caps(frames->pdata[0]));
    g_autoptr(GstBuffer) buffer =
        gst_buffer_copy(gst_sample_get_buffer(frames->pdata[0]));
    GstVideoMeta *meta = gst_buffer_get_video_meta(buffer);
    g_autoptr(GError) error = NULL;
    Fed fed = fed_new(" ! fakesink");

    ck_assert(meta != NULL);
    if (__i__ == 0)
        meta->offset[1] += 40000;
    else if (__i__ == 1)
        meta->stride[0] *= 4;
    else if (__i__ == 2)
        meta->n_planes = 1;
    if (bare)
        gst_caps_set_simple(caps, "width", G_TYPE_INT, 2048, NULL);
    g_ptr_array_add(wrong, gst_sample_new(buffer, caps, NULL, NULL));
    feed(&fed, wrong, bare);
    error = wait_for_end(fed.pipeline);
    ck_assert(g_error_matches(error, GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_READ));
    ck_assert_msg(strstr(error->message, "expected ") != NULL, "%s", error->message);
    fed_free(&fed);
}
GST_END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, every_format_is_blended_as_on_the_cpu, 0,
                        (int)(G_N_ELEMENTS(formats) * G_N_ELEMENTS(cases)));
    tcase_add_loop_test(tcase, a_network_sees_the_same_frames, 0, 3);
    tcase_add_loop_test(tcase, a_network_in_f32_gives_the_cpus_pictures, 0, 2);
    tcase_add_loop_test(tcase, motion_is_found_as_on_the_cpu, 0, G_N_ELEMENTS(qualities));
    tcase_add_loop_test(tcase, cuts_and_repeats_are_seen, 0, 4);
    tcase_add_loop_test(tcase, no_picture_leaves_the_device, 0,
                        (int)G_N_ELEMENTS(copies));
    tcase_add_test(tcase, a_live_stream_stays_on_the_device);
    tcase_add_test(tcase, originals_pass_and_pictures_are_made_in_a_pool);
    tcase_add_loop_test(tcase, a_layout_without_meta_is_the_memorys, 0, 3);
    tcase_add_test(tcase, a_drained_frame_stays_on_the_device);
    tcase_add_test(tcase, memory_may_change_between_two_caps);
    tcase_add_test(tcase, host_memory_under_caps_of_cuda_is_an_error);
    tcase_add_loop_test(tcase, frames_beyond_their_memory_are_an_error, 0, 4);
}

int main(int argc, char **argv)
{
    return cuda_main(argc, argv, add_tests);
}
