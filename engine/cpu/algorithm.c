/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu/algorithm.h"

#include "op/descriptor.h"

static const VfiCpuAlgorithm *const *const lists[] = {
#define VFI_CPU_LIST(SUFFIX, identifier) [VFI_OP_##SUFFIX] = vfi_cpu_##identifier,
    VFI_OP_LIST(VFI_CPU_LIST)
#undef VFI_CPU_LIST
};

G_STATIC_ASSERT(G_N_ELEMENTS(lists) == VFI_OP_KIND_COUNT);

static bool is_planar(const VfiOp *op)
{
    bool planar = !vfi_operand_is_blocked(&op->dst);

    for (int i = 0; i < op->n_src; i++)
        planar = planar && !vfi_operand_is_blocked(&op->src[i]);
    return planar;
}

const VfiCpuAlgorithm *vfi_cpu_algorithm_for(const VfiOp *op,
                                             const VfiCpuKernels *kernels, GError **error)
{
    const VfiCpuAlgorithm *const *list = lists[op->kind];

    for (; *list != NULL; list++)
        if ((*list)->accepts == NULL ? is_planar(op) : (*list)->accepts(op, kernels))
            return *list;
    vfi_op_refuse(op, error,
                  "the CPU backend has no implementation of %s for such layouts",
                  vfi_op_kind_to_string(op->kind));
    return NULL;
}

bool vfi_cpu_works_in_bands(const VfiOp *op)
{
    const VfiCpuAlgorithm *const *list = lists[op->kind];

    while (*list != NULL && (*list)->band == NULL)
        list++;
    return *list != NULL;
}

bool vfi_cpu_set_chunks(VfiCpuOp *op, double chunks, GError **error)
{
    if (chunks > G_MAXINT / 2)
        return vfi_op_refuse(&op->op, error, "it is too large");
    op->n_chunks = (int)chunks;
    return true;
}
