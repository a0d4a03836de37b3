/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Plans a model as a session would, and answers what all ways of showing the plans
 * ask. */
#include "inspected_plan.h"

#include <vfi/error.h>

#include "graph/nodes.h"
#include "session/stages.h"

/* ---- where there is no GPU to ask -------------------------------------------------- */

struct VfiDevice {
    VfiPlanTarget target;
};

static void gpu_plan_target(VfiDevice *device, VfiPlanTarget *target)
{
    *target = device->target;
}

/* Only a GPU can say what the backend takes besides the plans' own memory. */
static bool gpu_measure(VfiDevice *device, const VfiPlan *plan, VfiProgramNeed *need,
                        GError **error)
{
    (void)device, (void)plan, (void)error;
    *need = (VfiProgramNeed){0};
    return true;
}

static void gpu_close(VfiDevice *device)
{
    (void)device;
}

static const VfiBackend gpu = {.abi = VFI_BACKEND_ABI,
                               .name = "cuda",
                               .close = gpu_close,
                               .plan_target = gpu_plan_target,
                               .measure = gpu_measure};

/* Plans as the CUDA backend makes them on all GPUs, which a test compares. */
static gboolean set_gpu(InspectedPlan *inspected, VfiPrecision precision, GError **error)
{
    static VfiDevice device;

    if (precision == VFI_PRECISION_AUTO)
        precision = VFI_PRECISION_F16;
    if (precision == VFI_PRECISION_BF16) {
        g_set_error_literal(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                            "precision bf16 is not there on CUDA: expected auto, f16, "
                            "tf32 or f32");
        return FALSE;
    }
    device.target = precision == VFI_PRECISION_F32
                        ? vfi_plan_target_planar()
                        : vfi_plan_target_channels_last(precision == VFI_PRECISION_F16);
    inspected->session.backend = &gpu;
    inspected->session.device = &device;
    inspected->device = (VfiDeviceInfo){
        .name = "cuda", .precision = precision, .level = "no GPU was asked"};
    return TRUE;
}

/* ---- planning ---------------------------------------------------------------------- */

/* Whether @spec is a GPU, and none is there. */
static gboolean is_missing_gpu(const char *spec)
{
    const char *text;

    return spec != NULL && g_regex_match_simple("^cuda(:[0-9]+)?$", spec, 0, 0) &&
           !vfi_cuda_find(&text);
}

static gboolean open_device(InspectedPlan *inspected, const VfiSessionConfig *config,
                            GError **error)
{
    VfiSession *session = &inspected->session;

    if (is_missing_gpu(config->device))
        return set_gpu(inspected, config->precision, error);
    VfiDeviceRequest request = vfi_session_request(config);
    session->device = vfi_device_open(&request, &session->backend, error);
    if (session->device == NULL)
        return FALSE;
    session->backend->info(session->device, &inspected->device);
    return TRUE;
}

/* Through the segments that the family chooses where it reads zeros: nothing moves. */
static void mark_usual(const InspectedPlan *inspected, InspectedStage *stage,
                       gboolean is_time)
{
    const VfiModel *model = inspected->model;
    g_autofree float *scalars = g_new0(float, stage->plan->n_scalars + 1);

    stage->is_usual = g_new0(gboolean, stage->plan->n_segments);
    for (int segment = 0; segment >= 0;) {
        stage->is_usual[segment] = TRUE;
        segment =
            !is_time ? -1
                     : vfi_family_next_segment(model->family, &model->setup,
                                               stage->plan->n_segments, segment, scalars);
    }
}

/* The session's plan of @stage once more, with what there is to say about it. */
static gboolean trace_stage(InspectedPlan *inspected, VfiStage stage, GError **error)
{
    static const char *const names[] = {[VFI_STAGE_CONSTANT] = "constant",
                                        [VFI_STAGE_FRAME] = "frame",
                                        [VFI_STAGE_PAIR] = "pair",
                                        [VFI_STAGE_TIME] = "time"};
    const VfiSession *session = &inspected->session;
    InspectedStage *traced = &inspected->stages[inspected->n_stages];

    if (session->plans[stage] == NULL)
        return TRUE;
    VfiPlanTarget target = vfi_session_plan_target(session, stage);
    inspected->channels_last = target.channels_last;
    inspected->n_stages++;
    traced->name = names[stage];
    traced->graph = session->graphs[stage];
    vfi_plan_trace_init(&traced->trace);
    traced->plan = vfi_plan_new_traced(
        traced->graph, &target, vfi_stage_output_region(stage), &traced->trace, error);
    if (traced->plan == NULL)
        return FALSE;
    mark_usual(inspected, traced, stage == VFI_STAGE_TIME);
    return TRUE;
}

gboolean inspected_plan_init(InspectedPlan *inspected, VfiModel *model,
                             const VfiSessionConfig *config, GError **error)
{
    VfiSession *session = &inspected->session;
    gboolean done;

    *inspected = (InspectedPlan){
        .model = model,
        .session = {.model = model, .video = config->video, .is_live = config->live}};
    done = vfi_session_check_config(config, error) &&
           open_device(inspected, config, error) &&
           vfi_session_plan(session, config, error);
    for (int stage = 0; done && stage < VFI_STAGE_COUNT; stage++)
        done = trace_stage(inspected, (VfiStage)stage, error);
    return done;
}

void inspected_plan_clear(InspectedPlan *inspected)
{
    VfiSession *session = &inspected->session;

    for (int i = 0; i < inspected->n_stages; i++) {
        vfi_plan_free(inspected->stages[i].plan);
        vfi_plan_trace_clear(&inspected->stages[i].trace);
        g_free(inspected->stages[i].is_usual);
    }
    vfi_session_free_plans(session);
    if (session->device != NULL)
        session->backend->close(session->device);
    vfi_model_unref(inspected->model);
}

/* ---- questions --------------------------------------------------------------------- */

InspectedMemory inspected_plan_memory(const InspectedPlan *inspected)
{
    InspectedMemory memory = {0};

    for (int stage = 0; stage < VFI_STAGE_COUNT; stage++) {
        const VfiPlan *plan = inspected->session.plans[stage];
        if (plan == NULL)
            continue;
        memory.arena = MAX(memory.arena, plan->arena_bytes);
        if (stage == VFI_STAGE_CONSTANT)
            memory.constant = plan->constant_bytes;
        if (stage == VFI_STAGE_FRAME)
            memory.frame = plan->frame_bytes;
        if (stage == VFI_STAGE_PAIR)
            memory.pair = plan->pair_bytes;
        memory.states += 2 * plan->state_bytes;
    }
    if (inspected->session.motion.plan != NULL) {
        const VfiSessionNeed *need = &inspected->session.need;
        memory.arena = need->arena_bytes + need->band_bytes;
        memory.frame = need->slot_bytes;
        memory.pair = need->pair_bytes;
    }
    return memory;
}

const char *inspected_plan_output(const InspectedPlan *inspected)
{
    const VfiModelFamily *family = inspected->model->family;

    switch (family->output(&inspected->model->setup)) {
    case VFI_OUTPUT_RGB:
        return "rgb";
    case VFI_OUTPUT_FLOW:
        return "flow";
    case VFI_OUTPUT_MOTION:
        return "motion";
    case VFI_OUTPUT_BLEND:
        break;
    }
    return "blend";
}

int inspected_group_of(const VfiPlan *plan, int op)
{
    for (int i = 0; i < plan->n_row_groups; i++) {
        const VfiRowGroup *group = &plan->row_groups[i];
        if (op >= group->first_op && op < group->first_op + group->n_ops)
            return i;
    }
    return -1;
}

int inspected_segment_of(const VfiPlan *plan, int op)
{
    int segment = 0;

    while (op >= plan->segments[segment].first_op + plan->segments[segment].n_ops)
        segment++;
    return segment;
}

int inspected_follows(const InspectedStage *stage, int segment)
{
    return g_array_index(stage->graph->segments, int, segment);
}

char *inspected_rounds(const VfiPlanSegment *segment)
{
    return segment->rounds == 1 ? g_strdup("")
                                : g_strdup_printf(", %d rounds", segment->rounds);
}

size_t inspected_peak(const InspectedStage *stage, int *op)
{
    size_t peak = 0;

    *op = 0;
    for (int i = 0; i < stage->plan->n_ops; i++) {
        int segment = inspected_segment_of(stage->plan, i);
        size_t bytes = vfi_plan_trace_in_use(&stage->trace, segment, i);
        if (bytes > peak) {
            peak = bytes;
            *op = i;
        }
    }
    return peak;
}

const char *inspected_layout(const InspectedPlan *inspected, const VfiOperand *operand)
{
    if (!vfi_operand_is_blocked(operand))
        return "planar";
    return inspected->channels_last ? "channels last" : "blocked";
}

const char *inspected_region(int region)
{
    char name[32];

    switch (region) {
    case VFI_REGION_ARENA:
        return "arena";
    case VFI_REGION_PAIR:
        return "pair";
    case VFI_REGION_CONSTANT:
        return "constant";
    case VFI_REGION_STATE:
        return "state";
    case VFI_REGION_NEXT_STATE:
        return "next_state";
    case VFI_REGION_ROWS:
        return "rows";
    default:
        g_snprintf(name, sizeof name, "frame%d", region - VFI_REGION_FRAME0);
        return g_intern_string(name);
    }
}

const char *inspected_activation(const VfiOp *op)
{
    static const char *const names[] = {
        [VFI_ACTIVATION_NONE] = NULL,          [VFI_ACTIVATION_PRELU] = "prelu",
        [VFI_ACTIVATION_LEAKY] = "leaky relu", [VFI_ACTIVATION_SIGMOID] = "sigmoid",
        [VFI_ACTIVATION_SILU] = "silu",        [VFI_ACTIVATION_GELU] = "gelu"};

    if (vfi_op_is_conv(op))
        return names[op->u.conv.activation.kind];
    if (op->kind == VFI_OP_SCALE_SHIFT)
        return names[op->u.scale_shift.activation];
    return op->kind == VFI_OP_ACTIVATE ? names[op->u.activation.kind] : NULL;
}

const char *inspected_residual(const VfiOp *op)
{
    static const char *const names[] = {
        [VFI_RESIDUAL_NONE] = NULL,
        [VFI_RESIDUAL_BEFORE_ACTIVATION] = "before activation",
        [VFI_RESIDUAL_AFTER_ACTIVATION] = "after activation"};

    return vfi_op_is_conv(op) ? names[op->u.conv.residual] : NULL;
}
