/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The latency of models that see frames after the two around an in-between: what is
 * reported, and that this is what it takes. By a test clock. */
#include "simulated.h"

#include "pure/latency.h"
#include "view_script.h"

#define MS GST_MSECOND

static const Family three_frames = {1, 0}, ahead = {0, 1}, four_frames = {1, 1},
                    eight_frames = {3, 3};

static Simulated *start(int index, const Family *family, const char *properties,
                        const char *rate, const char *out)
{
    g_autofree char *all = family_properties(family, properties);

    return simulated_new(in_flight_mode(index), all, rate, out);
}

static GstClockTime greatest_latency(Simulated *sim)
{
    g_autoptr(GstQuery) query = gst_query_new_latency();
    GstClockTime max;

    ck_assert(gst_pad_query(sim->fixture->element->srcpads->data, query));
    gst_query_parse_latency(query, NULL, NULL, &max);
    return max;
}

static gboolean answer_latency(GstPad *pad, GstObject *parent, GstQuery *query)
{
    if (GST_QUERY_TYPE(query) != GST_QUERY_LATENCY)
        return gst_pad_query_default(pad, parent, query);
    gst_query_set_latency(query, TRUE, 0, 100 * MS);
    return TRUE;
}

/* As for models of two frames (element-live), and a frame interval for each frame after;
 * where up to two repeats are held, three. */
GST_START_TEST(frames_after_become_latency)
{
    static const struct {
        const Family *family;
        const char *properties, *rate, *out;
        GstClockTime own, frame;
    } table[] = {
        {&three_frames, NULL, "25/1", NULL, 25 * MS, 40 * MS},
        {&ahead, NULL, "25/1", NULL, 65 * MS, 40 * MS},
        {&four_frames, NULL, "25/1", NULL, 65 * MS, 40 * MS},
        {&four_frames, "multiplier=5", "20/1", NULL, 95 * MS, 50 * MS},
        {&four_frames, NULL, "20/1", "30/1", 105 * MS, 50 * MS},
        {&four_frames, NULL, "0/1", NULL, 65 * MS, 40 * MS},
        {&four_frames, "duplicate-mode=replace duplicate-max=2", "25/1", NULL, 225 * MS,
         40 * MS},
        {&four_frames, "multiplier=1", "25/1", NULL, 0, 0},
        /* Copies make up the rate, and wait for no view. */
        {&four_frames, "bypass-pixels=1", "25/1", "50/1", 25 * MS, 40 * MS},
        {&eight_frames, NULL, "25/1", NULL, 145 * MS, 40 * MS},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        GstClockTime queue = __i__ == 0 ? 0 : 2 * table[i].frame;
        g_autofree char *properties =
            g_strdup_printf("latency-budget=5000000 %s",
                            table[i].properties != NULL ? table[i].properties : "");
        Simulated *sim =
            start(__i__, table[i].family, properties, table[i].rate, table[i].out);
        ck_assert_uint_eq(simulated_configure_latency(sim), table[i].own);
        ck_assert_uint_eq(engine_stat(sim->fixture, "latency"), table[i].own);
        gst_pad_set_query_function(sim->fixture->harness->srcpad, answer_latency);
        ck_assert_uint_eq(greatest_latency(sim), 100 * MS + table[i].own + queue);
        simulated_free(sim);
    }
}
GST_END_TEST

/* Sends frame number @sent of a row in which each picture is shown @shown times. */
static void send_one(Simulated *sim, guint shown)
{
    GstClockTime pts = sim->sent * sim->frame;

    if (gst_clock_get_time(GST_CLOCK(sim->clock)) < pts)
        gst_test_clock_set_time(sim->clock, pts);
    ck_assert_int_eq(
        gst_harness_push(sim->fixture->harness,
                         flat_frame(sim->fixture, (int)(7 * (sim->sent / shown) % 251),
                                    pts, sim->frame)),
        GST_FLOW_OK);
    script_settle(sim->fixture);
    sim->sent++;
}

static void send(Simulated *sim, guint shown, guint n)
{
    for (guint i = 0; i < n; i++)
        send_one(sim, shown);
}

/* Another model is one of other views, other caps are of other intervals. */
GST_START_TEST(a_model_and_caps_that_change_it_post_a_message)
{
    Simulated *sim = start(__i__, &three_frames, "latency-budget=5000000", "25/1", NULL);
    Fixture *fixture = sim->fixture;
    g_autofree char *slower = video_caps("GRAY8", 8, 8, "20/1");

    ck_assert_uint_eq(simulated_messages(sim, GST_MESSAGE_LATENCY), 1);
    ck_assert_uint_eq(simulated_configure_latency(sim), 25 * MS);
    gst_element_set_state(fixture->element, GST_STATE_READY);
    g_object_set(fixture->element, "model", "sum-1-1", NULL);
    gst_element_set_state(fixture->element, GST_STATE_PLAYING);
    fixture_clear(fixture);
    fixture_start(fixture, "video/x-raw,format=GRAY8,width=8,height=8,framerate=25/1");
    wait_for_event(fixture, GST_EVENT_SEGMENT);
    ck_assert_uint_eq(simulated_messages(sim, GST_MESSAGE_LATENCY), 1);
    ck_assert_uint_eq(simulated_configure_latency(sim), 65 * MS);
    fixture_set_caps(fixture, slower, NULL);
    script_settle(fixture);
    ck_assert_uint_eq(simulated_messages(sim, GST_MESSAGE_LATENCY), 1);
    ck_assert_uint_eq(simulated_configure_latency(sim), 80 * MS);
    simulated_free(sim);
}
GST_END_TEST

/* How late buffers leave. */
typedef struct {
    Simulated *sim;
    GstClockTime worst;
} Lateness;

static GstPadProbeReturn note_lateness(GstPad *pad, GstPadProbeInfo *info,
                                       gpointer user_data)
{
    Lateness *lateness = user_data;
    GstClockTime now = gst_clock_get_time(GST_CLOCK(lateness->sim->clock));
    GstClockTime pts = GST_BUFFER_PTS(GST_PAD_PROBE_INFO_BUFFER(info));

    (void)pad;
    if (now > pts)
        lateness->worst = MAX(lateness->worst, now - pts);
    return GST_PAD_PROBE_OK;
}

static const struct {
    const char *properties, *out;
    guint shown;    /* frames that show one picture */
    gboolean exact; /* an output is as late as can be */
} streams[] = {
    {"multiplier=2", NULL, 1, TRUE},
    {"multiplier=4", NULL, 1, TRUE},
    {"", "30/1", 1, FALSE},
    {"duplicate-mode=replace duplicate-max=2 duplicate-threshold=0", NULL, 3, TRUE},
};

static void assert_all_made(Simulated *sim)
{
    g_autofree char *rung = simulated_rung(sim);

    ck_assert_str_eq(rung, "full");
    ck_assert_uint_eq(engine_stat(sim->fixture, "late"), 0);
    ck_assert_uint_eq(counter(sim->fixture, "duplicate"), 0);
    ck_assert_uint_gt(counter(sim->fixture, "interpolated"), 0);
    ck_assert_uint_eq(simulated_messages(sim, GST_MESSAGE_QOS), 0);
}

/* Before costs are known, and by what they are. */
static void check_stream(int index, const Family *family, size_t stream)
{
    Simulated *sim =
        start(index, family, streams[stream].properties, "20/1", streams[stream].out);
    Lateness lateness = {sim, 0};
    GstClockTime own = simulated_configure_latency(sim);

    sim->cost = 5 * MS;
    gst_pad_add_probe(sim->fixture->element->srcpads->data, GST_PAD_PROBE_TYPE_BUFFER,
                      note_lateness, &lateness, NULL);
    send(sim, streams[stream].shown, 60);
    ck_assert_uint_le(lateness.worst, own);
    own = simulated_configure_latency(sim);
    lateness.worst = 0;
    send(sim, streams[stream].shown, 60);
    ck_assert_uint_le(lateness.worst, own);
    if (streams[stream].exact)
        ck_assert_uint_eq(own - lateness.worst, GST_VFI_LATENCY_SLACK);
    assert_all_made(sim);
    ck_assert_int_eq(engine_stat(sim->fixture, "replaced") > 0,
                     streams[stream].shown > 1);
    simulated_free(sim);
}

GST_START_TEST(nothing_is_late_at_the_reported_latency)
{
    for (size_t stream = 0; stream < G_N_ELEMENTS(streams); stream++)
        check_stream(__i__ % N_MODES, &wide_families[__i__ / N_MODES], stream);
}
GST_END_TEST

/* What two frames would have taken is too little by the frame that is waited for. */
GST_START_TEST(with_less_there_is_no_time)
{
    Simulated *sim = start(__i__, &four_frames, NULL, "20/1", NULL);
    GstClockTime own = simulated_configure_latency(sim);

    gst_harness_push_upstream_event(sim->fixture->harness,
                                    gst_event_new_latency(own - sim->frame));
    sim->cost = 5 * MS;
    send(sim, 1, 30);
    ck_assert_uint_gt(engine_stat(sim->fixture, "late"), 20);
    simulated_free(sim);
}
GST_END_TEST

/* Frame 60, of 3 s, stays away: what waited for it could be made when copies of frame 59
 * begin, 20 ms after its time. Its in-between was to leave 9 ms after that time. */
GST_START_TEST(what_waits_for_a_silent_source_is_late)
{
    Simulated *sim = start(1, &four_frames, "live-timeout=20000000", "20/1", NULL);
    GstClockTime silent = 60 * 50 * MS;

    sim->cost = 5 * MS;
    simulated_configure_latency(sim);
    send(sim, 1, 60);
    ck_assert_uint_eq(simulated_configure_latency(sim), 84 * MS);
    ck_assert_uint_eq(counter(sim->fixture, "interpolated"), 58);
    simulated_crank(sim);
    ck_assert_uint_eq(gst_clock_get_time(GST_CLOCK(sim->clock)), silent + 20 * MS);
    simulated_wait_for(sim, silent);
    ck_assert_uint_eq(counter(sim->fixture, "interpolated"), 58);
    ck_assert_uint_eq(engine_stat(sim->fixture, "late"), 1);
    /* Of frame 58, and two of frame 59. */
    ck_assert_uint_eq(counter(sim->fixture, "duplicate"), 3);
    simulated_free(sim);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-view_latency");
    TCase *tcase = tcase_create("view_latency");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, frames_after_become_latency, 0, N_MODES);
    tcase_add_loop_test(tcase, a_model_and_caps_that_change_it_post_a_message, 0,
                        N_MODES);
    tcase_add_loop_test(tcase, nothing_is_late_at_the_reported_latency, 0,
                        N_WIDE_FAMILIES * N_MODES);
    tcase_add_loop_test(tcase, with_less_there_is_no_time, 0, N_MODES);
    tcase_add_test(tcase, what_waits_for_a_silent_source_is_late);
    return element_main(argc, argv, suite);
}
