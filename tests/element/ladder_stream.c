/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ladder_stream.h"

#include <math.h>

#include "../families/weighted_sum.h"
#include "stream/engine_session.h"

/* What each maker makes between two frames, which is the middle for the built-in one. */
static double expected_value(GstVfiMaker maker, double a, double b)
{
    double scale = maker == GST_VFI_MAKER_REDUCED ? 0.5 : 1.0;

    if (maker == GST_VFI_MAKER_FLOW)
        return (a + b) / 2;
    return a * scaled_sum_factor(2, 0, scale) + b * scaled_sum_factor(2, 1, scale);
}

static GstVfiMaker maker_of(double value, double a, double b)
{
    for (GstVfiMaker maker = GST_VFI_MAKER_FULL; maker < GST_VFI_N_MAKERS; maker++)
        if (fabs(value - expected_value(maker, a, b)) <= 2)
            return maker;
    ck_abort_msg("%f between %f and %f is nobody's", value, a, b);
}

LadderMade ladder_count_made(Simulated *sim, guint first)
{
    Fixture *fixture = sim->fixture;
    GstClockTime from = first * sim->frame;
    LadderMade made = {0};

    for (guint i = 0; i < n_buffers(fixture); i++) {
        GstBuffer *buffer = nth_buffer(fixture, i);
        GstClockTime pts = GST_BUFFER_PTS(buffer);
        guint k = (guint)(pts / sim->frame);
        int value = first_byte(&fixture->info, buffer);
        if (pts < from || pts % sim->frame == 0)
            continue;
        if (GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_GAP)) {
            ck_assert_int_eq(value, simulated_value(sim, k));
            made.copies++;
            continue;
        }
        made.by[maker_of(value, simulated_value(sim, k), simulated_value(sim, k + 1))]++;
    }
    return made;
}

void ladder_set_costs(Simulated *sim, const LadderCosts costs)
{
    sim->cost = costs[GST_VFI_MAKER_FULL] * MS;
    for (guint maker = 1; maker < GST_VFI_N_MAKERS; maker++)
        sim->lower_costs[maker] = costs[maker] * MS;
}

Simulated *ladder_start(int index, const char *properties, const LadderCosts costs)
{
    Simulated *sim = simulated_open(in_flight_mode(index), properties);

    sim->step = LADDER_STEP;
    ladder_set_costs(sim, costs);
    simulated_start(sim, "20/1", NULL);
    simulated_configure_latency(sim);
    return sim;
}

char *ladder_text_stat(Simulated *sim, const char *name)
{
    GstStructure *stats = NULL;
    char *text;

    g_object_get(sim->fixture->element, "stats", &stats, NULL);
    text = g_strdup(gst_structure_get_string(stats, name));
    gst_structure_free(stats);
    return text;
}

void ladder_assert_text(Simulated *sim, const char *name, const char *expected)
{
    g_autofree char *text = ladder_text_stat(sim, name);

    ck_assert_str_eq(text, expected);
}

const LadderCosts ladder_light = {10, 6, 2};

static VfiSession *build_full_late(gpointer user_data, VfiModel *model,
                                   const VfiSessionConfig *config, GError **error)
{
    Gate *gate = user_data;

    g_mutex_lock(&gate->lock);
    while (!gate->open && config->scale == 1 && vfi_model_info(model)->family[0] == 's')
        g_cond_wait(&gate->changed, &gate->lock);
    g_mutex_unlock(&gate->lock);
    return vfi_session_new(model, config, error);
}

Simulated *ladder_start_late(int index, Gate *gate)
{
    Simulated *sim = simulated_open(in_flight_mode(index), LADDER_MODEL);

    sim->step = LADDER_STEP;
    ladder_set_costs(sim, ladder_light);
    simulated_gate_builds(sim, gate);
    gst_vfi_session_set_builder(sim->stream, build_full_late, gate);
    simulated_start(sim, "20/1", NULL);
    simulated_configure_latency(sim);
    return sim;
}

/* Nothing tells when the build has ended. */
void ladder_play_until_full(Simulated *sim)
{
    g_autofree char *rung = ladder_text_stat(sim, "rung");

    for (guint i = 0; i < 100000 && strcmp(rung, "full") != 0; i++) {
        simulated_play(sim, 1);
        g_free(rung);
        rung = ladder_text_stat(sim, "rung");
        g_thread_yield();
    }
    ck_assert_str_eq(rung, "full");
}
