/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running a segment of the time stage, as often as its plan says: the inputs of each
 * round, the states that survive it, and how far the job is. */
#include "session/rounds.h"

#include "graph/nodes.h"

/* What the family and the round decide; the rest is the view's. */
static void set_round_inputs(const VfiSession *session, int segment, int round,
                             VfiRunInputs *inputs)
{
    const VfiModel *model = session->model;

    inputs->noise.round = (uint32_t)round;
    if (model->family->set_inputs != NULL)
        model->family->set_inputs(&model->setup, segment, round, inputs);
}

/* A device that queues work would be given all rounds long before the first has run: it
 * is waited for, so that the job can be cancelled between two, and is as far as it
 * says. */
static bool finish_round(VfiSession *session, VfiJob *job, GError **error)
{
    if (!session->backend->host_memory && !session->backend->sync(session->device, error))
        return false;
    g_mutex_lock(&session->lock);
    job->round++;
    job->n_rounds = MAX(job->n_rounds, job->round);
    g_cond_broadcast(&session->job_ended);
    g_mutex_unlock(&session->lock);
    vfi_session_call_notify(session);
    return true;
}

void vfi_session_set_round_hook(VfiSession *session, VfiRoundHook *hook, void *data)
{
    session->round_hook = hook;
    session->round_hook_data = data;
}

static bool call_hook(VfiSession *session, int round, const VfiRunArguments *arguments,
                      GError **error)
{
    if (session->round_hook == NULL)
        return true;
    if (!session->backend->sync(session->device, error))
        return false;
    session->round_hook(session, round, arguments->region[VFI_REGION_STATE],
                        session->round_hook_data);
    return true;
}

bool vfi_run_segment(VfiSession *session, VfiJob *job, int segment,
                     VfiRunArguments *arguments, GError **error)
{
    const VfiPlanSegment *plan = &session->plans[VFI_STAGE_TIME]->segments[segment];
    bool is_loop = segment == session->graphs[VFI_STAGE_TIME]->loop;

    for (int round = 0; round < plan->rounds; round++) {
        set_round_inputs(session, segment, round, &arguments->inputs);
        if (is_loop && !call_hook(session, round, arguments, error))
            return false;
        if (!session->backend->run(session->device, session->programs[VFI_STAGE_TIME],
                                   segment, arguments, error) ||
            (plan->rounds > 1 && !finish_round(session, job, error)))
            return false;
        if (plan->writes_state)
            vfi_exchange_states(arguments);
    }
    return !is_loop || call_hook(session, plan->rounds, arguments, error);
}

/* Of all segments: there is one loop at most. */
static int rounds_of_plan(const VfiPlan *plan)
{
    int rounds = 0;

    for (int s = 0; s < plan->n_segments; s++)
        if (plan->segments[s].rounds > 1)
            rounds += plan->segments[s].rounds;
    return rounds;
}

void vfi_expect_rounds(VfiSession *session, VfiJob *job)
{
    int rounds = rounds_of_plan(session->plans[VFI_STAGE_TIME]) * session->tiling.x.n *
                 session->tiling.y.n;

    g_mutex_lock(&session->lock);
    job->n_rounds = job->round + (unsigned)rounds;
    g_mutex_unlock(&session->lock);
}
