/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The ladder while its sessions are being built in threads: what stands in meanwhile, and
 * who comes first where memory is short. */
#include <vfi/vfi.h>

#include "ladder_stream.h"
#include "stream/engine_session.h"
#include "stream/rungs.h"

static VfiSession *build_full_only_at_once(gpointer user_data, VfiModel *model,
                                           const VfiSessionConfig *config, GError **error)
{
    Gate *gate = user_data;

    g_mutex_lock(&gate->lock);
    while (!gate->open && (config->scale != 1 || vfi_model_info(model)->family[0] == 'f'))
        g_cond_wait(&gate->changed, &gate->lock);
    g_mutex_unlock(&gate->lock);
    return vfi_session_new(model, config, error);
}

/* What is built aside keeps nobody waiting, and is taken over when it is there. */
GST_START_TEST(rungs_are_built_aside)
{
    Gate gate = {0};
    Simulated *sim = simulated_open(in_flight_mode(__i__), LADDER_MODEL);
    g_autofree char *rungs = NULL;

    sim->step = LADDER_STEP;
    ladder_set_costs(sim, ladder_light);
    simulated_gate_builds(sim, &gate);
    gst_vfi_session_set_builder(sim->stream, build_full_only_at_once, &gate);
    gst_vfi_rungs_build_at_once(sim->stream, FALSE);
    simulated_start(sim, "20/1", NULL);
    simulated_configure_latency(sim);
    while (counter(sim->fixture, "interpolated") == 0)
        simulated_play(sim, 1);
    simulated_play(sim, 20);
    assert_rungs(sim, "full,half,duplicates");
    gate_open(&gate);
    for (guint i = 0; i < 100000 && g_strcmp0(rungs, LADDER_WHOLE) != 0; i++) {
        simulated_play(sim, 1);
        g_free(rungs);
        rungs = ladder_text_stat(sim, "rungs");
        g_thread_yield();
    }
    ck_assert_str_eq(rungs, LADDER_WHOLE);
    simulated_assert_originals(sim);
    simulated_free(sim);
    gate_clear(&gate);
}
GST_END_TEST

/* From the first pair on, and no longer than it has to. */
GST_START_TEST(the_builtin_model_stands_in_for_one_that_is_late)
{
    Gate gate = {0};
    Simulated *sim = ladder_start_late(__i__, &gate);
    LadderMade made;
    guint from;

    simulated_play(sim, 50);
    assert_rung(sim, "flow");
    assert_rungs(sim, "flow,half,duplicates");
    made = ladder_count_made(sim, 0);
    ck_assert_uint_eq(made.by[GST_VFI_MAKER_FLOW], 49);
    ck_assert_uint_eq(made.copies, 0);
    gate_open(&gate);
    ladder_play_until_full(sim);
    assert_rungs(sim, LADDER_WHOLE);
    from = sim->sent;
    simulated_play(sim, 50);
    ck_assert_uint_eq(ladder_count_made(sim, from).by[GST_VFI_MAKER_FULL], 49);
    ck_assert_uint_eq(ladder_count_made(sim, 0).copies, 0);
    ck_assert_uint_eq(engine_stat(sim->fixture, "rung-changes"), 2);
    simulated_assert_originals(sim);
    simulated_free(sim);
    gate_clear(&gate);
}
GST_END_TEST

/* The element goes while they are being built. */
GST_START_TEST(builds_aside_end_with_the_element)
{
    for (guint n = 0; n < 10; n++) {
        Simulated *sim = simulated_open(in_flight_mode(__i__), LADDER_MODEL);
        ladder_set_costs(sim, ladder_light);
        gst_vfi_rungs_build_at_once(sim->stream, FALSE);
        simulated_start(sim, "20/1", NULL);
        simulated_configure_latency(sim);
        simulated_play(sim, n);
        simulated_free(sim);
    }
}
GST_END_TEST

/* What builders of a machine with little memory have seen. */
typedef struct {
    Gate gate;
    Simulated *sim;
    guint n_full;        /* sessions of the full rung that were asked for */
    guint n_found;       /* of these, how many find memory */
    VfiError error;      /* that the others end in */
    guint64 lower_bytes; /* that lower rungs had at the last of these */
} Scarce;

static VfiSession *build_full_alone(gpointer user_data, VfiModel *model,
                                    const VfiSessionConfig *config, GError **error)
{
    Scarce *scarce = user_data;
    gboolean is_full = config->scale == 1 && vfi_model_info(model)->family[0] == 's';

    if (!is_full)
        return vfi_session_new(model, config, error);
    g_mutex_lock(&scarce->gate.lock);
    while (!scarce->gate.open)
        g_cond_wait(&scarce->gate.changed, &scarce->gate.lock);
    scarce->n_full++;
    g_mutex_unlock(&scarce->gate.lock);
    scarce->lower_bytes = engine_stat(scarce->sim->fixture, "rung-bytes");
    if (scarce->lower_bytes == 0 && scarce->n_found > 0)
        return vfi_session_new(model, config, error);
    g_set_error_literal(error, VFI_ERROR, (gint)scarce->error, "says the test");
    return NULL;
}

static Simulated *start_scarce(int index, Scarce *scarce)
{
    Simulated *sim = simulated_open(in_flight_mode(index), LADDER_MODEL);

    scarce->sim = sim;
    sim->step = LADDER_STEP;
    ladder_set_costs(sim, ladder_light);
    simulated_gate_builds(sim, &scarce->gate);
    gst_vfi_session_set_builder(sim->stream, build_full_alone, scarce);
    simulated_start(sim, "20/1", NULL);
    simulated_configure_latency(sim);
    simulated_play(sim, 20);
    assert_rung(sim, "flow");
    ck_assert_uint_gt(engine_stat(sim->fixture, "rung-bytes"), 0);
    gate_open(&scarce->gate);
    return sim;
}

/* Lower rungs are there first and leave no memory for the full one: they give way. */
GST_START_TEST(the_full_rung_has_memory_before_others)
{
    Scarce scarce = {.n_found = 1, .error = VFI_ERROR_NO_MEMORY};
    Simulated *sim = start_scarce(__i__, &scarce);

    ladder_play_until_full(sim);
    ck_assert_uint_eq(scarce.n_full, 2);
    ck_assert_uint_eq(scarce.lower_bytes, 0);
    assert_rungs(sim, LADDER_WHOLE);
    ck_assert_uint_eq(
        simulated_told(sim, (GstMessageType)(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING)),
        0);
    ck_assert_uint_eq(simulated_told(sim, GST_MESSAGE_PROGRESS), 2);
    simulated_assert_originals(sim);
    simulated_free(sim);
    gate_clear(&scarce.gate);
}
GST_END_TEST

/* It is tried twice, not for ever, and only once where memory is not the reason. Where
 * copies take over then, nothing of lower rungs stays. */
GST_START_TEST(the_full_rung_may_not_come)
{
    gboolean has_memory = __i__ / N_MODES == 1;
    Scarce scarce = {.error = has_memory ? VFI_ERROR_BACKEND : VFI_ERROR_NO_MEMORY};
    Simulated *sim = start_scarce(__i__ % N_MODES, &scarce);

    gst_util_set_object_arg(G_OBJECT(sim->fixture->element), "on-error", "duplicate");
    for (guint i = 0; i < 100000 && simulated_told(sim, GST_MESSAGE_WARNING) == 0; i++) {
        simulated_play(sim, 1);
        g_thread_yield();
    }
    ck_assert_uint_eq(simulated_told(sim, GST_MESSAGE_WARNING), 1);
    ck_assert_uint_eq(scarce.n_full, has_memory ? 1 : 2);
    ck_assert_uint_eq(engine_stat(sim->fixture, "rung-bytes"), 0);
    simulated_assert_originals(sim);
    simulated_free(sim);
    gate_clear(&scarce.gate);
}
GST_END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("element-ladder_builds");
    TCase *tcase = tcase_create("ladder_builds");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, rungs_are_built_aside, 0, N_MODES);
    tcase_add_loop_test(tcase, the_builtin_model_stands_in_for_one_that_is_late, 0,
                        N_MODES);
    tcase_add_loop_test(tcase, builds_aside_end_with_the_element, 0, N_MODES);
    tcase_add_loop_test(tcase, the_full_rung_has_memory_before_others, 0, N_MODES);
    tcase_add_loop_test(tcase, the_full_rung_may_not_come, 0, 2 * N_MODES);
    return element_main(argc, argv, suite);
}
