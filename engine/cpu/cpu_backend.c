/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The CPU as a device: programs are lists of prepared ops, frames are used in place,
 * pixel work is split into bands of rows. */
#include <vfi/error.h>

#include "backend/backend.h"
#include "base/alloc.h"
#include "cpu/algorithm.h"
#include "cpu/clock.h"
#include "cpu/cpu_op.h"
#include "cpu/flow_step.h"
#include "cpu/image_mean.h"
#include "cpu/image_minimum.h"
#include "cpu/row_group.h"
#include "machine/cpu_count.h"
#include "machine/heap.h"
#include "machine/memory_probe.h"

/* Luma rows of a band: enough to be worth a chunk, few enough to end soon after a
 * cancel. */
#define BAND_ROWS 32

struct VfiDevice {
    VfiPool *pool;
    VfiCpuLevel level;
    bool bf16;
};

struct VfiProgram {
    const VfiPlan *plan;
    VfiCpuOp **ops;
    VfiCpuRowGroup **groups; /* of each op: the row group that it begins, or NULL */
    char *scratch;           /* one area per thread */
    size_t scratch_stride;
    size_t packed_bytes;
};

/* Whether @precision can be had here. */
static bool check_precision(VfiPrecision precision, VfiCpuLevel level, GError **error)
{
    bool has_bf16 = vfi_cpu_kernels(level)->multiply_bf16 != NULL;

    if (precision == VFI_PRECISION_AUTO || precision == VFI_PRECISION_F32 ||
        (precision == VFI_PRECISION_BF16 && has_bf16))
        return true;
    g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                "precision %s is not there on the CPU at level %s: expected auto%s%s",
                vfi_precision_to_string(precision), vfi_cpu_level_to_string(level),
                has_bf16 ? ", f32 or bf16" : " or f32",
                precision == VFI_PRECISION_BF16 ? " (bf16 needs AVX512-BF16)" : "");
    return false;
}

static VfiDevice *cpu_open(const VfiDeviceRequest *request, GError **error)
{
    unsigned threads = request->threads;

    if (!check_precision(request->precision, vfi_cpu_level(), error))
        return NULL;
    int n_threads = threads == 0 ? vfi_usable_cpus() : (int)MIN(threads, 1024u);
    VfiPool *pool = vfi_pool_new(n_threads, error);

    if (pool == NULL)
        return NULL;
    VfiDevice *device = g_new0(VfiDevice, 1);
    device->pool = pool;
    device->level = vfi_cpu_level();
    device->bf16 = request->precision == VFI_PRECISION_BF16;
    return device;
}

static void cpu_close(VfiDevice *device)
{
    vfi_pool_free(device->pool);
    g_free(device);
}

static void cpu_info(VfiDevice *device, VfiDeviceInfo *info)
{
    *info = (VfiDeviceInfo){
        .name = "cpu",
        .precision = device->bf16 ? VFI_PRECISION_BF16 : VFI_PRECISION_F32,
        .level = vfi_cpu_level_to_string(device->level),
        .threads = (unsigned)vfi_pool_threads(device->pool),
        .work_chunks = vfi_pool_chunks_run(device->pool),
    };
}

static void cpu_memory_info(VfiDevice *device, uint64_t *free_bytes,
                            uint64_t *total_bytes)
{
    VfiMemoryNumbers numbers;
    (void)device;

    vfi_memory_probe(&numbers);
    *free_bytes = numbers.free;
    *total_bytes = MIN(numbers.total, numbers.limit);
}

static void *cpu_alloc(VfiDevice *device, size_t bytes, const char *what, GError **error)
{
    (void)device;
    return vfi_try_alloc(bytes, 1, what, error);
}

static void cpu_free(VfiDevice *device, void *memory)
{
    (void)device;
    vfi_free(memory);
}

static void cpu_trim(VfiDevice *device)
{
    (void)device;
    vfi_trim_idle_host_memory();
}

/* Stride 2 gains too little to copy operands for it. Sizes may not be known yet. */
static bool gains_from_blocks(const VfiOp *op)
{
    return (op->u.conv.stride == 1 && vfi_winograd_suits(op)) || vfi_depthwise_suits(op);
}

static void cpu_plan_target(VfiDevice *device, VfiPlanTarget *target)
{
    const VfiCpuKernels *kernels = vfi_cpu_kernels(device->level);

    *target = (VfiPlanTarget){
        .channel_block = kernels->multiply != NULL ? kernels->vector_floats : 0,
        .gains_from_blocks = gains_from_blocks,
        .row_groups = true,
        .row_op = vfi_cpu_works_in_bands,
    };
}

static void cpu_program_free(VfiDevice *device, VfiProgram *program)
{
    (void)device;
    if (program == NULL)
        return;
    for (int i = program->plan->n_ops - 1; i >= 0; i--) {
        vfi_cpu_row_group_free(program->groups[i]);
        vfi_cpu_op_free(program->ops[i]);
    }
    vfi_free(program->scratch);
    g_free(program->groups);
    g_free(program->ops);
    g_free(program);
}

/* Bytes of packed weights of op @index, unless an op before it uses the same. */
static size_t more_packed_bytes(const VfiProgram *program, int index)
{
    const void *packed = vfi_cpu_op_packed(program->ops[index]);

    for (int i = 0; i < index; i++)
        if (vfi_cpu_op_packed(program->ops[i]) == packed)
            return 0;
    return vfi_cpu_op_packed_bytes(program->ops[index]);
}

/* A program without its threads' scratch; when @measuring without packed weights, too. */
static VfiProgram *new_program(VfiDevice *device, const VfiPlan *plan, bool measuring,
                               GError **error)
{
    VfiProgram *program = g_new0(VfiProgram, 1);
    size_t scratch = 0;

    program->plan = plan;
    program->ops = g_new0(VfiCpuOp *, plan->n_ops);
    program->groups = g_new0(VfiCpuRowGroup *, plan->n_ops);
    for (int i = 0; i < plan->n_ops; i++) {
        VfiCpuOpSetup setup = {.level = device->level,
                               .bf16 = device->bf16,
                               .store = plan->packed_weights,
                               .measuring = measuring};
        program->ops[i] = vfi_cpu_op_new_with(&plan->ops[i], &setup, error);
        if (program->ops[i] == NULL)
            goto fail;
        scratch = MAX(scratch, vfi_cpu_op_scratch_bytes(program->ops[i]));
    }
    for (int i = 0; i < plan->n_row_groups; i++) {
        const VfiRowGroup *rows = &plan->row_groups[i];
        VfiCpuRowGroup *group =
            vfi_cpu_row_group_new(rows, &program->ops[rows->first_op], error);
        if (group == NULL)
            goto fail;
        program->groups[rows->first_op] = group;
        scratch = MAX(scratch, vfi_cpu_row_group_scratch_bytes(group));
    }
    program->scratch_stride = vfi_align_up(scratch, VFI_ALIGNMENT);
    return program;

fail:
    cpu_program_free(device, program);
    return NULL;
}

static VfiProgram *cpu_compile(VfiDevice *device, const VfiPlan *plan, GError **error)
{
    VfiProgram *program = new_program(device, plan, false, error);

    if (program == NULL)
        return NULL;
    for (int i = 0; i < plan->n_ops; i++)
        program->packed_bytes += more_packed_bytes(program, i);
    program->scratch =
        vfi_try_alloc((size_t)vfi_pool_threads(device->pool), program->scratch_stride,
                      "the threads' scratch", error);
    if (program->scratch != NULL)
        return program;
    cpu_program_free(device, program);
    return NULL;
}

/* Bytes that the weights of op @index would be packed into, unless they are there or an
 * op before it would do that. */
static size_t missing_packed_bytes(const VfiProgram *program, int index)
{
    const VfiPackedKey *key = vfi_cpu_op_packed_key(program->ops[index]);

    if (key == NULL)
        return 0;
    if (program->plan->packed_weights == NULL)
        return key->bytes;
    if (vfi_packed_weights_has(program->plan->packed_weights, key))
        return 0;
    for (int i = 0; i < index; i++) {
        const VfiPackedKey *other = vfi_cpu_op_packed_key(program->ops[i]);
        if (other != NULL && vfi_packed_key_equal(key, other))
            return 0;
    }
    return key->bytes;
}

static bool cpu_measure(VfiDevice *device, const VfiPlan *plan, VfiProgramNeed *need,
                        GError **error)
{
    VfiProgram *program = new_program(device, plan, true, error);

    if (program == NULL)
        return false;
    *need = (VfiProgramNeed){.scratch_bytes = (size_t)vfi_pool_threads(device->pool) *
                                              program->scratch_stride};
    for (int i = 0; i < plan->n_ops; i++) {
        need->packed_bytes += missing_packed_bytes(program, i);
        if (vfi_cpu_op_packed_key(program->ops[i]) == NULL) /* tables of its own */
            need->scratch_bytes += vfi_cpu_op_packed_bytes(program->ops[i]);
    }
    cpu_program_free(device, program);
    return true;
}

static size_t cpu_program_packed_bytes(const VfiProgram *program)
{
    return program->packed_bytes;
}

/* Turns "not all chunks ran" into the error that it means. */
static bool check_cancelled(bool complete, GError **error)
{
    if (!complete)
        g_set_error_literal(error, VFI_ERROR, VFI_ERROR_CANCELLED,
                            "the job was cancelled");
    return complete;
}

/* Runs op @index, or the row group that begins with it, and adds the time it took to
 * @op_nanoseconds unless that is NULL. */
static bool run_from(const VfiProgram *program, int index, const VfiCpuRun *run,
                     uint64_t *op_nanoseconds)
{
    uint64_t *nanoseconds = op_nanoseconds == NULL ? NULL : op_nanoseconds + index;
    uint64_t start = nanoseconds == NULL ? 0 : vfi_nanoseconds();

    if (program->groups[index] != NULL)
        return vfi_cpu_row_group_run(program->groups[index], run, nanoseconds);
    if (!vfi_cpu_op_run(program->ops[index], run))
        return false;
    if (nanoseconds != NULL)
        *nanoseconds += vfi_nanoseconds() - start;
    return true;
}

static bool cpu_run(VfiDevice *device, const VfiProgram *program, int segment,
                    const VfiRunArguments *arguments, GError **error)
{
    const VfiPlanSegment *range = &program->plan->segments[segment];
    VfiCpuRun run = {
        .pool = device->pool,
        .scratch = program->scratch,
        .scratch_stride = program->scratch_stride,
        .inputs = arguments->inputs,
        .scalars = arguments->scalars,
        .cancel = arguments->cancel,
    };

    for (int i = 0; i < VFI_MAX_REGIONS; i++)
        run.region[i] = arguments->region[i];
    bool complete = true;
    vfi_pool_keep_slot(device->pool);
    for (int i = range->first_op; complete && i < range->first_op + range->n_ops;) {
        const VfiCpuRowGroup *group = program->groups[i];
        int n = group == NULL ? 1 : vfi_cpu_row_group_ops(group);
        complete = run_from(program, i, &run, arguments->op_nanoseconds);
        if (complete && arguments->ops_done != NULL)
            arguments->ops_done(arguments->ops_done_data, &program->plan->ops[i], n);
        i += n;
    }
    vfi_pool_drop_slot(device->pool);
    return check_cancelled(complete, error);
}

/* One pixel operation over bands of rows; which fields count depends on .kind. */
typedef struct {
    enum {
        BAND_PREPARE,
        BAND_WARP_BLEND,
        BAND_SYNTHESIZE,
        BAND_PAINT,
        BAND_BLEND,
        BAND_COPY,
        BAND_OVERLAY,
        BAND_KEEP,
        BAND_ADD_TILE
    } kind;
    const VfiVideoInfo *video;
    const VfiFrame *frame0, *frame1, *out;
    float *image;
    const VfiRgbPicture *picture;
    const VfiFlowField *field;
    const VfiMotion *motion;
    const VfiOverlayFinder *finder;
    VfiOverlayPass pass;
    const VfiKeep *keep;
    const VfiTileBand *band;
    const float *tile;
    int first_plane, n_planes;
    const VfiTilePlace *place;
    double t;
    int padded_w, padded_h;
    VfiPadding padding;
    int first_row, rows; /* of the work, .first_row + .rows is where it ends */
} BandWork;

static void run_band(void *data, int index, int thread)
{
    const BandWork *work = data;
    int begin = work->first_row + index * BAND_ROWS;
    int end = MIN(begin + BAND_ROWS, work->first_row + work->rows);
    (void)thread;

    switch (work->kind) {
    case BAND_PREPARE:
        vfi_pixels_prepare(work->video, work->frame0, work->image, work->padded_w,
                           work->padded_h, work->padding, begin, end);
        break;
    case BAND_WARP_BLEND:
        vfi_pixels_warp_blend(work->video, work->frame0, work->frame1, work->field,
                              work->out, begin, end);
        break;
    case BAND_SYNTHESIZE:
        vfi_pixels_synthesize(work->video, work->frame0, work->frame1, work->motion,
                              work->out, begin, end);
        break;
    case BAND_PAINT:
        vfi_pixels_rgb_to_planes(work->video, work->picture, work->frame0, work->frame1,
                                 work->t, work->out, begin, end);
        break;
    case BAND_BLEND:
        vfi_pixels_blend(work->video, work->frame0, work->frame1, work->t, work->out,
                         begin, end);
        break;
    case BAND_COPY:
        vfi_pixels_copy(work->video, work->frame0, work->out, begin, end);
        break;
    case BAND_OVERLAY:
        vfi_overlay_run(work->finder, work->pass, work->video, work->frame0, work->frame1,
                        begin, end);
        break;
    case BAND_KEEP:
        vfi_pixels_keep(work->video, work->frame0, work->frame1, work->t, work->keep,
                        work->out, begin, end);
        break;
    case BAND_ADD_TILE:
        vfi_pixels_add_tile(work->band, work->tile, work->first_plane, work->n_planes,
                            work->place, begin, end);
        break;
    }
}

static bool run_bands(VfiDevice *device, BandWork *work, const atomic_int *cancel,
                      GError **error)
{
    int bands = (work->rows + BAND_ROWS - 1) / BAND_ROWS;

    return check_cancelled(vfi_pool_run(device->pool, bands, run_band, work, cancel),
                           error);
}

static bool cpu_prepare(VfiDevice *device, const VfiVideoInfo *video,
                        const VfiFrame *frame, float *image, int padded_w, int padded_h,
                        VfiPadding padding, const atomic_int *cancel, GError **error)
{
    BandWork work = {.kind = BAND_PREPARE,
                     .video = video,
                     .frame0 = frame,
                     .image = image,
                     .padded_w = padded_w,
                     .padded_h = padded_h,
                     .padding = padding,
                     .rows = padded_h};

    return run_bands(device, &work, cancel, error);
}

static bool cpu_image_mean(VfiDevice *device, const float *image, int padded_w,
                           int padded_h, int width, int height, double *mean,
                           const atomic_int *cancel, GError **error)
{
    VfiCpuImage area = {image, padded_w, padded_h, width, height};

    return check_cancelled(
        vfi_cpu_image_mean(device->pool, device->level, &area, mean, cancel), error);
}

static bool cpu_image_minimum(VfiDevice *device, const float *image, int padded_w,
                              int padded_h, const VfiMinimumArea *area, float minimum[2],
                              const atomic_int *cancel, GError **error)
{
    VfiCpuImage whole = {image, padded_w, padded_h, area->width, area->height};

    return check_cancelled(
        vfi_cpu_image_minimum(device->pool, &whole, area, minimum, cancel), error);
}

static bool cpu_warp_blend(VfiDevice *device, const VfiVideoInfo *video,
                           const VfiFrame *frame0, const VfiFrame *frame1,
                           const VfiFlowField *field, const VfiFrame *out, int begin,
                           int end, const atomic_int *cancel, GError **error)
{
    BandWork work = {.kind = BAND_WARP_BLEND,
                     .video = video,
                     .frame0 = frame0,
                     .frame1 = frame1,
                     .out = out,
                     .field = field,
                     .first_row = begin,
                     .rows = end - begin};

    return run_bands(device, &work, cancel, error);
}

/* Weights are made tile by tile on the threads' stacks. */
static size_t cpu_synthesis_bytes(VfiDevice *device, const VfiMotion *shape)
{
    (void)device;
    (void)shape;
    return 0;
}

static bool cpu_synthesize(VfiDevice *device, const VfiVideoInfo *video,
                           const VfiFrame *frame0, const VfiFrame *frame1,
                           const VfiMotion *motion, void *scratch, const VfiFrame *out,
                           int begin, int end, const atomic_int *cancel, GError **error)
{
    BandWork work = {.kind = BAND_SYNTHESIZE,
                     .video = video,
                     .frame0 = frame0,
                     .frame1 = frame1,
                     .out = out,
                     .motion = motion,
                     .first_row = begin,
                     .rows = end - begin};
    (void)scratch;

    return run_bands(device, &work, cancel, error);
}

static bool cpu_rgb_to_planes(VfiDevice *device, const VfiVideoInfo *video,
                              const VfiRgbPicture *picture, const VfiFrame *frame0,
                              const VfiFrame *frame1, double t, const VfiFrame *out,
                              int begin, int end, const atomic_int *cancel,
                              GError **error)
{
    BandWork work = {.kind = BAND_PAINT,
                     .video = video,
                     .frame0 = frame0,
                     .frame1 = frame1,
                     .out = out,
                     .picture = picture,
                     .t = t,
                     .first_row = begin,
                     .rows = end - begin};

    return run_bands(device, &work, cancel, error);
}

static bool cpu_blend(VfiDevice *device, const VfiVideoInfo *video,
                      const VfiFrame *frame0, const VfiFrame *frame1, double t,
                      const VfiFrame *out, const atomic_int *cancel, GError **error)
{
    BandWork work = {.kind = BAND_BLEND,
                     .video = video,
                     .frame0 = frame0,
                     .frame1 = frame1,
                     .out = out,
                     .t = t,
                     .rows = video->height};

    return run_bands(device, &work, cancel, error);
}

static bool cpu_copy(VfiDevice *device, const VfiVideoInfo *video, const VfiFrame *frame,
                     const VfiFrame *out, const atomic_int *cancel, GError **error)
{
    BandWork work = {.kind = BAND_COPY,
                     .video = video,
                     .frame0 = frame,
                     .out = out,
                     .rows = video->height};

    return run_bands(device, &work, cancel, error);
}

static bool cpu_flow_step(VfiDevice *device, const VfiFlowStep *step,
                          const VfiFlowArguments *arguments, GError **error)
{
    return check_cancelled(
        vfi_cpu_flow_step(device->pool, device->level, step, arguments), error);
}

static bool cpu_keep(VfiDevice *device, const VfiVideoInfo *video, const VfiFrame *frame0,
                     const VfiFrame *frame1, double t, const VfiKeep *keep,
                     const VfiFrame *out, const atomic_int *cancel, GError **error)
{
    BandWork work = {.kind = BAND_KEEP,
                     .video = video,
                     .frame0 = frame0,
                     .frame1 = frame1,
                     .out = out,
                     .keep = keep,
                     .t = t,
                     .rows = video->height};

    return run_bands(device, &work, cancel, error);
}

static bool cpu_find_overlays(VfiDevice *device, const VfiVideoInfo *video,
                              const VfiFrame *frame0, const VfiFrame *frame1,
                              VfiOverlayFinder *finder, const atomic_int *cancel,
                              GError **error)
{
    BandWork work = {.kind = BAND_OVERLAY,
                     .video = video,
                     .frame0 = frame0,
                     .frame1 = frame1,
                     .finder = finder,
                     .rows = video->height};

    for (int pass = 0; pass < (int)VFI_OVERLAY_PASSES; pass++) {
        work.pass = (VfiOverlayPass)pass;
        if (!run_bands(device, &work, cancel, error))
            return false;
        if (work.pass == VFI_OVERLAY_JUDGE)
            vfi_overlay_decide(finder);
    }
    return true;
}

typedef struct {
    const VfiTileBand *band;
    int first_row;
} SlideWork;

static void slide_plane(void *data, int index, int thread)
{
    const SlideWork *work = data;
    (void)thread;

    vfi_pixels_slide_band(work->band, work->first_row, index, index + 1);
}

static bool cpu_slide_band(VfiDevice *device, const VfiTileBand *band, int first_row,
                           const atomic_int *cancel, GError **error)
{
    SlideWork work = {band, first_row};

    return check_cancelled(
        vfi_pool_run(device->pool, band->n_planes, slide_plane, &work, cancel), error);
}

static bool cpu_add_tile(VfiDevice *device, const VfiTileBand *band, const float *tile,
                         int first_plane, int n_planes, const VfiTilePlace *place,
                         const atomic_int *cancel, GError **error)
{
    BandWork work = {.kind = BAND_ADD_TILE,
                     .band = band,
                     .tile = tile,
                     .first_plane = first_plane,
                     .n_planes = n_planes,
                     .place = place,
                     .rows = place->h};

    return run_bands(device, &work, cancel, error);
}

/* Nothing is ever queued here. */
static bool cpu_sync(VfiDevice *device, GError **error)
{
    (void)device;
    (void)error;
    return true;
}

const VfiBackend vfi_backend_cpu = {
    .abi = VFI_BACKEND_ABI,
    .name = "cpu",
    .host_memory = true,
    .open = cpu_open,
    .close = cpu_close,
    .info = cpu_info,
    .memory_info = cpu_memory_info,
    .alloc = cpu_alloc,
    .free = cpu_free,
    .trim = cpu_trim,
    .plan_target = cpu_plan_target,
    .compile = cpu_compile,
    .measure = cpu_measure,
    .program_free = cpu_program_free,
    .program_packed_bytes = cpu_program_packed_bytes,
    .run = cpu_run,
    .prepare = cpu_prepare,
    .image_mean = cpu_image_mean,
    .image_minimum = cpu_image_minimum,
    .warp_blend = cpu_warp_blend,
    .synthesize = cpu_synthesize,
    .synthesis_bytes = cpu_synthesis_bytes,
    .synthesizes_networks = true,
    .rgb_to_planes = cpu_rgb_to_planes,
    .blend = cpu_blend,
    .copy = cpu_copy,
    .flow_step = cpu_flow_step,
    .keep = cpu_keep,
    .find_overlays = cpu_find_overlays,
    .slide_band = cpu_slide_band,
    .add_tile = cpu_add_tile,
    .sync = cpu_sync,
};
