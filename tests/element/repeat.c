/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What must stay the same over many frames: bits whatever the threads, pairs in flight
 * and seeks; memory; upstream's pool. */
#include "fixture.h"

#include <string.h>
#include <unistd.h>

#define MS GST_MSECOND
#define CLIP "video/x-raw,format=NV12,width=130,height=70,framerate=20/1"
#define N_CLIP ((guint64)12)
#define N_OUT (3 * N_CLIP)

static void push_clip(Fixture *f)
{
    for (guint64 i = 0; i < N_CLIP; i++)
        ck_assert_int_eq(
            gst_harness_push(f->harness, noise_frame(f, (guint)i, i * 50 * MS, 50 * MS)),
            GST_FLOW_OK);
}

/* CRCs of the clip's outputs, in order. */
static void clip_crcs(Fixture *f, guint32 crcs[N_OUT])
{
    ck_assert_uint_eq(n_buffers(f), N_OUT);
    for (guint64 i = 0; i < N_OUT; i++)
        crcs[i] = picture_crc(&f->info, nth_buffer(f, i));
}

static void run_clip(int in_flight, int threads, guint32 crcs[N_OUT])
{
    g_autofree char *properties = g_strdup_printf("multiplier=3 threads=%d", threads);
    Fixture *f = fixture_new(in_flight, properties);

    fixture_set_caps(f, CLIP, NULL);
    push_clip(f);
    finish(f);
    clip_crcs(f, crcs);
    fixture_free(f);
}

GST_START_TEST(bits_do_not_depend_on_threads_or_flight)
{
    guint32 wanted[N_OUT], found[N_OUT];

    run_clip(0, 1, wanted);
    for (int in_flight = 0; in_flight <= 2; in_flight++)
        for (int threads = 1; threads <= 3; threads++) {
            run_clip(in_flight, threads, found);
            ck_assert_int_eq(memcmp(wanted, found, sizeof wanted), 0);
        }
}
GST_END_TEST

GST_START_TEST(bits_do_not_depend_on_seeks)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), "multiplier=3");
    guint32 wanted[N_OUT], found[N_OUT];
    GstSegment segment;

    run_clip(0, 1, wanted);
    fixture_set_caps(f, CLIP, NULL);
    for (int round = 0; round < 3; round++) {
        push_clip(f);
        gst_harness_push_event(f->harness, gst_event_new_flush_start());
        gst_harness_push_event(f->harness, gst_event_new_flush_stop(TRUE));
        gst_segment_init(&segment, GST_FORMAT_TIME);
        gst_harness_push_event(f->harness, gst_event_new_segment(&segment));
        fixture_clear(f);
    }
    push_clip(f);
    finish(f);
    clip_crcs(f, found);
    ck_assert_int_eq(memcmp(wanted, found, sizeof wanted), 0);
    fixture_free(f);
}
GST_END_TEST

static gsize resident_bytes(void)
{
    g_autofree char *text = NULL;
    char *second;

    /* total resident … in pages */
    ck_assert(g_file_get_contents("/proc/self/statm", &text, NULL, NULL));
    second = strchr(text, ' ');
    ck_assert(second != NULL);
    return (gsize)g_ascii_strtoull(second, NULL, 10) * (gsize)sysconf(_SC_PAGESIZE);
}

/* A sanitizer keeps freed memory for a while. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define N_FRAMES 2000
#define N_PAIRS 2000
#define MAX_GROWTH ((gsize)256 << 20)
#else
#define N_FRAMES 10000
#define N_PAIRS 100000
#define MAX_GROWTH ((gsize)4 << 20)
#endif
#define N_WARM 500

/* A frame has 6 KiB: one kept in ten would show. */
GST_START_TEST(memory_stays_flat)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    gsize before = 0;

    f->forget = TRUE;
    fixture_set_caps(f, "video/x-raw,format=I420,width=64,height=64,framerate=20/1",
                     NULL);
    for (guint64 i = 0; i < N_FRAMES; i++) {
        if (i == N_WARM)
            before = resident_bytes();
        ck_assert_int_eq(gst_harness_push(f->harness, flat_frame(f, (int)(i % 200),
                                                                 i * 50 * MS, 50 * MS)),
                         GST_FLOW_OK);
    }
    finish(f);
    ck_assert_uint_eq(counter(f, "interpolated"), N_FRAMES - 1);
    ck_assert_uint_le(resident_bytes(), before + MAX_GROWTH);
    fixture_free(f);
}
GST_END_TEST

/* A hundred thousand pairs whose memory is given back every tenth: 4 MiB are 42 bytes a
 * pair. In one mode, since this takes a while. */
GST_START_TEST(memory_stays_flat_for_long)
{
    Fixture *f = fixture_new(in_flight_mode(1), NULL);
    gsize before = 0;

    f->forget = TRUE;
    fixture_set_caps(f, "video/x-raw,format=GRAY8,width=64,height=64,framerate=20/1",
                     NULL);
    for (guint64 i = 0; i <= N_PAIRS; i++) {
        if (i == N_WARM)
            before = resident_bytes();
        ck_assert_int_eq(gst_harness_push(f->harness, flat_frame(f, (int)(i % 200),
                                                                 i * 50 * MS, 50 * MS)),
                         GST_FLOW_OK);
    }
    finish(f);
    ck_assert_uint_eq(counter(f, "interpolated"), N_PAIRS);
    ck_assert_uint_le(resident_bytes(), before + MAX_GROWTH);
    ck_assert_uint_ge(engine_stat(f, "cleanups"), N_PAIRS / 10 / 2);
    fixture_free(f);
}
GST_END_TEST

/* A pool that counts what it allocates. */
typedef struct {
    GstVideoBufferPool parent;
    gint allocated;
} CountingPool;

typedef GstVideoBufferPoolClass CountingPoolClass;

GType counting_pool_get_type(void);
G_DEFINE_TYPE(CountingPool, counting_pool, GST_TYPE_VIDEO_BUFFER_POOL)

static GstFlowReturn count_alloc(GstBufferPool *pool, GstBuffer **buffer,
                                 GstBufferPoolAcquireParams *params)
{
    g_atomic_int_inc(&((CountingPool *)pool)->allocated);
    return GST_BUFFER_POOL_CLASS(counting_pool_parent_class)
        ->alloc_buffer(pool, buffer, params);
}

static void counting_pool_class_init(CountingPoolClass *klass)
{
    GST_BUFFER_POOL_CLASS(klass)->alloc_buffer = count_alloc;
}

static void counting_pool_init(CountingPool *pool)
{
    pool->allocated = 0;
}

static CountingPool *new_pool(const char *caps_string, gsize size)
{
    CountingPool *pool = g_object_new(counting_pool_get_type(), NULL);
    GstStructure *config = gst_buffer_pool_get_config(GST_BUFFER_POOL(pool));
    g_autoptr(GstCaps) caps = gst_caps_from_string(caps_string);

    gst_object_ref_sink(pool);
    gst_buffer_pool_config_set_params(config, caps, (guint)size, 0, 0);
    ck_assert(gst_buffer_pool_set_config(GST_BUFFER_POOL(pool), config));
    ck_assert(gst_buffer_pool_set_active(GST_BUFFER_POOL(pool), TRUE));
    return pool;
}

/* On their way are one being filled, two queued, two and one in flight, one held. */
#define MAX_BUFFERS 8

/* Every second frame repeats the one before, so that copies share its memory. */
GST_START_TEST(upstreams_buffers_come_back_whole)
{
    Fixture *f = fixture_new(in_flight_mode(__i__), NULL);
    CountingPool *pool;

    f->forget = TRUE;
    fixture_set_caps(f, CLIP, NULL);
    pool = new_pool(CLIP, GST_VIDEO_INFO_SIZE(&f->info));
    for (guint64 i = 0; i < 200; i++) {
        GstBuffer *buffer = NULL;
        ck_assert_int_eq(
            gst_buffer_pool_acquire_buffer(GST_BUFFER_POOL(pool), &buffer, NULL),
            GST_FLOW_OK);
        gst_buffer_memset(buffer, 0, (guint8)(i / 2), GST_VIDEO_INFO_SIZE(&f->info));
        GST_BUFFER_PTS(buffer) = i * 50 * MS;
        ck_assert_int_eq(gst_harness_push(f->harness, buffer), GST_FLOW_OK);
    }
    finish(f);
    ck_assert_int_le(g_atomic_int_get(&pool->allocated), MAX_BUFFERS);
    fixture_free(f);
    gst_buffer_pool_set_active(GST_BUFFER_POOL(pool), FALSE);
    gst_object_unref(pool);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-repeat");
    TCase *tcase = tcase_create("repeat");

    suite_add_tcase(suite, tcase);
    tcase_add_test(tcase, bits_do_not_depend_on_threads_or_flight);
    tcase_add_loop_test(tcase, bits_do_not_depend_on_seeks, 0, N_MODES);
    tcase_add_loop_test(tcase, memory_stays_flat, 0, N_MODES);
    tcase_add_test(tcase, memory_stays_flat_for_long);
    tcase_add_loop_test(tcase, upstreams_buffers_come_back_whole, 0, N_MODES);
    return element_main(argc, argv, suite);
}
