/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <vfi/error.h>

/* clang-format off: it would put spaces into the quark's name */
G_DEFINE_QUARK(vfi - error - quark, vfi_error)
/* clang-format on */
