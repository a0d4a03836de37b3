/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Error messages of the checkpoint readers: safe quoting of file bytes, two error
 * codes. */
#include "checkpoint/span.h"

#include <stdarg.h>

#include <vfi/error.h>

#include "base/printable.h"

VfiQuote vfi_quote(VfiSpan bytes)
{
    static const size_t longest = 95;
    VfiQuote quote;
    size_t shown = 0, at = 0;

    while (at < bytes.size) {
        char out[VFI_PRINTABLE_MAX];
        size_t taken;
        size_t length =
            vfi_printable_character(bytes.data + at, bytes.size - at, &taken, out);
        if (shown + length > longest)
            break;
        memcpy(quote.text + shown, out, length);
        shown += length;
        at += taken;
    }
    strcpy(quote.text + shown, at < bytes.size ? "..." : "");
    return quote;
}

bool vfi_set_corrupt(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (error != NULL)
        *error = g_error_new_valist(VFI_ERROR, VFI_ERROR_CORRUPT, format, args);
    va_end(args);
    return false;
}

bool vfi_set_unsupported(GError **error, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    if (error != NULL)
        *error = g_error_new_valist(VFI_ERROR, VFI_ERROR_UNSUPPORTED, format, args);
    va_end(args);
    return false;
}
