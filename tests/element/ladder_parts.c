/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ladder of live pipelines: which rungs there are, for lack of memory or because they
 * failed, and what happens to a stream on a lower one. */
#include <vfi/vfi.h>

#include "../sanitizers.h"
#include "ladder_stream.h"
#include "stream/engine_session.h"
#include "stream/rungs.h"

/* ---- what there is ----------------------------------------------------------------- */

/* What leads to which ladder. */
static const struct {
    const char *properties, *rungs;
} ladders[] = {
    {LADDER_MODEL, LADDER_WHOLE},
    {LADDER_MODEL " on-late=skip", "full,reduced,flow,half,none"},
    {LADDER_MODEL " on-late=wait", "full"},
    {LADDER_MODEL " scale=0.25", "full,flow,half,duplicates"},
    {"model=sum-0-0", "full,flow,half,duplicates"},
    {"model=blend", "full,half,duplicates"},
    {"model=flow", "full,half,duplicates"},
    {"model=flow model-options=options,quality=medium", "full,flow,half,duplicates"},
};

GST_START_TEST(ladders_have_what_there_is)
{
    int i = __i__ / N_MODES;
    Simulated *sim = ladder_start(__i__ % N_MODES, ladders[i].properties, ladder_light);
    gboolean lower = strstr(ladders[i].rungs, "flow") != NULL;

    simulated_play(sim, 5);
    assert_rungs(sim, ladders[i].rungs);
    if (lower || strcmp(ladders[i].rungs, "full") == 0)
        ck_assert_int_eq(engine_stat(sim->fixture, "rung-bytes") > 0, lower);
    simulated_free(sim);
}
GST_END_TEST

/* Nothing is built for files, until late pictures are not waited for. */
GST_START_TEST(rungs_come_and_go_with_the_ladder)
{
    Simulated *sim = ladder_start(__i__, LADDER_MODEL " on-late=wait", ladder_light);

    simulated_play(sim, 5);
    assert_rungs(sim, "full");
    ck_assert_uint_eq(engine_stat(sim->fixture, "rung-bytes"), 0);
    gst_util_set_object_arg(G_OBJECT(sim->fixture->element), "on-late", "skip");
    simulated_play(sim, 2);
    assert_rungs(sim, "full,reduced,flow,half,none");
    ck_assert_uint_gt(engine_stat(sim->fixture, "rung-bytes"), 0);
    gst_util_set_object_arg(G_OBJECT(sim->fixture->element), "on-late", "wait");
    simulated_play(sim, 2);
    assert_rungs(sim, "full");
    ck_assert_uint_eq(engine_stat(sim->fixture, "rung-bytes"), 0);
    simulated_free(sim);
}
GST_END_TEST

static guint count_of(const char *rungs)
{
    guint n = 1;

    for (; *rungs != '\0'; rungs++)
        n += *rungs == ',';
    return n;
}

/* With less and less memory there are fewer rungs, and what there is keeps to the
 * limit. */
GST_START_TEST(rungs_are_left_out_for_memory)
{
    g_autofree char *last = g_strdup(LADDER_WHOLE);
    guint n_ladders = 1;

    for (guint64 limit = 64 * 1024; strcmp(last, "full,half,duplicates") != 0;
         limit -= limit / 24) {
        g_autofree char *properties =
            g_strdup_printf(LADDER_MODEL " memory-limit=%" G_GUINT64_FORMAT, limit);
        Simulated *sim = ladder_start(__i__, properties, ladder_light);
        g_autofree char *rungs = NULL;
        simulated_play(sim, 3);
        rungs = ladder_text_stat(sim, "rungs");
        ck_assert_uint_le(count_of(rungs), count_of(last));
        n_ladders += strcmp(rungs, last) != 0;
        ck_assert_uint_le(engine_stat(sim->fixture, "arena-bytes") +
                              engine_stat(sim->fixture, "rung-bytes"),
                          limit);
        ck_assert_uint_eq(counter(sim->fixture, "interpolated"), 2);
        g_free(last);
        last = g_steal_pointer(&rungs);
        simulated_free(sim);
    }
    ck_assert_uint_ge(n_ladders, 3);
}
GST_END_TEST

/* ---- what happens on a lower rung -------------------------------------------------- */

static Simulated *on_flow(int index)
{
    const LadderCosts heavy = {120, 60, 8};
    Simulated *sim = ladder_start(index, LADDER_MODEL, ladder_light);

    simulated_play(sim, 50);
    ladder_set_costs(sim, heavy);
    simulated_play(sim, 50);
    assert_rung(sim, "flow");
    return sim;
}

/* A little later everything is as before. */
static void check_goes_on(Simulated *sim, const char *rungs)
{
    guint settled;

    simulated_play(sim, 50);
    settled = sim->sent;
    simulated_play(sim, 50);
    assert_rung(sim, "flow");
    assert_rungs(sim, rungs);
    ck_assert_uint_eq(ladder_count_made(sim, settled).by[GST_VFI_MAKER_FLOW], 49);
}

/* It begins with the full rung, foresees that this is too much, and is back soon. */
GST_START_TEST(flushes_are_survived)
{
    Simulated *sim = on_flow(__i__);
    GstHarness *harness = sim->fixture->harness;
    GstSegment segment;
    guint before = sim->sent;

    gst_segment_init(&segment, GST_FORMAT_TIME);
    ck_assert(gst_harness_push_event(harness, gst_event_new_flush_start()));
    ck_assert(gst_harness_push_event(harness, gst_event_new_flush_stop(FALSE)));
    ck_assert(gst_harness_push_event(harness, gst_event_new_segment(&segment)));
    simulated_configure_latency(sim);
    simulated_play(sim, 20);
    ck_assert_uint_eq(ladder_count_made(sim, before).by[GST_VFI_MAKER_FULL], 0);
    check_goes_on(sim, LADDER_WHOLE);
    simulated_free(sim);
}
GST_END_TEST

GST_START_TEST(other_caps_are_survived)
{
    Simulated *sim = on_flow(__i__);

    fixture_set_caps(sim->fixture,
                     "video/x-raw,format=GRAY8,width=16,height=8,"
                     "framerate=20/1",
                     NULL);
    simulated_play(sim, 1);
    fixture_clear(sim->fixture);
    check_goes_on(sim, LADDER_WHOLE);
    simulated_free(sim);
}
GST_END_TEST

/* The full rung at half the scale, the reduced one at a quarter; then none is left. */
GST_START_TEST(another_scale_is_survived)
{
    Simulated *sim = on_flow(__i__);

    g_object_set(sim->fixture->element, "scale", 0.5, NULL);
    check_goes_on(sim, LADDER_WHOLE);
    g_object_set(sim->fixture->element, "scale", 0.25, NULL);
    check_goes_on(sim, "full,flow,half,duplicates");
    g_object_set(sim->fixture->element, "scale", 1.0, NULL);
    check_goes_on(sim, LADDER_WHOLE);
    simulated_assert_originals(sim);
    simulated_free(sim);
}
GST_END_TEST

GST_START_TEST(other_settings_are_survived)
{
    Simulated *sim = on_flow(__i__);
    GstElement *element = sim->fixture->element;

    g_signal_emit_by_name(element, "clear-cache", TRUE);
    check_goes_on(sim, LADDER_WHOLE);
    g_object_set(element, "clear-cache-after-n-pairs", 1, NULL);
    check_goes_on(sim, LADDER_WHOLE);
    gst_harness_push_upstream_event(sim->fixture->harness, gst_event_new_reconfigure());
    check_goes_on(sim, LADDER_WHOLE);
    simulated_assert_originals(sim);
    simulated_free(sim);
}
GST_END_TEST

/* From PAUSED to READY all is released, while it may just be rehearsed. */
GST_START_TEST(stops_are_survived)
{
    for (guint n = 0; n < 8; n++) {
        Simulated *sim = on_flow(__i__);
        simulated_play(sim, n);
        gst_element_set_state(sim->fixture->element, GST_STATE_READY);
        ck_assert_uint_eq(engine_stat(sim->fixture, "rung-bytes"), 0);
        simulated_free(sim);
    }
}
GST_END_TEST

/* ---- failures ---------------------------------------------------------------------- */

VfiPair *__real_vfi_session_begin(VfiSession *session, const VfiFrame *frames,
                                  size_t n_frames, uint64_t key, GError **error);
VfiPair *__wrap_vfi_session_begin(VfiSession *session, const VfiFrame *frames,
                                  size_t n_frames, uint64_t key, GError **error);

static gint begins_left = -1; /* of pairs at half the scale; -1: any number */
static gint all_fail;

VfiPair *__wrap_vfi_session_begin(VfiSession *session, const VfiFrame *frames,
                                  size_t n_frames, uint64_t key, GError **error)
{
    VfiSessionStats stats;

    vfi_session_get_stats(session, &stats);
    if (g_atomic_int_get(&all_fail) != 0) {
        g_set_error_literal(error, VFI_ERROR, VFI_ERROR_BACKEND, "says the test");
        return NULL;
    }
    if (stats.scale < 1 && g_atomic_int_get(&begins_left) >= 0 &&
        g_atomic_int_add(&begins_left, -1) <= 0) {
        g_atomic_int_set(&begins_left, 0);
        g_set_error_literal(error, VFI_ERROR, VFI_ERROR_BACKEND, "says the test");
        return NULL;
    }
    return __real_vfi_session_begin(session, frames, n_frames, key, error);
}

/* A rung that fails costs a picture and is left out; nobody hears an error. */
GST_START_TEST(a_rung_that_fails_is_left_out)
{
    const LadderCosts heavy = {60, 30, 8};
    Simulated *sim = ladder_start(__i__, LADDER_MODEL, ladder_light);
    guint64 bytes;
    guint settled;

    simulated_play(sim, 50);
    ladder_set_costs(sim, heavy);
    simulated_play(sim, 50);
    assert_rung(sim, "reduced");
    bytes = engine_stat(sim->fixture, "rung-bytes");
    g_atomic_int_set(&begins_left, 3);
    simulated_play(sim, 50);
    ck_assert_uint_lt(engine_stat(sim->fixture, "rung-bytes"), bytes);
    assert_rungs(sim, "full,flow,half,duplicates");
    assert_rung(sim, "flow");
    settled = sim->sent;
    simulated_play(sim, 50);
    ck_assert_uint_eq(ladder_count_made(sim, settled).by[GST_VFI_MAKER_FLOW], 49);
    ck_assert_uint_eq(
        simulated_told(sim, (GstMessageType)(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING)),
        0);
    g_atomic_int_set(&begins_left, -1);
    simulated_assert_originals(sim);
    simulated_free(sim);
}
GST_END_TEST

static void push_value(Simulated *sim, int value, GstClockTime pts)
{
    ck_assert_int_eq(gst_harness_push(sim->fixture->harness,
                                      flat_frame(sim->fixture, value, pts, sim->frame)),
                     GST_FLOW_OK);
}

/* A picture that it was still making leaves, although nothing comes after it. The frames
 * are large, so that it is still at work when the next pair fails; where a sanitizer
 * watches, smaller ones take as long. */
GST_START_TEST(a_rung_that_fails_finishes_what_it_began)
{
    const LadderCosts heavy = {60, 30, 8};
    g_autofree char *caps =
        g_strdup_printf("video/x-raw,format=GRAY8,width=%d,height=%d,framerate=20/1",
                        1920 / SANITIZER_STEP, 1080 / SANITIZER_STEP);
    Simulated *sim = simulated_open(4, LADDER_MODEL);
    GstClockTime pts;

    ladder_set_costs(sim, heavy);
    simulated_start(sim, "20/1", NULL);
    fixture_set_caps(sim->fixture, caps, NULL);
    simulated_configure_latency(sim);
    simulated_play(sim, 40);
    assert_rung(sim, "reduced");
    pts = sim->sent * sim->frame;
    if (gst_clock_get_time(GST_CLOCK(sim->clock)) < pts)
        gst_test_clock_set_time(sim->clock, pts);
    g_atomic_int_set(&begins_left, 1);
    push_value(sim, 20, pts);
    push_value(sim, 30, pts + sim->frame);
    ck_assert(gst_harness_push_event(sim->fixture->harness, gst_event_new_eos()));
    wait_for_event(sim->fixture, GST_EVENT_EOS);
    g_atomic_int_set(&begins_left, -1);
    simulated_free(sim);
}
GST_END_TEST

/* One that stands in is left out, too: then there are copies. */
GST_START_TEST(a_stand_in_may_fail)
{
    Gate gate = {0};
    Simulated *sim = ladder_start_late(__i__, &gate);

    g_atomic_int_set(&all_fail, 1);
    simulated_play(sim, 10);
    g_atomic_int_set(&all_fail, 0);
    ck_assert_uint_eq(ladder_count_made(sim, 0).copies, 9);
    gate_open(&gate);
    while (counter(sim->fixture, "interpolated") < 5)
        simulated_play(sim, 1);
    assert_rung(sim, "full");
    assert_rungs(sim, "full,reduced,half,duplicates");
    ck_assert_uint_eq(
        simulated_told(sim, (GstMessageType)(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING)),
        0);
    simulated_assert_originals(sim);
    simulated_free(sim);
    gate_clear(&gate);
}
GST_END_TEST

static void play_until_full_is_there(Simulated *sim)
{
    for (guint i = 0; i < 100000; i++) {
        g_autofree char *rungs = ladder_text_stat(sim, "rungs");
        if (g_str_has_prefix(rungs, "full"))
            return;
        simulated_play(sim, 1);
        g_thread_yield();
    }
    ck_abort_msg("the full rung never came");
}

static VfiSession *build_whole_only(gpointer user_data, VfiModel *model,
                                    const VfiSessionConfig *config, GError **error)
{
    (void)user_data;
    if (config->scale == 1)
        return vfi_session_new(model, config, error);
    g_set_error_literal(error, VFI_ERROR, VFI_ERROR_NO_MEMORY, "says the test");
    return NULL;
}

GST_START_TEST(a_rung_that_cannot_be_built_is_left_out)
{
    const LadderCosts heavy = {60, 30, 8};
    Simulated *sim = simulated_open(in_flight_mode(__i__), LADDER_MODEL);

    sim->step = LADDER_STEP;
    ladder_set_costs(sim, heavy);
    gst_vfi_session_set_builder(sim->stream, build_whole_only, NULL);
    simulated_start(sim, "20/1", NULL);
    simulated_configure_latency(sim);
    /* What is shown until the full one is there is another test's. */
    play_until_full_is_there(sim);
    simulated_play(sim, 50);
    assert_rungs(sim, "full,flow,half,duplicates");
    assert_rung(sim, "flow");
    ck_assert_uint_eq(
        simulated_told(sim, (GstMessageType)(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING)),
        0);
    simulated_free(sim);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-ladder_parts");
    TCase *tcase = tcase_create("ladder_parts");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, ladders_have_what_there_is, 0,
                        N_MODES * (int)G_N_ELEMENTS(ladders));
    tcase_add_loop_test(tcase, rungs_come_and_go_with_the_ladder, 0, N_MODES);
    tcase_add_loop_test(tcase, rungs_are_left_out_for_memory, 0, N_MODES);
    tcase_add_loop_test(tcase, flushes_are_survived, 0, N_MODES);
    tcase_add_loop_test(tcase, other_caps_are_survived, 0, N_MODES);
    tcase_add_loop_test(tcase, another_scale_is_survived, 0, N_MODES);
    tcase_add_loop_test(tcase, other_settings_are_survived, 0, N_MODES);
    tcase_add_loop_test(tcase, stops_are_survived, 0, N_MODES);
    tcase_add_loop_test(tcase, a_stand_in_may_fail, 0, N_MODES);
    tcase_add_loop_test(tcase, a_rung_that_fails_is_left_out, 0, N_MODES);
    tcase_add_test(tcase, a_rung_that_fails_finishes_what_it_began);
    tcase_add_loop_test(tcase, a_rung_that_cannot_be_built_is_left_out, 0, N_MODES);
    return element_main(argc, argv, suite);
}
