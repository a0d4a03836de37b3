/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Error messages of the checkpoint readers: safe quoting of file bytes, two error codes.
 */
#include "span.h"

#include <stdarg.h>

#include <vfi/error.h>

VfiQuote vfi_quote(VfiSpan bytes)
{
    static const size_t longest = 95;
    VfiQuote quote;
    size_t shown = MIN(bytes.size, longest);

    for (size_t i = 0; i < shown; i++) {
        char c = (char)bytes.data[i];
        quote.text[i] = g_ascii_isprint(c) ? c : '?';
    }
    strcpy(quote.text + shown, bytes.size > longest ? "..." : "");
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
