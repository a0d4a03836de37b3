/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Symbol visibility: the library is built with hidden visibility, VFI_API marks what it
 * exports. */
#pragma once

#define VFI_API __attribute__((visibility("default")))
