/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "program/conv_steps.h"

#include "base/alloc.h"
#include "conv/conv_op.h"
#include "conv/conv_weights.h"
#include "runtime/cuda_error.h"

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

/* ---- packed weights ---------------------------------------------------------------- */

static VfiPackedKey weight_key(const VfiDevice *device, const VfiOp *op, size_t bytes)
{
    static const char *const layouts[] = {[VFI_CUDA_CONV_F16] = "channels last f16",
                                          [VFI_CUDA_CONV_F32] = "planar f32",
                                          [VFI_CUDA_CONV_TF32] = "channels last f32"};
    VfiPackedKey key = vfi_packed_key_of(op, layouts[device->math], bytes);

    key.memory = &device->context->weights;
    return key;
}

/* Whether an earlier op than @index uses the same packed weights. */
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
        VfiPackedKey other = weight_key(device, op, bytes);
        if (vfi_packed_key_equal(key, &other))
            return true;
    }
    return false;
}

bool vfi_cuda_add_conv_need(VfiDevice *device, const VfiPlan *plan, int index,
                            VfiCudaConvNeed *need, GError **error)
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
    VfiPackedKey key = weight_key(device, op, bytes);
    if ((plan->packed_weights == NULL ||
         !vfi_packed_weights_has(plan->packed_weights, &key)) &&
        !is_packed_before(device, plan, index, &key))
        need->packed += bytes;
    need->workspace = MAX(need->workspace, vfi_cuda_conv_workspace(conv));
    if (vfi_cuda_needs_scratch(device->math, op))
        need->sums = MAX(need->sums, tensor_bytes(device, &shape.dst));
    return true;
}

/* A weight that is being copied to the device. */
typedef struct {
    const VfiCudaConvShape *shape;
    const VfiOp *op;
    void *staging; /* host memory */
    size_t bytes;
    cudaStream_t stream;
    cudaError_t result;
} WeightSource;

/* The copy from pageable memory may still be under way when this returns (the staging has
 * been read by then); memory of the program that is allocated later waits for it. */
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
    VfiPackedKey key = weight_key(program->device, op, source.bytes);
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

bool vfi_cuda_prepare_conv(VfiProgram *program, int index, GError **error)
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
