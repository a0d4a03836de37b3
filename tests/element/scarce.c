/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Upstreams with a few buffers only, and downstreams that keep some of them. */
#include <sys/mman.h>
#include <unistd.h>

#include <gst/allocators/gstfdmemory.h>

#include "fixture.h"
#include "ordered_pool.h"
#include "surfaces.h"

#define CAPS "video/x-raw,format=I420,width=32,height=16,framerate=25/1"
#define SIZE (32 * 16 * 3 / 2)

/* Memory that is not the system's, each filled with a value of its own or all with
 * one. */
static GPtrArray *new_surfaces(guint n, gboolean alike)
{
    GPtrArray *surfaces =
        g_ptr_array_new_with_free_func((GDestroyNotify)gst_memory_unref);
    g_autoptr(GstAllocator) allocator = gst_fd_allocator_new();

    for (guint i = 0; i < n; i++) {
        guint8 frame[SIZE];
        int file = memfd_create("surface", MFD_CLOEXEC);
        memset(frame, alike ? 100 : 20 + 10 * (int)i, SIZE);
        ck_assert_int_eq(write(file, frame, SIZE), SIZE);
        g_ptr_array_add(surfaces, gst_fd_allocator_alloc(allocator, file, SIZE,
                                                         GST_FD_MEMORY_FLAG_NONE));
    }
    return surfaces;
}

static const char *const modes[] = {"max-in-flight=0", "max-in-flight=2"};
static const char *const treatments[] = {"multiplier=2", "multiplier=3 tail=duplicate",
                                         "duplicate-mode=replace duplicate-max=3",
                                         "multiplier=1"};
#define N_FRAMES 16

/* One surface more than the encoder keeps is enough. */
static void check_few(const char *mode, const char *treatment, guint keeps,
                      gboolean keeps_first, gboolean alike)
{
    g_autofree char *properties = g_strjoin(" ", mode, treatment, NULL);
    g_autoptr(GPtrArray) surfaces = new_surfaces(keeps + 1, alike);
    Surfaces line = {.keeps = keeps, .keeps_first = keeps_first, .answers = TRUE};

    surfaces_open(&line, surfaces, CAPS, properties);
    surfaces_send(&line, N_FRAMES);
    surfaces_finish(&line);
    ck_assert_uint_ge(line.n_came, N_FRAMES);
    surfaces_close(&line);
}

GST_START_TEST(a_decoder_with_few_surfaces_need_not_wait)
{
    const char *mode = modes[__i__ % N_MODES];
    const char *treatment = treatments[__i__ / N_MODES];

    for (guint keeps = 0; keeps <= 5; keeps += 5)
        for (guint i = 0; i < 4; i++)
            check_few(mode, treatment, keeps, i % 2 == 1, i >= 2);
}
GST_END_TEST

/* A pool that has one buffer more than is kept downstream for good. */
GST_START_TEST(a_limited_pool_need_not_be_waited_for)
{
    guint keeps = 4 * (guint)__i__;
    g_autoptr(GstCaps) caps = gst_caps_from_string(CAPS);
    Fixture *f = fixture_new(0, treatments[0]);
    GstBufferPool *pool = ordered_pool_new();
    GstStructure *config = gst_buffer_pool_get_config(pool);
    GstBufferPoolAcquireParams at_once = {.flags = GST_BUFFER_POOL_ACQUIRE_FLAG_DONTWAIT};
    GQueue kept = G_QUEUE_INIT;

    gst_buffer_pool_config_set_params(config, caps, SIZE, 0, keeps + 1);
    ck_assert(gst_buffer_pool_set_config(pool, config));
    ck_assert(gst_buffer_pool_set_active(pool, TRUE));
    gst_harness_set_drop_buffers(f->harness, TRUE);
    fixture_set_caps(f, CAPS, NULL);
    for (guint i = 0; i < N_FRAMES; i++) {
        GstBuffer *buffer = NULL;
        ck_assert_int_eq(gst_buffer_pool_acquire_buffer(pool, &buffer, &at_once),
                         GST_FLOW_OK);
        gst_buffer_memset(buffer, 0, (guint8)i, SIZE);
        GST_BUFFER_PTS(buffer) = i * 40 * GST_MSECOND;
        GST_BUFFER_DURATION(buffer) = 40 * GST_MSECOND;
        ck_assert_int_eq(gst_harness_push(f->harness, buffer), GST_FLOW_OK);
        g_queue_push_tail(&kept, gst_buffer_ref(nth_buffer(f, n_buffers(f) - 1)));
        ck_assert_ptr_eq(((GstBuffer *)kept.tail->data)->pool, pool);
        fixture_clear(f);
        if (kept.length > keeps)
            gst_buffer_unref(g_queue_pop_tail(&kept));
    }
    g_queue_clear_full(&kept, (GDestroyNotify)gst_buffer_unref);
    fixture_free(f);
    gst_buffer_pool_set_active(pool, FALSE);
    gst_object_unref(pool);
}
GST_END_TEST

/* What downstream needs, and what is held here, which more frames in flight or held
 * repeats make more. */
GST_START_TEST(the_answer_counts_downstreams_need)
{
    g_autoptr(GPtrArray) surfaces = new_surfaces(1, FALSE);
    Surfaces line = {.keeps = 3, .answers = TRUE};
    guint held;

    surfaces_open(&line, surfaces, CAPS, modes[__i__]);
    ck_assert_uint_gt(surfaces_ask(&line), 3);
    held = surfaces_ask(&line) - 3;
    line.keeps = 20;
    ck_assert_uint_eq(surfaces_ask(&line), 20 + held);
    line.answers = FALSE;
    ck_assert_uint_eq(surfaces_ask(&line), 2 + held);
    line.answers = TRUE;
    g_object_set(line.element, "duplicate-max", 5, NULL);
    gst_util_set_object_arg(G_OBJECT(line.element), "duplicate-mode", "replace");
    ck_assert_uint_ge(surfaces_ask(&line), 20 + held + 5);
    surfaces_close(&line);
}
GST_END_TEST

GST_START_TEST(what_passes_through_needs_what_downstream_needs)
{
    g_autofree char *properties = g_strjoin(" ", modes[__i__], "multiplier=1", NULL);
    g_autoptr(GPtrArray) surfaces = new_surfaces(1, FALSE);
    Surfaces line = {.keeps = 7, .answers = TRUE};

    surfaces_open(&line, surfaces, CAPS, properties);
    ck_assert_uint_eq(surfaces_ask(&line), 8);
    surfaces_close(&line);
}
GST_END_TEST

/* A downstream that comes to need more says so upstream, which asks anew. */
GST_START_TEST(a_need_that_changes_is_asked_for)
{
    g_autoptr(GPtrArray) surfaces = new_surfaces(9, FALSE);
    Surfaces line = {.keeps = 2, .answers = TRUE};
    gboolean told = FALSE;
    GstEvent *event;
    guint before;

    surfaces_open(&line, surfaces, CAPS, modes[__i__]);
    surfaces_send(&line, 5);
    before = surfaces_ask(&line);
    while ((event = gst_harness_try_pull_upstream_event(line.harness)) != NULL)
        gst_event_unref(event);
    line.keeps = 8;
    gst_pad_push_event(line.harness->sinkpad, gst_event_new_reconfigure());
    while ((event = gst_harness_try_pull_upstream_event(line.harness)) != NULL) {
        told |= GST_EVENT_TYPE(event) == GST_EVENT_RECONFIGURE;
        gst_event_unref(event);
    }
    ck_assert(told);
    ck_assert_uint_eq(surfaces_ask(&line), before + 6);
    surfaces_send(&line, N_FRAMES);
    surfaces_finish(&line);
    surfaces_close(&line);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-scarce");
    TCase *tcase = tcase_create("scarce");

    suite_add_tcase(suite, tcase);
    tcase_set_timeout(tcase, 60); /* what a deadlock takes to be seen */
    tcase_add_loop_test(tcase, a_decoder_with_few_surfaces_need_not_wait, 0,
                        N_MODES * (int)G_N_ELEMENTS(treatments));
    tcase_add_loop_test(tcase, a_limited_pool_need_not_be_waited_for, 0, 3);
    tcase_add_loop_test(tcase, the_answer_counts_downstreams_need, 0, N_MODES);
    tcase_add_loop_test(tcase, what_passes_through_needs_what_downstream_needs, 0,
                        N_MODES);
    tcase_add_loop_test(tcase, a_need_that_changes_is_asked_for, 0, N_MODES);
    return element_main(argc, argv, suite);
}
