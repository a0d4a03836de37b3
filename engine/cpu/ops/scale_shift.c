/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* SCALE_SHIFT: chunks are pixels of one channel block or plane, or several whole ones
 * where these are small. Where there are no factors, all of them are as one. */
#include "cpu/ops/unit_rows.h"

/* Floats of a chunk, about. */
#define CHUNK_FLOATS ((size_t)32768)

typedef struct {
    int block, units;
    size_t unit;         /* floats */
    size_t chunk_floats; /* of a unit; a multiple of VFI_LANES, or all */
    int bands;           /* chunks of a unit; 1 where a chunk has several units */
    int chunk_units;
} Cut;

static bool prepare(VfiCpuOp *ready, GError **error)
{
    const VfiOperand *dst = &ready->op.dst;
    Cut *cut = g_new0(Cut, 1);

    ready->state = cut;
    cut->block = MAX(dst->block, 1);
    cut->units = vfi_ceil_div(dst->shape.c, cut->block);
    cut->unit = (size_t)dst->shape.h * (size_t)dst->shape.w * (size_t)cut->block;
    if (ready->op.n_src < 2) {
        cut->unit *= (size_t)cut->units;
        cut->units = 1;
    }
    cut->chunk_floats = MIN(cut->unit, CHUNK_FLOATS);
    size_t bands = (cut->unit + CHUNK_FLOATS - 1) / CHUNK_FLOATS;
    cut->chunk_units = (int)CLAMP(CHUNK_FLOATS / cut->unit, 1, (size_t)cut->units);
    cut->bands = (int)bands;
    double pieces = vfi_ceil_div(cut->units, cut->chunk_units);
    return vfi_cpu_set_chunks(ready, (double)bands * pieces, error);
}

/* Factors and addends of a unit by lane; zeros where it has no channel. */
static void spread(const VfiCpuOp *ready, const VfiCpuRun *run, int unit,
                   float factor[VFI_LANES], float addend[VFI_LANES])
{
    const VfiOp *op = &ready->op;
    const Cut *cut = ready->state;
    bool adds = op->u.scale_shift.adds;

    for (int l = 0; l < VFI_LANES; l++) {
        factor[l] = 1.0f;
        addend[l] = 0.0f;
    }
    if (op->n_src < 2)
        return;
    int channels = op->src[1].shape.c / (adds ? 2 : 1);
    const float *by = vfi_operand(run, &op->src[1]);

    for (int l = 0; l < VFI_LANES; l++) {
        int c = unit * cut->block + l % cut->block;
        bool exists = c < op->dst.shape.c;
        factor[l] = exists ? by[c % channels] : 0.0f;
        addend[l] = exists && adds ? by[channels + c % channels] : 0.0f;
    }
}

static void chunk(const VfiCpuOp *ready, const VfiCpuRun *run, int index, int thread)
{
    const Cut *cut = ready->state;
    const VfiOp *op = &ready->op;
    int unit = index / cut->bands * cut->chunk_units;
    int end = MIN(unit + cut->chunk_units, cut->units);
    size_t begin = (size_t)(index % cut->bands) * cut->chunk_floats;
    float factor[VFI_LANES], addend[VFI_LANES];
    (void)thread;

    for (; unit < end; unit++) {
        size_t at = (size_t)unit * cut->unit + begin;
        const VfiScaleShiftRun of = {
            .dst = vfi_operand(run, &op->dst) + at,
            .src = vfi_operand(run, &op->src[0]) + at,
            .factor = factor,
            .addend = addend,
            .activation = op->u.scale_shift.activation,
            .leak = op->u.scale_shift.leak,
            .n = MIN(cut->chunk_floats, cut->unit - begin),
        };
        spread(ready, run, unit, factor, addend);
        ready->kernels->scale_shift(&of);
    }
}

static const VfiCpuAlgorithm algorithm = {
    .name = "scale_shift",
    .accepts = vfi_accepts_units,
    .prepare = prepare,
    .chunk = chunk,
};

const VfiCpuAlgorithm *const vfi_cpu_scale_shift[] = {&algorithm, NULL};
