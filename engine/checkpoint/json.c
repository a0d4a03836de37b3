/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pull reader of JSON text. Numbers other than counts, and literals, can only be
 * skipped. */
#include "checkpoint/json.h"

#define MAX_NESTING 16

static void skip_space(VfiJson *json)
{
    while (json->position < json->text.size &&
           memchr(" \t\r\n", json->text.data[json->position], 4) != NULL)
        json->position++;
}

/* The next byte, or -1 at the end. */
static int peek(const VfiJson *json)
{
    return json->position < json->text.size ? json->text.data[json->position] : -1;
}

static bool unexpected(VfiJson *json, const char *wanted, GError **error)
{
    VfiSpan rest = {json->text.data + json->position,
                    MIN(json->text.size - json->position, 16)};

    return vfi_corrupt(error, "byte %zu of the JSON header: expected %s, found \"%s\"",
                       json->position, wanted, vfi_quote(rest).text);
}

bool vfi_json_next_is(VfiJson *json, char character)
{
    skip_space(json);
    return peek(json) == (unsigned char)character;
}

bool vfi_json_take(VfiJson *json, char character, GError **error)
{
    const char wanted[] = {'\'', character, '\'', '\0'};

    if (!vfi_json_next_is(json, character))
        return unexpected(json, wanted, error);
    json->position++;
    return true;
}

bool vfi_json_next_item(VfiJson *json, char end, bool *first, bool *more, GError **error)
{
    *more = !vfi_json_next_is(json, end);
    if (!*more)
        return vfi_json_take(json, end, error);
    if (!*first && !vfi_json_take(json, ',', error))
        return false;
    *first = false;
    return true;
}

/* Takes the four digits of \uXXXX. */
static bool take_hex(VfiJson *json, uint32_t *unit)
{
    VfiSpan digits;

    if (!vfi_span_slice(json->text, json->position, 4, &digits))
        return false;
    *unit = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = g_ascii_xdigit_value((char)digits.data[i]);
        if (digit < 0)
            return false;
        *unit = *unit << 4 | (uint32_t)digit;
    }
    json->position += 4;
    return true;
}

/* Takes the rest of an escape after its backslash; *length bytes of UTF-8 in @out. */
static bool take_escape(VfiJson *json, char out[6], size_t *length)
{
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    int c = peek(json);
    uint32_t unit, low;

    json->position += c >= 0;
    const char *simple = c > 0 ? strchr(escapes, c) : NULL;
    if (simple != NULL) {
        out[0] = meanings[simple - escapes];
        *length = 1;
        return true;
    }
    if (c != 'u' || !take_hex(json, &unit))
        return false;
    if (unit >= 0xd800 && unit < 0xdc00) { /* a surrogate pair */
        VfiSpan second;
        if (!vfi_span_slice(json->text, json->position, 2, &second) ||
            !vfi_span_equals(second, "\\u"))
            return false;
        json->position += 2;
        if (!take_hex(json, &low) || low < 0xdc00 || low > 0xdfff)
            return false;
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }
    if (!g_unichar_validate(unit))
        return false;
    *length = (size_t)g_unichar_to_utf8(unit, out);
    return true;
}

bool vfi_json_take_string(VfiJson *json, uint8_t *out, size_t capacity, size_t *size,
                          GError **error)
{
    *size = 0;
    if (!vfi_json_take(json, '"', error))
        return false;
    for (;;) {
        char piece[6];
        size_t length = 1;
        int c = peek(json);
        if (c < 0x20)
            return unexpected(json, "a character of a string", error);
        json->position++;
        if (c == '"')
            return true;
        piece[0] = (char)c;
        if (c == '\\' && !take_escape(json, piece, &length))
            return unexpected(json, "a valid escape before this", error);
        if (length > capacity - *size)
            return unexpected(json, "a string of fewer bytes", error);
        memcpy(out + *size, piece, length);
        *size += length;
    }
}

bool vfi_json_take_count(VfiJson *json, int64_t *count, GError **error)
{
    int64_t value = 0;

    skip_space(json);
    size_t begin = json->position;
    for (int c = peek(json); c >= '0' && c <= '9'; c = peek(json)) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, c - '0', &value))
            return unexpected(json, "an integer below 2^63", error);
        json->position++;
    }
    if (json->position == begin)
        return unexpected(json, "a non-negative integer", error);
    *count = value;
    return true;
}

/* Takes a string without decoding it. */
static bool skip_string(VfiJson *json, GError **error)
{
    if (!vfi_json_take(json, '"', error))
        return false;
    for (;;) {
        int c = peek(json);
        if (c < 0x20)
            return unexpected(json, "a character of a string", error);
        json->position++;
        if (c == '"')
            return true;
        if (c == '\\' && peek(json) >= 0)
            json->position++;
    }
}

/* Takes a number, true, false or null, loosely: nothing depends on its value. */
static bool skip_literal(VfiJson *json, GError **error)
{
    size_t begin = json->position;

    for (int c = peek(json);
         c >= 0 && (g_ascii_isalnum((char)c) || c == '-' || c == '+' || c == '.');
         c = peek(json))
        json->position++;
    return json->position > begin || unexpected(json, "a value", error);
}

static bool skip_nested(VfiJson *json, int depth, GError **error)
{
    bool is_object = vfi_json_next_is(json, '{');
    bool first = true, more;

    if (vfi_json_next_is(json, '"'))
        return skip_string(json, error);
    if (!is_object && !vfi_json_next_is(json, '['))
        return skip_literal(json, error);
    if (depth == MAX_NESTING)
        return unexpected(json, "less nesting", error);
    json->position++;
    for (;;) {
        if (!vfi_json_next_item(json, is_object ? '}' : ']', &first, &more, error))
            return false;
        if (!more)
            return true;
        if (is_object && (!skip_string(json, error) || !vfi_json_take(json, ':', error)))
            return false;
        if (!skip_nested(json, depth + 1, error))
            return false;
    }
}

bool vfi_json_skip(VfiJson *json, GError **error)
{
    return skip_nested(json, 0, error);
}

bool vfi_json_at_end(VfiJson *json)
{
    skip_space(json);
    return json->position == json->text.size;
}
