/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Row groups on the CPU. A chunk is a band of rows that goes through all ops of the group; a
 * thread's scratch holds the band's rows of the planes that only the group sees, few enough
 * for the second-level cache. Where nothing but resizes down by f ≥ 4 leaves the group, the
 * pictures are computed only where those read: two rows and two columns of every f, side by
 * side in scratch, so that the resize becomes one by 2. */
#include "cpu/ops/row_group.h"

#include <string.h>
#include <unistd.h>

#include <vfi/error.h>

#include "base/alloc.h"
#include "cpu/algorithm.h"
#include "op/descriptor.h"
#include "op/resize.h"

/* Least and most scratch of a band's planes, about: half of the second-level cache is used. */
#define BAND_BYTES_MIN ((size_t)256 << 10)
#define BAND_BYTES_MAX ((size_t)1 << 20)

/* Bands are not so high that threads would run out of them. */
#define BANDS_MIN 16

/* Rows that share stretched source rows; more than the cache holds of very wide pictures. */
#define ROWS_MIN 4

/* What a thread keeps about an op while the group runs. */
typedef struct {
    uint64_t nanoseconds;
    uint32_t largest; /* MAX_ABS: bits of the largest value */
} OpRecord;

struct VfiCpuRowGroup {
    const VfiRowGroup *plan;
    VfiCpuOp *const *ops;
    int sampling;         /* 0 or f */
    int rows, columns;    /* that are computed */
    int band_rows;        /* a multiple of what a row of each resize down reads */
    size_t plane_floats;  /* band_rows × columns */
    size_t records_bytes; /* scratch: records, planes, a resize's rows */
    size_t planes_bytes;
    size_t scratch_bytes;
    float *x;                /* [columns] numbers of the computed columns */
    VfiResizeTables *tables; /* of each op that is a resize */
    int32_t *table_memory;   /* what they point to where columns are sampled */
};

/* One chunk. */
typedef struct {
    const VfiCpuRowGroup *group;
    const VfiCpuRun *run;
    int first, n; /* computed rows */
    float *planes, *row_scratch;
} Band;

/* A band's rows of an operand: first row of channel 0, floats from channel to channel. */
typedef struct {
    float *first;
    size_t plane;
} Rows;

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
            if (!vfi_op_reads_anywhere(op, s) && op->src[s].region != VFI_REGION_ROWS)
                return 0;
    }
    return factor >= 4 ? factor : 0;
}

/* Row or column of the picture that is the @i-th computed one. */
static int place_of(const VfiCpuRowGroup *group, int i)
{
    int f = group->sampling;

    return f == 0 ? i : i / 2 * f + f / 2 - 1 + i % 2;
}

/* Tables of op @index by computed columns, in @memory. Returns the rest of @memory. */
static int32_t *sample_tables(VfiCpuRowGroup *group, int index, int32_t *memory)
{
    const VfiOp *op = &group->ops[index]->op;
    VfiResizeTables own = *vfi_resize_tables(group->ops[index]);
    bool is_down = vfi_op_factor_down(op) != 0;
    int n = is_down ? op->dst.shape.w : group->columns;
    int32_t *x0 = memory;
    float *x_weight = (float *)(void *)(memory + n);

    for (int x = 0; x < n; x++) {
        x0[x] = is_down ? 2 * x : own.x0[place_of(group, x)];
        x_weight[x] = own.x_weight[is_down ? x : place_of(group, x)];
    }
    group->tables[index] = own;
    if (is_down && op->src[0].region != VFI_REGION_ROWS)
        return memory;
    group->tables[index].x0 = x0;
    group->tables[index].x_weight = x_weight;
    return memory + 2 * (size_t)n;
}

static bool make_tables(VfiCpuRowGroup *group, GError **error)
{
    int n_ops = group->plan->n_ops;
    size_t n_sampled = 0;

    group->tables = g_new0(VfiResizeTables, n_ops);
    group->x = vfi_column_numbers_new(group->columns, error);
    if (group->x == NULL)
        return false;
    for (int i = 0; i < n_ops; i++) {
        bool is_resize = group->ops[i]->op.kind == VFI_OP_RESIZE;
        if (is_resize && group->sampling == 0)
            group->tables[i] = *vfi_resize_tables(group->ops[i]);
        n_sampled += is_resize && group->sampling != 0;
    }
    if (n_sampled == 0)
        return true;
    group->table_memory =
        vfi_try_alloc(n_sampled * (size_t)group->columns, 2 * sizeof(int32_t),
                      "tables of a row group", error);
    if (group->table_memory == NULL)
        return false;
    int32_t *memory = group->table_memory;
    for (int x = 0; x < group->columns; x++)
        group->x[x] = (float)place_of(group, x);
    for (int i = 0; i < n_ops; i++)
        if (group->ops[i]->op.kind == VFI_OP_RESIZE)
            memory = sample_tables(group, i, memory);
    return true;
}

static size_t band_bytes(void)
{
    long cache = sysconf(_SC_LEVEL2_CACHE_SIZE); /* 0 or -1 where it is not known */

    return CLAMP((size_t)MAX(cache, 0) / 2, BAND_BYTES_MIN, BAND_BYTES_MAX);
}

static void choose_bands(VfiCpuRowGroup *group)
{
    int align = group->sampling != 0 ? 2 : 1;
    size_t row_scratch = 0; /* floats */

    for (int i = 0; i < group->plan->n_ops; i++) {
        const VfiOp *op = &group->ops[i]->op;
        if (group->sampling == 0)
            align = MAX(align, vfi_op_factor_down(op)); /* all are powers of two */
        if (op->kind == VFI_OP_RESIZE)
            row_scratch = MAX(row_scratch, vfi_stretch_floats(op, group->columns));
    }
    size_t row_bytes =
        (size_t)MAX(group->plan->n_planes, 1) * (size_t)group->columns * sizeof(float);
    int rows = (int)MIN(band_bytes() / row_bytes, (size_t)(group->rows / BANDS_MIN));
    group->band_rows = MIN(MAX(MAX(rows, ROWS_MIN) / align, 1) * align, group->rows);
    group->plane_floats = (size_t)group->band_rows * (size_t)group->columns;
    group->records_bytes =
        vfi_align_up((size_t)group->plan->n_ops * sizeof(OpRecord), VFI_ALIGNMENT);
    group->planes_bytes =
        vfi_align_up((size_t)group->plan->n_planes * group->plane_floats * sizeof(float),
                     VFI_ALIGNMENT);
    group->scratch_bytes =
        group->records_bytes + group->planes_bytes + row_scratch * sizeof(float);
}

VfiCpuRowGroup *vfi_cpu_row_group_new(const VfiRowGroup *plan, VfiCpuOp *const *ops,
                                      GError **error)
{
    VfiCpuRowGroup *group = g_new0(VfiCpuRowGroup, 1);
    int f = choose_sampling(plan, ops);

    group->plan = plan;
    group->ops = ops;
    group->sampling = f;
    group->rows = f == 0 ? plan->h : plan->h / f * 2;
    group->columns = f == 0 ? plan->w : plan->w / f * 2;
    choose_bands(group);
    if (!make_tables(group, error)) {
        vfi_cpu_row_group_free(group);
        return NULL;
    }
    return group;
}

void vfi_cpu_row_group_free(VfiCpuRowGroup *group)
{
    if (group == NULL)
        return;
    vfi_free(group->table_memory);
    vfi_free(group->x);
    g_free(group->tables);
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
    return group->sampling;
}

static Rows rows_of(const Band *band, const VfiOperand *operand)
{
    const VfiCpuRowGroup *group = band->group;
    size_t plane = (size_t)group->plan->h * (size_t)group->plan->w;

    if (operand->region == VFI_REGION_ROWS)
        return (Rows){band->planes +
                          operand->offset / (plane * sizeof(float)) * group->plane_floats,
                      group->plane_floats};
    return (Rows){vfi_operand_row(band->run, operand, 0, band->first), plane};
}

static void run_elementwise(const Band *band, const VfiCpuOp *ready)
{
    const VfiOp *op = &ready->op;
    Rows dst = rows_of(band, &op->dst), a = {NULL, 0}, b = {NULL, 0};
    size_t n = (size_t)band->n * (size_t)band->group->columns;

    if (op->n_src > 0)
        a = rows_of(band, &op->src[0]);
    if (op->n_src > 1)
        b = rows_of(band, &op->src[1]);
    if (op->n_src > 1 && op->src[1].shape.c == 1)
        b.plane = 0;
    for (int c = 0; c < op->dst.shape.c; c++)
        vfi_elementwise_run(ready, band->run, c, dst.first + (size_t)c * dst.plane,
                            a.first != NULL ? a.first + (size_t)c * a.plane : NULL,
                            b.first != NULL ? b.first + (size_t)c * b.plane : NULL, n);
}

static void run_warp(const Band *band, const VfiCpuOp *ready)
{
    const VfiOp *op = &ready->op;
    VfiShape in = op->src[0].shape;
    Rows dst = rows_of(band, &op->dst), flow = rows_of(band, &op->src[1]);
    size_t columns = (size_t)band->group->columns;
    VfiWarpRow row = {
        .src = vfi_operand(band->run, &op->src[0]),
        .x = band->group->x,
        .dst_plane = dst.plane,
        .src_plane = (size_t)in.h * (size_t)in.w,
        .channels = op->dst.shape.c,
        .src_w = in.w,
        .src_h = in.h,
        .n = band->group->columns,
    };

    for (int i = 0; i < band->n; i++) {
        row.y = place_of(band->group, band->first + i);
        row.dst = dst.first + (size_t)i * columns;
        row.flow_x = flow.first + (size_t)i * columns;
        row.flow_y = row.flow_x + flow.plane;
        ready->kernels->warp_row(&row);
    }
}

static void run_pixel_shuffle(const Band *band, const VfiCpuOp *ready)
{
    Rows dst = rows_of(band, &ready->op.dst);

    for (int c = 0; c < ready->op.dst.shape.c; c++) {
        for (int i = 0; i < band->n; i++) {
            int y = place_of(band->group, band->first + i);
            float *row = dst.first + (size_t)c * dst.plane +
                         (size_t)i * (size_t)band->group->columns;
            if (band->group->sampling == 0)
                vfi_pixel_shuffle_row(ready, band->run, c, y, row);
            else
                vfi_pixel_shuffle_samples(ready, band->run, c, y, band->group->x,
                                          band->group->columns, row);
        }
    }
}

static void run_resize_up(const Band *band, const VfiCpuOp *ready,
                          const VfiResizeTables *tables)
{
    const VfiOp *op = &ready->op;
    Rows dst = rows_of(band, &op->dst);
    VfiStretch stretch = {
        .op = ready,
        .tables = tables,
        .scratch = band->row_scratch,
        .columns = band->group->columns,
    };

    for (int c = 0; c < op->dst.shape.c; c++) {
        stretch.src = vfi_operand_row(band->run, &op->src[0], c, 0);
        stretch.held[0] = stretch.held[1] = -1;
        for (int i = 0; i < band->n; i++)
            vfi_stretch_to_row(&stretch, place_of(band->group, band->first + i),
                               dst.first + (size_t)c * dst.plane +
                                   (size_t)i * (size_t)stretch.columns);
    }
}

/* The rows of the result that read from the band. */
static void run_resize_down(const Band *band, const VfiCpuOp *ready,
                            const VfiResizeTables *tables)
{
    const VfiCpuRowGroup *group = band->group;
    const VfiOp *op = &ready->op;
    bool local = op->src[0].region == VFI_REGION_ROWS;
    int sampling = group->sampling, reads = sampling != 0 ? 2 : vfi_op_factor_down(op);
    Rows src = {NULL, 0};
    VfiResizeRow row = {
        .blend = band->row_scratch,
        .x0 = tables->x0,
        .x_weight = tables->x_weight,
        .mul = op->u.resize.mul,
        .src_w = local ? group->columns : group->plan->w,
        .dst_w = op->dst.shape.w,
    };

    if (local)
        src = rows_of(band, &op->src[0]);
    for (int c = 0; c < op->dst.shape.c; c++) {
        for (int y = band->first / reads; y < (band->first + band->n) / reads; y++) {
            int y0 = tables->y0[y];
            int at = (sampling != 0 ? 2 * y : y0) - band->first;
            row.top =
                local ? src.first + (size_t)c * src.plane + (size_t)at * (size_t)row.src_w
                      : vfi_operand_row(band->run, &op->src[0], c, y0);
            row.bottom = row.top + row.src_w;
            row.y_weight = tables->y_weight[y];
            row.dst = vfi_operand_row(band->run, &op->dst, c, y);
            ready->kernels->resize_row(&row);
        }
    }
}

static void run_max_abs(const Band *band, const VfiCpuOp *ready, OpRecord *record)
{
    const VfiOperand *operand = &ready->op.src[0];
    Rows src = rows_of(band, operand);
    size_t n = (size_t)band->n * (size_t)band->group->columns;

    for (int c = 0; c < operand->shape.c; c++) {
        uint32_t largest = ready->kernels->max_abs(src.first + (size_t)c * src.plane, n);
        record->largest = MAX(record->largest, largest);
    }
}

static void run_op(const Band *band, int index, OpRecord *record)
{
    const VfiCpuOp *ready = band->group->ops[index];
    const VfiResizeTables *tables = &band->group->tables[index];

    switch (ready->op.kind) {
    case VFI_OP_WARP:
        run_warp(band, ready);
        break;
    case VFI_OP_PIXEL_SHUFFLE:
        run_pixel_shuffle(band, ready);
        break;
    case VFI_OP_RESIZE:
        if (vfi_op_factor_down(&ready->op) != 0)
            run_resize_down(band, ready, tables);
        else
            run_resize_up(band, ready, tables);
        break;
    case VFI_OP_MAX_ABS:
        run_max_abs(band, ready, record);
        break;
    default:
        run_elementwise(band, ready);
        break;
    }
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
    Band band = {
        .group = group,
        .run = work->run,
        .first = index * group->band_rows,
        .planes = (float *)(void *)planes,
        .row_scratch = (float *)(void *)(planes + group->planes_bytes),
    };

    band.n = MIN(group->band_rows, group->rows - band.first);
    for (int i = 0; i < group->plan->n_ops; i++) {
        uint64_t start = work->profiling ? vfi_nanoseconds() : 0;
        run_op(&band, i, &records[i]);
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
    if (!vfi_pool_run(run->pool, vfi_ceil_div(group->rows, group->band_rows), run_band,
                      &work, run->cancel))
        return false;
    finish_scalars(group, run);
    if (work.profiling)
        divide_time(group, run, vfi_nanoseconds() - start, op_nanoseconds);
    return true;
}
