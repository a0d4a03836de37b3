/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "op/op.h"

static const char *const names[VFI_OP_KIND_COUNT] = {
#define VFI_OP_NAME(SUFFIX, identifier) [VFI_OP_##SUFFIX] = #identifier,
    VFI_OP_LIST(VFI_OP_NAME)
#undef VFI_OP_NAME
};

const char *vfi_op_kind_to_string(VfiOpKind kind)
{
    return (unsigned)kind < VFI_OP_KIND_COUNT ? names[kind] : "unknown";
}
