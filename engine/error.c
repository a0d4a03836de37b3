/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <vfi/error.h>

G_DEFINE_QUARK(vfi-error-quark, vfi_error)
