/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated cuDNN: tensors, convolutions, and graphs of one operation. Refuses what
 * cuDNN 9.19 was seen to refuse, with the same status; besides, attributes that it would
 * guess. */
#include "cudnn_internal.h"

#include <set>

namespace simulated_cudnn
{

/* ---- tensors ----------------------------------------------------------------------- */

cudnnStatus_t Tensor::set(const Given &given)
{
    switch (given.name) {
    case CUDNN_ATTR_TENSOR_DATA_TYPE:
        return take(given, CUDNN_TYPE_DATA_TYPE, &data_type);
    case CUDNN_ATTR_TENSOR_DIMENSIONS:
        return take_numbers(given, 8, &dims);
    case CUDNN_ATTR_TENSOR_STRIDES:
        return take_numbers(given, 8, &strides);
    case CUDNN_ATTR_TENSOR_UNIQUE_ID:
        has_uid = true;
        return take(given, CUDNN_TYPE_INT64, &uid);
    case CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT:
        return take(given, CUDNN_TYPE_INT64, &alignment);
    case CUDNN_ATTR_TENSOR_IS_VIRTUAL:
        return take(given, CUDNN_TYPE_BOOLEAN, &is_virtual);
    case CUDNN_ATTR_TENSOR_IS_BY_VALUE:
        return take(given, CUDNN_TYPE_BOOLEAN, &is_by_value);
    default:
        return no_such_attribute(this, given.name);
    }
}

cudnnStatus_t Tensor::get(const Wanted &wanted) const
{
    switch (wanted.name) {
    case CUDNN_ATTR_TENSOR_DATA_TYPE:
        return give(wanted, CUDNN_TYPE_DATA_TYPE, std::vector<int>{data_type});
    case CUDNN_ATTR_TENSOR_DIMENSIONS:
        return give(wanted, CUDNN_TYPE_INT64, dims);
    case CUDNN_ATTR_TENSOR_STRIDES:
        return give(wanted, CUDNN_TYPE_INT64, strides);
    case CUDNN_ATTR_TENSOR_UNIQUE_ID:
        return give(wanted, CUDNN_TYPE_INT64, std::vector<int64_t>{uid});
    case CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT:
        return give(wanted, CUDNN_TYPE_INT64, std::vector<int64_t>{alignment});
    default:
        return no_such_attribute(this, wanted.name);
    }
}

size_t Tensor::element_bytes() const
{
    switch (data_type) {
    case CUDNN_DATA_HALF:
    case CUDNN_DATA_BFLOAT16:
        return 2;
    case CUDNN_DATA_DOUBLE:
    case CUDNN_DATA_INT64:
        return 8;
    case CUDNN_DATA_INT8:
    case CUDNN_DATA_UINT8:
    case CUDNN_DATA_BOOLEAN:
        return 1;
    default:
        return 4;
    }
}

int64_t Tensor::reach() const
{
    int64_t last = 0;

    for (size_t i = 0; i < dims.size(); i++)
        last += (dims[i] - 1) * strides[i];
    return last + 1;
}

bool Tensor::channels_are_last() const
{
    return strides[1] == 1 && strides[3] >= dims[1] &&
           strides[2] >= strides[3] * dims[3] &&
           (dims[0] == 1 || strides[0] >= strides[2] * dims[2]);
}

bool Tensor::is_planar() const
{
    return strides[3] == 1 && strides[2] >= dims[3] &&
           strides[1] >= strides[2] * dims[2] &&
           (dims[0] == 1 || strides[0] >= strides[1] * dims[1]);
}

cudnnStatus_t Tensor::finalize()
{
    if (data_type < 0 || !has_uid)
        return fail(CUDNN_STATUS_BAD_PARAM, "a tensor lacks its data type or unique id");
    if (dims.empty() || dims.size() != strides.size())
        return fail(CUDNN_STATUS_BAD_PARAM,
                    "tensor %lld has %zu dimensions but %zu strides", (long long)uid,
                    dims.size(), strides.size());
    if (dims.size() > 5)
        return fail(CUDNN_STATUS_BAD_PARAM, "tensor %lld has too many dimensions",
                    (long long)uid);
    for (size_t i = 0; i < dims.size(); i++)
        if (dims[i] <= 0 || dims[i] > INT32_MAX || strides[i] < 0 ||
            (strides[i] == 0 && dims[i] != 1))
            return fail(CUDNN_STATUS_BAD_PARAM,
                        "tensor %lld has size %lld and stride %lld in dimension %zu",
                        (long long)uid, (long long)dims[i], (long long)strides[i], i);
    if (alignment <= 0 || alignment % (int64_t)element_bytes() != 0)
        return fail(CUDNN_STATUS_BAD_PARAM,
                    "tensor %lld is aligned to %lld bytes, which is no multiple of an "
                    "element's %zu",
                    (long long)uid, (long long)alignment, element_bytes());
    if (is_virtual || is_by_value)
        return fail(CUDNN_STATUS_NOT_SUPPORTED,
                    "the simulated device has no virtual or by-value tensors");
    return CUDNN_STATUS_SUCCESS;
}

/* ---- convolutions ------------------------------------------------------------------ */

cudnnStatus_t Convolution::set(const Given &given)
{
    switch (given.name) {
    case CUDNN_ATTR_CONVOLUTION_COMP_TYPE:
        return take(given, CUDNN_TYPE_DATA_TYPE, &compute_type);
    case CUDNN_ATTR_CONVOLUTION_CONV_MODE:
        return take(given, CUDNN_TYPE_CONVOLUTION_MODE, &mode);
    case CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS:
        return take(given, CUDNN_TYPE_INT64, &spatial_dims);
    case CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS:
        return take_numbers(given, 3, &pre);
    case CUDNN_ATTR_CONVOLUTION_POST_PADDINGS:
        return take_numbers(given, 3, &post);
    case CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES:
        return take_numbers(given, 3, &strides);
    case CUDNN_ATTR_CONVOLUTION_DILATIONS:
        return take_numbers(given, 3, &dilations);
    default:
        return no_such_attribute(this, given.name);
    }
}

cudnnStatus_t Convolution::finalize()
{
    size_t n = (size_t)spatial_dims;

    if (compute_type < 0 ||
        (mode != CUDNN_CONVOLUTION && mode != CUDNN_CROSS_CORRELATION))
        return fail(CUDNN_STATUS_BAD_PARAM,
                    "a convolution lacks its compute type or its mode");
    if (spatial_dims < 1 || pre.size() != n || post.size() != n || strides.size() != n ||
        dilations.size() != n)
        return fail(
            CUDNN_STATUS_BAD_PARAM,
            "a convolution of %lld dimensions has %zu and %zu paddings, %zu strides, "
            "%zu dilations",
            (long long)spatial_dims, pre.size(), post.size(), strides.size(),
            dilations.size());
    for (size_t i = 0; i < n; i++)
        if (pre[i] < 0 || post[i] < 0 || strides[i] <= 0 || dilations[i] <= 0)
            return fail(
                CUDNN_STATUS_BAD_PARAM,
                "a convolution's paddings %lld and %lld, stride %lld or dilation %lld "
                "is out of range",
                (long long)pre[i], (long long)post[i], (long long)strides[i],
                (long long)dilations[i]);
    return CUDNN_STATUS_SUCCESS;
}

/* ---- operations -------------------------------------------------------------------- */

static cudnnStatus_t take_factor(const Given &given, double *factor, bool *has)
{
    float single = 0.0f;

    *has = true;
    if (given.type == CUDNN_TYPE_DOUBLE)
        return take(given, CUDNN_TYPE_DOUBLE, factor);
    cudnnStatus_t status = take(given, CUDNN_TYPE_FLOAT, &single);
    *factor = (double)single;
    return status;
}

cudnnStatus_t Operation::set(const Given &given)
{
    /* from …_ALPHA on: alpha, beta, convolution, w, x, y, in this order for both */
    int first = backward ? CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA
                         : CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA;

    switch ((int)given.name - first) {
    case 0:
        return take_factor(given, &alpha, &has_alpha);
    case 1:
        return take_factor(given, &beta, &has_beta);
    case 2:
        return take_copy(given, &convolution);
    case 3:
        return take_copy(given, &w);
    case 4:
        return take_copy(given, &x);
    case 5:
        return take_copy(given, &y);
    default:
        return no_such_attribute(this, given.name);
    }
}

static cudnnStatus_t check_channels(const Operation &operation)
{
    const auto &x = operation.x->dims, &w = operation.w->dims, &y = operation.y->dims;

    if (x[0] != y[0])
        return fail(CUDNN_STATUS_BAD_PARAM, "x has %lld pictures, y has %lld",
                    (long long)x[0], (long long)y[0]);
    if (y[1] != w[0])
        return fail(CUDNN_STATUS_BAD_PARAM, "y has %lld channels, the filter makes %lld",
                    (long long)y[1], (long long)w[0]);
    if (x[1] % w[1] != 0)
        return fail(CUDNN_STATUS_BAD_PARAM,
                    "x has %lld channels, no multiple of the filter's %lld",
                    (long long)x[1], (long long)w[1]);
    if (w[0] % (x[1] / w[1]) != 0)
        return fail(CUDNN_STATUS_BAD_PARAM,
                    "the filter makes %lld channels, no multiple of the %lld groups",
                    (long long)w[0], (long long)(x[1] / w[1]));
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t check_size(const Operation &operation, size_t dim)
{
    const Convolution &c = *operation.convolution;
    int64_t x = operation.x->dims[dim + 2], w = operation.w->dims[dim + 2];
    int64_t y = operation.y->dims[dim + 2];
    int64_t reach = x + c.pre[dim] + c.post[dim] - ((w - 1) * c.dilations[dim] + 1);

    if (reach < 0 || y != reach / c.strides[dim] + 1)
        return fail(
            CUDNN_STATUS_BAD_PARAM,
            "in dimension %zu x of %lld, kernel %lld, padding %lld and %lld, stride "
            "%lld do not make y of %lld",
            dim, (long long)x, (long long)w, (long long)c.pre[dim],
            (long long)c.post[dim], (long long)c.strides[dim], (long long)y);
    return CUDNN_STATUS_SUCCESS;
}

/* Whether several elements have the same place. */
static bool overlaps(const Tensor &t)
{
    std::multiset<std::pair<int64_t, int64_t>> order; /* strides, ascending */
    int64_t reach = 1;

    for (size_t i = 0; i < t.dims.size(); i++)
        if (t.dims[i] > 1)
            order.insert({t.strides[i], t.dims[i]});
    for (const auto &[stride, dim] : order) {
        if (stride < reach)
            return true;
        reach += (dim - 1) * stride;
    }
    return false;
}

cudnnStatus_t Operation::finalize()
{
    const auto is_ready = [](const Descriptor *d) {
        return d != nullptr && d->finalized;
    };
    cudnnStatus_t status;

    if (!is_ready(x.get()) || !is_ready(w.get()) || !is_ready(y.get()) ||
        !is_ready(convolution.get()))
        return fail(
            CUDNN_STATUS_BAD_PARAM,
            "a tensor or the convolution is missing, or was not finalized when set");
    if (!has_alpha || !has_beta)
        return fail(CUDNN_STATUS_BAD_PARAM, "an operation lacks alpha or beta");
    for (const Tensor *tensor : {x.get(), w.get(), y.get()}) {
        if (tensor->dims.size() != (size_t)convolution->spatial_dims + 2)
            return fail(CUDNN_STATUS_BAD_PARAM,
                        "tensor %lld has %zu dimensions, the convolution %lld + 2",
                        (long long)tensor->uid, tensor->dims.size(),
                        (long long)convolution->spatial_dims);
        if (overlaps(*tensor))
            return fail(CUDNN_STATUS_BAD_PARAM, "elements of tensor %lld share a place",
                        (long long)tensor->uid);
    }
    int64_t elements = 1;
    for (int64_t dim : w->dims)
        elements *= dim;
    if (w->reach() != elements)
        return fail(CUDNN_STATUS_BAD_PARAM, "the filter has gaps");
    status = check_channels(*this);
    for (size_t i = 0; status == CUDNN_STATUS_SUCCESS && i < convolution->pre.size(); i++)
        status = check_size(*this, i);
    return status;
}

/* ---- graphs ------------------------------------------------------------------------ */

cudnnStatus_t Graph::set(const Given &given)
{
    const Descriptor *descriptor;
    void *handle = nullptr;
    cudnnStatus_t status;

    switch (given.name) {
    case CUDNN_ATTR_OPERATIONGRAPH_HANDLE:
        status = take(given, CUDNN_TYPE_HANDLE, &handle);
        if (status == CUDNN_STATUS_SUCCESS && handle == nullptr)
            return fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "a graph's handle is NULL");
        return status;
    case CUDNN_ATTR_OPERATIONGRAPH_OPS: {
        if (given.type != CUDNN_TYPE_BACKEND_DESCRIPTOR)
            return fail(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE,
                        "operations are descriptors");
        n_operations = (size_t)given.count;
        if (given.count != 1)
            return CUDNN_STATUS_SUCCESS;
        status = take_descriptor(given, (cudnnBackendDescriptorType_t)-1, &descriptor);
        if (status != CUDNN_STATUS_SUCCESS)
            return status;
        const Operation *given_operation = dynamic_cast<const Operation *>(descriptor);
        if (given_operation == nullptr)
            return fail(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE,
                        "a descriptor of type %d is no convolution's operation",
                        descriptor->type);
        if (!given_operation->finalized)
            return fail(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED,
                        "the operation is not finalized");
        operation = std::make_shared<Operation>(*given_operation);
        return CUDNN_STATUS_SUCCESS;
    }
    default:
        return no_such_attribute(this, given.name);
    }
}

cudnnStatus_t Graph::get(const Wanted &wanted) const
{
    if (wanted.name == CUDNN_ATTR_OPERATIONGRAPH_ENGINE_GLOBAL_COUNT)
        return give(wanted, CUDNN_TYPE_INT64, std::vector<int64_t>{64});
    return no_such_attribute(this, wanted.name);
}

cudnnStatus_t Graph::finalize()
{
    if (n_operations > 1)
        return fail(CUDNN_STATUS_NOT_SUPPORTED_GRAPH_PATTERN,
                    "the simulated device runs one operation, not %zu", n_operations);
    if (operation == nullptr)
        return fail(CUDNN_STATUS_BAD_PARAM, "a graph has no operation");
    const Tensor *tensors[] = {operation->x.get(), operation->w.get(),
                               operation->y.get()};
    if (tensors[0]->uid == tensors[1]->uid || tensors[0]->uid == tensors[2]->uid ||
        tensors[1]->uid == tensors[2]->uid)
        return fail(CUDNN_STATUS_BAD_PARAM_DUPLICATED_ENTRIES,
                    "different tensors have the unique id %lld",
                    (long long)(tensors[0]->uid == tensors[1]->uid ? tensors[0]->uid
                                                                   : tensors[2]->uid));
    for (const Tensor *tensor : tensors)
        if (tensor->dims.size() != 4 ||
            !(tensor->channels_are_last() || tensor->is_planar()))
            return fail(
                CUDNN_STATUS_NOT_SUPPORTED_LAYOUT,
                "tensor %lld has not two dimensions in planes or with channels last",
                (long long)tensor->uid);
    return CUDNN_STATUS_SUCCESS;
}

} // namespace simulated_cudnn
