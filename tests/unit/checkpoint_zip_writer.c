/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes zip archives for tests, stored or deflated, plain or zip64. */
#include <string.h>
#include <zlib.h>

#include "checkpoint_fixture.h"

#define FLAG_STREAMED 8

static void put(GByteArray *bytes, uint64_t value, unsigned width)
{
    for (unsigned i = 0; i < width; i++)
        pickle_op(bytes, (int)(value >> 8 * i & 0xff));
}

ZipWriter zip_writer_new(void)
{
    return (ZipWriter){.bytes = g_byte_array_new(), .directory = g_byte_array_new()};
}

/* Returns raw-deflated @data; free with g_byte_array_unref(). */
static GByteArray *deflate_bytes(const void *data, size_t size)
{
    GByteArray *packed = g_byte_array_new();
    z_stream stream = {.next_in = (z_const Bytef *)data, .avail_in = (uInt)size};

    g_assert_cmpint(
        deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), ==,
        Z_OK);
    g_byte_array_set_size(packed, (guint)deflateBound(&stream, size));
    stream.next_out = packed->data;
    stream.avail_out = packed->len;
    g_assert_cmpint(deflate(&stream, Z_FINISH), ==, Z_STREAM_END);
    g_byte_array_set_size(packed, (guint)stream.total_out);
    deflateEnd(&stream);
    return packed;
}

static void put_directory_entry(ZipWriter *zip, const char *name, uint16_t method,
                                uint32_t crc, size_t packed_size, size_t size,
                                size_t offset)
{
    GByteArray *out = zip->directory;

    put(out, 0x02014b50, 4);
    put(out, 45, 2); /* made by */
    put(out, 45, 2); /* needed */
    put(out, zip->streamed ? FLAG_STREAMED : 0, 2);
    put(out, method, 2);
    put(out, 0, 4); /* time and date */
    put(out, crc, 4);
    put(out, zip->zip64 ? UINT32_MAX : packed_size, 4);
    put(out, zip->zip64 ? UINT32_MAX : size, 4);
    put(out, strlen(name), 2);
    put(out, zip->zip64 ? 28 : 0, 2); /* extra */
    put(out, 0, 2);                   /* comment */
    put(out, 0, 2);                   /* disk */
    put(out, 0, 6);                   /* attributes */
    put(out, zip->zip64 ? UINT32_MAX : offset, 4);
    pickle_raw(out, name, strlen(name));
    if (zip->zip64) {
        put(out, 1, 2);
        put(out, 24, 2);
        put(out, size, 8);
        put(out, packed_size, 8);
        put(out, offset, 8);
    }
}

/* Adds @packed, which is @size bytes in full. */
static void add_member(ZipWriter *zip, const char *name, const GByteArray *packed,
                       uint16_t method, uint32_t crc, size_t size)
{
    size_t offset = zip->bytes->len;

    put(zip->bytes, 0x04034b50, 4);
    put(zip->bytes, 45, 2);
    put(zip->bytes, zip->streamed ? FLAG_STREAMED : 0, 2);
    put(zip->bytes, method, 2);
    put(zip->bytes, 0, 4);
    put(zip->bytes, zip->streamed ? 0 : crc, 4);
    put(zip->bytes, zip->streamed ? 0 : packed->len, 4);
    put(zip->bytes, zip->streamed ? 0 : MIN(size, UINT32_MAX), 4);
    put(zip->bytes, strlen(name), 2);
    put(zip->bytes, 5, 2); /* extra: torch pads here; an odd size misaligns the data */
    pickle_raw(zip->bytes, name, strlen(name));
    pickle_raw(zip->bytes, "FB\1\0Z", 5);
    pickle_raw(zip->bytes, packed->data, packed->len);
    if (zip->streamed) {
        put(zip->bytes, 0x08074b50, 4);
        put(zip->bytes, crc, 4);
        put(zip->bytes, packed->len, 4);
        put(zip->bytes, size, 4);
    }
    put_directory_entry(zip, name, method, crc, packed->len, size, offset);
    zip->n_members++;
}

void zip_writer_add(ZipWriter *zip, const char *name, const void *data, size_t size,
                    bool deflate)
{
    g_autoptr(GByteArray) packed =
        deflate ? deflate_bytes(data, size) : g_byte_array_new();
    uint32_t crc = (uint32_t)crc32_z(0, size > 0 ? data : (const void *)"", size);

    if (!deflate)
        pickle_raw(packed, data, size);
    add_member(zip, name, packed, deflate ? 8 : 0, crc, size);
}

/* CRC-32 of @size zeros, a multiple of 4096, which are not made for it. */
static uint32_t crc_of_zeros(size_t size)
{
    static const uint8_t zeros[4096];
    uLong crc = 0, block = crc32_z(0, zeros, sizeof zeros);
    size_t length = sizeof zeros;

    for (size_t n = size / length; n > 0; n /= 2, length *= 2) {
        if (n % 2 == 1)
            crc = crc32_combine(crc, block, (z_off_t)length);
        block = crc32_combine(block, block, (z_off_t)length);
    }
    return (uint32_t)crc;
}

void zip_writer_add_zeros(ZipWriter *zip, const char *name, const GByteArray *packed,
                          size_t size)
{
    add_member(zip, name, packed, 8, crc_of_zeros(size), size);
}

GByteArray *zip_writer_finish(ZipWriter *zip)
{
    GByteArray *out = zip->bytes;
    size_t offset = out->len, size = zip->directory->len;

    pickle_raw(out, zip->directory->data, size);
    if (zip->zip64) {
        size_t end = out->len;
        put(out, 0x06064b50, 4);
        put(out, 44, 8);
        put(out, 45 | 45 << 16, 4);
        put(out, 0, 8); /* disks */
        put(out, zip->n_members, 8);
        put(out, zip->n_members, 8);
        put(out, size, 8);
        put(out, offset, 8);
        put(out, 0x07064b50, 4);
        put(out, 0, 4);
        put(out, end, 8);
        put(out, 1, 4);
    }
    put(out, 0x06054b50, 4);
    put(out, 0, 4);
    put(out, zip->zip64 ? UINT16_MAX : zip->n_members, 2);
    put(out, zip->zip64 ? UINT16_MAX : zip->n_members, 2);
    put(out, zip->zip64 ? UINT32_MAX : size, 4);
    put(out, zip->zip64 ? UINT32_MAX : offset, 4);
    put(out, 0, 2);
    g_byte_array_unref(zip->directory);
    return out;
}
