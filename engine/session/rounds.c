/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running a segment of the time stage, as often as its plan says: the inputs of each
 * round, the states that survive it, and how far the job is. */
#include "session/rounds.h"

#include "graph/nodes.h"
#include "op/descriptor.h"

/* µs; between them nobody is told of work that was done. */
#define TELL_INTERVAL 250000

/* ---- progress ---------------------------------------------------------------------- */

bool vfi_session_tells_progress(const VfiSession *session)
{
    return session->graphs[VFI_STAGE_TIME] != NULL &&
           session->graphs[VFI_STAGE_TIME]->loop >= 0;
}

static double segment_macs(const VfiPlan *plan, int segment)
{
    const VfiPlanSegment *range = &plan->segments[segment];
    double macs = 0.0;

    for (int i = range->first_op; i < range->first_op + range->n_ops; i++)
        macs += vfi_op_macs(&plan->ops[i]);
    return macs;
}

/* Under the lock. */
static void tell_work(VfiSession *session, VfiJob *job, int64_t now)
{
    job->told_at = now;
    if (job->expected_work > 0.0)
        job->told_part = CLAMP(job->work / job->expected_work, job->told_part, 1.0);
    g_cond_broadcast(&session->job_ended);
}

static void note_work(VfiSession *session, VfiJob *job, double macs)
{
    int64_t now = g_get_monotonic_time();

    g_mutex_lock(&session->lock);
    job->work += macs;
    bool is_due = now - MAX(job->told_at, job->taken) >= TELL_INTERVAL;
    if (is_due)
        tell_work(session, job, now);
    g_mutex_unlock(&session->lock);
    if (is_due)
        vfi_session_call_notify(session);
}

void vfi_note_ops(void *data, const VfiOp *ops, int n_ops)
{
    VfiJob *job = data;
    double macs = 0.0;

    for (int i = 0; i < n_ops; i++)
        macs += vfi_op_macs(&ops[i]);
    note_work(job->pair->session, job, macs);
}

void vfi_note_segment(VfiSession *session, VfiJob *job, const VfiPlan *plan, int segment)
{
    if (!session->backend->host_memory && vfi_session_tells_progress(session))
        note_work(session, job, segment_macs(plan, segment));
}

/* ---- rounds ------------------------------------------------------------------------ */

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
    tell_work(session, job, g_get_monotonic_time());
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
                                   segment, arguments, error))
            return false;
        vfi_note_segment(session, job, session->plans[VFI_STAGE_TIME], segment);
        if (plan->rounds > 1 && !finish_round(session, job, error))
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

/* Of one run of all segments of the stage, where there is one. */
static double macs_of_stage(const VfiSession *session, VfiStage stage)
{
    const VfiPlan *plan = session->plans[stage];
    double macs = 0.0;

    for (int s = 0; plan != NULL && s < plan->n_segments; s++)
        macs += plan->segments[s].rounds * segment_macs(plan, s);
    return macs;
}

void vfi_expect_rounds(VfiSession *session, VfiJob *job, int n_frames)
{
    int tiles = session->tiling.x.n * session->tiling.y.n;
    int rounds = rounds_of_plan(session->plans[VFI_STAGE_TIME]) * tiles;
    double work = 0.0;

    if (vfi_session_tells_progress(session))
        work = tiles * (n_frames * macs_of_stage(session, VFI_STAGE_FRAME) +
                        macs_of_stage(session, VFI_STAGE_PAIR) +
                        macs_of_stage(session, VFI_STAGE_TIME)) +
               (session->has_constant ? 0.0 : macs_of_stage(session, VFI_STAGE_CONSTANT));
    g_mutex_lock(&session->lock);
    job->n_rounds = job->round + (unsigned)rounds;
    job->expected_work = job->work + work * (1 + job->inferences_ahead);
    g_mutex_unlock(&session->lock);
}
