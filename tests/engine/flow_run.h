/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Flow between two frames through the steps of a plan, without a session. */
#pragma once

#include <check.h>

#include <vfi/error.h>

#include "base/alloc.h"
#include "cpu/flow_step.h"
#include "flow/flow_plan.h"

/* Bytes around each region that nothing may write to, and what they and the region hold
 * before: a NaN as float. */
#define FLOW_GUARD 512
#define FLOW_GUARD_BYTE 0xff

typedef struct {
    VfiFlowPlan *plan;
    VfiPool *pool;
    VfiCpuLevel level;
    char *region[VFI_FLOW_REGIONS];
    size_t bytes[VFI_FLOW_REGIONS];
    const atomic_int *cancel;
} FlowRun;

static inline void flow_run_open(FlowRun *run, const VfiVideoInfo *video,
                                 VfiFlowQuality quality, int threads)
{
    g_autoptr(GError) error = NULL;

    *run = (FlowRun){.level = vfi_cpu_level()};
    run->plan = vfi_flow_plan_new(video, quality, &error);
    ck_assert_msg(run->plan != NULL, "%s", error != NULL ? error->message : "");
    run->pool = vfi_pool_new(threads, NULL);
    run->bytes[VFI_FLOW_FRAME0] = run->bytes[VFI_FLOW_FRAME1] = run->plan->frame_bytes;
    run->bytes[VFI_FLOW_PAIR] = run->plan->pair_bytes;
    run->bytes[VFI_FLOW_ARENA] = run->plan->arena_bytes;
    for (int i = 0; i < VFI_FLOW_REGIONS; i++) {
        size_t bytes = run->bytes[i] + 2 * FLOW_GUARD;
        run->region[i] = vfi_try_alloc(1, bytes, "test region", NULL);
        memset(run->region[i], FLOW_GUARD_BYTE, bytes);
        run->region[i] += FLOW_GUARD;
    }
}

static inline void flow_run_close(FlowRun *run)
{
    for (int i = 0; i < VFI_FLOW_REGIONS; i++) {
        const unsigned char *before = (unsigned char *)run->region[i] - FLOW_GUARD;
        const unsigned char *behind = (unsigned char *)run->region[i] + run->bytes[i];
        for (int k = 0; k < FLOW_GUARD; k++)
            ck_assert(before[k] == FLOW_GUARD_BYTE && behind[k] == FLOW_GUARD_BYTE);
        vfi_free(run->region[i] - FLOW_GUARD);
    }
    vfi_pool_free(run->pool);
    vfi_flow_plan_free(run->plan);
}

/* False if cancelled. */
static inline bool flow_run_stage(FlowRun *run, VfiFlowStage stage,
                                  const VfiFlowArguments *arguments)
{
    for (int i = 0; i < run->plan->n_steps[stage]; i++)
        if (!vfi_cpu_flow_step(run->pool, run->level, &run->plan->steps[stage][i],
                               arguments))
            return false;
    return true;
}

static inline bool flow_run_pair(FlowRun *run, const VfiVideoInfo *video,
                                 const VfiFrame *frame0, const VfiFrame *frame1)
{
    const VfiFrame *frames[] = {frame0, frame1};
    VfiFlowArguments arguments = {.cancel = run->cancel};
    bool complete = true;

    for (int i = 0; complete && i < 2; i++) {
        arguments.video = video;
        arguments.frame = frames[i];
        arguments.region[VFI_FLOW_FRAME0] = run->region[i];
        complete = flow_run_stage(run, VFI_FLOW_STAGE_FRAME, &arguments);
    }
    arguments.video = NULL;
    arguments.frame = NULL;
    memcpy(arguments.region, run->region, sizeof arguments.region);
    return complete && flow_run_stage(run, VFI_FLOW_STAGE_PAIR, &arguments);
}

static inline bool flow_run_time(FlowRun *run, float t, VfiMotion *motion)
{
    VfiFlowArguments arguments = {.t = t, .cancel = run->cancel};

    memcpy(arguments.region, run->region, sizeof arguments.region);
    if (!flow_run_stage(run, VFI_FLOW_STAGE_TIME, &arguments))
        return false;
    vfi_flow_motion(run->plan, run->region, t, motion);
    return true;
}
