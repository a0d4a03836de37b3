/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checkpoint/storage.h"

#include <zlib.h>

#include "checkpoint/span.h"

/* Bytes that are read, or thrown away, at once. */
#define PIECE ((size_t)128 << 10)

#define INFLATE_RATIO 16
#define INFLATE_ALLOWANCE ((uint64_t)256 << 20)

/* Deflate cannot make its input longer than this. */
#define DEFLATE_MAX_RATIO 1032

/* A fuzzer cannot guess checksums, so its build does without. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define CRC_MATTERS false
#else
#define CRC_MATTERS true
#endif

/* Bytes of a storage in order, and where they go. */
typedef struct {
    const VfiStorage *storage;
    uint64_t position;   /* of the next byte */
    uint64_t begin, end; /* of the wanted bytes */
    uint8_t *out;        /* where the byte at .begin goes */
    uint8_t *scratch;    /* PIECE bytes, for those that nobody wants */
    uLong crc;
} Stream;

VfiStorage vfi_storage_in_file(uint64_t offset, uint64_t size)
{
    return (VfiStorage){.size = size, .offset = offset, .packed_size = size};
}

uint64_t vfi_storage_inflate_limit(uint64_t file_size)
{
    return file_size > (UINT64_MAX - INFLATE_ALLOWANCE) / INFLATE_RATIO
               ? UINT64_MAX
               : file_size * INFLATE_RATIO + INFLATE_ALLOWANCE;
}

/* Where the next byte goes and how many may follow it there, at most PIECE. There is room
 * past the storage's end, too, so that a longer one is noticed. */
static uint8_t *next_room(const Stream *stream, size_t *room)
{
    uint64_t position = stream->position, left = PIECE;
    uint8_t *target = stream->scratch;

    if (position < stream->begin)
        left = stream->begin - position;
    else if (position < stream->end) {
        target = stream->out + (position - stream->begin);
        left = stream->end - position;
    } else if (position < stream->storage->size)
        left = stream->storage->size - position;
    *room = (size_t)MIN(left, PIECE);
    return target;
}

static void advance(Stream *stream, const uint8_t *bytes, size_t size)
{
    stream->position += size;
    if (stream->storage->has_crc && CRC_MATTERS)
        stream->crc = crc32_z(stream->crc, bytes, size);
}

/* Without a checksum only the wanted bytes are read. */
static bool read_plain(Stream *stream, const VfiSource *source, GError **error)
{
    const VfiStorage *storage = stream->storage;
    uint64_t last = storage->has_crc ? storage->size : stream->end;

    if (!storage->has_crc)
        stream->position = stream->begin;
    while (stream->position < last) {
        size_t size;
        uint8_t *target = next_room(stream, &size);
        if (!vfi_source_read(source, storage->offset + stream->position, target, size,
                             error))
            return false;
        advance(stream, target, size);
    }
    return true;
}

/* Inflates until @inflater's input is used up. */
static int inflate_input(Stream *stream, z_stream *inflater)
{
    int status;

    do {
        size_t room;
        uint8_t *target = next_room(stream, &room);
        inflater->next_out = target;
        inflater->avail_out = (uInt)room;
        status = inflate(inflater, Z_NO_FLUSH);
        advance(stream, target, room - inflater->avail_out);
    } while (status == Z_OK && stream->position <= stream->storage->size &&
             (inflater->avail_in > 0 || inflater->avail_out == 0));
    return status == Z_BUF_ERROR ? Z_OK : status; /* wants more input */
}

/* Inflates to the end of the storage, which must be where its size says. */
static bool run_inflater(Stream *stream, const VfiSource *source, z_stream *inflater,
                         uint8_t *input, GError **error)
{
    const VfiStorage *storage = stream->storage;
    int status = Z_OK;

    for (uint64_t done = 0; status == Z_OK && done < storage->packed_size &&
                            stream->position <= storage->size;) {
        size_t size = (size_t)MIN(storage->packed_size - done, PIECE);
        if (!vfi_source_read(source, storage->offset + done, input, size, error))
            return false;
        inflater->next_in = input;
        inflater->avail_in = (uInt)size;
        status = inflate_input(stream, inflater);
        done += size;
    }
    return (status == Z_STREAM_END && stream->position == storage->size) ||
           vfi_corrupt(error,
                       "it does not inflate to the %" G_GUINT64_FORMAT
                       " bytes that the zip directory gives",
                       storage->size);
}

static bool read_deflated(Stream *stream, const VfiSource *source, uint8_t *input,
                          GError **error)
{
    const VfiStorage *storage = stream->storage;
    z_stream inflater = {.next_in = NULL};

    if (storage->size / DEFLATE_MAX_RATIO > storage->packed_size ||
        storage->size > vfi_storage_inflate_limit(source->size))
        return vfi_corrupt(error,
                           "it claims %" G_GUINT64_FORMAT
                           " bytes, more than its %" G_GUINT64_FORMAT
                           " deflated bytes can give, or than weights in a file of "
                           "%" G_GUINT64_FORMAT " bytes do",
                           storage->size, storage->packed_size, source->size);
    if (inflateInit2(&inflater, -MAX_WBITS) != Z_OK)
        return vfi_corrupt(error, "zlib cannot begin to inflate it");
    bool inflated = run_inflater(stream, source, &inflater, input, error);
    inflateEnd(&inflater);
    return inflated;
}

static bool check_crc(const Stream *stream, GError **error)
{
    const VfiStorage *storage = stream->storage;

    return !storage->has_crc || !CRC_MATTERS || stream->crc == storage->crc ||
           vfi_corrupt(error,
                       "its bytes are damaged: their CRC-32 is %08lx, not %08x; copy or "
                       "download the file again",
                       stream->crc, storage->crc);
}

bool vfi_storage_read(const VfiStorage *storage, const VfiSource *source, uint64_t begin,
                      uint64_t end, void *out, GError **error)
{
    Stream stream = {.storage = storage, .begin = begin, .end = end, .out = out};
    bool skips =
        storage->deflated || (storage->has_crc && (begin > 0 || end < storage->size));
    g_autofree uint8_t *buffers = NULL;

    if (storage->bytes != NULL) {
        memcpy(out, storage->bytes + begin, (size_t)(end - begin));
        return true;
    }
    if (skips)
        stream.scratch = buffers = g_malloc(2 * PIECE); /* of no file's choosing */
    return (storage->deflated ? read_deflated(&stream, source, buffers + PIECE, error)
                              : read_plain(&stream, source, error)) &&
           check_crc(&stream, error);
}
