/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Torch's vocabulary: the table of globals that a checkpoint may name, what calling each
 * of them means as data, and persistent ids of storages. */
#include "checkpoint/torch.h"

/* The role of a global for a reader of data. */
typedef enum {
    ROLE_STORAGE,   /* a storage class: an element type */
    ROLE_DTYPE,     /* torch.float32 …: an element type */
    ROLE_TENSOR,    /* calling it makes a tensor (storage, offset, size, stride, …) */
    ROLE_FIRST,     /* calling it gives its first argument: Parameter, Size, typed list */
    ROLE_FROM_TYPE, /* calling it calls its first argument with its third */
    ROLE_DICT,      /* calling it makes a dictionary */
    ROLE_SUBCLASS,  /* calling it makes an empty container, of kind .container */
    ROLE_OBJECT,    /* calling it makes an object with attributes: TorchScript classes */
    ROLE_IGNORED,   /* calling it gives something that holds no tensors */
    ROLE_ARRAY,     /* calling it gives an array that is no tensor of torch's */
    ROLE_UNSUPPORTED, /* known, but not read; note says what it is */
} Role;

typedef struct {
    const char *module;
    const char *name;
    Role role;
    VfiDType dtype;          /* STORAGE, DTYPE */
    VfiPickleKind container; /* SUBCLASS */
    const char *note;        /* UNSUPPORTED */
} Global;

#define CALLABLE(module_, name_, role_)                                                  \
    {                                                                                    \
        .module = module_, .name = name_, .role = role_                                  \
    }
#define ELEMENT(module_, name_, role_, dtype_)                                           \
    {                                                                                    \
        .module = module_, .name = name_, .role = role_, .dtype = dtype_                 \
    }
#define SUBCLASS(module_, name_, container_)                                             \
    {                                                                                    \
        .module = module_, .name = name_, .role = ROLE_SUBCLASS, .container = container_ \
    }
/* Of Python 2's name, too. */
#define BUILTIN(name_)                                                                   \
    CALLABLE("builtins", name_, ROLE_IGNORED),                                           \
        CALLABLE("__builtin__", name_, ROLE_IGNORED)
/* Of the name until NumPy 1, too. */
#define NUMPY(name_, role_)                                                              \
    CALLABLE("numpy._core.multiarray", name_, role_),                                    \
        CALLABLE("numpy.core.multiarray", name_, role_)
#define UNSUPPORTED(module_, name_, note_)                                               \
    {                                                                                    \
        .module = module_, .name = name_, .role = ROLE_UNSUPPORTED, .note = note_        \
    }

static const Global globals[] = {
    CALLABLE("collections", "OrderedDict", ROLE_DICT),

    CALLABLE("torch._utils", "_rebuild_tensor", ROLE_TENSOR),
    CALLABLE("torch._utils", "_rebuild_tensor_v2", ROLE_TENSOR),
    CALLABLE("torch._utils", "_rebuild_tensor_v3", ROLE_TENSOR),
    CALLABLE("torch._tensor", "_rebuild_from_type_v2", ROLE_FROM_TYPE),
    CALLABLE("torch._utils", "_rebuild_parameter", ROLE_FIRST),
    CALLABLE("torch._utils", "_rebuild_parameter_with_state", ROLE_FIRST),
    CALLABLE("torch.nn.parameter", "Parameter", ROLE_FIRST),
    CALLABLE("torch.nn.parameter", "Buffer", ROLE_FIRST),
    CALLABLE("torch", "Tensor", ROLE_FIRST),
    CALLABLE("torch", "Size", ROLE_FIRST),

    CALLABLE("torch.jit._pickle", "build_intlist", ROLE_FIRST),
    CALLABLE("torch.jit._pickle", "build_boollist", ROLE_FIRST),
    CALLABLE("torch.jit._pickle", "build_doublelist", ROLE_FIRST),
    CALLABLE("torch.jit._pickle", "build_tensorlist", ROLE_FIRST),
    CALLABLE("torch.jit._pickle", "restore_type_tag", ROLE_FIRST),

    CALLABLE("torch", "device", ROLE_IGNORED),
    CALLABLE("torch.serialization", "_get_layout", ROLE_IGNORED),
    CALLABLE("_codecs", "encode", ROLE_IGNORED),
    BUILTIN("set"),
    BUILTIN("bytearray"),
    BUILTIN("complex"),

    /* What trainers leave beside weights: settings, paths, times, best results, states of
     * random number generators. */
    CALLABLE("argparse", "Namespace", ROLE_IGNORED),
    CALLABLE("types", "SimpleNamespace", ROLE_IGNORED),
    CALLABLE("omegaconf.base", "ContainerMetadata", ROLE_IGNORED),
    CALLABLE("omegaconf.base", "Metadata", ROLE_IGNORED),
    CALLABLE("omegaconf.dictconfig", "DictConfig", ROLE_IGNORED),
    CALLABLE("omegaconf.listconfig", "ListConfig", ROLE_IGNORED),
    CALLABLE("omegaconf.nodes", "AnyNode", ROLE_IGNORED),
    CALLABLE("typing", "Any", ROLE_IGNORED),
    CALLABLE("pathlib", "PosixPath", ROLE_IGNORED),
    CALLABLE("pathlib", "PurePosixPath", ROLE_IGNORED),
    CALLABLE("pathlib", "PureWindowsPath", ROLE_IGNORED),
    CALLABLE("pathlib", "WindowsPath", ROLE_IGNORED),
    CALLABLE("datetime", "date", ROLE_IGNORED),
    CALLABLE("datetime", "datetime", ROLE_IGNORED),
    CALLABLE("datetime", "timedelta", ROLE_IGNORED),
    CALLABLE("datetime", "timezone", ROLE_IGNORED),
    SUBCLASS("collections", "Counter", VFI_PICKLE_DICT),
    SUBCLASS("collections", "defaultdict", VFI_PICKLE_DICT),
    SUBCLASS("collections", "deque", VFI_PICKLE_LIST),
    SUBCLASS("lightning_fabric.utilities.data", "AttributeDict", VFI_PICKLE_DICT),
    SUBCLASS("pytorch_lightning.utilities.parsing", "AttributeDict", VFI_PICKLE_DICT),
    BUILTIN("bool"),
    BUILTIN("dict"),
    BUILTIN("float"),
    BUILTIN("frozenset"),
    BUILTIN("int"),
    BUILTIN("list"),
    BUILTIN("long"),
    BUILTIN("range"),
    BUILTIN("slice"),
    BUILTIN("str"),
    BUILTIN("tuple"),
    BUILTIN("xrange"),
    NUMPY("scalar", ROLE_IGNORED),
    NUMPY("_reconstruct", ROLE_ARRAY),
    CALLABLE("numpy", "dtype", ROLE_IGNORED),
    CALLABLE("numpy", "ndarray", ROLE_IGNORED),

    ELEMENT("torch", "FloatStorage", ROLE_STORAGE, VFI_DTYPE_F32),
    ELEMENT("torch", "HalfStorage", ROLE_STORAGE, VFI_DTYPE_F16),
    ELEMENT("torch", "BFloat16Storage", ROLE_STORAGE, VFI_DTYPE_BF16),
    ELEMENT("torch", "DoubleStorage", ROLE_STORAGE, VFI_DTYPE_F64),
    ELEMENT("torch", "CharStorage", ROLE_STORAGE, VFI_DTYPE_I8),
    ELEMENT("torch", "ByteStorage", ROLE_STORAGE, VFI_DTYPE_U8),
    ELEMENT("torch", "ShortStorage", ROLE_STORAGE, VFI_DTYPE_I16),
    ELEMENT("torch", "IntStorage", ROLE_STORAGE, VFI_DTYPE_I32),
    ELEMENT("torch", "LongStorage", ROLE_STORAGE, VFI_DTYPE_I64),
    ELEMENT("torch", "BoolStorage", ROLE_STORAGE, VFI_DTYPE_BOOL),
    ELEMENT("torch.storage", "UntypedStorage", ROLE_STORAGE, VFI_DTYPE_U8),
    ELEMENT("torch", "UntypedStorage", ROLE_STORAGE, VFI_DTYPE_U8),

    ELEMENT("torch", "float32", ROLE_DTYPE, VFI_DTYPE_F32),
    ELEMENT("torch", "float16", ROLE_DTYPE, VFI_DTYPE_F16),
    ELEMENT("torch", "bfloat16", ROLE_DTYPE, VFI_DTYPE_BF16),
    ELEMENT("torch", "float64", ROLE_DTYPE, VFI_DTYPE_F64),
    ELEMENT("torch", "int8", ROLE_DTYPE, VFI_DTYPE_I8),
    ELEMENT("torch", "uint8", ROLE_DTYPE, VFI_DTYPE_U8),
    ELEMENT("torch", "int16", ROLE_DTYPE, VFI_DTYPE_I16),
    ELEMENT("torch", "int32", ROLE_DTYPE, VFI_DTYPE_I32),
    ELEMENT("torch", "int64", ROLE_DTYPE, VFI_DTYPE_I64),
    ELEMENT("torch", "bool", ROLE_DTYPE, VFI_DTYPE_BOOL),

    UNSUPPORTED("torch._utils", "_rebuild_qtensor", "a quantised tensor"),
    UNSUPPORTED("torch._utils", "_rebuild_sparse_tensor", "a sparse tensor"),
    UNSUPPORTED("torch._utils", "_rebuild_sparse_csr_tensor", "a sparse tensor"),
    UNSUPPORTED("torch._utils", "_rebuild_nested_tensor", "a nested tensor"),
    UNSUPPORTED("torch._utils", "_rebuild_meta_tensor_no_storage",
                "a tensor without data"),
    UNSUPPORTED("torch._utils", "_rebuild_wrapper_subclass", "a tensor subclass"),
    UNSUPPORTED("torch._utils", "_rebuild_device_tensor_from_numpy", "a device's tensor"),
    UNSUPPORTED("torch.jit._pickle", "build_tensor_from_id", "a tensor kept elsewhere"),
    UNSUPPORTED("torch.storage", "TypedStorage", "a storage without a type"),
    UNSUPPORTED("torch", "QInt8Storage", "a quantised storage"),
    UNSUPPORTED("torch", "QUInt8Storage", "a quantised storage"),
    UNSUPPORTED("torch", "QInt32Storage", "a quantised storage"),
    UNSUPPORTED("torch", "QUInt4x2Storage", "a quantised storage"),
    UNSUPPORTED("torch", "QUInt2x4Storage", "a quantised storage"),
    UNSUPPORTED("torch", "ComplexFloatStorage", "a complex storage"),
    UNSUPPORTED("torch", "ComplexDoubleStorage", "a complex storage"),
    UNSUPPORTED("torch", "uint16", "an element type"),
    UNSUPPORTED("torch", "uint32", "an element type"),
    UNSUPPORTED("torch", "uint64", "an element type"),
    UNSUPPORTED("torch", "complex64", "a complex element type"),
    UNSUPPORTED("torch", "complex128", "a complex element type"),
    UNSUPPORTED("torch", "float8_e4m3fn", "an 8-bit element type"),
    UNSUPPORTED("torch", "float8_e5m2", "an 8-bit element type"),
};

/* All classes of a TorchScript archive: objects with attributes. */
static const Global script_class = CALLABLE("__torch__", "a class", ROLE_OBJECT);

static bool is_script_module(VfiSpan module)
{
    static const char prefix[] = "__torch__";
    size_t length = strlen(prefix);

    return module.size >= length && memcmp(module.data, prefix, length) == 0 &&
           (module.size == length || module.data[length] == '.');
}

static bool find_global(VfiSpan module, VfiSpan name, VfiPickleValue *value,
                        GError **error)
{
    if (is_script_module(module)) {
        value->global = &script_class;
        return true;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(globals); i++) {
        const Global *global = &globals[i];
        if (!vfi_span_equals(name, global->name) ||
            !vfi_span_equals(module, global->module))
            continue;
        if (global->role == ROLE_UNSUPPORTED)
            return vfi_unsupported(error, "\"%s %s\" (%s) is not supported",
                                   global->module, global->name, global->note);
        value->global = global;
        return true;
    }
    return vfi_unsupported(
        error,
        "it names \"%s %s\", which is code and not tensor data, and is "
        "refused; save the model's state_dict() alone, or as safetensors",
        vfi_quote(module).text, vfi_quote(name).text);
}

/* The entry of a GLOBAL, else NULL. */
static const Global *get_global(const VfiPickle *pickle, VfiPickleRef ref)
{
    if (ref == VFI_PICKLE_NO_REF)
        return NULL;
    const VfiPickleValue *value = vfi_pickle_value(pickle, ref);
    return value->kind == VFI_PICKLE_GLOBAL ? value->global : NULL;
}

/* Element @index of a tuple if it is of that kind, else NULL. */
static const VfiPickleValue *get_item(const VfiPickle *pickle, VfiPickleRef tuple,
                                      size_t index, VfiPickleKind kind)
{
    VfiPickleRef ref = vfi_pickle_item(pickle, tuple, index);

    if (ref == VFI_PICKLE_NO_REF)
        return NULL;
    const VfiPickleValue *value = vfi_pickle_value(pickle, ref);
    return value->kind == kind ? value : NULL;
}

/* OrderedDict(), or OrderedDict([[key, value], …]) as Python 2 writes it. */
static bool make_dict(VfiPickle *pickle, VfiPickleRef arguments, VfiPickleRef *result,
                      GError **error)
{
    VfiPickleRef pairs = vfi_pickle_item(pickle, arguments, 0);

    if (!vfi_pickle_new(pickle, (VfiPickleValue){.kind = VFI_PICKLE_DICT}, result, error))
        return false;
    if (pairs == VFI_PICKLE_NO_REF)
        return true;
    if (!vfi_pickle_is_container(vfi_pickle_value(pickle, pairs)))
        return vfi_corrupt(error, "a dictionary is made from something else than pairs");
    VfiPickleRef cell = vfi_pickle_value(pickle, pairs)->cells.first;
    for (size_t i = vfi_pickle_value(pickle, pairs)->length; i > 0; i--) {
        VfiPickleRef pair = vfi_pickle_cell(pickle, cell)->value;
        VfiPickleRef key = vfi_pickle_item(pickle, pair, 0);
        VfiPickleRef item = vfi_pickle_item(pickle, pair, 1);
        if (key == VFI_PICKLE_NO_REF || item == VFI_PICKLE_NO_REF)
            return vfi_corrupt(error,
                               "a dictionary is made from something else than pairs");
        if (!vfi_pickle_append(pickle, *result, key, error) ||
            !vfi_pickle_append(pickle, *result, item, error))
            return false;
        cell = vfi_pickle_cell(pickle, cell)->next;
    }
    return true;
}

static bool make_tensor(VfiPickle *pickle, VfiPickleRef arguments, VfiPickleRef *result,
                        GError **error)
{
    VfiPickleValue value = {.kind = VFI_PICKLE_REDUCED, .target = arguments};

    if (get_item(pickle, arguments, 0, VFI_PICKLE_PERSISTENT) == NULL)
        return vfi_corrupt(error, "a tensor is made without a storage");
    return vfi_pickle_new(pickle, value, result, error);
}

static bool call(VfiPickle *pickle, VfiPickleRef callable, VfiPickleRef arguments,
                 VfiPickleRef *result, GError **error)
{
    const Global *global = get_global(pickle, callable);

    if (global != NULL && global->role == ROLE_FROM_TYPE) {
        callable = vfi_pickle_item(pickle, arguments, 0);
        arguments = vfi_pickle_item(pickle, arguments, 2);
        global = get_global(pickle, callable);
    }
    if (global == NULL || arguments == VFI_PICKLE_NO_REF ||
        vfi_pickle_value(pickle, arguments)->kind != VFI_PICKLE_TUPLE)
        return vfi_corrupt(error, "it calls something that is not a known function, or "
                                  "without a tuple of arguments");
    switch (global->role) {
    case ROLE_DICT:
        return make_dict(pickle, arguments, result, error);
    case ROLE_TENSOR:
        return make_tensor(pickle, arguments, result, error);
    case ROLE_FIRST:
        *result = vfi_pickle_item(pickle, arguments, 0);
        return *result != VFI_PICKLE_NO_REF ||
               vfi_corrupt(error, "\"%s %s\" without an argument", global->module,
                           global->name);
    case ROLE_OBJECT:
        return vfi_pickle_new(
            pickle,
            (VfiPickleValue){.kind = VFI_PICKLE_OBJECT, .target = VFI_PICKLE_NO_REF},
            result, error);
    case ROLE_SUBCLASS:
        return vfi_pickle_new(
            pickle, (VfiPickleValue){.kind = (uint8_t)global->container}, result, error);
    case ROLE_IGNORED:
    case ROLE_ARRAY:
        return vfi_pickle_new(
            pickle,
            (VfiPickleValue){.kind = VFI_PICKLE_NONE, .tag = global->role == ROLE_ARRAY},
            result, error);
    default:
        return vfi_corrupt(error, "\"%s %s\" is not a function", global->module,
                           global->name);
    }
}

/* A non-negative integer at @index of @tuple. */
static bool get_count(const VfiPickle *pickle, VfiPickleRef tuple, size_t index,
                      uint64_t *count)
{
    const VfiPickleValue *value = get_item(pickle, tuple, index, VFI_PICKLE_INT);

    if (value == NULL || value->integer < 0)
        return false;
    *count = (uint64_t)value->integer;
    return true;
}

/* Writers number storages. */
#define MAX_KEY 256

/* ("storage", class, key, location, n_elements[, (view key, offset, n_elements)]) */
static bool decode_persistent(const VfiPickle *pickle, VfiPickleRef id,
                              VfiTorchStorage *storage, GError **error)
{
    const VfiPickleValue *type = get_item(pickle, id, 0, VFI_PICKLE_TEXT);
    const Global *class = get_global(pickle, vfi_pickle_item(pickle, id, 1));
    const VfiPickleValue *key = get_item(pickle, id, 2, VFI_PICKLE_TEXT);
    VfiPickleRef view = vfi_pickle_item(pickle, id, 5);

    *storage = (VfiTorchStorage){.is_view = false};
    if (type != NULL && vfi_span_equals(vfi_pickle_bytes(type), "module"))
        return vfi_unsupported(error,
                               "the file holds a whole module with its source code; "
                               "save the model's state_dict() alone");
    if (type == NULL || !vfi_span_equals(vfi_pickle_bytes(type), "storage") ||
        class == NULL || class->role != ROLE_STORAGE || key == NULL ||
        !get_count(pickle, id, 4, &storage->n_elements))
        return vfi_corrupt(error, "a persistent id is not (\"storage\", class, key, "
                                  "location, number of elements)");
    storage->key = vfi_pickle_bytes(key);
    if (storage->key.size > MAX_KEY)
        return vfi_corrupt(error, "the name of storage \"%s\" has %zu bytes",
                           vfi_quote(storage->key).text, storage->key.size);
    storage->dtype = class->dtype;
    if (view == VFI_PICKLE_NO_REF ||
        vfi_pickle_value(pickle, view)->kind == VFI_PICKLE_NONE)
        return true;
    storage->is_view = true;
    if (!get_count(pickle, view, 1, &storage->view_offset) ||
        !get_count(pickle, view, 2, &storage->view_elements) ||
        storage->view_offset > storage->n_elements ||
        storage->view_elements > storage->n_elements - storage->view_offset)
        return vfi_corrupt(error, "the view of storage \"%s\" is not inside it",
                           vfi_quote(storage->key).text);
    return true;
}

static bool check_persistent(const VfiPickle *pickle, VfiPickleRef id, GError **error)
{
    VfiTorchStorage storage;

    return decode_persistent(pickle, id, &storage, error);
}

bool vfi_torch_get_storage(const VfiPickle *pickle, VfiPickleRef ref,
                           VfiTorchStorage *storage, GError **error)
{
    return decode_persistent(pickle, vfi_pickle_value(pickle, ref)->target, storage,
                             error);
}

bool vfi_torch_get_dtype(const VfiPickle *pickle, VfiPickleRef ref, VfiDType *dtype)
{
    const Global *global = get_global(pickle, ref);

    if (global == NULL || global->role != ROLE_DTYPE)
        return false;
    *dtype = global->dtype;
    return true;
}

bool vfi_torch_is_array(const VfiPickleValue *value)
{
    return value->kind == VFI_PICKLE_NONE && value->tag != 0;
}

bool vfi_torch_load(VfiPickle *pickle, VfiSpan input, GError **error)
{
    static const VfiPickleHooks hooks = {
        .find_global = find_global,
        .call = call,
        .check_persistent = check_persistent,
    };

    return vfi_pickle_load(pickle, input, &hooks, error);
}
