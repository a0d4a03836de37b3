/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Simulated time; see the header. */
#include "simulated.h"

#include "stream/deadlines.h"
#include "stream/engine_session.h"
#include "stream/rungs.h"

#define PATIENCE (60 * G_TIME_SPAN_SECOND)

void gst_plugin_vfiinterp_register(void);

/* What a job of @maker costs. */
static GstClockTime cost_of(const Simulated *sim, GstVfiMaker maker)
{
    return maker == GST_VFI_MAKER_FULL ? sim->cost : sim->lower_costs[maker];
}

/* The work happens in an instant of real time; the clock moves when the picture is waited
 * for, as if the engine had only then finished it. A rehearsal finds time that nobody
 * else wants. */
static gboolean job_times(gpointer user_data, VfiJob *job, GstVfiMaker maker,
                          GstVfiAskedJob asked, GstClockTime *cost, GstClockTime *age)
{
    Simulated *sim = user_data;

    if (asked == GST_VFI_ASKED_SHOWN)
        return FALSE;
    *cost = cost_of(sim, maker);
    *age = 0;
    if (asked == GST_VFI_ASKED_REHEARSAL) {
        vfi_job_wait(job, NULL);
        sim->rehearsals++;
        return TRUE;
    }
    gst_test_clock_advance_time(sim->clock, (GstClockTimeDiff)*cost);
    sim->jobs++;
    return TRUE;
}

Simulated *simulated_open(int in_flight, const char *properties)
{
    Simulated *sim = g_new0(Simulated, 1);

    sim->step = 1;
    sim->told = g_ptr_array_new_with_free_func((GDestroyNotify)gst_message_unref);
    gst_plugin_vfiinterp_register();
    sim->fixture = fixture_new(in_flight, properties);
    sim->stream = gst_pad_get_element_private(sim->fixture->element->sinkpads->data);
    gst_vfi_deadlines_set_job_times(sim->stream, job_times, sim);
    gst_vfi_rungs_build_at_once(sim->stream, TRUE);
    gst_harness_use_testclock(sim->fixture->harness);
    sim->clock = gst_harness_get_testclock(sim->fixture->harness);
    return sim;
}

void simulated_start(Simulated *sim, const char *rate, const char *out)
{
    g_autofree char *caps = video_caps("GRAY8", 8, 8, rate);
    g_autofree char *out_caps = NULL;

    if (out != NULL)
        out_caps = g_strdup_printf("video/x-raw,framerate=%s", out);
    fixture_set_caps(sim->fixture, caps, out_caps);
    /* Caps are dealt with when what follows them has left. */
    wait_for_event(sim->fixture, GST_EVENT_SEGMENT);
    if (sim->fixture->info.fps_n > 0)
        sim->frame = gst_util_uint64_scale_int(GST_SECOND, sim->fixture->info.fps_d,
                                               sim->fixture->info.fps_n);
}

Simulated *simulated_new(int in_flight, const char *properties, const char *rate,
                         const char *out)
{
    Simulated *sim = simulated_open(in_flight, properties);

    simulated_start(sim, rate, out);
    return sim;
}

void simulated_free(Simulated *sim)
{
    gst_object_unref(sim->clock);
    g_ptr_array_unref(sim->told);
    fixture_free(sim->fixture);
    g_free(sim);
}

GstClockTime simulated_configure_latency(Simulated *sim)
{
    GstClockTime latency = gst_harness_query_latency(sim->fixture->harness);

    ck_assert(gst_harness_push_upstream_event(sim->fixture->harness,
                                              gst_event_new_latency(latency)));
    return latency;
}

void simulated_advance(Simulated *sim, GstClockTime time)
{
    gst_test_clock_advance_time(sim->clock, (GstClockTimeDiff)time);
}

void simulated_crank(Simulated *sim)
{
    gst_test_clock_wait_for_next_pending_id(sim->clock, NULL);
    ck_assert(gst_test_clock_crank(sim->clock));
}

static gboolean has_left(Fixture *fixture, GstClockTime pts)
{
    for (guint i = fixture->items->len; i-- > 0;) {
        Item *item = g_ptr_array_index(fixture->items, i);
        if (item->buffer != NULL)
            return GST_BUFFER_PTS(item->buffer) >= pts;
    }
    return FALSE;
}

void simulated_wait_for(Simulated *sim, GstClockTime pts)
{
    Fixture *fixture = sim->fixture;
    gint64 deadline = g_get_monotonic_time() + PATIENCE;

    g_mutex_lock(&fixture->lock);
    while (!has_left(fixture, pts))
        ck_assert_msg(g_cond_wait_until(&fixture->changed, &fixture->lock, deadline),
                      "nothing came for %" GST_TIME_FORMAT, GST_TIME_ARGS(pts));
    g_mutex_unlock(&fixture->lock);
}

int simulated_value(const Simulated *sim, guint k)
{
    return 10 + (int)(k * sim->step % 200);
}

void simulated_send(Simulated *sim, guint n)
{
    for (guint i = 0; i < n; i++) {
        GstClockTime pts = sim->sent * sim->frame;
        GstClockTime now = gst_clock_get_time(GST_CLOCK(sim->clock));
        GstBuffer *buffer =
            flat_frame(sim->fixture, simulated_value(sim, sim->sent), pts, sim->frame);
        sim->sent++;
        if (now < pts)
            gst_test_clock_set_time(sim->clock, pts);
        sim->lag = now > pts ? now - pts : 0;
        sim->worst_lag = MAX(sim->worst_lag, sim->lag);
        ck_assert_int_eq(gst_harness_push(sim->fixture->harness, buffer), GST_FLOW_OK);
        simulated_wait_for(sim, pts);
    }
}

void simulated_play(Simulated *sim, guint n)
{
    for (guint i = 0; i < n; i++) {
        gboolean asked = FALSE;
        GstMessage *message;
        simulated_send(sim, 1);
        while ((message = gst_bus_pop(sim->fixture->bus)) != NULL) {
            asked = asked || GST_MESSAGE_TYPE(message) == GST_MESSAGE_LATENCY;
            g_ptr_array_add(sim->told, message);
        }
        if (asked)
            simulated_configure_latency(sim);
    }
}

guint simulated_told(Simulated *sim, GstMessageType types)
{
    guint n = 0;

    for (guint i = 0; i < sim->told->len; i++)
        n += (GST_MESSAGE_TYPE((GstMessage *)g_ptr_array_index(sim->told, i)) & types) !=
             0;
    return n;
}

void simulated_qos(Simulated *sim, GstQOSType type, GstClockTimeDiff diff,
                   GstClockTime timestamp)
{
    gst_harness_push_upstream_event(sim->fixture->harness,
                                    gst_event_new_qos(type, 1.0, diff, timestamp));
}

char *simulated_rung(Simulated *sim)
{
    GstStructure *stats = NULL;
    char *rung;

    g_object_get(sim->fixture->element, "stats", &stats, NULL);
    rung = g_strdup(gst_structure_get_string(stats, "rung"));
    gst_structure_free(stats);
    return rung;
}

guint simulated_messages(Simulated *sim, GstMessageType type)
{
    GstMessage *message;
    guint n = 0;

    while ((message = gst_bus_pop_filtered(sim->fixture->bus, type)) != NULL) {
        gst_message_unref(message);
        n++;
    }
    return n;
}

void simulated_assert_originals(Simulated *sim)
{
    Fixture *fixture = sim->fixture;
    guint k = 0;

    for (guint i = 0; i < fixture->items->len; i++) {
        GstBuffer *buffer = ((Item *)g_ptr_array_index(fixture->items, i))->buffer;
        if (buffer == NULL || GST_BUFFER_PTS(buffer) != k * sim->frame)
            continue;
        ck_assert_int_eq(first_byte(&fixture->info, buffer), simulated_value(sim, k));
        assert_flag(buffer, GST_BUFFER_FLAG_GAP, FALSE);
        k++;
    }
    ck_assert_uint_eq(k, sim->sent);
}

static VfiSession *build_behind_gate(gpointer user_data, VfiModel *model,
                                     const VfiSessionConfig *config, GError **error)
{
    Gate *gate = user_data;

    g_mutex_lock(&gate->lock);
    while (!gate->open)
        g_cond_wait(&gate->changed, &gate->lock);
    g_mutex_unlock(&gate->lock);
    if (!gate->fails)
        return vfi_session_new(model, config, error);
    g_set_error_literal(error, VFI_ERROR, VFI_ERROR_NO_MEMORY,
                        "no memory, says the test");
    return NULL;
}

void simulated_gate_builds(Simulated *sim, Gate *gate)
{
    g_mutex_init(&gate->lock);
    g_cond_init(&gate->changed);
    gst_vfi_session_set_builder(sim->stream, build_behind_gate, gate);
}

void gate_open(Gate *gate)
{
    g_mutex_lock(&gate->lock);
    gate->open = TRUE;
    g_cond_broadcast(&gate->changed);
    g_mutex_unlock(&gate->lock);
}

void gate_clear(Gate *gate)
{
    g_mutex_clear(&gate->lock);
    g_cond_clear(&gate->changed);
}
