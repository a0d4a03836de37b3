/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* By itself, so that a test can put its own answer in its place. */
#include <sys/auxv.h>

#include "base/environment.h"

bool vfi_is_privileged(void)
{
    return getauxval(AT_SECURE) != 0;
}
