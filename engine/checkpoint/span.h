/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Bounds-checked views of bytes from a file, little-endian reads, and the one way in
 * which text from a file gets into an error message. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <glib.h>

/* Bytes that belong to someone else; never written. */
typedef struct {
    const uint8_t *data;
    size_t size;
} VfiSpan;

/* *part = @length bytes of @whole from @offset; false if they are not all inside. */
static inline bool vfi_span_slice(VfiSpan whole, uint64_t offset, uint64_t length,
                                  VfiSpan *part)
{
    if (offset > whole.size || length > whole.size - offset)
        return false;
    *part = (VfiSpan){.data = whole.data + offset, .size = (size_t)length};
    return true;
}

static inline bool vfi_span_equals(VfiSpan span, const char *text)
{
    return span.size == strlen(text) && memcmp(span.data, text, span.size) == 0;
}

static inline uint16_t vfi_read_le16(const uint8_t *bytes)
{
    uint16_t value;
    memcpy(&value, bytes, sizeof value);
    return GUINT16_FROM_LE(value);
}

static inline uint32_t vfi_read_le32(const uint8_t *bytes)
{
    uint32_t value;
    memcpy(&value, bytes, sizeof value);
    return GUINT32_FROM_LE(value);
}

static inline uint64_t vfi_read_le64(const uint8_t *bytes)
{
    uint64_t value;
    memcpy(&value, bytes, sizeof value);
    return GUINT64_FROM_LE(value);
}

/* A short printable copy of bytes that a file chose: at most 95 bytes, control characters
 * and what is not UTF-8 written out (printable.h). */
typedef struct {
    char text[100];
} VfiQuote;

VfiQuote vfi_quote(VfiSpan bytes);

/* vfi_corrupt(error, format, …) and vfi_unsupported(error, format, …) set *error with
 * VFI_ERROR_CORRUPT or _UNSUPPORTED. They return false, so that a reader can return it;
 * the wrapper lets the compiler see that. */
#define vfi_corrupt(...) vfi_refused(vfi_set_corrupt(__VA_ARGS__))
#define vfi_unsupported(...) vfi_refused(vfi_set_unsupported(__VA_ARGS__))

bool vfi_set_corrupt(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);
bool vfi_set_unsupported(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static inline bool vfi_refused(bool set)
{
    (void)set;
    return false;
}
