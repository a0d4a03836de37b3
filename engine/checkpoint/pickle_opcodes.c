/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One small function for each opcode that data needs; the table at the end names them
 * all. */
#include "checkpoint/pickle_opcodes.h"

#define HIGHEST_PROTOCOL 5

/* Takes @count bytes of the input. */
static bool take(VfiPickle *pickle, uint64_t count, VfiSpan *bytes, GError **error)
{
    pickle->ran_out = !vfi_span_slice(pickle->input, pickle->position, count, bytes);
    if (pickle->ran_out)
        return vfi_corrupt(error,
                           "it needs %" G_GUINT64_FORMAT
                           " more bytes, but the pickle ends after %zu: the file is "
                           "truncated or damaged",
                           count, pickle->input.size - pickle->position);
    pickle->position += bytes->size;
    return true;
}

/* Takes an unsigned little-endian number of as many bytes as the opcode's width. */
static bool take_number(VfiPickle *pickle, uint64_t *number, GError **error)
{
    uint8_t padded[8] = {0};
    VfiSpan bytes;

    if (!take(pickle, vfi_pickle_opcodes[pickle->opcode].width, &bytes, error))
        return false;
    memcpy(padded, bytes.data, bytes.size);
    *number = vfi_read_le64(padded);
    return true;
}

static bool take_line(VfiPickle *pickle, VfiSpan *line, GError **error)
{
    const uint8_t *begin = pickle->input.data + pickle->position;
    const uint8_t *end = memchr(begin, '\n', pickle->input.size - pickle->position);

    pickle->ran_out = end == NULL;
    if (end == NULL)
        return vfi_corrupt(error,
                           "its line has no end: the file is truncated or damaged");
    *line = (VfiSpan){begin, (size_t)(end - begin)};
    pickle->position += line->size + 1;
    return true;
}

static bool push(VfiPickle *pickle, VfiPickleRef ref, GError **error)
{
    VfiPickleRef *top = vfi_growing_add(&pickle->stack, 1, error);

    if (top != NULL)
        *top = ref;
    return top != NULL;
}

static bool push_new(VfiPickle *pickle, VfiPickleValue value, GError **error)
{
    VfiPickleRef ref;

    return vfi_pickle_new(pickle, value, &ref, error) && push(pickle, ref, error);
}

/* Height of the stack above the last mark, and the height of that mark. */
static size_t mark_height(const VfiPickle *pickle)
{
    const uint32_t *marks = pickle->marks.items;

    return pickle->marks.count > 0 ? marks[pickle->marks.count - 1] : 0;
}

static bool pop(VfiPickle *pickle, VfiPickleRef *ref, GError **error)
{
    if (pickle->stack.count <= mark_height(pickle))
        return vfi_corrupt(error, "it takes a value from an empty stack");
    *ref = ((VfiPickleRef *)pickle->stack.items)[--pickle->stack.count];
    return true;
}

/* The value on top, which stays there. */
static bool peek(const VfiPickle *pickle, VfiPickleRef *ref, GError **error)
{
    if (pickle->stack.count <= mark_height(pickle))
        return vfi_corrupt(error, "it takes a value from an empty stack");
    *ref = ((VfiPickleRef *)pickle->stack.items)[pickle->stack.count - 1];
    return true;
}

/* Removes the last mark; the values that were above it are the stack from *first on. */
static bool pop_mark(VfiPickle *pickle, size_t *first, GError **error)
{
    if (pickle->marks.count == 0)
        return vfi_corrupt(error, "it needs a mark, and there is none");
    *first = mark_height(pickle);
    pickle->marks.count--;
    return true;
}

/* Moves the stack's values from @first on into @container. */
static bool move_items(VfiPickle *pickle, size_t first, VfiPickleRef container,
                       GError **error)
{
    const VfiPickleRef *stack = pickle->stack.items;

    for (size_t i = first; i < pickle->stack.count; i++)
        if (!vfi_pickle_append(pickle, container, stack[i], error))
            return false;
    pickle->stack.count = first;
    return true;
}

static bool want_pairs(size_t count, GError **error)
{
    return count % 2 == 0 || vfi_corrupt(error, "a key without a value");
}

/* ---- opcodes: protocol, stack, memo ---- */

static bool run_proto(VfiPickle *pickle, GError **error)
{
    uint64_t protocol;

    if (!take_number(pickle, &protocol, error))
        return false;
    if (protocol > HIGHEST_PROTOCOL)
        return vfi_unsupported(error,
                               "pickle protocol %" G_GUINT64_FORMAT "; 2 to %d are read",
                               protocol, HIGHEST_PROTOCOL);
    return true;
}

static bool run_frame(VfiPickle *pickle, GError **error)
{
    uint64_t size;

    if (!take_number(pickle, &size, error))
        return false;
    pickle->ran_out = size > pickle->input.size - pickle->position;
    if (pickle->ran_out)
        return vfi_corrupt(error,
                           "a frame of %" G_GUINT64_FORMAT
                           " bytes is longer than the file: it is truncated or damaged",
                           size);
    return true;
}

static bool run_stop(VfiPickle *pickle, GError **error)
{
    pickle->stopped = true;
    return pop(pickle, &pickle->result, error);
}

static bool run_mark(VfiPickle *pickle, GError **error)
{
    uint32_t *mark = vfi_growing_add(&pickle->marks, 1, error);

    if (mark != NULL)
        *mark = (uint32_t)pickle->stack.count;
    return mark != NULL;
}

static bool run_pop(VfiPickle *pickle, GError **error)
{
    VfiPickleRef ref;

    return pop(pickle, &ref, error);
}

static bool run_pop_mark(VfiPickle *pickle, GError **error)
{
    size_t first;

    if (!pop_mark(pickle, &first, error))
        return false;
    pickle->stack.count = first;
    return true;
}

static bool run_dup(VfiPickle *pickle, GError **error)
{
    VfiPickleRef ref;

    return peek(pickle, &ref, error) && push(pickle, ref, error);
}

/* BINPUT, LONG_BINPUT, and MEMOIZE (width 0), whose number is the length of the memo. */
static bool run_put(VfiPickle *pickle, GError **error)
{
    uint64_t number = pickle->memo.count;
    VfiPickleRef ref;

    if (vfi_pickle_opcodes[pickle->opcode].width > 0 &&
        !take_number(pickle, &number, error))
        return false;
    /* Writers number densely, so a number beyond the bytes read is not from a writer. */
    if (number >= pickle->position)
        return vfi_corrupt(error,
                           "memo number %" G_GUINT64_FORMAT
                           " after %zu bytes of pickle cannot be right",
                           number, pickle->position);
    if (!peek(pickle, &ref, error) ||
        !vfi_growing_extend_zeroed(&pickle->memo, (size_t)number + 1, error))
        return false;
    ((VfiPickleRef *)pickle->memo.items)[number] = ref + 1;
    return true;
}

static bool run_get(VfiPickle *pickle, GError **error)
{
    const VfiPickleRef *memo = pickle->memo.items;
    uint64_t number;

    if (!take_number(pickle, &number, error))
        return false;
    if (number >= pickle->memo.count || memo[number] == 0)
        return vfi_corrupt(error, "memo number %" G_GUINT64_FORMAT " was never set",
                           number);
    return push(pickle, memo[number] - 1, error);
}

/* ---- opcodes: plain values ---- */

static bool run_none(VfiPickle *pickle, GError **error)
{
    return push_new(pickle, (VfiPickleValue){.kind = VFI_PICKLE_NONE}, error);
}

static bool run_bool(VfiPickle *pickle, GError **error)
{
    VfiPickleValue value = {.kind = VFI_PICKLE_BOOL, .integer = pickle->opcode == 0x88};

    return push_new(pickle, value, error);
}

static bool run_int(VfiPickle *pickle, GError **error)
{
    VfiPickleValue value = {.kind = VFI_PICKLE_INT};
    uint64_t number;

    if (!take_number(pickle, &number, error))
        return false;
    /* Only the four-byte BININT is signed. */
    value.integer = vfi_pickle_opcodes[pickle->opcode].width == 4
                        ? (int32_t)(uint32_t)number
                        : (int64_t)number;
    return push_new(pickle, value, error);
}

static bool run_long(VfiPickle *pickle, GError **error)
{
    VfiPickleValue value = {.kind = VFI_PICKLE_INT};
    uint64_t size;
    VfiSpan bytes;

    if (!take_number(pickle, &size, error) || !take(pickle, size, &bytes, error))
        return false;
    if (bytes.size > UINT32_MAX)
        return vfi_corrupt(error, "an integer of %zu bytes", bytes.size);
    if (bytes.size > 8) {
        value.kind = VFI_PICKLE_BIG_INT;
        value.bytes = bytes.data;
        value.length = (uint32_t)bytes.size;
    } else if (bytes.size > 0) {
        uint8_t extended[8];
        bool negative = (bytes.data[bytes.size - 1] & 0x80) != 0;
        memset(extended, negative ? 0xff : 0, sizeof extended);
        memcpy(extended, bytes.data, bytes.size);
        value.integer = (int64_t)vfi_read_le64(extended);
    }
    return push_new(pickle, value, error);
}

static bool run_float(VfiPickle *pickle, GError **error)
{
    VfiPickleValue value = {.kind = VFI_PICKLE_FLOAT};
    uint64_t bits;

    if (!take_number(pickle, &bits, error))
        return false;
    bits = GUINT64_SWAP_LE_BE(bits); /* the one big-endian field of a pickle */
    memcpy(&value.real, &bits, sizeof bits);
    return push_new(pickle, value, error);
}

static bool run_bytes(VfiPickle *pickle, GError **error)
{
    VfiPickleValue value = {.kind = vfi_pickle_opcodes[pickle->opcode].kind};
    uint64_t size;
    VfiSpan bytes;

    if (!take_number(pickle, &size, error) || !take(pickle, size, &bytes, error))
        return false;
    if (bytes.size > UINT32_MAX)
        return vfi_unsupported(error, "a string of %zu bytes", bytes.size);
    value.bytes = bytes.data;
    value.length = (uint32_t)bytes.size;
    return push_new(pickle, value, error);
}

/* ---- opcodes: containers ---- */

static bool run_empty(VfiPickle *pickle, GError **error)
{
    return push_new(
        pickle, (VfiPickleValue){.kind = vfi_pickle_opcodes[pickle->opcode].kind}, error);
}

/* TUPLE, LIST, DICT, FROZENSET: a new container of everything above the mark. */
static bool run_collect(VfiPickle *pickle, GError **error)
{
    VfiPickleValue value = {.kind = vfi_pickle_opcodes[pickle->opcode].kind};
    VfiPickleRef container;
    size_t first;

    return pop_mark(pickle, &first, error) &&
           (value.kind != VFI_PICKLE_DICT ||
            want_pairs(pickle->stack.count - first, error)) &&
           vfi_pickle_new(pickle, value, &container, error) &&
           move_items(pickle, first, container, error) && push(pickle, container, error);
}

/* TUPLE1 to TUPLE3. */
static bool run_short_tuple(VfiPickle *pickle, GError **error)
{
    VfiPickleValue value = {.kind = VFI_PICKLE_TUPLE};
    size_t count = vfi_pickle_opcodes[pickle->opcode].kind;
    VfiPickleRef tuple;

    if (pickle->stack.count - mark_height(pickle) < count)
        return vfi_corrupt(error, "it takes %zu values from a stack of %zu", count,
                           pickle->stack.count - mark_height(pickle));
    return vfi_pickle_new(pickle, value, &tuple, error) &&
           move_items(pickle, pickle->stack.count - count, tuple, error) &&
           push(pickle, tuple, error);
}

/* Moves the values from @first on into the container below them, which must be of the
 * kind that the opcode adds to. */
static bool add_to_container(VfiPickle *pickle, size_t first, GError **error)
{
    uint8_t kind = vfi_pickle_opcodes[pickle->opcode].kind;

    if (first <= mark_height(pickle))
        return vfi_corrupt(error, "it adds to a container, and there is none");
    VfiPickleRef container = ((VfiPickleRef *)pickle->stack.items)[first - 1];
    if (vfi_pickle_value(pickle, container)->kind != kind)
        return vfi_corrupt(error, "it adds to something that is not a %s",
                           kind == VFI_PICKLE_DICT   ? "dict"
                           : kind == VFI_PICKLE_LIST ? "list"
                                                     : "set");
    return (kind != VFI_PICKLE_DICT || want_pairs(pickle->stack.count - first, error)) &&
           move_items(pickle, first, container, error);
}

static bool run_add_one(VfiPickle *pickle, GError **error)
{
    size_t count = vfi_pickle_opcodes[pickle->opcode].kind == VFI_PICKLE_DICT ? 2 : 1;

    if (pickle->stack.count < count)
        return vfi_corrupt(error, "it takes a value from an empty stack");
    return add_to_container(pickle, pickle->stack.count - count, error);
}

static bool run_add_marked(VfiPickle *pickle, GError **error)
{
    size_t first;

    return pop_mark(pickle, &first, error) && add_to_container(pickle, first, error);
}

/* ---- opcodes: globals and what is made from them ---- */

static bool push_global(VfiPickle *pickle, VfiSpan module, VfiSpan name, GError **error)
{
    VfiPickleValue value = {.kind = VFI_PICKLE_GLOBAL};

    return pickle->hooks->find_global(module, name, &value, error) &&
           push_new(pickle, value, error);
}

static bool run_global(VfiPickle *pickle, GError **error)
{
    VfiSpan module, name;

    return take_line(pickle, &module, error) && take_line(pickle, &name, error) &&
           push_global(pickle, module, name, error);
}

static bool run_stack_global(VfiPickle *pickle, GError **error)
{
    VfiPickleRef module_ref, name_ref;

    if (!pop(pickle, &name_ref, error) || !pop(pickle, &module_ref, error))
        return false;
    const VfiPickleValue *module = vfi_pickle_value(pickle, module_ref);
    const VfiPickleValue *name = vfi_pickle_value(pickle, name_ref);
    if (module->kind != VFI_PICKLE_TEXT || name->kind != VFI_PICKLE_TEXT)
        return vfi_corrupt(error, "the name of a global is not text");
    return push_global(pickle, vfi_pickle_bytes(module), vfi_pickle_bytes(name), error);
}

/* REDUCE and NEWOBJ. */
static bool run_call(VfiPickle *pickle, GError **error)
{
    VfiPickleRef callable, arguments, result;

    return pop(pickle, &arguments, error) && pop(pickle, &callable, error) &&
           pickle->hooks->call(pickle, callable, arguments, &result, error) &&
           push(pickle, result, error);
}

/* Gives an object its attributes. Extra state of other values (the metadata of an ordered
 * dictionary) holds no data and is dropped. */
static bool run_build(VfiPickle *pickle, GError **error)
{
    VfiPickleRef state, target;

    if (!pop(pickle, &state, error) || !peek(pickle, &target, error))
        return false;
    VfiPickleValue *object = (VfiPickleValue *)pickle->values.items + target;
    if (object->kind == VFI_PICKLE_OBJECT) {
        object->target = state;
        return true;
    }
    return object->kind == VFI_PICKLE_DICT || object->kind == VFI_PICKLE_REDUCED ||
           object->kind == VFI_PICKLE_NONE ||
           vfi_corrupt(error, "it sets attributes of a plain value");
}

static bool run_persistent(VfiPickle *pickle, GError **error)
{
    VfiPickleValue value = {.kind = VFI_PICKLE_PERSISTENT};

    return pop(pickle, &value.target, error) &&
           pickle->hooks->check_persistent(pickle, value.target, error) &&
           push_new(pickle, value, error);
}

const VfiPickleOpcode vfi_pickle_opcodes[256] = {
    /* Name, function, width, kind. */
    [0x80] = {"PROTO", run_proto, 1, 0},
    [0x95] = {"FRAME", run_frame, 8, 0},
    ['.'] = {"STOP", run_stop, 0, 0},
    ['('] = {"MARK", run_mark, 0, 0},
    ['0'] = {"POP", run_pop, 0, 0},
    ['1'] = {"POP_MARK", run_pop_mark, 0, 0},
    ['2'] = {"DUP", run_dup, 0, 0},
    ['q'] = {"BINPUT", run_put, 1, 0},
    ['r'] = {"LONG_BINPUT", run_put, 4, 0},
    [0x94] = {"MEMOIZE", run_put, 0, 0},
    ['h'] = {"BINGET", run_get, 1, 0},
    ['j'] = {"LONG_BINGET", run_get, 4, 0},

    ['N'] = {"NONE", run_none, 0, 0},
    [0x88] = {"NEWTRUE", run_bool, 0, 0},
    [0x89] = {"NEWFALSE", run_bool, 0, 0},
    ['J'] = {"BININT", run_int, 4, 0},
    ['K'] = {"BININT1", run_int, 1, 0},
    ['M'] = {"BININT2", run_int, 2, 0},
    [0x8a] = {"LONG1", run_long, 1, 0},
    [0x8b] = {"LONG4", run_long, 4, 0},
    ['G'] = {"BINFLOAT", run_float, 8, 0},
    ['U'] = {"SHORT_BINSTRING", run_bytes, 1, VFI_PICKLE_TEXT},
    ['T'] = {"BINSTRING", run_bytes, 4, VFI_PICKLE_TEXT},
    [0x8c] = {"SHORT_BINUNICODE", run_bytes, 1, VFI_PICKLE_TEXT},
    ['X'] = {"BINUNICODE", run_bytes, 4, VFI_PICKLE_TEXT},
    [0x8d] = {"BINUNICODE8", run_bytes, 8, VFI_PICKLE_TEXT},
    ['C'] = {"SHORT_BINBYTES", run_bytes, 1, VFI_PICKLE_BYTES},
    ['B'] = {"BINBYTES", run_bytes, 4, VFI_PICKLE_BYTES},
    [0x8e] = {"BINBYTES8", run_bytes, 8, VFI_PICKLE_BYTES},
    [0x96] = {"BYTEARRAY8", run_bytes, 8, VFI_PICKLE_BYTES},

    [')'] = {"EMPTY_TUPLE", run_empty, 0, VFI_PICKLE_TUPLE},
    [']'] = {"EMPTY_LIST", run_empty, 0, VFI_PICKLE_LIST},
    ['}'] = {"EMPTY_DICT", run_empty, 0, VFI_PICKLE_DICT},
    [0x8f] = {"EMPTY_SET", run_empty, 0, VFI_PICKLE_SET},
    ['t'] = {"TUPLE", run_collect, 0, VFI_PICKLE_TUPLE},
    ['l'] = {"LIST", run_collect, 0, VFI_PICKLE_LIST},
    ['d'] = {"DICT", run_collect, 0, VFI_PICKLE_DICT},
    [0x91] = {"FROZENSET", run_collect, 0, VFI_PICKLE_SET},
    [0x85] = {"TUPLE1", run_short_tuple, 0, 1},
    [0x86] = {"TUPLE2", run_short_tuple, 0, 2},
    [0x87] = {"TUPLE3", run_short_tuple, 0, 3},
    ['a'] = {"APPEND", run_add_one, 0, VFI_PICKLE_LIST},
    ['e'] = {"APPENDS", run_add_marked, 0, VFI_PICKLE_LIST},
    ['s'] = {"SETITEM", run_add_one, 0, VFI_PICKLE_DICT},
    ['u'] = {"SETITEMS", run_add_marked, 0, VFI_PICKLE_DICT},
    [0x90] = {"ADDITEMS", run_add_marked, 0, VFI_PICKLE_SET},

    ['c'] = {"GLOBAL", run_global, 0, 0},
    [0x93] = {"STACK_GLOBAL", run_stack_global, 0, 0},
    ['R'] = {"REDUCE", run_call, 0, 0},
    [0x81] = {"NEWOBJ", run_call, 0, 0},
    ['b'] = {"BUILD", run_build, 0, 0},
    ['Q'] = {"BINPERSID", run_persistent, 0, 0},

    ['P'] = {"PERSID", NULL, 0, 0},
    ['i'] = {"INST", NULL, 0, 0},
    ['o'] = {"OBJ", NULL, 0, 0},
    [0x82] = {"EXT1", NULL, 0, 0},
    [0x83] = {"EXT2", NULL, 0, 0},
    [0x84] = {"EXT4", NULL, 0, 0},
    [0x92] = {"NEWOBJ_EX", NULL, 0, 0},
    [0x97] = {"NEXT_BUFFER", NULL, 0, 0},
    [0x98] = {"READONLY_BUFFER", NULL, 0, 0},
    ['F'] = {"FLOAT", NULL, 0, 0},
    ['I'] = {"INT", NULL, 0, 0},
    ['L'] = {"LONG", NULL, 0, 0},
    ['S'] = {"STRING", NULL, 0, 0},
    ['V'] = {"UNICODE", NULL, 0, 0},
    ['p'] = {"PUT", NULL, 0, 0},
    ['g'] = {"GET", NULL, 0, 0},
};
