/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Row groups on the CPU. A chunk is a band of rows that goes through all ops of the
 * group; a thread's scratch holds the band's rows of the planes that only the group
 * sees, few enough for the second-level cache. Where nothing but resizes down by f ≥ 4
 * leaves the group, the pictures are computed only where those read: two rows and two
 * columns of every f, side by side in scratch, so that the resize becomes one by 2. */
#include "cpu/row_group.h"

#include <string.h>
#include <unistd.h>

#include <vfi/error.h>

#include "base/alloc.h"
#include "cpu/band.h"
#include "cpu/clock.h"
#include "op/descriptor.h"
#include "op/resize.h"

/* Least and most scratch of a band's planes, about: half of the second-level cache is
 * used. */
#define BAND_BYTES_MIN ((size_t)256 << 10)
#define BAND_BYTES_MAX ((size_t)1 << 20)

/* Bands are not so high that threads would run out of them. */
#define BANDS_MIN 16

/* Rows that share stretched source rows; more than the cache holds of very wide
 * pictures. */
#define ROWS_MIN 4

/* What a thread keeps about an op while the group runs. */
typedef struct {
    uint64_t nanoseconds;
    uint32_t largest; /* of an op that gives a scalar: its bits */
} OpRecord;

struct VfiCpuRowGroup {
    const VfiRowGroup *plan;
    VfiCpuOp *const *ops;
    VfiCpuBandPicture picture;
    int band_rows;        /* a multiple of what a row of each resize down reads */
    size_t plane_floats;  /* band_rows × columns */
    size_t records_bytes; /* scratch: records, planes, an op's own */
    size_t planes_bytes;
    size_t scratch_bytes;
    float *x;      /* picture.x */
    void **states; /* of ops */
};

/* The factor of the resizes down if they have one in common and need not all of what the
 * group computes; else 0. */
static int choose_sampling(const VfiRowGroup *plan, VfiCpuOp *const *ops)
{
    int factor = 0;

    for (int i = 0; i < plan->n_ops; i++) {
        const VfiOp *op = &ops[i]->op;
        int down = vfi_op_factor_down(op);
        if (down != 0 && (factor == 0 || factor == down)) {
            factor = down;
            continue;
        }
        if (down != 0 || op->dst.region != VFI_REGION_ROWS || vfi_op_scalar(op) >= 0)
            return 0;
        for (int s = 0; s < op->n_src; s++)
            if (!vfi_op_reads_beyond_rows(op, s) && op->src[s].region != VFI_REGION_ROWS)
                return 0;
    }
    return factor >= 4 ? factor : 0;
}

static const VfiCpuBandAlgorithm *band_of(const VfiCpuOp *op)
{
    return op->algorithm->band;
}

static void set_picture(VfiCpuRowGroup *group, int sampling)
{
    const VfiRowGroup *plan = group->plan;
    int f = sampling;

    group->picture = (VfiCpuBandPicture){
        .w = plan->w,
        .h = plan->h,
        .sampling = f,
        .rows = f == 0 ? plan->h : plan->h / f * 2,
        .columns = f == 0 ? plan->w : plan->w / f * 2,
    };
}

static bool prepare_ops(VfiCpuRowGroup *group, GError **error)
{
    VfiCpuBandPicture *picture = &group->picture;

    group->x = vfi_try_alloc((size_t)picture->columns, sizeof(float),
                             "columns of a row group", error);
    if (group->x == NULL)
        return false;
    for (int x = 0; x < picture->columns; x++)
        group->x[x] = (float)vfi_band_place(picture, x);
    picture->x = group->x;
    for (int i = 0; i < group->plan->n_ops; i++) {
        const VfiCpuBandAlgorithm *band = band_of(group->ops[i]);
        if (band->prepare != NULL &&
            !band->prepare(group->ops[i], picture, &group->states[i], error))
            return false;
    }
    return true;
}

static size_t band_bytes(void)
{
    long cache = sysconf(_SC_LEVEL2_CACHE_SIZE); /* 0 or -1 where it is not known */

    return CLAMP((size_t)MAX(cache, 0) / 2, BAND_BYTES_MIN, BAND_BYTES_MAX);
}

static void choose_bands(VfiCpuRowGroup *group)
{
    const VfiCpuBandPicture *picture = &group->picture;
    int align = picture->sampling != 0 ? 2 : 1;
    size_t own_scratch = 0; /* floats */

    for (int i = 0; i < group->plan->n_ops; i++) {
        const VfiCpuOp *op = group->ops[i];
        if (picture->sampling == 0)
            align = MAX(align, vfi_op_factor_down(&op->op)); /* all are powers of two */
        if (band_of(op)->scratch != NULL)
            own_scratch = MAX(own_scratch, band_of(op)->scratch(op, picture));
    }
    size_t row_bytes =
        (size_t)MAX(group->plan->n_planes, 1) * (size_t)picture->columns * sizeof(float);
    int rows = (int)MIN(band_bytes() / row_bytes, (size_t)(picture->rows / BANDS_MIN));
    group->band_rows = MIN(MAX(MAX(rows, ROWS_MIN) / align, 1) * align, picture->rows);
    group->plane_floats = (size_t)group->band_rows * (size_t)picture->columns;
    group->records_bytes =
        vfi_align_up((size_t)group->plan->n_ops * sizeof(OpRecord), VFI_ALIGNMENT);
    group->planes_bytes =
        vfi_align_up((size_t)group->plan->n_planes * group->plane_floats * sizeof(float),
                     VFI_ALIGNMENT);
    group->scratch_bytes =
        group->records_bytes + group->planes_bytes + own_scratch * sizeof(float);
}

static bool make_ready(VfiCpuRowGroup *group, GError **error)
{
    for (int i = 0; i < group->plan->n_ops; i++) {
        const VfiCpuOp *op = group->ops[i];
        if (band_of(op) == NULL)
            return vfi_op_refuse(
                &op->op, error,
                "the CPU backend has no implementation of %s for row groups",
                vfi_op_kind_to_string(op->op.kind));
    }
    set_picture(group, choose_sampling(group->plan, group->ops));
    choose_bands(group);
    return prepare_ops(group, error);
}

VfiCpuRowGroup *vfi_cpu_row_group_new(const VfiRowGroup *plan, VfiCpuOp *const *ops,
                                      GError **error)
{
    VfiCpuRowGroup *group = g_new0(VfiCpuRowGroup, 1);

    group->plan = plan;
    group->ops = ops;
    group->states = g_new0(void *, plan->n_ops);
    if (!make_ready(group, error)) {
        vfi_cpu_row_group_free(group);
        return NULL;
    }
    return group;
}

void vfi_cpu_row_group_free(VfiCpuRowGroup *group)
{
    if (group == NULL)
        return;
    for (int i = 0; i < group->plan->n_ops; i++)
        vfi_free(group->states[i]);
    vfi_free(group->x);
    g_free(group->states);
    g_free(group);
}

int vfi_cpu_row_group_ops(const VfiCpuRowGroup *group)
{
    return group->plan->n_ops;
}

size_t vfi_cpu_row_group_scratch_bytes(const VfiCpuRowGroup *group)
{
    return group->scratch_bytes;
}

int vfi_cpu_row_group_sampling(const VfiCpuRowGroup *group)
{
    return group->picture.sampling;
}

typedef struct {
    const VfiCpuRowGroup *group;
    const VfiCpuRun *run;
    bool profiling;
} GroupRun;

static OpRecord *records_of(const VfiCpuRun *run, int thread)
{
    return (OpRecord *)(void *)vfi_thread_scratch(run, thread);
}

static void run_band(void *data, int index, int thread)
{
    const GroupRun *work = data;
    const VfiCpuRowGroup *group = work->group;
    OpRecord *records = records_of(work->run, thread);
    char *planes = (char *)records + group->records_bytes;
    VfiCpuBand band = {
        .picture = &group->picture,
        .run = work->run,
        .first = index * group->band_rows,
        .planes = (float *)(void *)planes,
        .plane_floats = group->plane_floats,
        .scratch = (float *)(void *)(planes + group->planes_bytes),
    };

    band.n = MIN(group->band_rows, group->picture.rows - band.first);
    for (int i = 0; i < group->plan->n_ops; i++) {
        const VfiCpuOp *op = group->ops[i];
        uint64_t start = work->profiling ? vfi_nanoseconds() : 0;
        band.state = group->states[i];
        band.largest = &records[i].largest;
        band_of(op)->run(op, &band);
        if (work->profiling)
            records[i].nanoseconds += vfi_nanoseconds() - start;
    }
}

/* Writes the scalars that the group computes. */
static void finish_scalars(const VfiCpuRowGroup *group, const VfiCpuRun *run)
{
    for (int i = 0; i < group->plan->n_ops; i++) {
        const VfiOp *op = &group->ops[i]->op;
        uint32_t largest = 0;
        int scalar = vfi_op_scalar(op);
        if (scalar < 0)
            continue;
        for (int t = 0; t < vfi_pool_threads(run->pool); t++)
            largest = MAX(largest, records_of(run, t)[i].largest);
        memcpy(&run->scalars[scalar], &largest, sizeof largest);
    }
}

/* Divides the time @total that the group took among its ops. */
static void divide_time(const VfiCpuRowGroup *group, const VfiCpuRun *run, uint64_t total,
                        uint64_t *op_nanoseconds)
{
    int n_threads = vfi_pool_threads(run->pool);
    double sum = 0.0;

    for (int t = 0; t < n_threads; t++)
        for (int i = 0; i < group->plan->n_ops; i++)
            sum += (double)records_of(run, t)[i].nanoseconds;
    for (int t = 0; t < n_threads && sum > 0.0; t++)
        for (int i = 0; i < group->plan->n_ops; i++)
            op_nanoseconds[i] += (uint64_t)((double)records_of(run, t)[i].nanoseconds *
                                            ((double)total / sum));
}

bool vfi_cpu_row_group_run(const VfiCpuRowGroup *group, const VfiCpuRun *run,
                           uint64_t *op_nanoseconds)
{
    GroupRun work = {.group = group, .run = run, .profiling = op_nanoseconds != NULL};
    uint64_t start = work.profiling ? vfi_nanoseconds() : 0;

    for (int t = 0; t < vfi_pool_threads(run->pool); t++)
        memset(records_of(run, t), 0, group->records_bytes);
    if (!vfi_pool_run(run->pool, vfi_ceil_div(group->picture.rows, group->band_rows),
                      run_band, &work, run->cancel))
        return false;
    finish_scalars(group, run);
    if (work.profiling)
        divide_time(group, run, vfi_nanoseconds() - start, op_nanoseconds);
    return true;
}
