/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/program.h"

#include <string.h>

#include <vfi/error.h>

#include "base/alloc.h"
#include "conv/conv_weights.h"
#include "conv/plan_target.h"
#include "runtime/cuda_error.h"

/* Device memory is handed out at multiples of this. */
#define DEVICE_ALIGNMENT 256

/* Constants of a channel count, rounded up for vectors of eight. */
static size_t constant_floats(int channels)
{
    return ((size_t)channels + 7) / 8 * 8;
}

static size_t align(size_t bytes)
{
    return (bytes + DEVICE_ALIGNMENT - 1) / DEVICE_ALIGNMENT * DEVICE_ALIGNMENT;
}

/* ---- convolutions ----------------------------------------------------------------------- */

static VfiCudaConvPlan *find_conv(VfiDevice *device, const VfiCudaConvShape *shape,
                                  GError **error)
{
    g_autofree char *key = vfi_cuda_conv_shape_key(shape);
    VfiCudaConvPlan *plan = g_hash_table_lookup(device->convs, key);
    const VfiCudaConvContext context = {
        .library = device->context->cudnn,
        .handle = device->cudnn,
        .cache = device->context->choices,
        .log = device->log,
        .workspace_limit = VFI_CUDA_WORKSPACE_LIMIT,
    };

    if (plan != NULL)
        return plan;
    plan = vfi_cuda_conv_new(&context, shape, error);
    if (plan != NULL)
        g_hash_table_insert(device->convs, g_steal_pointer(&key), plan);
    return plan;
}

static size_t tensor_bytes(const VfiDevice *device, const VfiCudaConvTensor *tensor)
{
    size_t channels =
        (size_t)(tensor->pixel_stride != 0 ? tensor->pixel_stride : tensor->c);

    return (size_t)tensor->h * (size_t)tensor->w * channels *
           vfi_cuda_element_bytes(device->math);
}

/* ---- what a plan takes ------------------------------------------------------------------ */

typedef struct {
    size_t constants; /* floats */
    size_t sums;      /* bytes */
    size_t workspace; /* bytes */
    size_t packed;    /* bytes, of weights that are not there yet */
} Need;

static VfiPackedKey weight_key(const VfiDevice *device, const VfiCudaConvShape *shape,
                               const VfiOp *op, size_t bytes)
{
    static const char *const layouts[] = {[VFI_CUDA_CONV_F16] = "channels last f16",
                                          [VFI_CUDA_CONV_F32] = "planar f32",
                                          [VFI_CUDA_CONV_TF32] = "channels last f32"};
    const VfiConvParams *p = &op->u.conv;
    VfiPackedKey key = {
        .weight = p->weight,
        .layout = layouts[device->math],
        .bytes = bytes,
        .kind = op->kind,
        .in = shape->src.c,
        .out = op->dst.shape.c,
        .groups = shape->groups,
        .kernel_h = shape->kernel_h,
        .kernel_w = shape->kernel_w,
        .stride = p->stride,
        .pad_top = p->pad_top,
        .pad_left = p->pad_left,
        .n_runs = p->n_runs,
        .memory = &device->context->weights,
    };

    memcpy(key.runs, p->runs, sizeof key.runs);
    return key;
}

/* Whether an op before @index has its weights packed in the same form. */
static bool is_packed_before(const VfiDevice *device, const VfiPlan *plan, int index,
                             const VfiPackedKey *key)
{
    for (int i = 0; i < index; i++) {
        const VfiOp *op = &plan->ops[i];
        VfiCudaConvShape shape;
        size_t bytes;
        if (!vfi_op_is_conv(op) || op->u.conv.weight != key->weight ||
            !vfi_cuda_shape_of_op(device->math, op, &shape, NULL) ||
            !vfi_cuda_conv_weight_bytes(&shape, &bytes, NULL))
            continue;
        VfiPackedKey other = weight_key(device, &shape, op, bytes);
        if (vfi_packed_key_equal(key, &other))
            return true;
    }
    return false;
}

static bool add_conv_need(VfiDevice *device, const VfiPlan *plan, int index, Need *need,
                          GError **error)
{
    const VfiOp *op = &plan->ops[index];
    VfiCudaConvShape shape;
    size_t bytes;

    if (!vfi_cuda_shape_of_op(device->math, op, &shape, error) ||
        !vfi_cuda_conv_weight_bytes(&shape, &bytes, error))
        return false;
    const VfiCudaConvPlan *conv = find_conv(device, &shape, error);
    if (conv == NULL)
        return false;
    VfiPackedKey key = weight_key(device, &shape, op, bytes);
    if ((plan->packed_weights == NULL ||
         !vfi_packed_weights_has(plan->packed_weights, &key)) &&
        !is_packed_before(device, plan, index, &key))
        need->packed += bytes;
    need->workspace = MAX(need->workspace, vfi_cuda_conv_workspace(conv));
    if (vfi_cuda_needs_scratch(device->math, op))
        need->sums = MAX(need->sums, align(tensor_bytes(device, &shape.dst)));
    return true;
}

static const VfiActivation *activation_of(const VfiOp *op)
{
    return op->kind == VFI_OP_ACTIVATE ? &op->u.activation
           : vfi_op_is_conv(op)        ? &op->u.conv.activation
                                       : NULL;
}

static const float *bias_of(const VfiOp *op)
{
    return vfi_op_is_conv(op) || op->kind == VFI_OP_UPSAMPLE_CONV_SUM ? op->u.conv.bias
                                                                      : NULL;
}

static const float *slope_of(const VfiOp *op)
{
    const VfiActivation *activation = activation_of(op);

    return activation != NULL && activation->kind == VFI_ACTIVATION_PRELU
               ? activation->slope
               : NULL;
}

static bool find_need(VfiDevice *device, const VfiPlan *plan, Need *need, GError **error)
{
    *need = (Need){0};
    for (int i = 0; i < plan->n_ops; i++) {
        const VfiOp *op = &plan->ops[i];
        size_t floats = constant_floats(op->dst.shape.c);
        need->constants += (bias_of(op) != NULL ? floats : 0);
        need->constants += (slope_of(op) != NULL ? floats : 0);
        if (vfi_op_is_conv(op) && !add_conv_need(device, plan, i, need, error))
            return false;
    }
    return true;
}

static size_t values_bytes(const VfiPlan *plan)
{
    return align(sizeof(VfiCudaRunValues)) +
           align(sizeof(float) * (size_t)plan->n_scalars);
}

bool vfi_cuda_measure(VfiDevice *device, const VfiPlan *plan, VfiProgramNeed *need,
                      GError **error)
{
    Need found;

    if (!vfi_cuda_enter(device, error))
        return false;
    bool known = find_need(device, plan, &found, error);
    vfi_cuda_leave();
    if (known)
        *need = (VfiProgramNeed){
            .packed_bytes = found.packed,
            .scratch_bytes = align(found.constants * sizeof(float)) + found.sums +
                             found.workspace + values_bytes(plan),
        };
    return known;
}

/* ---- making it ready -------------------------------------------------------------------- */

/* A weight on its way to the device. */
typedef struct {
    const VfiCudaConvShape *shape;
    const VfiOp *op;
    void *staging; /* host memory */
    size_t bytes;
    cudaStream_t stream;
    cudaError_t result;
} WeightSource;

/* The copy may still be under way when this returns, although pageable memory is read before; the
 * program's own memory, which is allocated after, waits for it. */
static void pack_weight(const void *source, void *to)
{
    WeightSource *weight = (WeightSource *)source;

    vfi_cuda_conv_pack_weights(weight->shape, weight->op, weight->staging);
    weight->result = cudaMemcpyAsync(to, weight->staging, weight->bytes,
                                     cudaMemcpyHostToDevice, weight->stream);
}

static bool get_weights(VfiProgram *program, const VfiOp *op,
                        const VfiCudaConvShape *shape, VfiCudaStep *step, GError **error)
{
    VfiPackedWeights *store = program->plan->packed_weights;
    WeightSource source = {.shape = shape,
                           .op = op,
                           .stream = program->device->context->stream,
                           .result = cudaSuccess};

    if (!vfi_cuda_conv_weight_bytes(shape, &source.bytes, error))
        return false;
    VfiPackedKey key = weight_key(program->device, shape, op, source.bytes);
    source.staging = vfi_try_alloc(source.bytes, 1, "weights to be packed", error);
    if (source.staging == NULL)
        return false;
    step->weights = vfi_packed_weights_get(store, &key, pack_weight, &source, error);
    vfi_free(source.staging);
    if (step->weights == NULL || !vfi_cuda_check(source.result, "copying weights", error))
        return false;
    const VfiCudaStep *other = program->steps;
    while (other->weights != step->weights)
        other++;
    program->packed_bytes += other == step ? source.bytes : 0;
    return true;
}

static bool prepare_conv(VfiProgram *program, int index, GError **error)
{
    const VfiOp *op = &program->plan->ops[index];
    VfiCudaStep *step = &program->steps[index];
    VfiCudaConvShape shape;

    if (!vfi_cuda_shape_of_op(program->device->math, op, &shape, error))
        return false;
    step->conv = find_conv(program->device, &shape, error);
    step->sums_in_scratch = vfi_cuda_needs_scratch(program->device->math, op);
    return step->conv != NULL && get_weights(program, op, &shape, step, error);
}

/* Copies biases and slopes to the device, each zero up to whole vectors; as those of weights, the
 * copy may still be under way. */
static bool copy_constants(VfiProgram *program, size_t floats, GError **error)
{
    float *host = vfi_try_alloc0(MAX(floats, 1), sizeof(float), "constants", error);
    size_t used = 0;

    if (host == NULL)
        return false;
    program->constants =
        vfi_cuda_context_alloc(program->device->context, MAX(floats, 1) * sizeof(float),
                               "constants of a network", error);
    for (int i = 0; program->constants != NULL && i < program->plan->n_ops; i++) {
        const VfiOp *op = &program->plan->ops[i];
        const float *const from[] = {bias_of(op), slope_of(op)};
        const float **const to[] = {&program->steps[i].bias, &program->steps[i].slope};
        for (int k = 0; k < 2; k++) {
            if (from[k] == NULL)
                continue;
            memcpy(host + used, from[k], (size_t)op->dst.shape.c * sizeof(float));
            *to[k] = program->constants + used;
            used += constant_floats(op->dst.shape.c);
        }
    }
    bool copied =
        program->constants != NULL &&
        vfi_cuda_check(
            cudaMemcpyAsync(program->constants, host, MAX(floats, 1) * sizeof(float),
                            cudaMemcpyHostToDevice, program->device->context->stream),
            "copying constants", error);
    vfi_free(host);
    return copied;
}

static bool allocate(VfiProgram *program, const Need *need, GError **error)
{
    VfiCudaContext *context = program->device->context;
    size_t n_scalars = (size_t)MAX(program->plan->n_scalars, 1);

    program->sums_bytes = need->sums;
    program->workspace_bytes = need->workspace;
    program->scratch = vfi_cuda_context_alloc(
        context, MAX(need->sums + need->workspace, 1), "convolutions' workspace", error);
    if (program->scratch == NULL)
        return false;
    program->values =
        vfi_cuda_context_alloc(context, sizeof(*program->values), "run values", error);
    if (program->values == NULL)
        return false;
    program->scalars =
        vfi_cuda_context_alloc(context, n_scalars * sizeof(float), "scalars", error);
    return program->scalars != NULL &&
           vfi_cuda_check(cudaHostAlloc((void **)&program->pinned_scalars,
                                        n_scalars * sizeof(float), cudaHostAllocDefault),
                          "pinning host memory", error);
}

static bool make_groups(VfiProgram *program, GError **error)
{
    const VfiPlan *plan = program->plan;

    for (int i = 0; i < plan->n_row_groups; i++) {
        const VfiRowGroup *group = &plan->row_groups[i];
        VfiCudaStep *step = &program->steps[group->first_op];
        step->group = vfi_cuda_row_group_new(plan, group, error);
        if (step->group == NULL)
            return false;
        step->n_ops = group->n_ops;
    }
    return true;
}

static void save_choices(const VfiDevice *device)
{
    g_autoptr(GError) problem = NULL;

    if (!vfi_cuda_conv_cache_save(device->context->choices, &problem))
        device->log(VFI_LOG_INFO, "cuDNN's engines will have to be tried again: %s",
                    problem->message);
}

static bool make_ready(VfiProgram *program, GError **error)
{
    Need need;

    for (int i = 0; i < program->plan->n_ops; i++)
        if (vfi_op_is_conv(&program->plan->ops[i]) && !prepare_conv(program, i, error))
            return false;
    /* The engines that are chosen may want less workspace than others. */
    if (!make_groups(program, error) || !vfi_cuda_choose_convs(program, error) ||
        !find_need(program->device, program->plan, &need, error) ||
        !copy_constants(program, need.constants, error))
        return false;
    save_choices(program->device);
    return allocate(program, &need, error);
}

VfiProgram *vfi_cuda_compile(VfiDevice *device, const VfiPlan *plan, GError **error)
{
    VfiProgram *program;

    if (!vfi_cuda_enter(device, error))
        return NULL;
    program = g_new0(VfiProgram, 1);
    program->device = device;
    program->plan = plan;
    program->steps = g_new0(VfiCudaStep, MAX(plan->n_ops, 1));
    bool ready = make_ready(program, error);
    vfi_cuda_leave();
    if (ready)
        return program;
    vfi_cuda_program_free(device, program);
    return NULL;
}

void vfi_cuda_program_free(VfiDevice *device, VfiProgram *program)
{
    if (program == NULL)
        return;
    for (int i = 0; i < program->plan->n_ops; i++) {
        vfi_packed_release(program->steps[i].weights);
        vfi_cuda_row_group_free(program->steps[i].group);
    }
    if (!atomic_load(&device->context->is_primary) &&
        program->plan->packed_weights != NULL)
        vfi_packed_weights_drop(program->plan->packed_weights, &device->context->weights);
    if (vfi_cuda_enter(device, NULL)) {
        vfi_cuda_free_graphs(program);
        vfi_cuda_context_free(device->context, program->constants);
        vfi_cuda_context_free(device->context, program->scratch);
        vfi_cuda_context_free(device->context, program->values);
        vfi_cuda_context_free(device->context, program->scalars);
        if (program->pinned_scalars != NULL)
            cudaFreeHost(program->pinned_scalars);
        vfi_cuda_leave();
    }
    g_free(program->steps);
    g_free(program);
}

size_t vfi_cuda_program_packed_bytes(const VfiProgram *program)
{
    return program->packed_bytes;
}
