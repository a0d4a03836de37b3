/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Storage types: names, sizes, placement in a storage, conversion to f32. Data is read
 * with memcpy because checkpoints align nothing. */
#include "checkpoint/tensor.h"

#include "base/f16.h"

#if G_BYTE_ORDER != G_LITTLE_ENDIAN
#error "tensor data is read as it stands in the file, which is little-endian"
#endif

/* Converts @count elements, @step bytes apart. */
typedef void (*ConvertRow)(const uint8_t *source, size_t step, size_t count, float *out);

static inline float float_from_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline float float_from_bf16(uint16_t half)
{
    return float_from_bits((uint32_t)half << 16);
}

#define DEFINE_CONVERT_ROW(suffix, type, expression)                                     \
    static void convert_##suffix(const uint8_t *source, size_t step, size_t count,       \
                                 float *out)                                             \
    {                                                                                    \
        for (size_t i = 0; i < count; i++) {                                             \
            type value;                                                                  \
            memcpy(&value, source + i * step, sizeof value);                             \
            out[i] = expression;                                                         \
        }                                                                                \
    }

DEFINE_CONVERT_ROW(f16, uint16_t, vfi_float_from_f16(value))
DEFINE_CONVERT_ROW(bf16, uint16_t, float_from_bf16(value))
DEFINE_CONVERT_ROW(f64, double, (float)value)
DEFINE_CONVERT_ROW(i8, int8_t, (float)value)
DEFINE_CONVERT_ROW(u8, uint8_t, (float)value)
DEFINE_CONVERT_ROW(i16, int16_t, (float)value)
DEFINE_CONVERT_ROW(i32, int32_t, (float)value)
DEFINE_CONVERT_ROW(i64, int64_t, (float)value)
DEFINE_CONVERT_ROW(bool, uint8_t, value != 0 ? 1.0f : 0.0f)

/* Copies bits, so that signalling NaNs keep theirs. */
static void convert_f32(const uint8_t *source, size_t step, size_t count, float *out)
{
    if (step == sizeof *out) {
        memcpy(out, source, count * sizeof *out);
        return;
    }
    for (size_t i = 0; i < count; i++)
        memcpy(&out[i], source + i * step, sizeof *out);
}

static const struct {
    const char *name;
    size_t size;
    ConvertRow convert;
} dtypes[] = {
    [VFI_DTYPE_F32] = {"f32", 4, convert_f32},
    [VFI_DTYPE_F16] = {"f16", 2, convert_f16},
    [VFI_DTYPE_BF16] = {"bf16", 2, convert_bf16},
    [VFI_DTYPE_F64] = {"f64", 8, convert_f64},
    [VFI_DTYPE_I8] = {"i8", 1, convert_i8},
    [VFI_DTYPE_U8] = {"u8", 1, convert_u8},
    [VFI_DTYPE_I16] = {"i16", 2, convert_i16},
    [VFI_DTYPE_I32] = {"i32", 4, convert_i32},
    [VFI_DTYPE_I64] = {"i64", 8, convert_i64},
    [VFI_DTYPE_BOOL] = {"bool", 1, convert_bool},
};

const char *vfi_dtype_to_string(VfiDType dtype)
{
    return (size_t)dtype < G_N_ELEMENTS(dtypes) ? dtypes[dtype].name : "unknown";
}

size_t vfi_dtype_size(VfiDType dtype)
{
    return dtypes[dtype].size;
}

void vfi_tensor_set_contiguous(VfiTensorInfo *info)
{
    int64_t stride = 1;

    for (int dim = info->n_dims - 1; dim >= 0; dim--) {
        info->stride[dim] = stride;
        if (__builtin_mul_overflow(stride, info->shape[dim], &stride))
            stride = 0; /* vfi_tensor_place() refuses such a shape */
    }
}

/* info->n_elements = the product of the shape. */
static bool count_elements(VfiTensorInfo *info, GError **error)
{
    int64_t product = 1;
    bool fits = true, empty = false;

    for (int dim = 0; dim < info->n_dims; dim++) {
        if (info->shape[dim] < 0 || info->stride[dim] < 0)
            return vfi_corrupt(error,
                               "dimension %d has size %" G_GINT64_FORMAT
                               " and stride %" G_GINT64_FORMAT "; negative is not valid",
                               dim, info->shape[dim], info->stride[dim]);
        empty |= info->shape[dim] == 0;
        fits &= !__builtin_mul_overflow(product, info->shape[dim], &product);
    }
    /* As f32 a tensor must still be addressable. */
    if (!empty && (!fits || (uint64_t)product > (uint64_t)PTRDIFF_MAX / sizeof(float)))
        return vfi_corrupt(error, "the product of its %d dimensions overflows",
                           info->n_dims);
    info->n_elements = empty ? 0 : (size_t)product;
    return true;
}

bool vfi_tensor_place(VfiTensorInfo *info, VfiPlace *place, uint64_t bytes,
                      int64_t offset, uint64_t file_size, GError **error)
{
    size_t size = vfi_dtype_size(info->dtype);
    int64_t capacity = (int64_t)(bytes / size);
    int64_t last = offset; /* the element farthest from the storage's beginning */
    bool fits = true;

    if (!count_elements(info, error))
        return false;
    place->end = place->begin;
    if (info->n_elements == 0)
        return true;
    for (int dim = 0; dim < info->n_dims; dim++) {
        int64_t extent;
        fits &= !__builtin_mul_overflow(info->shape[dim] - 1, info->stride[dim], &extent);
        fits &= fits && !__builtin_add_overflow(last, extent, &last);
    }
    if (!fits || offset < 0 || last >= capacity)
        return vfi_corrupt(error,
                           "its shape, strides and offset %" G_GINT64_FORMAT
                           " reach outside a storage of %" G_GINT64_FORMAT " %s elements",
                           offset, capacity, vfi_dtype_to_string(info->dtype));
    uint64_t reasonable = MAX((uint64_t)capacity, file_size);
    if (info->n_elements / VFI_MAX_EXPANSION > reasonable)
        return vfi_corrupt(error,
                           "%zu elements are more than %d times what the file can hold",
                           info->n_elements, VFI_MAX_EXPANSION);
    place->end = place->begin + ((uint64_t)last + 1) * size;
    place->begin += (uint64_t)offset * size;
    return true;
}

bool vfi_tensor_is_contiguous(const VfiTensorInfo *tensor)
{
    int64_t expected = 1;

    for (int dim = tensor->n_dims - 1; dim >= 0; dim--) {
        if (tensor->shape[dim] != 1 && tensor->stride[dim] != expected)
            return false;
        expected *= tensor->shape[dim];
    }
    return true;
}

void vfi_tensor_convert(const VfiTensorInfo *tensor, const uint8_t *source, float *out)
{
    size_t size = vfi_dtype_size(tensor->dtype);
    ConvertRow convert = dtypes[tensor->dtype].convert;

    if (tensor->n_elements == 0)
        return;
    if (vfi_tensor_is_contiguous(tensor)) {
        convert(source, size, tensor->n_elements, out);
        return;
    }
    int inner = tensor->n_dims - 1;
    size_t row = (size_t)tensor->shape[inner];
    size_t step = (size_t)tensor->stride[inner] * size;
    int64_t index[VFI_MAX_DIMS] = {0};
    for (size_t done = 0; done < tensor->n_elements; done += row) {
        size_t offset = 0;
        for (int dim = 0; dim < inner; dim++)
            offset += (size_t)(index[dim] * tensor->stride[dim]);
        convert(source + offset * size, step, row, out + done);
        for (int dim = inner - 1; dim >= 0 && ++index[dim] == tensor->shape[dim]; dim--)
            index[dim] = 0;
    }
}
