/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The error domain. Not by G_DEFINE_QUARK, whose unguarded variable is a data race where
 * two threads set or check errors at once. */
#include <vfi/error.h>

GQuark vfi_error_quark(void)
{
    static gsize quark = 0;

    if (g_once_init_enter(&quark))
        g_once_init_leave(&quark, g_quark_from_static_string("vfi-error-quark"));
    return (GQuark)quark;
}
