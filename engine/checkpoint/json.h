/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A pull reader of JSON text in memory, as much as a safetensors header needs: the caller
 * asks for what must come next. Nothing is allocated; nesting is bounded. */
#pragma once

#include <stdbool.h>

#include "checkpoint/span.h"

typedef struct {
    VfiSpan text;
    size_t position;
} VfiJson;

/* Skips white space, then takes @character; an error names what was found instead. */
bool vfi_json_take(VfiJson *json, char character, GError **error);

/* Same, but only looks; no error. */
bool vfi_json_next_is(VfiJson *json, char character);

/* Takes the comma before the next item or the end bracket @end of a list or object:
 * *more says which. *first is true before the first item, and is set to false. */
bool vfi_json_next_item(VfiJson *json, char end, bool *first, bool *more, GError **error);

/* Takes a string and decodes it into @out of @capacity bytes; *size is its length. */
bool vfi_json_take_string(VfiJson *json, uint8_t *out, size_t capacity, size_t *size,
                          GError **error);

/* Takes a non-negative integer below 2^63. */
bool vfi_json_take_count(VfiJson *json, int64_t *count, GError **error);

/* Takes any value and forgets it. */
bool vfi_json_skip(VfiJson *json, GError **error);

/* Whether only white space is left. */
bool vfi_json_at_end(VfiJson *json);
