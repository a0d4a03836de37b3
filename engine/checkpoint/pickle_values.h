/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The values of a pickle: a tree of plain ones, which the opcodes build. Objects, stack,
 * memo and cells are bounded by the bytes read; values point into the pickle.
 *
 * Containers may contain themselves (a memoised list appended to itself), so whoever
 * walks the result bounds depth and visits. */
#pragma once

#include <stdbool.h>

#include "checkpoint/growing.h"
#include "checkpoint/span.h"

typedef enum {
    VFI_PICKLE_NONE,       /* None, and objects whose content does not matter; tag: 0 or
                              the owner's */
    VFI_PICKLE_BOOL,       /* integer: 0 or 1 */
    VFI_PICKLE_INT,        /* integer */
    VFI_PICKLE_BIG_INT,    /* bytes: two's complement, little-endian, more than 8 bytes */
    VFI_PICKLE_FLOAT,      /* real */
    VFI_PICKLE_TEXT,       /* bytes: UTF-8, or the bytes of a Python 2 str */
    VFI_PICKLE_BYTES,      /* bytes */
    VFI_PICKLE_TUPLE,      /* cells */
    VFI_PICKLE_LIST,       /* cells */
    VFI_PICKLE_SET,        /* cells */
    VFI_PICKLE_DICT,       /* cells: key, value, key, value … */
    VFI_PICKLE_GLOBAL,     /* global: the owner's table entry */
    VFI_PICKLE_OBJECT,     /* target: its state, VFI_PICKLE_NO_REF before BUILD */
    VFI_PICKLE_PERSISTENT, /* target: the persistent id (torch: a storage) */
    VFI_PICKLE_REDUCED, /* target: the arguments (torch: of a tensor), tag: the owner's */
} VfiPickleKind;

/* Index of a value, or of a cell; stable while the pickle is open. */
typedef uint32_t VfiPickleRef;
#define VFI_PICKLE_NO_REF UINT32_MAX

typedef struct {
    uint8_t kind;    /* VfiPickleKind */
    uint8_t tag;     /* REDUCED, NONE */
    uint32_t length; /* bytes, or cells */
    union {
        int64_t integer;
        double real;
        const uint8_t *bytes;
        const void *global;
        VfiPickleRef target;
        struct {
            VfiPickleRef first, last;
        } cells;
    };
} VfiPickleValue;

/* One element of a container. */
typedef struct {
    VfiPickleRef value;
    VfiPickleRef next;
} VfiPickleCell;

typedef struct VfiPickle VfiPickle;

/* Decisions of the owner; each returns false with an error to refuse. */
typedef struct {
    /* value->global for a class or function; the pickle may only name it. */
    bool (*find_global)(VfiSpan module, VfiSpan name, VfiPickleValue *value,
                        GError **error);
    /* The result of calling @callable (any value) with @arguments (any value). */
    bool (*call)(VfiPickle *pickle, VfiPickleRef callable, VfiPickleRef arguments,
                 VfiPickleRef *result, GError **error);
    /* Checks a persistent id. */
    bool (*check_persistent)(const VfiPickle *pickle, VfiPickleRef id, GError **error);
} VfiPickleHooks;

struct VfiPickle {
    VfiSpan input;
    size_t position; /* next byte; after vfi_pickle_load() the one after STOP */
    const VfiPickleHooks *hooks;
    uint8_t opcode; /* the one at work */
    bool stopped;
    bool ran_out;        /* it failed because the input ended: more of it might do */
    VfiGrowing values;   /* VfiPickleValue */
    VfiGrowing cells;    /* VfiPickleCell */
    VfiGrowing stack;    /* VfiPickleRef */
    VfiGrowing marks;    /* uint32_t: heights of the stack */
    VfiGrowing memo;     /* VfiPickleRef + 1; 0 is unset */
    VfiPickleRef result; /* after vfi_pickle_load() */
};

/* Releases everything. */
void vfi_pickle_clear(VfiPickle *pickle);

static inline const VfiPickleValue *vfi_pickle_value(const VfiPickle *pickle,
                                                     VfiPickleRef ref)
{
    return (const VfiPickleValue *)pickle->values.items + ref;
}

static inline const VfiPickleCell *vfi_pickle_cell(const VfiPickle *pickle,
                                                   VfiPickleRef ref)
{
    return (const VfiPickleCell *)pickle->cells.items + ref;
}

/* The bytes of a TEXT, BYTES or BIG_INT. */
static inline VfiSpan vfi_pickle_bytes(const VfiPickleValue *value)
{
    return (VfiSpan){.data = value->bytes, .size = value->length};
}

/* Whether a value of this kind has cells. */
bool vfi_pickle_is_container(const VfiPickleValue *value);

/* Element @index of a container, or VFI_PICKLE_NO_REF if there is none or @ref is not a
 * container. Counts cells from the first, so meant for short ones. */
VfiPickleRef vfi_pickle_item(const VfiPickle *pickle, VfiPickleRef ref, size_t index);

/* The value of key @key of a DICT, or VFI_PICKLE_NO_REF. */
VfiPickleRef vfi_pickle_dict_find(const VfiPickle *pickle, VfiPickleRef dict,
                                  const char *key);

/* For hooks: appends @value, respectively an element of @container. */
bool vfi_pickle_new(VfiPickle *pickle, VfiPickleValue value, VfiPickleRef *ref,
                    GError **error);
bool vfi_pickle_append(VfiPickle *pickle, VfiPickleRef container, VfiPickleRef value,
                       GError **error);
