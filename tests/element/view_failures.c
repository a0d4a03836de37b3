/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the engine is given with a view, and what becomes of pictures whose view cannot be
 * opened, when it is known what the view has, or of frames that cannot be compared. The
 * calls go through functions of this program (the linker's --wrap). */
#include "view_script.h"

#include <vfi/vfi.h>

#define MS GST_MSECOND

void gst_plugin_vfiinterp_register(void);

VfiPair *__real_vfi_session_begin(VfiSession *session, const VfiFrame *frames,
                                  size_t n_frames, uint64_t key, GError **error);
VfiPair *__wrap_vfi_session_begin(VfiSession *session, const VfiFrame *frames,
                                  size_t n_frames, uint64_t key, GError **error);
gboolean __real_vfi_session_frames_repeat(VfiSession *session, const VfiFrame *a,
                                          const VfiFrame *b, double threshold,
                                          gboolean *repeat, GError **error);
gboolean __wrap_vfi_session_frames_repeat(VfiSession *session, const VfiFrame *a,
                                          const VfiFrame *b, double threshold,
                                          gboolean *repeat, GError **error);

/* Which call fails: 1 is the next, 0 none. */
static gint failing_begin, failing_repeat;
static VfiError failure;

/* What was begun; of one streaming thread at a time. */
#define MAX_BEGUN 64
static guint n_begun;
static guint64 keys[MAX_BEGUN];
static size_t sizes[MAX_BEGUN];

static gboolean fails(gint *countdown, GError **error)
{
    if (g_atomic_int_get(countdown) == 0 || !g_atomic_int_dec_and_test(countdown))
        return FALSE;
    g_set_error(error, VFI_ERROR, failure, "the device went away");
    return TRUE;
}

VfiPair *__wrap_vfi_session_begin(VfiSession *session, const VfiFrame *frames,
                                  size_t n_frames, uint64_t key, GError **error)
{
    if (fails(&failing_begin, error))
        return NULL;
    ck_assert_uint_lt(n_begun, MAX_BEGUN);
    keys[n_begun] = key;
    sizes[n_begun++] = n_frames;
    return __real_vfi_session_begin(session, frames, n_frames, key, error);
}

gboolean __wrap_vfi_session_frames_repeat(VfiSession *session, const VfiFrame *a,
                                          const VfiFrame *b, double threshold,
                                          gboolean *repeat, GError **error)
{
    if (fails(&failing_repeat, error))
        return FALSE;
    return __real_vfi_session_frames_repeat(session, a, b, threshold, repeat, error);
}

/* Nothing rehearses, so that all that is begun is of the stream. */
static Fixture *start(int mode, const Family *family, const char *properties,
                      const char *out)
{
    g_autofree char *all =
        g_strdup_printf("on-late=wait %s", properties != NULL ? properties : "");

    failing_begin = failing_repeat = 0;
    n_begun = 0;
    failure = VFI_ERROR_INVALID_ARGUMENT;
    return script_fixture(in_flight_mode(mode), family, all, out);
}

/* ---- what the engine is given ------------------------------------------------------ */

/* Frames are 50 ms apart, from 0 or from 5 s on. */
static const struct {
    const char *script, *properties, *out;
    gboolean reverse;
    guint64 keys[8]; /* ms; 1: no more */
} given[] = {
    {"a b c d", NULL, NULL, FALSE, {0, 50, 100, 1}},
    {"a b c gap d e", NULL, NULL, FALSE, {0, 50, 1150, 1}},
    {"a b c d", NULL, NULL, TRUE, {4950, 4900, 4850, 1}},
    {"a b c d", "skip-pairs=1", NULL, FALSE, {0, 100, 1}},
    /* Times as they came, not as they are shown: that of 100 ms is, at 100.1. */
    {"a b c d", NULL, "video/x-raw,framerate=30000/1001", FALSE, {0, 50, 100, 1}},
    /* That of the picture, not that of its last repeat. */
    {"a b b b c d", "duplicate-mode=replace", NULL, FALSE, {0, 50, 200, 1}},
    {"a b b gap c d", "duplicate-mode=replace", NULL, FALSE, {0, 1150, 1}},
};

GST_START_TEST(keys_are_times_of_pairs)
{
    const int which = __i__ / N_MODES;

    for (int i = 0; i < N_WIDE_FAMILIES; i++) {
        const Family *family = &wide_families[i];
        guint n = 0;
        Fixture *f =
            start(__i__ % N_MODES, family, given[which].properties, given[which].out);
        script_run(f, given[which].script, given[which].reverse);
        finish(f);
        for (; given[which].keys[n] != 1; n++) {
            ck_assert_uint_lt(n, n_begun);
            ck_assert_uint_eq(keys[n], given[which].keys[n] * MS);
            ck_assert_uint_eq(sizes[n], (size_t)(family->before + 2 + family->after));
        }
        ck_assert_uint_eq(n_begun, n);
        fixture_free(f);
    }
}
GST_END_TEST

/* ---- what fails -------------------------------------------------------------------- */

static guint n_messages(Fixture *f, GstMessageType type)
{
    GstMessage *message;
    guint n = 0;

    for (; (message = gst_bus_pop_filtered(f->bus, type)) != NULL; n++)
        gst_message_unref(message);
    return n;
}

/* Of the views of six frames. */
static guint count_edge_views(const Family *family, int failed)
{
    guint n = 0;

    for (int i = 1; i <= 5; i++)
        n += i != failed && (i <= family->before || i > 5 - family->after);
    return n;
}

/* Each view in turn, those at the end too: a copy takes the place of its picture, the
 * others are as they would have been. Where the device has failed there is another
 * session from the next pair on. */
GST_START_TEST(copies_stand_in_for_views_that_fail)
{
    const char *script = "a b c d e f";

    for (int nth = 1; nth <= 5; nth++)
        for (int i = 0; i < N_WIDE_FAMILIES; i++) {
            Fixture *f = start(__i__ / 2, &wide_families[i], "on-error=duplicate", NULL);
            failure = __i__ % 2 ? VFI_ERROR_BACKEND : VFI_ERROR_INVALID_ARGUMENT;
            failing_begin = nth;
            script_run(f, script, FALSE);
            finish(f);
            ck_assert_uint_eq(n_buffers(f), 12);
            ck_assert_uint_eq(counter(f, "interpolated"), 4);
            ck_assert_uint_eq(counter(f, "duplicate"), 2);
            ck_assert_uint_eq(engine_stat(f, "edge-views"),
                              count_edge_views(&wide_families[i], nth));
            assert_flag(nth_buffer(f, 2 * (guint64)nth - 1), GST_BUFFER_FLAG_GAP, TRUE);
            ck_assert_uint_eq(n_messages(f, GST_MESSAGE_WARNING), 1);
            ck_assert_uint_eq(n_messages(f, GST_MESSAGE_ERROR), 0);
            fixture_free(f);
        }
}
GST_END_TEST

/* Also where what fails is completed by the end of the stream. */
GST_START_TEST(a_view_that_fails_ends_the_stream_once)
{
    for (int nth = 1; nth <= 4; nth++)
        for (int i = 0; i < N_WIDE_FAMILIES; i++) {
            Fixture *f = start(__i__, &wide_families[i], NULL, NULL);
            failing_begin = nth;
            for (guint64 n = 0; n < 5; n++)
                gst_harness_push(f->harness,
                                 flat_frame(f, 10 * (int)n, n * 50 * MS, 50 * MS));
            finish_failing(f);
            ck_assert_uint_ge(n_messages(f, GST_MESSAGE_ERROR), 1);
            ck_assert_uint_lt(counter(f, "interpolated"), 4);
            fixture_free(f);
        }
}
GST_END_TEST

/* So does one that a query lets out: upstream hears of it with the next frame. */
GST_START_TEST(a_view_that_fails_at_a_query_ends_the_stream_once)
{
    static const char *const queries[] = {"drain", "query"};
    const Family family = {0, 1};
    Fixture *f = start(1, &family, NULL, NULL);

    failing_begin = 2;
    script_run(f, "a b c", FALSE);
    script_run(f, queries[__i__], FALSE);
    for (guint64 n = 3;
         gst_harness_push(f->harness, flat_frame(f, 9, n * 50 * MS, 50 * MS)) !=
         GST_FLOW_ERROR;
         n++)
        ck_assert_uint_eq(counter(f, "in"), 3);
    ck_assert_uint_eq(n_messages(f, GST_MESSAGE_ERROR), 1);
    fixture_free(f);
}
GST_END_TEST

static gint failing_pushes;

static GstFlowReturn fail_to_take(GstPad *pad, GstObject *parent, GstBuffer *buffer)
{
    (void)pad;
    (void)parent;
    gst_buffer_unref(buffer);
    return g_atomic_int_get(&failing_pushes) > 0 &&
                   g_atomic_int_dec_and_test(&failing_pushes)
               ? GST_FLOW_ERROR
               : GST_FLOW_OK;
}

/* Views of pictures that were dropped with an error are never begun. */
GST_START_TEST(views_go_with_their_pictures)
{
    const Family family = {0, 1};
    Fixture *f = start(0, &family, NULL, NULL);

    gst_pad_set_chain_function(f->harness->sinkpad, fail_to_take);
    failing_pushes = 2; /* the first picture, while the second waits */
    for (guint64 i = 0; i < 5; i++)
        ck_assert_int_eq(gst_harness_push(f->harness, flat_frame(f, 20 * (int)i,
                                                                 i * 50 * MS, 50 * MS)),
                         i == 2 ? GST_FLOW_ERROR : GST_FLOW_OK);
    ck_assert_uint_eq(n_begun, 2);
    ck_assert_uint_eq(keys[0], 0);
    ck_assert_uint_eq(keys[1], 100 * MS);
    fixture_free(f);
}
GST_END_TEST

/* No view crosses frames of which is not known whether they are of one scene. */
GST_START_TEST(frames_that_cannot_be_compared_are_an_edge)
{
    for (int i = 0; i < N_WIDE_FAMILIES; i++) {
        Fixture *f = start(__i__, &wide_families[i], "on-error=duplicate", NULL);
        failing_repeat = 3;
        script_run(f, "a b c d e f", FALSE);
        finish(f);
        script_check_views(f, &wide_families[i], "a b c d e f", "abc|def", FALSE);
        ck_assert_uint_eq(counter(f, "interpolated"), 4);
        ck_assert_uint_eq(n_buffers(f), 12);
        fixture_free(f);
    }
}
GST_END_TEST

/* Upstream, which hears of it at once, wants its buffers back. */
GST_START_TEST(a_drain_may_follow_frames_that_cannot_be_compared)
{
    for (int i = 0; i < N_WIDE_FAMILIES; i++) {
        Fixture *f = start(0, &wide_families[i], "skip-pairs=0-9", NULL);
        failing_repeat = 2;
        script_run(f, "a b", FALSE);
        ck_assert_int_eq(
            gst_harness_push(f->harness, flat_frame(f, 9, 100 * MS, 50 * MS)),
            GST_FLOW_ERROR);
        script_run(f, "drain", FALSE);
        ck_assert_int_eq(
            gst_harness_push(f->harness, flat_frame(f, 9, 150 * MS, 50 * MS)),
            GST_FLOW_OK);
        fixture_free(f);
    }
}
GST_END_TEST

/* Nothing of them comes out later, among frames that follow. */
GST_START_TEST(repeats_go_with_a_picture_that_cannot_be_compared)
{
    for (int i = 0; i < N_WIDE_FAMILIES; i++) {
        Fixture *f = start(0, &wide_families[i], "duplicate-mode=replace", NULL);
        failing_repeat = 2;
        script_run(f, "a b b", FALSE);
        for (guint64 n = 3; n < 9; n++)
            ck_assert_int_eq(
                gst_harness_push(f->harness,
                                 flat_frame(f, 10 * (int)(n / 2), n * 50 * MS, 50 * MS)),
                n == 3 ? GST_FLOW_ERROR : GST_FLOW_OK);
        finish(f);
        ck_assert_uint_gt(n_buffers(f), 8);
        for (guint64 n = 1; n < n_buffers(f); n++)
            ck_assert_uint_gt(GST_BUFFER_PTS(nth_buffer(f, n)),
                              GST_BUFFER_PTS(nth_buffer(f, n - 1)));
        fixture_free(f);
    }
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-view_failures");
    TCase *tcase = tcase_create("view_failures");

    gst_init(&argc, &argv);
    gst_plugin_vfiinterp_register();
    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, keys_are_times_of_pairs, 0,
                        N_MODES * (int)G_N_ELEMENTS(given));
    tcase_add_loop_test(tcase, copies_stand_in_for_views_that_fail, 0, 2 * N_MODES);
    tcase_add_loop_test(tcase, a_view_that_fails_ends_the_stream_once, 0, N_MODES);
    tcase_add_loop_test(tcase, a_view_that_fails_at_a_query_ends_the_stream_once, 0, 2);
    tcase_add_test(tcase, views_go_with_their_pictures);
    tcase_add_loop_test(tcase, frames_that_cannot_be_compared_are_an_edge, 0, N_MODES);
    tcase_add_test(tcase, a_drain_may_follow_frames_that_cannot_be_compared);
    tcase_add_test(tcase, repeats_go_with_a_picture_that_cannot_be_compared);
    return element_main(argc, argv, suite);
}
