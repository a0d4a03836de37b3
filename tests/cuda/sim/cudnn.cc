/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated cuDNN: the functions of libcudnn.so.9 that exist. */
#include "cudnn_internal.h"

#include <atomic>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string>

#include "simulated_cudnn.h"
#include "simulated_queue.h"

struct cudnnContext {
    cudaStream_t stream;
};

namespace simulated_cudnn
{

/* ---- what exists, and what tests ask for ------------------------------------------- */

static int64_t number_of(const char *variable, int64_t otherwise)
{
    const char *text = getenv(variable);

    return text == nullptr || text[0] == '\0' ? otherwise : strtoll(text, nullptr, 10);
}

/* Never freed: other threads may outlive main(), as in all of this library. */
static std::mutex &lock = *new std::mutex;
static std::set<const void *> &live = *new std::set<const void *>;
static std::atomic<int64_t> fail_create{number_of("VFI_SIMULATED_CUDNN_FAIL_CREATE", 0)};
static std::atomic<int64_t> fail_execute{
    number_of("VFI_SIMULATED_CUDNN_FAIL_EXECUTE", 0)};
static std::atomic<int64_t> version{
    number_of("VFI_SIMULATED_CUDNN_VERSION", CUDNN_VERSION)};
static std::atomic<uint64_t> refused_engines{
    (uint64_t)number_of("VFI_SIMULATED_CUDNN_REFUSE_ENGINES", 0)};
static std::atomic<size_t> executions{0}, handles_made{0};

/* Whether the call that is counted by @countdown is the one to fail. */
static bool fails_now(std::atomic<int64_t> &countdown)
{
    int64_t left = countdown.load();

    while (left > 0)
        if (countdown.compare_exchange_weak(left, left - 1))
            return left == 1;
    return false;
}

static void remember(const void *pointer)
{
    std::lock_guard<std::mutex> guard(lock);
    live.insert(pointer);
}

static bool exists(const void *pointer)
{
    std::lock_guard<std::mutex> guard(lock);
    return live.count(pointer) != 0;
}

static bool forget(const void *pointer)
{
    std::lock_guard<std::mutex> guard(lock);
    return live.erase(pointer) != 0;
}

/* ---- errors ------------------------------------------------------------------------ */

static thread_local std::string last_error;

cudnnStatus_t fail(cudnnStatus_t status, const char *format, ...)
{
    char text[512];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    last_error = text;
    return status;
}

cudnnStatus_t no_such_attribute(const Descriptor *descriptor,
                                cudnnBackendAttributeName_t name)
{
    return fail(CUDNN_STATUS_BAD_PARAM, "a descriptor of type %d has no attribute %d",
                descriptor->type, name);
}

cudnnStatus_t Descriptor::get(const Wanted &wanted) const
{
    return no_such_attribute(this, wanted.name);
}

/* ---- attributes -------------------------------------------------------------------- */

cudnnStatus_t take_bytes(const Given &given, cudnnBackendAttributeType_t type,
                         size_t bytes, void *value)
{
    if (given.type != type)
        return fail(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE,
                    "attribute %d has type %d, expected %d", given.name, given.type,
                    type);
    if (given.count != 1 || given.elements == nullptr)
        return fail(CUDNN_STATUS_BAD_PARAM, "attribute %d has %lld elements, expected 1",
                    given.name, (long long)given.count);
    memcpy(value, given.elements, bytes);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t take_numbers(const Given &given, size_t most, std::vector<int64_t> *numbers)
{
    if (given.type != CUDNN_TYPE_INT64)
        return fail(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE,
                    "attribute %d has type %d, expected CUDNN_TYPE_INT64", given.name,
                    given.type);
    if (given.count < 1 || (size_t)given.count > most || given.elements == nullptr)
        return fail(CUDNN_STATUS_BAD_PARAM,
                    "attribute %d has %lld elements, expected 1 to %zu", given.name,
                    (long long)given.count, most);
    const auto *first = static_cast<const int64_t *>(given.elements);
    numbers->assign(first, first + given.count);
    return CUDNN_STATUS_SUCCESS;
}

Descriptor *find_descriptor(cudnnBackendDescriptor_t pointer, cudnnStatus_t *status)
{
    *status = CUDNN_STATUS_SUCCESS;
    if (pointer == nullptr)
        *status = fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "a descriptor is NULL");
    else if (!exists(pointer))
        *status =
            fail(CUDNN_STATUS_BAD_PARAM, "%p is no descriptor, or no more", pointer);
    return *status == CUDNN_STATUS_SUCCESS ? static_cast<Descriptor *>(pointer) : nullptr;
}

cudnnStatus_t take_descriptor(const Given &given, cudnnBackendDescriptorType_t type,
                              const Descriptor **descriptor)
{
    cudnnBackendDescriptor_t pointer;
    cudnnStatus_t status = take(given, CUDNN_TYPE_BACKEND_DESCRIPTOR, &pointer);

    if (status != CUDNN_STATUS_SUCCESS)
        return status;
    *descriptor = find_descriptor(pointer, &status);
    if (*descriptor != nullptr && type != (cudnnBackendDescriptorType_t)-1 &&
        (*descriptor)->type != type)
        status = fail(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE,
                      "attribute %d is a descriptor of type %d, expected %d", given.name,
                      (*descriptor)->type, type);
    return status;
}

cudnnStatus_t give_bytes(const Wanted &wanted, cudnnBackendAttributeType_t type,
                         size_t bytes, size_t n, const void *values)
{
    if (wanted.type != type)
        return fail(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE,
                    "attribute %d is of type %d, not %d", wanted.name, type, wanted.type);
    if (wanted.requested < 0)
        return fail(CUDNN_STATUS_BAD_PARAM, "%lld elements are wanted",
                    (long long)wanted.requested);
    if (wanted.requested > 0 && wanted.elements == nullptr)
        return fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER,
                    "there is no room for attribute %d", wanted.name);
    size_t given = (size_t)wanted.requested < n ? (size_t)wanted.requested : n;
    if (given > 0)
        memcpy(wanted.elements, values, given * bytes);
    if (wanted.count != nullptr)
        *wanted.count = (int64_t)(wanted.requested == 0 ? n : given);
    return CUDNN_STATUS_SUCCESS;
}

static Descriptor *new_descriptor(cudnnBackendDescriptorType_t type)
{
    switch (type) {
    case CUDNN_BACKEND_TENSOR_DESCRIPTOR:
        return new Tensor;
    case CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR:
        return new Convolution;
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR:
        return new Operation(false);
    case CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR:
        return new Operation(true);
    case CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR:
        return new Graph;
    case CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR:
        return new Heuristics;
    case CUDNN_BACKEND_ENGINE_DESCRIPTOR:
        return new Engine;
    case CUDNN_BACKEND_ENGINECFG_DESCRIPTOR:
        return new EngineConfig;
    case CUDNN_BACKEND_KNOB_INFO_DESCRIPTOR:
        return new KnobInfo;
    case CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR:
        return new KnobChoice;
    case CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR:
        return new Plan;
    case CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR:
        return new VariantPack;
    case CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR:
        return new DeviceProperties;
    default:
        return nullptr;
    }
}

template <typename Kind>
static cudnnStatus_t find_finalized(cudnnBackendDescriptor_t pointer, const Kind **found)
{
    cudnnStatus_t status;
    const Descriptor *descriptor = find_descriptor(pointer, &status);

    if (descriptor == nullptr)
        return status;
    if (descriptor->type != Kind::kind)
        return fail(CUDNN_STATUS_BAD_PARAM_DESCRIPTOR_TYPE,
                    "a descriptor is of type %d, expected %d", descriptor->type,
                    Kind::kind);
    if (!descriptor->finalized)
        return fail(CUDNN_STATUS_BAD_PARAM_NOT_FINALIZED,
                    "a descriptor of type %d is not finalized", descriptor->type);
    *found = static_cast<const Kind *>(descriptor);
    return CUDNN_STATUS_SUCCESS;
}

static cudnnStatus_t check_handle(cudnnHandle_t handle)
{
    return handle != nullptr && exists(handle)
               ? CUDNN_STATUS_SUCCESS
               : fail(CUDNN_STATUS_BAD_PARAM, "%p is no handle, or no more",
                      (void *)handle);
}

} // namespace simulated_cudnn

using namespace simulated_cudnn;

/* ---- the library's functions ------------------------------------------------------- */

size_t cudnnGetVersion(void)
{
    return (size_t)version.load();
}

const char *cudnnGetErrorString(cudnnStatus_t status)
{
    static const auto &names = *new std::map<int, const char *>{
#define NAME(status) {CUDNN_STATUS_##status, "CUDNN_STATUS_" #status}
        NAME(SUCCESS),
        NAME(NOT_INITIALIZED),
        NAME(BAD_PARAM),
        NAME(BAD_PARAM_NULL_POINTER),
        NAME(BAD_PARAM_MISALIGNED_POINTER),
        NAME(BAD_PARAM_NOT_FINALIZED),
        NAME(BAD_PARAM_DUPLICATED_ENTRIES),
        NAME(BAD_PARAM_ATTRIBUTE_TYPE),
        NAME(BAD_PARAM_DESCRIPTOR_TYPE),
        NAME(NOT_SUPPORTED),
        NAME(NOT_SUPPORTED_GRAPH_PATTERN),
        NAME(NOT_SUPPORTED_SHAPE),
        NAME(NOT_SUPPORTED_DATA_TYPE),
        NAME(NOT_SUPPORTED_LAYOUT),
        NAME(NOT_SUPPORTED_RUNTIME_PREREQUISITE_MISSING),
        NAME(NOT_SUPPORTED_PADDING),
        NAME(INTERNAL_ERROR_HOST_ALLOCATION_FAILED),
        NAME(EXECUTION_FAILED),
#undef NAME
    };
    auto found = names.find(status);

    return found != names.end() ? found->second : "CUDNN_UNKNOWN_STATUS";
}

void cudnnGetLastErrorString(char *message, size_t max_size)
{
    if (message == nullptr || max_size == 0)
        return;
    snprintf(message, max_size, "%s", last_error.c_str());
    last_error.clear();
}

cudnnStatus_t cudnnCreate(cudnnHandle_t *handle)
{
    if (handle == nullptr)
        return fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER, "there is no room for a handle");
    if (fails_now(fail_create))
        return fail(CUDNN_STATUS_NOT_INITIALIZED, "the test wants no handle");
    *handle = new cudnnContext{};
    remember(*handle);
    handles_made++;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnDestroy(cudnnHandle_t handle)
{
    if (!forget(handle))
        return fail(CUDNN_STATUS_BAD_PARAM, "%p is no handle, or no more",
                    (void *)handle);
    if (!vfi_simulated_has_stream(handle->stream)) {
        fprintf(stderr, "simulated cuDNN: a handle's stream was destroyed before it\n");
        abort();
    }
    delete handle;
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnSetStream(cudnnHandle_t handle, cudaStream_t stream)
{
    cudnnStatus_t status = check_handle(handle);

    if (status == CUDNN_STATUS_SUCCESS)
        handle->stream = stream;
    return status;
}

cudnnStatus_t cudnnGetStream(cudnnHandle_t handle, cudaStream_t *stream)
{
    cudnnStatus_t status = check_handle(handle);

    if (status == CUDNN_STATUS_SUCCESS)
        *stream = handle->stream;
    return status;
}

cudnnStatus_t cudnnBackendCreateDescriptor(cudnnBackendDescriptorType_t type,
                                           cudnnBackendDescriptor_t *descriptor)
{
    if (descriptor == nullptr)
        return fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER,
                    "there is no room for a descriptor");
    Descriptor *made = new_descriptor(type);
    if (made == nullptr)
        return fail(CUDNN_STATUS_INTERNAL_ERROR_HOST_ALLOCATION_FAILED,
                    "the simulated device has no descriptors of type %d", type);
    *descriptor = made;
    remember(made);
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t cudnnBackendDestroyDescriptor(cudnnBackendDescriptor_t pointer)
{
    cudnnStatus_t status;
    Descriptor *descriptor = find_descriptor(pointer, &status);

    if (descriptor != nullptr) {
        forget(descriptor);
        delete descriptor;
    }
    return status;
}

cudnnStatus_t cudnnBackendInitialize(cudnnBackendDescriptor_t)
{
    return fail(CUDNN_STATUS_NOT_SUPPORTED,
                "cudnnBackendCreateDescriptor() gives initialized descriptors");
}

cudnnStatus_t cudnnBackendFinalize(cudnnBackendDescriptor_t pointer)
{
    cudnnStatus_t status;
    Descriptor *descriptor = find_descriptor(pointer, &status);

    if (descriptor == nullptr)
        return status;
    if (descriptor->finalized)
        return fail(CUDNN_STATUS_BAD_PARAM,
                    "a descriptor of type %d is finalized already", descriptor->type);
    status = descriptor->finalize();
    descriptor->finalized = status == CUDNN_STATUS_SUCCESS;
    return status;
}

cudnnStatus_t cudnnBackendSetAttribute(cudnnBackendDescriptor_t pointer,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type, int64_t count,
                                       const void *elements)
{
    cudnnStatus_t status;
    Descriptor *descriptor = find_descriptor(pointer, &status);

    if (descriptor == nullptr)
        return status;
    if (descriptor->finalized)
        return fail(CUDNN_STATUS_BAD_PARAM,
                    "attribute %d comes after its descriptor was finalized", name);
    return descriptor->set({name, type, count, elements});
}

cudnnStatus_t cudnnBackendGetAttribute(cudnnBackendDescriptor_t pointer,
                                       cudnnBackendAttributeName_t name,
                                       cudnnBackendAttributeType_t type,
                                       int64_t requested, int64_t *count, void *elements)
{
    cudnnStatus_t status;
    const Descriptor *descriptor = find_descriptor(pointer, &status);

    if (descriptor == nullptr)
        return status;
    if (!descriptor->finalized)
        return fail(CUDNN_STATUS_NOT_INITIALIZED,
                    "attribute %d is asked for before its descriptor is finalized", name);
    return descriptor->get({name, type, requested, count, elements});
}

cudnnStatus_t cudnnBackendExecute(cudnnHandle_t handle, cudnnBackendDescriptor_t plan,
                                  cudnnBackendDescriptor_t variant_pack)
{
    const Plan *found_plan = nullptr;
    const VariantPack *found_pack = nullptr;
    cudnnStatus_t status = check_handle(handle);

    if (status == CUDNN_STATUS_SUCCESS)
        status = find_finalized(plan, &found_plan);
    if (status == CUDNN_STATUS_SUCCESS)
        status = find_finalized(variant_pack, &found_pack);
    if (status != CUDNN_STATUS_SUCCESS)
        return status;
    if (fails_now(fail_execute))
        return fail(CUDNN_STATUS_EXECUTION_FAILED, "the test wants this to fail");
    if (refused_engines >> found_plan->config->engine->index & 1)
        return fail(CUDNN_STATUS_EXECUTION_FAILED, "the test refuses engine %lld",
                    (long long)found_plan->config->engine->index);
    status = execute(handle->stream, *found_plan, *found_pack);
    executions += status == CUDNN_STATUS_SUCCESS;
    return status;
}

/* ---- tests ------------------------------------------------------------------------- */

void cudnnSimulatedFailCreate(int64_t nth)
{
    fail_create = nth;
}

void cudnnSimulatedFailExecute(int64_t nth)
{
    fail_execute = nth;
}

void cudnnSimulatedRefuseEngines(uint64_t bits)
{
    refused_engines = bits;
}

void cudnnSimulatedSetVersion(size_t new_version)
{
    version = (int64_t)new_version;
}

size_t cudnnSimulatedLive(void)
{
    std::lock_guard<std::mutex> guard(lock);
    return live.size();
}

size_t cudnnSimulatedExecutions(void)
{
    return executions;
}

size_t cudnnSimulatedHandlesMade(void)
{
    return handles_made;
}
