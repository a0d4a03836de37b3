/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between a decoder that exports a few surfaces in CUDA memory, as nvh264dec of GStreamer
 * 1.24 does, and an encoder that keeps some of them: nobody waits for ever, and what is
 * held back is copied on the device. */
#include "../element/surfaces.h"
#include "cuda_pipeline.h"

#define CAPS IN_CUDA ",format=%s,width=66,height=50,framerate=25/1"
#define N_FRAMES 24

/* Pictures of rehearsals, which nobody sees, are in the host's memory: one for each
 * session that the ladder may need, not one for each frame. */
#define REHEARSED_BYTES (3 * 66 * 50 * 3 / 2)

static const char *const formats[] = {"NV12", "I420", "P010_10LE", "Y444", "RGBA"};

/* Surfaces of a context of their own, which nobody else holds. The thread that took the
 * uploading pipeline to its state may be the last to let go of that, and so of its last
 * sample. */
static GPtrArray *new_surfaces(guint n, const char *format)
{
    g_autofree char *from = source("ball", (int)n, format, 66, 50);
    g_autoptr(GPtrArray) frames = uploaded(from);
    GPtrArray *surfaces =
        g_ptr_array_new_with_free_func((GDestroyNotify)gst_memory_unref);

    ck_assert_uint_eq(frames->len, n);
    for (guint i = 0; i < n; i++)
        g_ptr_array_add(
            surfaces, gst_buffer_get_memory(gst_sample_get_buffer(frames->pdata[i]), 0));
    g_ptr_array_set_size(frames, 0);
    for (guint i = 0; i < n; i++)
        while (GST_MINI_OBJECT_REFCOUNT_VALUE(surfaces->pdata[i]) > 1)
            g_thread_yield();
    return surfaces;
}

static const char *const properties[] = {
    "device=cuda max-in-flight=0",
    "device=cuda max-in-flight=2",
    "device=cuda max-in-flight=0 multiplier=3",
    "device=cuda max-in-flight=2 duplicate-mode=replace duplicate-max=3",
    /* Frames wait for others. */
    "device=cuda max-in-flight=0 model=sum-1-1",
    "device=cuda max-in-flight=2 model=sum-3-3",
};

/* @n surfaces for an encoder that keeps @keeps. */
static void check(guint n, guint keeps, gboolean keeps_first, const char *options)
{
    g_autofree char *caps = g_strdup_printf(CAPS, "NV12");
    g_autoptr(GPtrArray) surfaces = new_surfaces(n, "NV12");
    guint64 back = counters().device_to_host_bytes;
    Surfaces line = {.keeps = keeps, .keeps_first = keeps_first, .answers = TRUE};

    surfaces_open(&line, surfaces, caps, options);
    surfaces_send(&line, N_FRAMES);
    surfaces_finish(&line);
    ck_assert_uint_ge(line.n_came, N_FRAMES);
    ck_assert_uint_lt(counters().device_to_host_bytes - back,
                      N_FRAMES * 64 + REHEARSED_BYTES);
    surfaces_close(&line);
}

GST_START_TEST(one_surface_more_than_is_kept_is_enough)
{
    for (guint keeps = 0; keeps <= 8; keeps += 4) {
        check(keeps + 1, keeps, FALSE, properties[__i__]);
        check(keeps + 1, keeps, TRUE, properties[__i__]);
    }
}
GST_END_TEST

/* As the decoder reckons: two more than the least that it is answered. */
GST_START_TEST(a_decoder_makes_as_many_as_it_is_answered)
{
    g_autofree char *caps = g_strdup_printf(CAPS, "NV12");
    const guint kept_by_an_encoder[] = {4, 5, 4 + 16 + 3 + 1};

    for (guint i = 0; i < G_N_ELEMENTS(kept_by_an_encoder); i++) {
        guint keeps = kept_by_an_encoder[i];
        g_autoptr(GPtrArray) surfaces = new_surfaces(1, "NV12");
        Surfaces line = {.keeps = keeps, .answers = TRUE};
        guint n;

        surfaces_open(&line, surfaces, caps, properties[__i__]);
        n = surfaces_ask(&line);
        surfaces_close(&line);
        ck_assert_uint_gt(n, keeps);
        check(n + 2, keeps, FALSE, properties[__i__]);
    }
}
GST_END_TEST

/* All of a picture is copied: in-betweens are those of frames that are not held back. */
GST_START_TEST(copies_are_the_pictures)
{
    const char *format = formats[__i__];
    g_autofree char *from = source("ball", 4, format, 66, 50);
    g_autoptr(GPtrArray) frames = uploaded(from), bare = g_ptr_array_new();
    g_autoptr(GPtrArray) wanted = on_the_cpu(from), found = NULL;
    VfiSimulatedCounters before;
    Fed fed = fed_new("scene-threshold=0 max-in-flight=0" DOWNLOAD SINK);

    g_ptr_array_set_free_func(bare, unref_sample);
    for (guint i = 0; i < frames->len; i++) {
        g_autoptr(GstBuffer) buffer = gst_buffer_new();
        gst_buffer_append_memory(
            buffer, gst_buffer_get_memory(gst_sample_get_buffer(frames->pdata[i]), 0));
        g_ptr_array_add(
            bare,
            gst_sample_new(buffer, gst_sample_get_caps(frames->pdata[i]), NULL, NULL));
    }
    before = counters();
    feed(&fed, bare, FALSE);
    fed_end(&fed);
    found = collect_from(fed.pipeline);
    ck_assert_uint_eq(found->len, wanted->len);
    for (guint i = 1; i < found->len; i += 2)
        ck_assert_int_eq(difference(found->pdata[i], wanted->pdata[i]), 0);
    ck_assert_uint_gt(counters().device_to_device_bytes, before.device_to_device_bytes);
    fed_free(&fed);
}
GST_END_TEST

GST_START_TEST(copies_are_made_in_a_pool)
{
    g_autofree char *caps = g_strdup_printf(CAPS, "NV12");
    g_autoptr(GPtrArray) surfaces = new_surfaces(2, "NV12");
    Surfaces line = {.keeps = 1, .answers = TRUE};
    VfiSimulatedCounters some, more;

    surfaces_open(&line, surfaces, caps, properties[0]);
    surfaces_send(&line, 8);
    some = counters();
    surfaces_send(&line, N_FRAMES);
    more = counters();
    ck_assert_uint_eq(more.allocations_made, some.allocations_made);
    ck_assert_uint_eq(more.streams, some.streams);
    surfaces_finish(&line);
    surfaces_close(&line);
    ck_assert_uint_lt(counters().streams, more.streams);
}
GST_END_TEST

static void add_tests(TCase *tcase)
{
    tcase_add_loop_test(tcase, one_surface_more_than_is_kept_is_enough, 0,
                        G_N_ELEMENTS(properties));
    tcase_add_loop_test(tcase, a_decoder_makes_as_many_as_it_is_answered, 0,
                        G_N_ELEMENTS(properties));
    tcase_add_loop_test(tcase, copies_are_the_pictures, 0, G_N_ELEMENTS(formats));
    tcase_add_test(tcase, copies_are_made_in_a_pool);
}

int main(int argc, char **argv)
{
    return cuda_main(argc, argv, add_tests);
}
