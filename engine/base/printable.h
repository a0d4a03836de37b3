/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Text that somebody else chose (a file's name, a name in a file), made fit for a
 * message: characters that a terminal obeys or would not show are written out. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <glib.h>

/* Most bytes that one character of the original takes. */
#define VFI_PRINTABLE_MAX 12

/* Writes the character at the beginning of @bytes (@size > 0) to @out: itself, or "\n",
 * "\x1b" for a control character and for a byte that is not UTF-8, "\u202e" for what has
 * no shape of its own. *taken: its length in @bytes. Returns how many bytes it wrote; no
 * NUL. */
size_t vfi_printable_character(const uint8_t *bytes, size_t size, size_t *taken,
                               char out[VFI_PRINTABLE_MAX]);

/* All of @text; g_free() it. NULL gives "". */
char *vfi_printable(const char *text);

/* "212.7 MiB", or "512 bytes" of what that would round to next to nothing. g_free()
 * it. */
char *vfi_printable_bytes(uint64_t bytes);
