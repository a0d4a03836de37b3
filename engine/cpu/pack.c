/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu/pack.h"

#include "base/alloc.h"

/* Leads from the store back to the algorithm. */
typedef struct {
    const VfiCpuOp *op;
    VfiCpuPackFunc pack;
} PackContext;

static void pack_for_store(const void *source, void *to)
{
    const PackContext *context = source;
    context->pack(context->op, to);
}

static bool pack_shared(VfiCpuOp *op, VfiCpuPackFunc pack, GError **error)
{
    const PackContext context = {.op = op, .pack = pack};

    op->shared =
        vfi_packed_weights_get(op->store, &op->key, pack_for_store, &context, error);
    if (op->shared == NULL)
        return false;
    op->packed = op->shared->data;
    return true;
}

bool vfi_cpu_op_pack(VfiCpuOp *op, const char *layout, size_t bytes, VfiCpuPackFunc pack,
                     GError **error)
{
    op->packed_bytes = bytes;
    op->key = vfi_packed_key_of(&op->op, layout, bytes);
    op->key.level = (int)op->level;
    if (op->measuring)
        return true;
    if (op->store != NULL)
        return pack_shared(op, pack, error);

    void *own = vfi_try_alloc(bytes, 1, "packed weights", error);
    if (own == NULL)
        return false;
    pack(op, own);
    op->packed = own;
    return true;
}
