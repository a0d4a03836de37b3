/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "convert/error.h"

GQuark convert_error_quark(void)
{
    return g_quark_from_static_string("convert-error-quark");
}
