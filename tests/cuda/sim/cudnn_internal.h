/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated cuDNN's descriptors. As in the real library, a descriptor that is set as
 * an attribute of another one is copied with its state: it may be destroyed at once, and
 * finalizing it later has no effect on the copy. */
#pragma once

#include <cudnn.h>

#include <array>
#include <memory>
#include <vector>

#include "cudnn_convolution.h"

namespace simulated_cudnn
{

/* Says why, for cudnnGetLastErrorString(), and returns @status. */
[[gnu::format(printf, 2, 3)]] cudnnStatus_t fail(cudnnStatus_t status, const char *format,
                                                 ...);

/* One call's attribute, going in. */
struct Given {
    cudnnBackendAttributeName_t name;
    cudnnBackendAttributeType_t type;
    int64_t count;
    const void *elements;
};

/* One call's attribute, coming out. */
struct Wanted {
    cudnnBackendAttributeName_t name;
    cudnnBackendAttributeType_t type;
    int64_t requested;
    int64_t *count;
    void *elements;
};

struct Descriptor {
    cudnnBackendDescriptorType_t type;
    bool finalized = false;

    explicit Descriptor(cudnnBackendDescriptorType_t type_) : type(type_)
    {
    }
    virtual ~Descriptor() = default;
    virtual cudnnStatus_t set(const Given &given) = 0;
    virtual cudnnStatus_t get(const Wanted &wanted) const;
    virtual cudnnStatus_t finalize() = 0;
};

/* A descriptor of one type. */
template <cudnnBackendDescriptorType_t TYPE> struct Of : Descriptor {
    static constexpr auto kind = TYPE;

    Of() : Descriptor(TYPE)
    {
    }
};

/* The descriptor behind the pointer, or NULL with a reason. */
Descriptor *find_descriptor(cudnnBackendDescriptor_t pointer, cudnnStatus_t *status);

/* Refuses an attribute that descriptors of this type do not have. */
cudnnStatus_t no_such_attribute(const Descriptor *descriptor,
                                cudnnBackendAttributeName_t name);

/* One value, of CUDNN_TYPE_…. */
cudnnStatus_t take_bytes(const Given &given, cudnnBackendAttributeType_t type,
                         size_t bytes, void *value);

template <typename Value>
cudnnStatus_t take(const Given &given, cudnnBackendAttributeType_t type, Value *value)
{
    return take_bytes(given, type, sizeof *value, value);
}

/* Numbers, at most @most. */
cudnnStatus_t take_numbers(const Given &given, size_t most,
                           std::vector<int64_t> *numbers);

cudnnStatus_t take_descriptor(const Given &given, cudnnBackendDescriptorType_t type,
                              const Descriptor **descriptor);

/* A copy of the one descriptor given. */
template <typename Kind>
cudnnStatus_t take_copy(const Given &given, std::shared_ptr<const Kind> *copy)
{
    const Descriptor *descriptor;
    cudnnStatus_t status = take_descriptor(given, Kind::kind, &descriptor);

    if (status == CUDNN_STATUS_SUCCESS)
        *copy = std::make_shared<Kind>(*static_cast<const Kind *>(descriptor));
    return status;
}

/* Elements of @bytes each. */
cudnnStatus_t give_bytes(const Wanted &wanted, cudnnBackendAttributeType_t type,
                         size_t bytes, size_t n, const void *values);

template <typename Value>
cudnnStatus_t give(const Wanted &wanted, cudnnBackendAttributeType_t type,
                   const std::vector<Value> &values)
{
    return give_bytes(wanted, type, sizeof(Value), values.size(), values.data());
}

/* Fills in descriptors that the caller created, those that are not finalized yet. */
template <typename Kind>
cudnnStatus_t give_copies(const Wanted &wanted, const std::vector<Kind> &values,
                          size_t announced)
{
    int64_t filled = 0;

    if (wanted.type != CUDNN_TYPE_BACKEND_DESCRIPTOR)
        return fail(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE,
                    "attribute %d is of descriptors, not of type %d", wanted.name,
                    wanted.type);
    if (wanted.requested > 0 && wanted.elements == nullptr)
        return fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "no room for the descriptors");
    for (int64_t i = 0; i < wanted.requested && (size_t)filled < values.size(); i++) {
        cudnnStatus_t status;
        Descriptor *to = find_descriptor(
            static_cast<cudnnBackendDescriptor_t *>(wanted.elements)[i], &status);
        if (to == nullptr)
            return status;
        if (to->type != Kind::kind)
            return fail(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE,
                        "descriptor %d of those to fill in is of type %d, expected %d",
                        (int)i, to->type, Kind::kind);
        if (to->finalized)
            continue;
        static_cast<Kind *>(to)->assign(values[(size_t)filled++]);
    }
    if (wanted.count != nullptr)
        *wanted.count = wanted.requested == 0 ? (int64_t)announced : filled;
    return CUDNN_STATUS_SUCCESS;
}

/* ---- what a graph is made of (cudnn_graph.cc) -------------------------------------- */

struct Tensor : Of<CUDNN_BACKEND_TENSOR_DESCRIPTOR> {
    int data_type = -1;
    std::vector<int64_t> dims, strides;
    int64_t uid = 0, alignment = 0;
    bool has_uid = false, is_virtual = false, is_by_value = false;

    cudnnStatus_t set(const Given &given) override;
    cudnnStatus_t get(const Wanted &wanted) const override;
    cudnnStatus_t finalize() override;
    /* Elements from the first to the last one. */
    int64_t reach() const;
    size_t element_bytes() const;
    /* Of four dimensions; gaps may be between pixels, rows and planes. */
    bool channels_are_last() const;
    bool is_planar() const;
};

struct Convolution : Of<CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR> {
    int compute_type = -1, mode = -1;
    int64_t spatial_dims = 0;
    std::vector<int64_t> pre, post, strides, dilations;

    cudnnStatus_t set(const Given &given) override;
    cudnnStatus_t finalize() override;
};

/* Forward or backward by data, which differ in the attributes' names and in which size
 * follows from which. */
struct Operation : Descriptor {
    bool backward;
    std::shared_ptr<const Tensor> x, w, y; /* backward: dx, w, dy */
    std::shared_ptr<const Convolution> convolution;
    double alpha = 0.0, beta = 0.0;
    bool has_alpha = false, has_beta = false;

    explicit Operation(bool backward_)
        : Descriptor(backward_
                         ? CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR
                         : CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR),
          backward(backward_)
    {
    }
    cudnnStatus_t set(const Given &given) override;
    cudnnStatus_t finalize() override;
};

struct Graph : Of<CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR> {
    std::shared_ptr<const Operation> operation;
    size_t n_operations = 0;

    cudnnStatus_t set(const Given &given) override;
    cudnnStatus_t get(const Wanted &wanted) const override;
    cudnnStatus_t finalize() override;
};

/* ---- engines (cudnn_engines.cc) ---------------------------------------------------- */

struct DeviceProperties : Of<CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR> {
    bool has_any = false;

    cudnnStatus_t set(const Given &given) override;
    cudnnStatus_t finalize() override;
};

struct KnobInfo : Of<CUDNN_BACKEND_KNOB_INFO_DESCRIPTOR> {
    int knob = 0;
    int64_t maximum = 0;

    void assign(const KnobInfo &other);
    cudnnStatus_t set(const Given &given) override;
    cudnnStatus_t get(const Wanted &wanted) const override;
    cudnnStatus_t finalize() override;
};

struct KnobChoice : Of<CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR> {
    int knob = -1;
    int64_t value = -1;

    void assign(const KnobChoice &other);
    cudnnStatus_t set(const Given &given) override;
    cudnnStatus_t get(const Wanted &wanted) const override;
    cudnnStatus_t finalize() override;
};

struct Engine : Of<CUDNN_BACKEND_ENGINE_DESCRIPTOR> {
    std::shared_ptr<const Graph> graph;
    int64_t index = -1;

    void assign(const Engine &other);
    cudnnStatus_t set(const Given &given) override;
    cudnnStatus_t get(const Wanted &wanted) const override;
    cudnnStatus_t finalize() override;
};

struct EngineConfig : Of<CUDNN_BACKEND_ENGINECFG_DESCRIPTOR> {
    std::shared_ptr<const Engine> engine;
    std::vector<KnobChoice> choices;

    void assign(const EngineConfig &other);
    cudnnStatus_t set(const Given &given) override;
    cudnnStatus_t get(const Wanted &wanted) const override;
    cudnnStatus_t finalize() override;
    int64_t choice(int knob) const; /* 0 if there is none */
};

struct Heuristics : Of<CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR> {
    std::shared_ptr<const Graph> graph;
    int mode = -1;

    cudnnStatus_t set(const Given &given) override;
    cudnnStatus_t get(const Wanted &wanted) const override;
    cudnnStatus_t finalize() override;
};

/* ---- running (cudnn_plan.cc) ------------------------------------------------------- */

struct Plan : Of<CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR> {
    std::shared_ptr<const EngineConfig> config;
    int64_t workspace = 0;
    std::shared_ptr<VfiSimulatedConvolver> convolver;

    cudnnStatus_t set(const Given &given) override;
    cudnnStatus_t get(const Wanted &wanted) const override;
    cudnnStatus_t finalize() override;
};

struct VariantPack : Of<CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR> {
    std::vector<int64_t> uids;
    std::vector<void *> pointers;
    void *workspace = nullptr;

    cudnnStatus_t set(const Given &given) override;
    cudnnStatus_t finalize() override;
};

/* Whether the engine can compute the graph's convolution, else why not. */
cudnnStatus_t check_engine(const Graph &graph, int64_t index);
int64_t engine_workspace(const EngineConfig &config);
VfiSimulatedMath engine_math(const EngineConfig &config);
bool engine_compiles(int64_t index);

/* Queues the plan's work. */
cudnnStatus_t execute(cudaStream_t stream, const Plan &plan, const VariantPack &pack);

} // namespace simulated_cudnn
