/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Memory: originals and copies of them share it, small pools upstream do not starve,
 * downstream's pool is used. And the actions that clear caches and counters. */
#include "fixture.h"
#include "ordered_pool.h"

#define MS GST_MSECOND
#define CLIP "video/x-raw,format=NV12,width=64,height=48,framerate=20/1"

static void push(Fixture *f, GstBuffer *buffer)
{
    ck_assert_int_eq(gst_harness_push(f->harness, buffer), GST_FLOW_OK);
}

static gconstpointer pixels(GstBuffer *buffer)
{
    GstMapInfo map;

    ck_assert(gst_buffer_map(buffer, &map, GST_MAP_READ));
    gst_buffer_unmap(buffer, &map);
    return map.data;
}

GST_START_TEST(originals_are_not_copied)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    gconstpointer memory[4];

    fixture_set_caps(f, CLIP, NULL);
    for (guint64 i = 0; i < 4; i++) {
        GstBuffer *buffer = noise_frame(f, (guint)i, i * 50 * MS, 50 * MS);
        memory[i] = pixels(buffer);
        push(f, buffer);
    }
    finish(f);
    for (guint64 i = 0; i < 4; i++)
        ck_assert_ptr_eq(pixels(nth_buffer(f, 2 * i)), memory[i]);
    fixture_free(f);
}
GST_END_TEST

/* In-betweens of identical frames, and the tail. */
GST_START_TEST(copies_share_the_memory)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), "multiplier=3");

    fixture_set_caps(f, CLIP, NULL);
    push(f, noise_frame(f, 7, 0, 50 * MS));
    push(f, noise_frame(f, 7, 50 * MS, 50 * MS));
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 6);
    for (guint64 i = 0; i < 6; i++) {
        ck_assert_ptr_eq(pixels(nth_buffer(f, i)), pixels(nth_buffer(f, i / 3 * 3)));
        assert_flag(nth_buffer(f, i), GST_BUFFER_FLAG_GAP, i % 3 != 0);
    }
    ck_assert_ptr_ne(pixels(nth_buffer(f, 0)), pixels(nth_buffer(f, 3)));
    ck_assert_uint_eq(counter(f, "duplicate"), 4);
    ck_assert_uint_eq(counter(f, "interpolated"), 0);
    fixture_free(f);
}
GST_END_TEST

static GstBufferPool *new_pool(const char *caps_string, gsize size, guint n)
{
    GstBufferPool *pool = ordered_pool_new();
    GstStructure *config = gst_buffer_pool_get_config(pool);
    g_autoptr(GstCaps) caps = gst_caps_from_string(caps_string);

    gst_buffer_pool_config_set_params(config, caps, (guint)size, n, n);
    ck_assert(gst_buffer_pool_set_config(pool, config));
    ck_assert(gst_buffer_pool_set_active(pool, TRUE));
    return pool;
}

static const guint pool_sizes[] = {1, 2, 3, 4};

/* Every second frame repeats the one before, so that copies hold originals, too. */
GST_START_TEST(small_pools_upstream_do_not_starve)
{
    Fixture *f = fixture_new(in_flight_mode(__i__ % N_MODES), "multiplier=3");
    GstBufferPool *pool;

    f->forget = TRUE;
    fixture_set_caps(f, CLIP, NULL);
    pool = new_pool(CLIP, GST_VIDEO_INFO_SIZE(&f->info), pool_sizes[__i__ / N_MODES]);
    for (guint64 i = 0; i < 50; i++) {
        GstBuffer *buffer = NULL;
        ck_assert_int_eq(gst_buffer_pool_acquire_buffer(pool, &buffer, NULL),
                         GST_FLOW_OK);
        gst_buffer_memset(buffer, 0, (guint8)(i / 2), GST_VIDEO_INFO_SIZE(&f->info));
        GST_BUFFER_PTS(buffer) = i * 50 * MS;
        push(f, buffer);
    }
    finish(f);
    ck_assert_uint_eq(counter(f, "out"), 150);
    fixture_free(f);
    gst_buffer_pool_set_active(pool, FALSE);
    gst_object_unref(pool);
}
GST_END_TEST

GST_START_TEST(downstreams_pool_is_used)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    GstBufferPool *pool = gst_video_buffer_pool_new();

    fixture_offer_pool(f, pool, FALSE);
    fixture_set_caps(f, CLIP, NULL);
    push(f, noise_frame(f, 1, 0, 50 * MS));
    push(f, noise_frame(f, 2, 50 * MS, 50 * MS));
    finish(f);
    ck_assert_ptr_eq(nth_buffer(f, 1)->pool, pool);
    fixture_free(f);
    gst_object_unref(pool);
}
GST_END_TEST

/* While frames flow and from another thread, as an application would. */
static gpointer act(gpointer data)
{
    Fixture *f = data;

    for (int i = 0; i < 50; i++) {
        GstStructure *stats = NULL;
        g_signal_emit_by_name(f->element, "clear-cache", i % 2);
        g_signal_emit_by_name(f->element, "reset-stats");
        g_object_get(f->element, "stats", &stats, NULL);
        gst_structure_free(stats);
    }
    return NULL;
}

GST_START_TEST(actions_work_while_playing)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    GThread *thread;

    fixture_set_caps(f, CLIP, NULL);
    push(f, noise_frame(f, 0, 0, 50 * MS));
    thread = g_thread_new("act", act, f);
    for (guint64 i = 1; i < 50; i++)
        push(f, noise_frame(f, (guint)i, i * 50 * MS, 50 * MS));
    g_thread_join(thread);
    finish(f);
    ck_assert_uint_eq(n_buffers(f), 100);
    g_signal_emit_by_name(f->element, "reset-stats");
    ck_assert_uint_eq(counter(f, "in"), 0);
    ck_assert_uint_eq(counter(f, "out"), 0);
    ck_assert_uint_eq(engine_stat(f, "pairs"), 0);
    ck_assert_uint_eq(engine_stat(f, "work-chunks"), 0);
    fixture_free(f);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-allocation");
    TCase *tcase = tcase_create("allocation");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, originals_are_not_copied, 0, N_MODES);
    tcase_add_loop_test(tcase, copies_share_the_memory, 0, N_MODES);
    tcase_add_loop_test(tcase, small_pools_upstream_do_not_starve, 0,
                        (int)G_N_ELEMENTS(pool_sizes) * N_MODES);
    tcase_add_loop_test(tcase, downstreams_pool_is_used, 0, N_MODES);
    tcase_add_loop_test(tcase, actions_work_while_playing, 0, N_MODES);
    return element_main(argc, argv, suite);
}
