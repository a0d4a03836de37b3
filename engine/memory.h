/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Requests to trim, for those who own something to trim. */
#pragma once

/* Grows with every vfi_soft_clear(). */
unsigned vfi_trim_requests(void);
