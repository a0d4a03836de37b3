/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One program computes everything that is as large as the group's pictures. The results
 * of resizes down get a program per factor, which runs before: a thread of the smaller
 * picture computes the four pixels whose mean it takes; for pictures that are f times
 * smaller these are 4 / f² of all pixels. While a group runs, nothing that it reads and
 * does not write itself changes (the planner sees to that), so programs may follow one
 * another. */
#include "rows/row_group.h"

#include <string.h>

#include <vfi/error.h>

#include "op/descriptor.h"
#include "op/resize.h"
#include "rows/row_instructions.h"
#include "rows/row_kernel.h"
#include "rows/row_pixels.h"

/* A program for all pixels, and for factors of 2, 4 … 32. */
#define PROGRAMS_MAX 6

struct VfiCudaRowGroup {
    VfiRowProgram programs[PROGRAMS_MAX];
    int n_programs;
    int *scalars; /* indices of those that MAX_ABS writes */
    int n_scalars;
};

/* ---- which ops a program needs ----------------------------------------------------- */

/* Its index in @live, or -1. */
static int find_plane(const GArray *live, VfiRowPlane plane)
{
    for (guint i = 0; i < live->len; i++) {
        const VfiRowPlane *other = &g_array_index(live, VfiRowPlane, i);
        if (other->region == plane.region && other->offset == plane.offset)
            return (int)i;
    }
    return -1;
}

/* Takes the op's result out of @live; false if none of it was there. */
static bool remove_result(GArray *live, const VfiOp *op)
{
    bool found = false;

    if (vfi_op_scalar(op) >= 0)
        return false;
    for (int c = 0; c < op->dst.shape.c; c++) {
        int at = find_plane(live, vfi_row_plane_of(&op->dst, c));
        if (at >= 0)
            g_array_remove_index_fast(live, (guint)at);
        found = found || at >= 0;
    }
    return found;
}

static void add_sources(GArray *live, const VfiOp *op)
{
    for (int s = vfi_row_reads_anywhere(op) ? 1 : 0; s < op->n_src; s++)
        for (int c = 0; c < op->src[s].shape.c; c++) {
            VfiRowPlane plane = vfi_row_plane_of(&op->src[s], c);
            if (find_plane(live, plane) < 0)
                g_array_append_val(live, plane);
        }
}

static bool is_result_of(const VfiOp *op, int factor)
{
    int down = vfi_op_factor_down(op);

    if (factor != 0 || down != 0)
        return down == factor;
    return vfi_op_scalar(op) >= 0 || op->dst.region != VFI_REGION_ROWS;
}

/* Finds the ops whose results the program leaves, and those that these are made of,
 * starting from the end. False if there are none. */
static bool find_needed(VfiRowBuilder *builder)
{
    g_autoptr(GArray) live = g_array_new(FALSE, FALSE, sizeof(VfiRowPlane));
    bool any = false;

    for (int i = builder->group->n_ops - 1; i >= 0; i--) {
        const VfiOp *op = &builder->ops[i];
        bool is_read = vfi_op_factor_down(op) == 0 && remove_result(live, op);
        builder->needed[i] = is_read || is_result_of(op, builder->program->factor);
        if (builder->needed[i])
            add_sources(live, op);
        any = any || builder->needed[i];
    }
    return any;
}

/* ---- groups ------------------------------------------------------------------------ */

/* Makes the program of pictures that are @factor times smaller, or (0) of all pixels. It
 * has no instructions if the group has no such results. False if it does not fit. */
static bool build_program(VfiRowProgram *program, const VfiPlan *plan,
                          const VfiRowGroup *group, int factor)
{
    g_autofree bool *needed = g_new0(bool, group->n_ops);
    g_autoptr(GArray) held = g_array_new(FALSE, FALSE, sizeof(VfiRowHeld));
    VfiRowBuilder builder = {.ops = plan->ops + group->first_op,
                             .group = group,
                             .program = program,
                             .needed = needed,
                             .held = held,
                             .fits = true};

    memset(program, 0, sizeof *program);
    program->factor = factor;
    program->w = group->w;
    program->h = group->h;
    program->n_slots = group->n_planes;
    if (!find_needed(&builder))
        return true;
    vfi_row_find_pixels(&builder);
    for (int i = 0; i < group->n_ops && builder.fits; i++)
        if (needed[i])
            vfi_row_emit_op(&builder, &builder.ops[i]);
    vfi_row_emit_packs(&builder);
    g_array_unref(builder.pixels);
    return builder.fits && program->n_slots <= VFI_ROW_SLOTS;
}

static void find_scalars(VfiCudaRowGroup *ready, const VfiPlan *plan,
                         const VfiRowGroup *group)
{
    ready->scalars = g_new0(int, group->n_ops);
    for (int i = 0; i < group->n_ops; i++) {
        int scalar = vfi_op_scalar(&plan->ops[group->first_op + i]);
        if (scalar >= 0)
            ready->scalars[ready->n_scalars++] = scalar;
    }
}

VfiCudaRowGroup *vfi_cuda_row_group_new(const VfiPlan *plan, const VfiRowGroup *group,
                                        GError **error)
{
    VfiCudaRowGroup *ready = g_new0(VfiCudaRowGroup, 1);

    /* Smaller pictures first: they read what the last program may overwrite. */
    for (int factor = VFI_RESIZE_FACTOR_MAX; factor >= 1; factor /= 2) {
        VfiRowProgram *program = &ready->programs[ready->n_programs];
        if (!build_program(program, plan, group, factor == 1 ? 0 : factor)) {
            g_set_error(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED,
                        "a row group of %d ops and %d planes is too large for the CUDA "
                        "backend: expected up to %d instructions and %d planes",
                        group->n_ops, group->n_planes, VFI_ROW_INSTRUCTIONS,
                        VFI_ROW_SLOTS);
            vfi_cuda_row_group_free(ready);
            return NULL;
        }
        ready->n_programs += program->n > 0;
    }
    find_scalars(ready, plan, group);
    return ready;
}

void vfi_cuda_row_group_free(VfiCudaRowGroup *group)
{
    if (group == NULL)
        return;
    g_free(group->scalars);
    g_free(group);
}

cudaError_t vfi_cuda_row_group_run(cudaStream_t stream, const VfiCudaRowGroup *group,
                                   char *const *region, const VfiRunInputs *inputs,
                                   float *scalars)
{
    cudaError_t error = cudaSuccess;

    for (int i = 0; i < group->n_scalars && error == cudaSuccess; i++)
        error = vfi_cuda_clear_scalar(stream, scalars + group->scalars[i]);
    for (int i = 0; i < group->n_programs && error == cudaSuccess; i++)
        error = vfi_cuda_run_rows(stream, &group->programs[i], region, inputs, scalars);
    return error;
}
