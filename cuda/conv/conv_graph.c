/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conv/conv_graph.h"

#include <vfi/error.h>

#include "conv/cudnn_descriptor.h"

/* Tensors' memory is aligned to at least this many bytes. */
#define ALIGNMENT 16
/* At most so many configurations of one list are looked at. */
#define MAX_CONFIGS 64
#define MAX_NOTES 32

struct VfiCudaConvGraph {
    const VfiCudaConvContext *context;
    VfiCudaConvMath math;
    cudnnBackendDescriptor_t src, weight, dst;
    cudnnBackendDescriptor_t convolution, operation, graph;
};

/* ---- describing the convolution ---------------------------------------------------- */

static cudnnBackendDescriptor_t describe_tensor(const VfiCudaConvGraph *graph, int64_t id,
                                                const int64_t *dimensions,
                                                const int64_t *strides, GError **error)
{
    VfiCudnnBuilder builder =
        vfi_cudnn_begin(graph->context->library, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    cudnnDataType_t type =
        graph->math == VFI_CUDA_CONV_F16 ? CUDNN_DATA_HALF : CUDNN_DATA_FLOAT;

    vfi_cudnn_set(&builder, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    vfi_cudnn_set(&builder, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4,
                  dimensions);
    vfi_cudnn_set(&builder, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, strides);
    vfi_cudnn_set_int64(&builder, CUDNN_ATTR_TENSOR_UNIQUE_ID, id);
    vfi_cudnn_set_int64(&builder, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, ALIGNMENT);
    return vfi_cudnn_end(&builder, "describing a convolution's tensor", error);
}

static cudnnBackendDescriptor_t describe_picture(const VfiCudaConvGraph *graph,
                                                 int64_t id,
                                                 const VfiCudaConvTensor *tensor,
                                                 GError **error)
{
    int64_t c = tensor->c, h = tensor->h, w = tensor->w, pixel = tensor->pixel_stride;
    int64_t dimensions[] = {1, c, h, w};
    int64_t planar[] = {c * h * w, h * w, w, 1};
    int64_t channels_last[] = {h * w * pixel, 1, w * pixel, pixel};

    return describe_tensor(graph, id, dimensions, pixel == 0 ? planar : channels_last,
                           error);
}

static cudnnBackendDescriptor_t describe_weight(const VfiCudaConvGraph *graph,
                                                const VfiCudaConvShape *shape,
                                                GError **error)
{
    int64_t first = shape->transposed ? shape->src.c : shape->dst.c;
    int64_t last = (shape->transposed ? shape->dst.c : shape->src.c) / shape->groups;
    int64_t kernel_h = shape->kernel_h, kernel_w = shape->kernel_w;
    int64_t dimensions[] = {first, last, kernel_h, kernel_w};
    int64_t planar[] = {last * kernel_h * kernel_w, kernel_h * kernel_w, kernel_w, 1};
    int64_t channels_last[] = {last * kernel_h * kernel_w, 1, kernel_w * last, last};

    return describe_tensor(graph, VFI_CUDA_CONV_WEIGHT, dimensions,
                           shape->src.pixel_stride == 0 ? planar : channels_last, error);
}

static cudnnBackendDescriptor_t describe_convolution(const VfiCudnnLibrary *library,
                                                     const VfiCudaConvShape *shape,
                                                     GError **error)
{
    VfiCudnnBuilder builder =
        vfi_cudnn_begin(library, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    cudnnDataType_t type = CUDNN_DATA_FLOAT;
    cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    int64_t dilations[] = {1, 1}, strides[] = {shape->stride, shape->stride};
    int64_t before[] = {shape->pad_top, shape->pad_left};
    int64_t after[] = {shape->pad_bottom, shape->pad_right};

    vfi_cudnn_set_int64(&builder, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, 2);
    vfi_cudnn_set(&builder, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1,
                  &type);
    vfi_cudnn_set(&builder, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE,
                  1, &mode);
    vfi_cudnn_set(&builder, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2,
                  dilations);
    vfi_cudnn_set(&builder, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2,
                  strides);
    vfi_cudnn_set(&builder, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2,
                  before);
    vfi_cudnn_set(&builder, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2,
                  after);
    return vfi_cudnn_end(&builder, "describing a convolution", error);
}

/* A transposed convolution is the gradient of a convolution by its input: cuDNN's dy is
 * our source, its dx our result. */
static cudnnBackendDescriptor_t describe_operation(const VfiCudaConvGraph *graph,
                                                   bool transposed, GError **error)
{
    static const struct {
        cudnnBackendDescriptorType_t type;
        cudnnBackendAttributeName_t convolution, src, weight, dst, alpha, beta;
    } kinds[] = {
        {CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
         CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA},
        {CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
         CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA},
    };
    VfiCudnnBuilder builder =
        vfi_cudnn_begin(graph->context->library, kinds[transposed].type);
    float alpha = 1.0f, beta = 0.0f;

    vfi_cudnn_set_descriptor(&builder, kinds[transposed].convolution, graph->convolution);
    vfi_cudnn_set_descriptor(&builder, kinds[transposed].src, graph->src);
    vfi_cudnn_set_descriptor(&builder, kinds[transposed].weight, graph->weight);
    vfi_cudnn_set_descriptor(&builder, kinds[transposed].dst, graph->dst);
    vfi_cudnn_set(&builder, kinds[transposed].alpha, CUDNN_TYPE_FLOAT, 1, &alpha);
    vfi_cudnn_set(&builder, kinds[transposed].beta, CUDNN_TYPE_FLOAT, 1, &beta);
    return vfi_cudnn_end(&builder, "describing a convolution's operation", error);
}

static cudnnBackendDescriptor_t describe_graph(const VfiCudaConvGraph *graph,
                                               GError **error)
{
    const VfiCudaConvContext *context = graph->context;
    VfiCudnnBuilder builder =
        vfi_cudnn_begin(context->library, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);

    vfi_cudnn_set_descriptor(&builder, CUDNN_ATTR_OPERATIONGRAPH_OPS, graph->operation);
    if (context->handle != NULL)
        vfi_cudnn_set(&builder, CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1,
                      &context->handle);
    return vfi_cudnn_end(&builder, "describing a convolution's graph", error);
}

VfiCudaConvGraph *vfi_cuda_conv_graph_new(const VfiCudaConvContext *context,
                                          const VfiCudaConvShape *shape, GError **error)
{
    VfiCudaConvGraph *graph = g_new0(VfiCudaConvGraph, 1);

    graph->context = context;
    graph->math = shape->math;
    if ((graph->src = describe_picture(graph, VFI_CUDA_CONV_SRC, &shape->src, error)) &&
        (graph->dst = describe_picture(graph, VFI_CUDA_CONV_DST, &shape->dst, error)) &&
        (graph->weight = describe_weight(graph, shape, error)) &&
        (graph->convolution = describe_convolution(context->library, shape, error)) &&
        (graph->operation = describe_operation(graph, shape->transposed, error)) &&
        (graph->graph = describe_graph(graph, error)))
        return graph;
    vfi_cuda_conv_graph_free(graph);
    return NULL;
}

void vfi_cuda_conv_graph_free(VfiCudaConvGraph *graph)
{
    if (graph == NULL)
        return;
    const VfiCudnnLibrary *library = graph->context->library;
    vfi_cudnn_descriptor_free(library, graph->graph);
    vfi_cudnn_descriptor_free(library, graph->operation);
    vfi_cudnn_descriptor_free(library, graph->convolution);
    vfi_cudnn_descriptor_free(library, graph->weight);
    vfi_cudnn_descriptor_free(library, graph->dst);
    vfi_cudnn_descriptor_free(library, graph->src);
    g_free(graph);
}

/* ---- which engines may be used ----------------------------------------------------- */

static void set_device_properties(const VfiCudaConvContext *context,
                                  VfiCudnnBuilder *builder, int name)
{
    if (context->handle == NULL && context->properties != NULL)
        vfi_cudnn_set_descriptor(builder, (cudnnBackendAttributeName_t)name,
                                 context->properties);
}

/* Engines that sum in f16, or whose results vary from run to run, are never used.
 * Winograd's larger tiles lose digits that f16 cannot spare. */
static bool tolerates(VfiCudaConvMath math, cudnnBackendNumericalNote_t note)
{
    switch (note) {
    case CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION:
    case CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC:
        return false;
    case CUDNN_NUMERICAL_NOTE_TENSOR_CORE:
    case CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS:
        return math != VFI_CUDA_CONV_F32;
    case CUDNN_NUMERICAL_NOTE_FFT:
    case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_6x6:
    case CUDNN_NUMERICAL_NOTE_WINOGRAD_TILE_13x13:
        return math != VFI_CUDA_CONV_F16;
    default:
        return true;
    }
}

static bool may_use_engine(const VfiCudaConvGraph *graph, cudnnBackendDescriptor_t engine)
{
    const VfiCudnnLibrary *library = graph->context->library;
    cudnnBackendNumericalNote_t numerical[MAX_NOTES];
    cudnnBackendBehaviorNote_t behavior[MAX_NOTES];
    int64_t n_numerical = 0, n_behavior = 0;

    if (library->get_attribute(engine, CUDNN_ATTR_ENGINE_NUMERICAL_NOTE,
                               CUDNN_TYPE_NUMERICAL_NOTE, MAX_NOTES, &n_numerical,
                               numerical) != CUDNN_STATUS_SUCCESS ||
        library->get_attribute(engine, CUDNN_ATTR_ENGINE_BEHAVIOR_NOTE,
                               CUDNN_TYPE_BEHAVIOR_NOTE, MAX_NOTES, &n_behavior,
                               behavior) != CUDNN_STATUS_SUCCESS)
        return false;
    for (int64_t i = 0; i < MIN(n_numerical, MAX_NOTES); i++)
        if (!tolerates(graph->math, numerical[i]))
            return false;
    for (int64_t i = 0; i < MIN(n_behavior, MAX_NOTES); i++)
        if (behavior[i] == CUDNN_BEHAVIOR_NOTE_RUNTIME_COMPILATION)
            return false;
    return true;
}

/* ---- from an engine's configuration to a plan -------------------------------------- */

static bool read_choice(const VfiCudnnLibrary *library, cudnnBackendDescriptor_t engine,
                        cudnnBackendDescriptor_t config, VfiCudaConvChoice *choice)
{
    cudnnBackendDescriptor_t knobs[VFI_CUDA_CONV_MAX_KNOBS];
    bool complete = vfi_cudnn_get_int64(library, engine, CUDNN_ATTR_ENGINE_GLOBAL_INDEX,
                                        &choice->engine);

    choice->n_knobs = vfi_cudnn_get_descriptors(
        library, config, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES,
        CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR, VFI_CUDA_CONV_MAX_KNOBS, knobs);
    for (int i = 0; i < choice->n_knobs; i++) {
        cudnnBackendKnobType_t type = CUDNN_KNOB_TYPE_COUNTS;
        int64_t count = 0;
        complete =
            complete &&
            library->get_attribute(knobs[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE,
                                   CUDNN_TYPE_KNOB_TYPE, 1, &count,
                                   &type) == CUDNN_STATUS_SUCCESS &&
            vfi_cudnn_get_int64(library, knobs[i], CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE,
                                &choice->knobs[i].value);
        choice->knobs[i].type = type;
        vfi_cudnn_descriptor_free(library, knobs[i]);
    }
    return complete;
}

/* Finalises a plan for @config; false if there is none within the workspace limit. */
static bool make_plan(const VfiCudaConvGraph *graph, cudnnBackendDescriptor_t config,
                      VfiCudaConvCandidate *candidate, GError **error)
{
    const VfiCudaConvContext *context = graph->context;
    VfiCudnnBuilder builder =
        vfi_cudnn_begin(context->library, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR);
    int64_t workspace = 0;

    vfi_cudnn_set_descriptor(&builder, CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, config);
    if (context->handle != NULL)
        vfi_cudnn_set(&builder, CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1,
                      &context->handle);
#if CUDNN_VERSION >= 90800
    set_device_properties(context, &builder, CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP);
#endif
    candidate->plan = vfi_cudnn_end(&builder, "making a convolution's plan", error);
    if (candidate->plan == NULL)
        return false;
    if (!vfi_cudnn_get_int64(context->library, candidate->plan,
                             CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, &workspace) ||
        workspace < 0 || (size_t)workspace > context->workspace_limit) {
        g_clear_error(error);
        g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                    "the workspace wanted, %" G_GINT64_FORMAT
                    " bytes, is more than the limit",
                    workspace);
        vfi_cuda_conv_candidate_clear(context->library, candidate);
        return false;
    }
    candidate->workspace = (size_t)workspace;
    return true;
}

void vfi_cuda_conv_candidate_clear(const VfiCudnnLibrary *library,
                                   VfiCudaConvCandidate *candidate)
{
    vfi_cudnn_descriptor_free(library, candidate->plan);
    candidate->plan = NULL;
}

/* ---- the heuristics' candidates ---------------------------------------------------- */

static bool try_config(const VfiCudaConvGraph *graph, cudnnBackendDescriptor_t config,
                       VfiCudaConvCandidate *candidate, GError **error)
{
    const VfiCudnnLibrary *library = graph->context->library;
    cudnnBackendDescriptor_t engine;
    bool ok = false;

    if (vfi_cudnn_get_descriptors(library, config, CUDNN_ATTR_ENGINECFG_ENGINE,
                                  CUDNN_BACKEND_ENGINE_DESCRIPTOR, 1, &engine) == 1) {
        ok = may_use_engine(graph, engine) &&
             read_choice(library, engine, config, &candidate->choice) &&
             make_plan(graph, config, candidate, error);
        vfi_cudnn_descriptor_free(library, engine);
    }
    return ok;
}

/* Fills @candidates from one mode's list, from configuration *next on; *next then is the
 * first that was not looked at. @error keeps the last reason why one was left out. */
static int add_candidates(const VfiCudaConvGraph *graph, cudnnBackendHeurMode_t mode,
                          int *next, VfiCudaConvCandidate *candidates, int most,
                          GError **error)
{
    const VfiCudaConvContext *context = graph->context;
    cudnnBackendDescriptor_t configs[MAX_CONFIGS];
    int n = 0;
    VfiCudnnBuilder builder =
        vfi_cudnn_begin(context->library, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR);

    g_clear_error(error);
    vfi_cudnn_set_descriptor(&builder, CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH,
                             graph->graph);
    vfi_cudnn_set(&builder, CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
#if CUDNN_VERSION >= 90800
    set_device_properties(context, &builder, CUDNN_ATTR_ENGINEHEUR_DEVICEPROP);
#endif
    cudnnBackendDescriptor_t heuristics =
        vfi_cudnn_end(&builder, "looking for engines for a convolution", error);
    if (heuristics == NULL)
        return 0;
    int n_configs = vfi_cudnn_get_descriptors(
        context->library, heuristics, CUDNN_ATTR_ENGINEHEUR_RESULTS,
        CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, MAX_CONFIGS, configs);
    for (int i = 0; i < n_configs; i++) {
        if (i == *next && n < most) {
            g_clear_error(error);
            n += try_config(graph, configs[i], &candidates[n], error);
            ++*next;
        }
        vfi_cudnn_descriptor_free(context->library, configs[i]);
    }
    vfi_cudnn_descriptor_free(context->library, heuristics);
    return n;
}

int vfi_cuda_conv_graph_candidates(const VfiCudaConvGraph *graph,
                                   VfiCudaConvCursor *cursor,
                                   VfiCudaConvCandidate *candidates, int most,
                                   GError **error)
{
    static const cudnnBackendHeurMode_t modes[] = {CUDNN_HEUR_MODE_A,
                                                   CUDNN_HEUR_MODE_FALLBACK};
    g_autoptr(GError) reason = NULL;

    for (; cursor->list < (int)G_N_ELEMENTS(modes); cursor->list++, cursor->config = 0) {
        int n = add_candidates(graph, modes[cursor->list], &cursor->config, candidates,
                               most, &reason);
        if (n > 0)
            return n;
    }
    g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                "no engine without run-time compilation, within %zu bytes of workspace, "
                "computes it as exactly as wanted%s%s",
                graph->context->workspace_limit,
                reason != NULL ? "; the last one tried: " : "",
                reason != NULL ? reason->message : "");
    return 0;
}

/* ---- a choice made before ---------------------------------------------------------- */

static cudnnBackendDescriptor_t make_engine(const VfiCudaConvGraph *graph, int64_t index)
{
    const VfiCudaConvContext *context = graph->context;
    VfiCudnnBuilder builder =
        vfi_cudnn_begin(context->library, CUDNN_BACKEND_ENGINE_DESCRIPTOR);

    vfi_cudnn_set_descriptor(&builder, CUDNN_ATTR_ENGINE_OPERATION_GRAPH, graph->graph);
    vfi_cudnn_set_int64(&builder, CUDNN_ATTR_ENGINE_GLOBAL_INDEX, index);
#if CUDNN_VERSION >= 90800
    set_device_properties(context, &builder, CUDNN_ATTR_ENGINE_DEVICEPROP);
#endif
    return vfi_cudnn_end(&builder, "taking an engine", NULL);
}

static cudnnBackendDescriptor_t make_knob(const VfiCudnnLibrary *library, int64_t type,
                                          int64_t value)
{
    VfiCudnnBuilder builder =
        vfi_cudnn_begin(library, CUDNN_BACKEND_KNOB_CHOICE_DESCRIPTOR);
    cudnnBackendKnobType_t knob = (cudnnBackendKnobType_t)type;

    vfi_cudnn_set(&builder, CUDNN_ATTR_KNOB_CHOICE_KNOB_TYPE, CUDNN_TYPE_KNOB_TYPE, 1,
                  &knob);
    vfi_cudnn_set_int64(&builder, CUDNN_ATTR_KNOB_CHOICE_KNOB_VALUE, value);
    return vfi_cudnn_end(&builder, "setting an engine up", NULL);
}

static cudnnBackendDescriptor_t make_config(const VfiCudnnLibrary *library,
                                            cudnnBackendDescriptor_t engine,
                                            const VfiCudaConvChoice *choice)
{
    cudnnBackendDescriptor_t knobs[VFI_CUDA_CONV_MAX_KNOBS], config = NULL;
    int n = 0;

    while (n < choice->n_knobs && (knobs[n] = make_knob(library, choice->knobs[n].type,
                                                        choice->knobs[n].value)) != NULL)
        n++;
    if (n == choice->n_knobs) {
        VfiCudnnBuilder builder =
            vfi_cudnn_begin(library, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR);
        vfi_cudnn_set_descriptor(&builder, CUDNN_ATTR_ENGINECFG_ENGINE, engine);
        if (n > 0)
            vfi_cudnn_set(&builder, CUDNN_ATTR_ENGINECFG_KNOB_CHOICES,
                          CUDNN_TYPE_BACKEND_DESCRIPTOR, n, knobs);
        config = vfi_cudnn_end(&builder, "setting an engine up", NULL);
    }
    while (n > 0)
        vfi_cudnn_descriptor_free(library, knobs[--n]);
    return config;
}

bool vfi_cuda_conv_graph_candidate(const VfiCudaConvGraph *graph,
                                   const VfiCudaConvChoice *choice,
                                   VfiCudaConvCandidate *candidate)
{
    const VfiCudnnLibrary *library = graph->context->library;
    cudnnBackendDescriptor_t engine = make_engine(graph, choice->engine);
    cudnnBackendDescriptor_t config = NULL;
    bool ok = false;

    if (engine == NULL)
        return false;
    if (may_use_engine(graph, engine))
        config = make_config(library, engine, choice);
    if (config != NULL) {
        candidate->choice = *choice;
        ok = make_plan(graph, config, candidate, NULL);
    }
    vfi_cudnn_descriptor_free(library, config);
    vfi_cudnn_descriptor_free(library, engine);
    return ok;
}
