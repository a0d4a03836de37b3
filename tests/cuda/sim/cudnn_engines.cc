/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The simulated cuDNN's engines, one of each sort that a caller may have to leave out,
 * and the heuristics that propose them. */
#include "cudnn_internal.h"

namespace simulated_cudnn
{

/* The numbers of cuDNN 9.19's forward engines of that sort, if it has one. */
enum {
    ENGINE_PLAIN = 0,
    ENGINE_GEMM = 1,
    ENGINE_WINOGRAD = 12,
    ENGINE_HUGE = 23,
    ENGINE_VARYING = 30,
    ENGINE_DOWN_CONVERT = 31,
    ENGINE_TENSOR_CORE = 45,
    ENGINE_SPLIT = 52,
    ENGINE_COMPILED = 60,
};

struct EngineKind {
    int64_t index;
    std::vector<int> numerical, behavior;
    std::vector<std::pair<int, int64_t>>
        knobs; /* type and maximum; minimum 0, stride 1 */
};

/* Never freed, see cudnn.cc. */
static const auto &kinds = *new std::vector<EngineKind>{
    {ENGINE_PLAIN, {CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP}, {}, {}},
    {ENGINE_GEMM, {}, {}, {{CUDNN_KNOB_TYPE_TILE_SIZE, 4}, {CUDNN_KNOB_TYPE_USE_TEX, 1}}},
    {ENGINE_WINOGRAD,
     {CUDNN_NUMERICAL_NOTE_WINOGRAD, CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_4x4},
     {},
     {}},
    {ENGINE_HUGE, {CUDNN_NUMERICAL_NOTE_TENSOR_CORE}, {}, {}},
    {ENGINE_VARYING,
     {CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION,
      CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC},
     {},
     {}},
    {ENGINE_DOWN_CONVERT,
     {CUDNN_NUMERICAL_NOTE_TENSOR_CORE, CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS},
     {},
     {}},
    {ENGINE_TENSOR_CORE,
     {CUDNN_NUMERICAL_NOTE_TENSOR_CORE},
     {CUDNN_BEHAVIOR_NOTE_SUPPORTS_CUDA_GRAPH_NATIVE_API},
     {{CUDNN_KNOB_TYPE_TILE_SIZE, 23}}},
    {ENGINE_SPLIT,
     {CUDNN_NUMERICAL_NOTE_TENSOR_CORE},
     {},
     {{CUDNN_KNOB_TYPE_TILE_SIZE, 23}, {CUDNN_KNOB_TYPE_SPLIT_K_BUF, 1}}},
    {ENGINE_COMPILED,
     {CUDNN_NUMERICAL_NOTE_TENSOR_CORE},
     {CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION},
     {}},
};

static const EngineKind *find_kind(int64_t index)
{
    for (const EngineKind &kind : kinds)
        if (kind.index == index)
            return &kind;
    return nullptr;
}

/* ---- what engines can do ----------------------------------------------------------- */

static cudnnStatus_t check_types(const Operation &operation)
{
    int type = operation.x->data_type;

    if (type != CUDNN_DATA_HALF && type != CUDNN_DATA_FLOAT)
        return fail(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE,
                    "tensors are neither f16 nor f32");
    if (operation.w->data_type != type || operation.y->data_type != type)
        return fail(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE,
                    "tensors have different types: %d, %d, %d", type,
                    operation.w->data_type, operation.y->data_type);
    if (operation.convolution->compute_type != CUDNN_DATA_FLOAT)
        return fail(CUDNN_STATUS_NOT_SUPPORTED_DATA_TYPE, "sums are not f32");
    return CUDNN_STATUS_SUCCESS;
}

/* How much of a transposed convolution's result its kernels do not reach. */
static int64_t spare(const Operation &operation, size_t dim)
{
    const Convolution &c = *operation.convolution;

    return (operation.x->dims[dim + 2] + c.pre[dim] + c.post[dim] -
            operation.w->dims[dim + 2]) %
           c.strides[dim];
}

static cudnnStatus_t check_geometry(const Operation &operation)
{
    const Convolution &c = *operation.convolution;

    if (c.spatial_dims != 2 || c.strides[0] != c.strides[1] || c.strides[0] > 16)
        return fail(
            CUDNN_STATUS_NOT_SUPPORTED_SHAPE,
            "the simulated device has one stride for both directions, at most 16");
    for (size_t i = 0; i < 2; i++) {
        if (c.dilations[i] != 1)
            return fail(CUDNN_STATUS_NOT_SUPPORTED_SHAPE,
                        "the simulated device has no dilations");
        if (operation.w->dims[i + 2] > 64 || c.pre[i] > 64 || c.post[i] > 64)
            return fail(CUDNN_STATUS_NOT_SUPPORTED_PADDING,
                        "kernels and paddings are 64 at most on the simulated device");
        if (operation.backward && spare(operation, i) > c.post[i])
            return fail(CUDNN_STATUS_NOT_SUPPORTED_PADDING,
                        "the simulated device cannot leave rows of dx to zero");
    }
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t check_engine(const Graph &graph, int64_t index)
{
    const Operation &operation = *graph.operation;
    bool half = operation.x->data_type == CUDNN_DATA_HALF;
    cudnnStatus_t status = check_types(operation);

    if (status == CUDNN_STATUS_SUCCESS)
        status = check_geometry(operation);
    if (status != CUDNN_STATUS_SUCCESS)
        return status;
    if (index != ENGINE_PLAIN && index != ENGINE_GEMM)
        for (const Tensor *tensor :
             {operation.x.get(), operation.w.get(), operation.y.get()})
            if (tensor->alignment % 16 != 0)
                return fail(CUDNN_STATUS_NOT_SUPPORTED,
                            "engine %lld wants tensors aligned to 16 bytes",
                            (long long)index);
    if (find_kind(index) == nullptr || (half && index == ENGINE_DOWN_CONVERT) ||
        (index == ENGINE_WINOGRAD &&
         (operation.backward || operation.w->dims[2] != 3 || operation.w->dims[3] != 3 ||
          operation.convolution->strides[0] != 1)))
        return fail(CUDNN_STATUS_NOT_SUPPORTED, "engine %lld cannot compute this",
                    (long long)index);
    if (index == ENGINE_GEMM && operation.convolution->pre != operation.convolution->post)
        return fail(CUDNN_STATUS_NOT_SUPPORTED_PADDING,
                    "engine %lld wants the same padding on both sides", (long long)index);
    return CUDNN_STATUS_SUCCESS;
}

int64_t engine_workspace(const EngineConfig &config)
{
    const Operation &operation = *config.engine->graph->operation;

    switch (config.engine->index) {
    case ENGINE_HUGE:
        return (int64_t)1 << 40;
    case ENGINE_SPLIT: /* not a round number, as cuDNN's are not */
        return operation.y->reach() * 4 *
                   (1 + config.choice(CUDNN_KNOB_TYPE_SPLIT_K_BUF)) +
               95;
    case ENGINE_GEMM:
    case ENGINE_WINOGRAD:
        return operation.w->reach() * (int64_t)operation.w->element_bytes() + 16;
    default:
        return 0;
    }
}

/* Tensor cores do not multiply f32. */
VfiSimulatedMath engine_math(const EngineConfig &config)
{
    bool half = config.engine->graph->operation->x->data_type == CUDNN_DATA_HALF;

    switch (config.engine->index) {
    case ENGINE_VARYING:
        return VFI_SIMULATED_VARYING;
    case ENGINE_DOWN_CONVERT:
        return VFI_SIMULATED_F16_INPUTS;
    case ENGINE_TENSOR_CORE:
    case ENGINE_SPLIT:
    case ENGINE_HUGE:
        return half ? VFI_SIMULATED_EXACT : VFI_SIMULATED_TF32;
    default:
        return VFI_SIMULATED_EXACT;
    }
}

bool engine_compiles(int64_t index)
{
    return index == ENGINE_COMPILED;
}

/* ---- device properties: taken as they come ----------------------------------------- */

cudnnStatus_t DeviceProperties::set(const Given &given)
{
    int32_t id;
    void *handle;

    has_any = true;
    switch (given.name) {
    case CUDNN_ATTR_DEVICEPROP_DEVICE_ID:
        return take(given, CUDNN_TYPE_INT32, &id);
    case CUDNN_ATTR_DEVICEPROP_HANDLE:
        return take(given, CUDNN_TYPE_HANDLE, &handle);
    case CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION:
        if (given.type != CUDNN_TYPE_CHAR)
            return fail(CUDNN_STATUS_BAD_PARAM_ATTRIBUTE_TYPE, "JSON is of characters");
        return CUDNN_STATUS_SUCCESS;
    default:
        return no_such_attribute(this, given.name);
    }
}

cudnnStatus_t DeviceProperties::finalize()
{
    return has_any ? CUDNN_STATUS_SUCCESS
                   : fail(CUDNN_STATUS_BAD_PARAM, "no device is described");
}

/* ---- knobs ------------------------------------------------------------------------- */

void KnobInfo::assign(const KnobInfo &other)
{
    knob = other.knob;
    maximum = other.maximum;
    finalized = true;
}

cudnnStatus_t KnobInfo::set(const Given &given)
{
    return no_such_attribute(this, given.name);
}

cudnnStatus_t KnobInfo::get(const Wanted &wanted) const
{
    switch (wanted.name) {
    case CUDNN_ATTR_KNOB_INFO_TYPE:
        return give(wanted, CUDNN_TYPE_KNOB_TYPE, std::vector<int>{knob});
    case CUDNN_ATTR_KNOB_INFO_MINIMUM_VALUE:
        return give(wanted, CUDNN_TYPE_INT64, std::vector<int64_t>{0});
    case CUDNN_ATTR_KNOB_INFO_MAXIMUM_VALUE:
        return give(wanted, CUDNN_TYPE_INT64, std::vector<int64_t>{maximum});
    case CUDNN_ATTR_KNOB_INFO_STRIDE:
        return give(wanted, CUDNN_TYPE_INT64, std::vector<int64_t>{1});
    default:
        return no_such_attribute(this, wanted.name);
    }
}

cudnnStatus_t KnobInfo::finalize()
{
    return fail(CUDNN_STATUS_NOT_SUPPORTED, "a knob's range comes from an engine");
}

void KnobChoice::assign(const KnobChoice &other)
{
    knob = other.knob;
    value = other.value;
    finalized = true;
}

cudnnStatus_t KnobChoice::set(const Given &given)
{
    switch (given.name) {
    case CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE:
        return take(given, CUDNN_TYPE_KNOB_TYPE, &knob);
    case CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE:
        return take(given, CUDNN_TYPE_INT64, &value);
    default:
        return no_such_attribute(this, given.name);
    }
}

cudnnStatus_t KnobChoice::get(const Wanted &wanted) const
{
    switch (wanted.name) {
    case CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE:
        return give(wanted, CUDNN_TYPE_KNOB_TYPE, std::vector<int>{knob});
    case CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE:
        return give(wanted, CUDNN_TYPE_INT64, std::vector<int64_t>{value});
    default:
        return no_such_attribute(this, wanted.name);
    }
}

cudnnStatus_t KnobChoice::finalize()
{
    return knob >= 0 && value >= 0
               ? CUDNN_STATUS_SUCCESS
               : fail(CUDNN_STATUS_BAD_PARAM, "a knob's choice lacks its type or value");
}

/* ---- engines and their configurations ---------------------------------------------- */

void Engine::assign(const Engine &other)
{
    graph = other.graph;
    index = other.index;
    finalized = true;
}

cudnnStatus_t Engine::set(const Given &given)
{
    std::shared_ptr<const DeviceProperties> properties;

    switch (given.name) {
    case CUDNN_ATTR_ENGINE_OPERATION_GRAPH:
        return take_copy(given, &graph);
    case CUDNN_ATTR_ENGINE_GLOBAL_INDEX:
        return take(given, CUDNN_TYPE_INT64, &index);
    case CUDNN_ATTR_ENGINE_DEVICEPROP:
        return take_copy(given, &properties);
    default:
        return no_such_attribute(this, given.name);
    }
}

cudnnStatus_t Engine::get(const Wanted &wanted) const
{
    const EngineKind *engine = find_kind(index);
    std::vector<KnobInfo> infos;

    switch (wanted.name) {
    case CUDNN_ATTR_ENGINE_GLOBAL_INDEX:
        return give(wanted, CUDNN_TYPE_INT64, std::vector<int64_t>{index});
    case CUDNN_ATTR_ENGINE_NUMERICAL_NOTE:
        return give(wanted, CUDNN_TYPE_NUMERICAL_NOTE, engine->numerical);
    case CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE:
        return give(wanted, CUDNN_TYPE_BEHAVIOR_NOTE, engine->behavior);
    case CUDNN_ATTR_ENGINE_KNOB_INFO:
        for (const auto &[knob, maximum] : engine->knobs) {
            KnobInfo info;
            info.knob = knob;
            info.maximum = maximum;
            infos.push_back(info);
        }
        return give_copies(wanted, infos, infos.size());
    default:
        return no_such_attribute(this, wanted.name);
    }
}

cudnnStatus_t Engine::finalize()
{
    if (graph == nullptr || !graph->finalized)
        return fail(CUDNN_STATUS_BAD_PARAM_NULL_POINTER,
                    "an engine has no graph that was finalized when set");
    return check_engine(*graph, index);
}

void EngineConfig::assign(const EngineConfig &other)
{
    engine = other.engine;
    choices = other.choices;
    finalized = true;
}

cudnnStatus_t EngineConfig::set(const Given &given)
{
    if (given.name == CUDNN_ATTR_ENGINECFG_ENGINE)
        return take_copy(given, &engine);
    if (given.name != CUDNN_ATTR_ENGINECFG_KNOB_CHOICES)
        return no_such_attribute(this, given.name);
    if (given.count < 0 || (given.count > 0 && given.elements == nullptr))
        return fail(CUDNN_STATUS_BAD_PARAM, "there are no choices of knobs");
    choices.clear();
    for (int64_t i = 0; i < given.count; i++) {
        Given one = given;
        std::shared_ptr<const KnobChoice> choice;
        one.count = 1;
        one.elements = static_cast<const cudnnBackendDescriptor_t *>(given.elements) + i;
        cudnnStatus_t status = take_copy(one, &choice);
        if (status != CUDNN_STATUS_SUCCESS)
            return status;
        choices.push_back(*choice);
    }
    return CUDNN_STATUS_SUCCESS;
}

cudnnStatus_t EngineConfig::get(const Wanted &wanted) const
{
    switch (wanted.name) {
    case CUDNN_ATTR_ENGINECFG_ENGINE:
        return give_copies(wanted, std::vector<Engine>{*engine}, 1);
    case CUDNN_ATTR_ENGINECFG_KNOB_CHOICES:
        return give_copies(wanted, choices, choices.size());
    default:
        return no_such_attribute(this, wanted.name);
    }
}

int64_t EngineConfig::choice(int knob) const
{
    for (const KnobChoice &choice : choices)
        if (choice.knob == knob)
            return choice.value;
    return 0;
}

cudnnStatus_t EngineConfig::finalize()
{
    if (engine == nullptr || !engine->finalized)
        return fail(CUDNN_STATUS_BAD_PARAM,
                    "a configuration has no engine that was finalized when set");
    for (const KnobChoice &choice : choices) {
        bool found = false;
        for (const auto &[knob, maximum] : find_kind(engine->index)->knobs)
            found = found || (choice.finalized && knob == choice.knob &&
                              choice.value >= 0 && choice.value <= maximum);
        if (!found)
            return fail(CUDNN_STATUS_BAD_PARAM, "engine %lld has no knob %d at %lld",
                        (long long)engine->index, choice.knob, (long long)choice.value);
    }
    return CUDNN_STATUS_SUCCESS;
}

/* ---- heuristics -------------------------------------------------------------------- */

cudnnStatus_t Heuristics::set(const Given &given)
{
    std::shared_ptr<const DeviceProperties> properties;

    switch (given.name) {
    case CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH:
        return take_copy(given, &graph);
    case CUDNN_ATTR_ENGINEHEUR_MODE:
        return take(given, CUDNN_TYPE_HEUR_MODE, &mode);
    case CUDNN_ATTR_ENGINEHEUR_DEVICEPROP:
        return take_copy(given, &properties);
    default:
        return no_such_attribute(this, given.name);
    }
}

cudnnStatus_t Heuristics::finalize()
{
    if (graph == nullptr || !graph->finalized)
        return fail(CUDNN_STATUS_BAD_PARAM,
                    "heuristics have no graph that was finalized when set");
    if (mode < 0 || mode >= CUDNN_HEUR_MODES_COUNT)
        return fail(CUDNN_STATUS_BAD_PARAM, "heuristics have no mode %d", mode);
    return CUDNN_STATUS_SUCCESS;
}

struct Proposal {
    int64_t index;
    std::vector<std::pair<int, int64_t>> choices;
};

/* Engines that callers must leave out come first; and as in cuDNN, more are announced
 * than there are. */
cudnnStatus_t Heuristics::get(const Wanted &wanted) const
{
    static const std::vector<Proposal> best = {
        {ENGINE_COMPILED, {}},
        {ENGINE_HUGE, {}},
        {ENGINE_VARYING, {}},
        {ENGINE_DOWN_CONVERT, {}},
        {ENGINE_SPLIT,
         {{CUDNN_KNOB_TYPE_TILE_SIZE, 3}, {CUDNN_KNOB_TYPE_SPLIT_K_BUF, 1}}},
        {ENGINE_TENSOR_CORE, {{CUDNN_KNOB_TYPE_TILE_SIZE, 7}}},
        {ENGINE_SPLIT,
         {{CUDNN_KNOB_TYPE_TILE_SIZE, 0}, {CUDNN_KNOB_TYPE_SPLIT_K_BUF, 0}}},
        {ENGINE_TENSOR_CORE, {{CUDNN_KNOB_TYPE_TILE_SIZE, 0}}},
        {ENGINE_WINOGRAD, {}},
        {ENGINE_GEMM, {{CUDNN_KNOB_TYPE_TILE_SIZE, 1}, {CUDNN_KNOB_TYPE_USE_TEX, 0}}},
        {ENGINE_PLAIN, {}},
    };
    static const std::vector<Proposal> fallback = {
        {ENGINE_GEMM, {{CUDNN_KNOB_TYPE_TILE_SIZE, 0}, {CUDNN_KNOB_TYPE_USE_TEX, 1}}},
        {ENGINE_PLAIN, {}},
    };
    std::vector<EngineConfig> found;
    bool aligned = true;

    if (wanted.name != CUDNN_ATTR_ENGINEHEUR_RESULTS)
        return no_such_attribute(this, wanted.name);
    for (const Tensor *tensor : {graph->operation->x.get(), graph->operation->w.get(),
                                 graph->operation->y.get()})
        aligned = aligned && tensor->alignment % 16 == 0;
    const auto &proposals = mode == CUDNN_HEUR_MODE_FALLBACK ? fallback : best;
    for (const Proposal &proposal : proposals) {
        if ((!aligned && mode != CUDNN_HEUR_MODE_FALLBACK) ||
            check_engine(*graph, proposal.index) != CUDNN_STATUS_SUCCESS)
            continue;
        auto engine = std::make_shared<Engine>();
        EngineConfig config;
        engine->graph = graph;
        engine->index = proposal.index;
        engine->finalized = true;
        config.engine = engine;
        for (const auto &[knob, value] : proposal.choices) {
            KnobChoice choice;
            choice.knob = knob;
            choice.value = value;
            choice.finalized = true;
            config.choices.push_back(choice);
        }
        found.push_back(config);
    }
    return give_copies(wanted, found, proposals.size());
}

} // namespace simulated_cudnn
