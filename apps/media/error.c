/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "media/error.h"

GQuark media_error_quark(void)
{
    return g_quark_from_static_string("vfi-media-error-quark");
}
