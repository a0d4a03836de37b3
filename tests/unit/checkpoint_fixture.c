/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The standard tensors and the containers around them. Expected values are written down
 * by hand, from the formats' definitions. */
#include "checkpoint_fixture.h"

#include <check.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vfi/error.h>

static const float f32_values[24] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,
                                     12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23};
static const uint16_t f16_values[] = {0x3c00, 0xc000, 0x7bff, 0x0001,
                                      0x03ff, 0x0400, 0x7c00, 0x8000};
static const float f16_expected[] = {1,        -2,       65504, 0x1p-24f, 0x1.ff8p-15f,
                                     0x1p-14f, INFINITY, -0.0f};
static const uint16_t bf16_values[] = {0x3f80, 0xc000, 0x0001, 0xff80};
static const float bf16_expected[] = {1, -2, 0x1p-133f, -INFINITY};
static const double f64_values[] = {1.5, -0.1, 1e300, 0x1.000001p0};
static const float f64_expected[] = {1.5f, -0.1f, INFINITY, 1.0f};
static const int64_t i64_values[] = {-5, INT64_C(1) << 40, 16777217, INT64_MIN};
static const float i64_expected[] = {-5, 0x1p40f, 16777216, -0x1p63f};
static const int32_t i32_values[] = {-70000, INT32_MAX};
static const float i32_expected[] = {-70000, 0x1p31f};
static const int16_t i16_values[] = {-32768, 7};
static const float i16_expected[] = {-32768, 7};
static const int8_t i8_values[] = {-128, 127, 3};
static const float i8_expected[] = {-128, 127, 3};
static const uint8_t u8_values[] = {255, 0, 9};
static const float u8_expected[] = {255, 0, 9};
static const uint8_t bool_values[] = {1, 0, 1};
static const float bool_expected[] = {1, 0, 1};
static const float scalar_value[] = {3.25f};

#define STORAGE(dtype_, values)                                                          \
    {                                                                                    \
        dtype_, values, G_N_ELEMENTS(values)                                             \
    }
static const FixtureStorage standard_storages[] = {
    STORAGE(VFI_DTYPE_F32, f32_values),   STORAGE(VFI_DTYPE_F16, f16_values),
    STORAGE(VFI_DTYPE_BF16, bf16_values), STORAGE(VFI_DTYPE_F64, f64_values),
    STORAGE(VFI_DTYPE_I64, i64_values),   STORAGE(VFI_DTYPE_I32, i32_values),
    STORAGE(VFI_DTYPE_I16, i16_values),   STORAGE(VFI_DTYPE_I8, i8_values),
    STORAGE(VFI_DTYPE_U8, u8_values),     STORAGE(VFI_DTYPE_BOOL, bool_values),
    STORAGE(VFI_DTYPE_F32, scalar_value), {VFI_DTYPE_F32, f32_values, 0},
};

/* f32_values[i] is i, so the expected values of views of it are their indices. */
static const float transposed_expected[] = {0, 12, 4, 16, 8,  20, 1, 13, 5, 17, 9,  21,
                                            2, 14, 6, 18, 10, 22, 3, 15, 7, 19, 11, 23};
static const float slice_expected[] = {5, 7, 9, 17, 19, 21};
static const float broadcast_expected[] = {22, 22, 22, 23, 23, 23};

static const FixtureTensor standard_tensors[] = {
    {"block0.conv.weight", 0, 0, 3, {2, 3, 4}, {12, 4, 1}, f32_values},
    {"block0.conv.transposed", 0, 0, 3, {4, 3, 2}, {1, 4, 12}, transposed_expected},
    {"block0.conv.slice", 0, 5, 2, {2, 3}, {12, 2}, slice_expected},
    {"block0.conv.broadcast", 0, 22, 2, {2, 3}, {1, 0}, broadcast_expected},
    {"f16", 1, 0, 1, {8}, {1}, f16_expected},
    {"bf16", 2, 0, 2, {2, 2}, {2, 1}, bf16_expected},
    {"f64", 3, 0, 1, {4}, {1}, f64_expected},
    {"i64", 4, 0, 1, {4}, {1}, i64_expected},
    {"i32", 5, 0, 1, {2}, {1}, i32_expected},
    {"i16", 6, 0, 1, {2}, {1}, i16_expected},
    {"i8", 7, 0, 1, {3}, {1}, i8_expected},
    {"u8", 8, 0, 1, {3}, {1}, u8_expected},
    {"bool", 9, 0, 1, {3}, {1}, bool_expected},
    {"scalar", 10, 0, 0, {0}, {0}, scalar_value},
    {"empty", 11, 0, 2, {0, 3}, {3, 1}, f32_values},
};

const FixtureFile fixture_standard = {
    .storages = standard_storages,
    .n_storages = G_N_ELEMENTS(standard_storages),
    .tensors = standard_tensors,
    .n_tensors = G_N_ELEMENTS(standard_tensors),
};

static size_t element_size(VfiDType dtype)
{
    static const uint8_t sizes[] = {4, 2, 2, 8, 1, 1, 2, 4, 8, 1};

    return sizes[dtype];
}

static const char *storage_class(VfiDType dtype)
{
    static const char *const names[] = {"FloatStorage",  "HalfStorage", "BFloat16Storage",
                                        "DoubleStorage", "CharStorage", "ByteStorage",
                                        "ShortStorage",  "IntStorage",  "LongStorage",
                                        "BoolStorage"};

    return names[dtype];
}

/* ---- pickles ---- */

GByteArray *pickle_new(void)
{
    GByteArray *pickle = g_byte_array_new();

    pickle_raw(pickle, "\x80\x02", 2);
    return pickle;
}

void pickle_op(GByteArray *pickle, int opcode)
{
    uint8_t byte = (uint8_t)opcode;

    g_byte_array_append(pickle, &byte, 1);
}

void pickle_raw(GByteArray *pickle, const void *bytes, size_t size)
{
    g_byte_array_append(pickle, bytes, (guint)size);
}

void pickle_text(GByteArray *pickle, const char *text)
{
    uint32_t size = (uint32_t)strlen(text);

    pickle_op(pickle, 'X');
    pickle_raw(pickle, &size, 4);
    pickle_raw(pickle, text, size);
}

void pickle_int(GByteArray *pickle, int64_t value)
{
    if (value >= INT32_MIN && value <= INT32_MAX) {
        int32_t narrow = (int32_t)value;
        pickle_op(pickle, 'J');
        pickle_raw(pickle, &narrow, 4);
    } else {
        pickle_raw(pickle, "\x8a\x08", 2);
        pickle_raw(pickle, &value, 8);
    }
}

void pickle_global(GByteArray *pickle, const char *module, const char *name)
{
    g_autofree char *line = g_strdup_printf("c%s\n%s\n", module, name);

    pickle_raw(pickle, line, strlen(line));
}

static void pickle_dims(GByteArray *pickle, const int64_t *dims, int n_dims)
{
    pickle_op(pickle, '(');
    for (int dim = 0; dim < n_dims; dim++)
        pickle_int(pickle, dims[dim]);
    pickle_op(pickle, 't');
}

/* torch._utils._rebuild_tensor_v2(storage, offset, size, stride, False, OrderedDict()) */
void pickle_tensor(GByteArray *pickle, const FixtureFile *file, int tensor)
{
    const FixtureTensor *t = &file->tensors[tensor];
    const FixtureStorage *storage = &file->storages[t->storage];
    g_autofree char *key = g_strdup_printf("%d", t->storage);

    pickle_global(pickle, "torch._utils", "_rebuild_tensor_v2");
    pickle_raw(pickle, "((", 2);
    pickle_text(pickle, "storage");
    pickle_global(pickle, "torch", storage_class(storage->dtype));
    pickle_text(pickle, key);
    pickle_text(pickle, "cpu");
    pickle_int(pickle, (int64_t)storage->n_elements);
    pickle_raw(pickle, "tQ", 2);
    pickle_int(pickle, t->offset);
    pickle_dims(pickle, t->shape, t->n_dims);
    pickle_dims(pickle, t->stride, t->n_dims);
    pickle_op(pickle, 0x89);
    pickle_global(pickle, "collections", "OrderedDict");
    pickle_raw(pickle, ")RtR", 4);
}

void pickle_state_dict(GByteArray *pickle, const FixtureFile *file, const char *prefix)
{
    pickle_global(pickle, "collections", "OrderedDict");
    pickle_raw(pickle, ")R(", 3);
    for (int i = 0; i < file->n_tensors; i++) {
        g_autofree char *name = g_strconcat(prefix, file->tensors[i].name, NULL);
        pickle_text(pickle, name);
        pickle_tensor(pickle, file, i);
    }
    pickle_op(pickle, 'u');
}

/* ---- containers ---- */

static void add_storages(ZipWriter *zip, const FixtureFile *file, bool deflate)
{
    for (int i = 0; i < file->n_storages; i++) {
        const FixtureStorage *storage = &file->storages[i];
        g_autofree char *name = g_strdup_printf("archive/data/%d", i);
        zip_writer_add(zip, name, storage->bytes,
                       storage->n_elements * element_size(storage->dtype), deflate);
    }
}

GByteArray *fixture_torch_zip(const FixtureFile *file, bool deflate)
{
    g_autoptr(GByteArray) pickle = pickle_new();
    ZipWriter zip = zip_writer_new();

    pickle_state_dict(pickle, file, "");
    pickle_op(pickle, '.');
    zip_writer_add(&zip, "archive/data.pkl", pickle->data, pickle->len, deflate);
    add_storages(&zip, file, deflate);
    zip_writer_add(&zip, "archive/version", "3\n", 2, deflate);
    return zip_writer_finish(&zip);
}

GByteArray *fixture_zip_around(const FixtureFile *file, const GByteArray *pickle)
{
    ZipWriter zip = zip_writer_new();

    zip_writer_add(&zip, "archive/data.pkl", pickle->data, pickle->len, false);
    add_storages(&zip, file, false);
    return zip_writer_finish(&zip);
}

/* Modules as objects: "a.b" is attribute b of the object that is attribute a of the
 * root. */
GByteArray *fixture_torchscript(const FixtureFile *file)
{
    static const char empty_tuple[] = "\x80\x02)."; /* constants.pkl */
    g_autoptr(GByteArray) pickle = pickle_new();
    ZipWriter zip = zip_writer_new();

    pickle_global(pickle, "__torch__.net", "Net");
    pickle_raw(pickle, ")\x81}(", 4);
    pickle_text(pickle, "training");
    pickle_op(pickle, 0x89);
    for (int i = 0; i < file->n_tensors; i++) {
        g_auto(GStrv) parts = g_strsplit(file->tensors[i].name, ".", -1);
        guint levels = g_strv_length(parts);
        for (guint level = 0; level + 1 < levels; level++) {
            pickle_text(pickle, parts[level]);
            pickle_global(pickle, "__torch__.torch.nn.modules.conv", "Conv2d");
            pickle_raw(pickle, ")\x81}(", 4);
        }
        pickle_text(pickle, parts[levels - 1]);
        pickle_tensor(pickle, file, i);
        for (guint level = 0; level + 1 < levels; level++)
            pickle_raw(pickle, "ub", 2);
    }
    pickle_raw(pickle, "ub.", 3);
    zip_writer_add(&zip, "archive/data.pkl", pickle->data, pickle->len, false);
    add_storages(&zip, file, false);
    zip_writer_add(&zip, "archive/constants.pkl", empty_tuple, 4, false);
    zip_writer_add(&zip, "archive/byteorder", "little", 6, false);
    return zip_writer_finish(&zip);
}

/* Whether the text @key occurs in @pickle: torch writes the storages that tensors use. */
static bool mentions(const GByteArray *pickle, const char *key)
{
    g_autoptr(GByteArray) text = g_byte_array_new();

    pickle_text(text, key);
    return memmem(pickle->data, pickle->len, text->data, text->len) != NULL;
}

GByteArray *fixture_legacy_around(const FixtureFile *file, const GByteArray *pickle)
{
    static const char magic[] =
        "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.";
    static const char protocol[] = "\x80\x02M\xe9\x03.";
    GByteArray *stream = g_byte_array_new();

    pickle_raw(stream, magic, sizeof magic - 1);
    pickle_raw(stream, protocol, sizeof protocol - 1);
    pickle_raw(stream, "\x80\x02}", 3);
    pickle_text(stream, "little_endian");
    pickle_raw(stream, "\x88s.", 3);
    pickle_raw(stream, pickle->data, pickle->len);
    pickle_raw(stream, "\x80\x02](", 4);
    for (int i = 0; i < file->n_storages; i++) {
        g_autofree char *key = g_strdup_printf("%d", i);
        if (mentions(pickle, key))
            pickle_text(stream, key);
    }
    pickle_raw(stream, "e.", 2);
    for (int i = 0; i < file->n_storages; i++) {
        const FixtureStorage *storage = &file->storages[i];
        g_autofree char *key = g_strdup_printf("%d", i);
        uint64_t count = storage->n_elements;
        if (!mentions(pickle, key))
            continue;
        pickle_raw(stream, &count, 8);
        pickle_raw(stream, storage->bytes, count * element_size(storage->dtype));
    }
    return stream;
}

GByteArray *fixture_torch_legacy(const FixtureFile *file)
{
    g_autoptr(GByteArray) pickle = pickle_new();

    pickle_state_dict(pickle, file, "");
    pickle_op(pickle, '.');
    return fixture_legacy_around(file, pickle);
}

bool fixture_holds(VfiContainer kind, const FixtureFile *file, int tensor)
{
    const FixtureTensor *t = &file->tensors[tensor];
    int64_t expected = 1;

    if (kind != VFI_CONTAINER_SAFETENSORS)
        return true;
    for (int dim = t->n_dims - 1; dim >= 0; dim--) {
        if (t->stride[dim] != expected)
            return false;
        expected *= t->shape[dim];
    }
    return t->offset == 0 && (size_t)expected == file->storages[t->storage].n_elements;
}

static void append_header(GString *header, const FixtureTensor *tensor, VfiDType dtype,
                          size_t begin, size_t end)
{
    static const char *const names[] = {"F32", "F16", "BF16", "F64", "I8",
                                        "U8",  "I16", "I32",  "I64", "BOOL"};

    g_string_append_printf(header, ",\n \"%s\": {\"dtype\":\"%s\",\"shape\":[",
                           tensor->name, names[dtype]);
    for (int dim = 0; dim < tensor->n_dims; dim++)
        g_string_append_printf(header, "%s%" G_GINT64_FORMAT, dim > 0 ? ", " : "",
                               tensor->shape[dim]);
    g_string_append_printf(header, "],\"data_offsets\":[%zu,%zu]}", begin, end);
}

GByteArray *fixture_safetensors(const FixtureFile *file)
{
    g_autoptr(GString) header = g_string_new("{\"__metadata__\": {\"format\": \"pt\"}");
    g_autoptr(GByteArray) data = g_byte_array_new();

    for (int i = 0; i < file->n_tensors; i++) {
        const FixtureStorage *storage = &file->storages[file->tensors[i].storage];
        size_t size = storage->n_elements * element_size(storage->dtype);
        if (!fixture_holds(VFI_CONTAINER_SAFETENSORS, file, i))
            continue;
        append_header(header, &file->tensors[i], storage->dtype, data->len,
                      data->len + size);
        pickle_raw(data, storage->bytes, size);
    }
    g_string_append(header, "}");
    GByteArray *bytes = fixture_safetensors_around(header->str, 0);
    pickle_raw(bytes, data->data, data->len);
    return bytes;
}

GByteArray *fixture_safetensors_around(const char *header, size_t data_size)
{
    GByteArray *bytes = g_byte_array_new();
    uint64_t size = strlen(header);

    pickle_raw(bytes, &size, 8);
    pickle_raw(bytes, header, size);
    guint begin = bytes->len;
    g_byte_array_set_size(bytes, begin + (guint)data_size);
    if (data_size > 0)
        memset(bytes->data + begin, 0, data_size);
    return bytes;
}

GByteArray *fixture_container(VfiContainer kind, const FixtureFile *file)
{
    switch (kind) {
    case VFI_CONTAINER_TORCH_ZIP:
        return fixture_torch_zip(file, false);
    case VFI_CONTAINER_TORCH_LEGACY:
        return fixture_torch_legacy(file);
    case VFI_CONTAINER_TORCHSCRIPT:
        return fixture_torchscript(file);
    default:
        return fixture_safetensors(file);
    }
}

/* ---- use ---- */

VfiCheckpoint *fixture_open(const GByteArray *bytes, GError **error)
{
    char path[64];
    int fd = memfd_create("checkpoint", MFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_uint_le(bytes->len, 64 * 1024);
    ck_assert_int_eq(write(fd, bytes->data, bytes->len), bytes->len);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    VfiCheckpoint *checkpoint = vfi_checkpoint_open(path, error);
    close(fd); /* the checkpoint has one of its own */
    return checkpoint;
}

void assert_refused(GByteArray *bytes, int code, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiCheckpoint) checkpoint = fixture_open(bytes, &error);

    ck_assert_msg(checkpoint == NULL, "opened; expected an error with \"%s\"", text);
    ck_assert_ptr_nonnull(error);
    ck_assert_msg(strstr(error->message, text) != NULL, "\"%s\" is not in \"%s\"", text,
                  error->message);
    ck_assert_msg(error->domain == VFI_ERROR && error->code == code,
                  "code %d, not %d: %s", error->code, code, error->message);
    g_byte_array_unref(bytes);
}

void assert_tensor_equals(const VfiCheckpoint *checkpoint, const char *name,
                          const FixtureTensor *tensor)
{
    const VfiTensorInfo *info = vfi_checkpoint_find(checkpoint, name);
    size_t n_elements = 1;
    float values[64];

    ck_assert_msg(info != NULL, "no tensor %s", name);
    ck_assert_str_eq(info->name, name);
    ck_assert_int_eq(info->n_dims, tensor->n_dims);
    for (int dim = 0; dim < tensor->n_dims; dim++) {
        ck_assert_int_eq(info->shape[dim], tensor->shape[dim]);
        n_elements *= (size_t)tensor->shape[dim];
    }
    ck_assert_uint_eq(info->n_elements, n_elements);
    ck_assert_uint_le(n_elements, G_N_ELEMENTS(values));
    ck_assert(vfi_checkpoint_read_f32(checkpoint, info, values, NULL));
    for (size_t i = 0; i < n_elements; i++)
        ck_assert_msg(memcmp(&values[i], &tensor->expected[i], sizeof(float)) == 0,
                      "%s[%zu] is %a, not %a", name, i, (double)values[i],
                      (double)tensor->expected[i]);
}
