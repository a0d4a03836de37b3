/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated cuDNN: execution plans, and running them. The real library trusts
 * pointers; this one does not. */
#include "cudnn_internal.h"

#include <cstring>

#include "simulated_queue.h"

namespace simulated_cudnn
{

/* ---- plans ------------------------------------------------------------------------- */

static VfiSimulatedTensor describe(const Tensor &t)
{
    return {(int)t.dims[1], (int)t.dims[2], (int)t.dims[3], t.strides[0],
            t.strides[1],   t.strides[2],   t.strides[3]};
}

static VfiSimulatedConvolution describe(const Operation &operation)
{
    const Convolution &c = *operation.convolution;
    int post[2];

    for (size_t i = 0; i < 2; i++) {
        int64_t reach = operation.x->dims[i + 2] + c.pre[i] + c.post[i];
        int64_t spare = (reach - operation.w->dims[i + 2]) % c.strides[i];
        post[i] = (int)(c.post[i] - (operation.backward ? spare : 0));
    }
    VfiSimulatedConvolution result = {};
    result.transposed = operation.backward;
    result.half = operation.x->data_type == CUDNN_DATA_HALF;
    result.flipped = c.mode == CUDNN_CONVOLUTION;
    result.batch = (int)operation.x->dims[0];
    result.src = describe(operation.backward ? *operation.y : *operation.x);
    result.dst = describe(operation.backward ? *operation.x : *operation.y);
    result.kernel_h = (int)operation.w->dims[2];
    result.kernel_w = (int)operation.w->dims[3];
    result.planar_filter = !operation.w->channels_are_last();
    result.stride = (int)c.strides[0];
    result.groups = (int)(operation.x->dims[1] / operation.w->dims[1]);
    result.pad_top = (int)c.pre[0];
    result.pad_left = (int)c.pre[1];
    result.pad_bottom = post[0];
    result.pad_right = post[1];
    result.alpha = (float)operation.alpha;
    result.beta = (float)operation.beta;
    return result;
}

cudnnStatus_t Plan::set(const Given &given)
{
    std::shared_ptr<const DeviceProperties> properties;
    void *handle;

    switch (given.name) {
    case CUDNN_ATTR_EXECUTION_PLAN_HANDLE:
        return take(given, CUDNN_TYPE_HANDLE, &handle);
    case CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG:
        return take_copy(given, &config);
    case CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP:
        return take_copy(given, &properties);
    default:
        return fail(CUDNN_STATUS_NOT_SUPPORTED, "attribute %d of a plan cannot be set",
                    given.name);
    }
}

cudnnStatus_t Plan::get(const Wanted &wanted) const
{
    switch (wanted.name) {
    case CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE:
        return give(wanted, CUDNN_TYPE_INT64, std::vector<int64_t>{workspace});
    case CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG:
        return give_copies(wanted, std::vector<EngineConfig>{*config}, 1);
    default:
        return no_such_attribute(this, wanted.name);
    }
}

cudnnStatus_t Plan::finalize()
{
    if (config == nullptr || !config->finalized)
        return fail(CUDNN_STATUS_BAD_PARAM,
                    "a plan has no configuration that was finalized when set");
    if (engine_compiles(config->engine->index))
        return fail(CUDNN_STATUS_NOT_SUPPORTED_RUNTIME_PREREQUISITE_MISSING,
                    "the simulated device has no compiler for engine %lld",
                    (long long)config->engine->index);
    VfiSimulatedConvolution convolution = describe(*config->engine->graph->operation);
    VfiSimulatedConvolver *made =
        vfi_simulated_convolver_new(&convolution, engine_math(*config));
    if (made == nullptr)
        return fail(CUDNN_STATUS_NOT_SUPPORTED, "the CPU's kernels cannot compute this");
    convolver.reset(made, vfi_simulated_convolver_free);
    workspace = engine_workspace(*config);
    return CUDNN_STATUS_SUCCESS;
}

/* ---- variant packs ----------------------------------------------------------------- */

cudnnStatus_t VariantPack::set(const Given &given)
{
    auto type = given.name == CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS ? CUDNN_TYPE_INT64
                                                                 : CUDNN_TYPE_VOID_PTR;

    if (given.type != type)
        return fail(CUDNN_STATUS_NOT_SUPPORTED, "attribute %d has type %d, expected %d",
                    given.name, given.type, type);
    switch (given.name) {
    case CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS:
        return take_numbers(given, 64, &uids);
    case CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS: {
        if (given.count < 0 || given.count > 64 ||
            (given.count > 0 && given.elements == nullptr))
            return fail(CUDNN_STATUS_BAD_PARAM, "there are no pointers");
        const auto *first = static_cast<void *const *>(given.elements);
        pointers.assign(first, first + given.count);
        return CUDNN_STATUS_SUCCESS;
    }
    case CUDNN_ATTR_VARIANT_PACK_WORKSPACE:
        return take(given, CUDNN_TYPE_VOID_PTR, &workspace);
    default:
        return no_such_attribute(this, given.name);
    }
}

cudnnStatus_t VariantPack::finalize()
{
    if (uids.size() != pointers.size())
        return fail(CUDNN_STATUS_BAD_PARAM, "a variant pack has %zu pointers for %zu ids",
                    pointers.size(), uids.size());
    return CUDNN_STATUS_SUCCESS;
}

/* ---- running ----------------------------------------------------------------------- */

struct Extent {
    const char *begin, *end;

    bool meets(const Extent &other) const
    {
        return begin < other.end && other.begin < end;
    }
};

/* Finds the tensor's pointer, of which the pack must have one. */
static cudnnStatus_t find_pointer(const VariantPack &pack, const Tensor &tensor,
                                  void **pointer)
{
    int found = 0;

    for (size_t i = 0; i < pack.uids.size(); i++)
        if (pack.uids[i] == tensor.uid) {
            *pointer = pack.pointers[i];
            found++;
        }
    if (found != 1)
        return fail(CUDNN_STATUS_BAD_PARAM, "a variant pack has tensor %lld %d times",
                    (long long)tensor.uid, found);
    if (*pointer == nullptr)
        return fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "tensor %lld is NULL",
                    (long long)tensor.uid);
    if ((uintptr_t)*pointer % (uintptr_t)tensor.alignment != 0)
        return fail(CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER,
                    "tensor %lld is at %p, which is not aligned to %lld bytes",
                    (long long)tensor.uid, *pointer, (long long)tensor.alignment);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t execute(cudaStream_t stream, const Plan &plan, const VariantPack &pack)
{
    const Operation &operation = *plan.config->engine->graph->operation;
    const Tensor *tensors[3] = {operation.x.get(), operation.w.get(), operation.y.get()};
    void *pointers[3];
    Extent extents[4] = {};
    size_t workspace_bytes = (size_t)plan.workspace;
    size_t result = operation.backward ? 0 : 2;
    char *workspace = static_cast<char *>(pack.workspace);

    if (pack.uids.size() != 3)
        return fail(CUDNN_STATUS_BAD_PARAM, "a variant pack has %zu tensors, the graph 3",
                    pack.uids.size());
    for (size_t i = 0; i < 3; i++) {
        cudnnStatus_t status = find_pointer(pack, *tensors[i], &pointers[i]);
        if (status != CUDNN_STATUS_SUCCESS)
            return status;
        const char *begin = static_cast<const char *>(pointers[i]);
        extents[i] = {begin,
                      begin + (size_t)tensors[i]->reach() * tensors[i]->element_bytes()};
    }
    if (workspace_bytes > 0 && workspace == nullptr)
        return fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER,
                    "the plan wants a workspace of %zu bytes", workspace_bytes);
    if (workspace_bytes > 0 && (uintptr_t)workspace % 16 != 0)
        return fail(CUDNN_STATUS_BAD_PARAM_MISALIGNED_POINTER,
                    "the workspace is at %p, which is not aligned to 16 bytes",
                    (void *)workspace);
    extents[3] = {workspace, workspace + workspace_bytes};
    for (size_t i = 0; i < 4; i++)
        if (i != result && (i < 3 || workspace_bytes > 0) &&
            extents[i].meets(extents[result]))
            return fail(CUDNN_STATUS_BAD_PARAM, "the result lies over %s",
                        i == 3 ? "the workspace" : "what it is made from");

    auto convolver = plan.convolver;
    const void *src = pointers[operation.backward ? 2 : 0], *filter = pointers[1];
    void *dst = pointers[result];
    cudaError_t error = vfi_simulated_enqueue(stream, [=] {
        /* NaNs: the workspace's content is not defined, neither before nor after */
        if (workspace_bytes > 0)
            memset(workspace, 0xff, workspace_bytes);
        vfi_simulated_convolve(convolver.get(), src, filter, dst);
        if (workspace_bytes > 0)
            memset(workspace, 0xff, workspace_bytes);
    });
    if (error != cudaSuccess)
        return fail(CUDNN_STATUS_EXECUTION_FAILED, "work cannot be queued: CUDA error %d",
                    (int)error);
    return CUDNN_STATUS_SUCCESS;
}

} // namespace simulated_cudnn
