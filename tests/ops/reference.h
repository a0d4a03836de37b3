/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What each kind of op gives, element by element, as its definition says it: slow, in
 * double precision, written without a look at the kernels. A new kind needs one function
 * here, which the linker asks for. */
#pragma once

#include "reference_elements.h"

typedef ReferenceElement (*ReferenceFunc)(const ReferenceInput *in, int c, int y, int x);

/* Of a kind below VFI_OP_KIND_COUNT. */
ReferenceFunc reference_of_kind(VfiOpKind kind);
