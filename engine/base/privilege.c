/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base/privilege.h"

#include <sys/auxv.h>

bool vfi_is_privileged(void)
{
    return getauxval(AT_SECURE) != 0;
}
