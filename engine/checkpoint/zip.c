/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Zip archives: end record, zip64 records, central directory, local headers, members.
 * Field offsets are those of PKWARE's APPNOTE. */
#include "zip.h"

#include <zlib.h>

#include "alloc.h"

#define END_SIGNATURE 0x06054b50u
#define END_SIZE 22
#define END64_SIGNATURE 0x06064b50u
#define END64_SIZE 56
#define LOCATOR64_SIGNATURE 0x07064b50u
#define LOCATOR64_SIZE 20
#define CENTRAL_SIGNATURE 0x02014b50u
#define CENTRAL_SIZE 46
#define LOCAL_SIGNATURE 0x04034b50u
#define LOCAL_SIZE 30
#define EXTRA_ZIP64 0x0001

#define METHOD_STORED 0
#define METHOD_DEFLATED 8
#define FLAG_ENCRYPTED 1

/* Deflate cannot make its input longer than this. */
#define DEFLATE_MAX_RATIO 1032

#define MAX_MEMBERS (1u << 20)

typedef struct {
    uint64_t entries;
    uint64_t size;
    uint64_t offset;
} Directory;

static VfiSpan name_of_member(const void *items, size_t index)
{
    return ((const VfiZipMember *)items)[index].name;
}

/* Finds the end record, which only a comment of at most 65,535 bytes may follow. */
static bool find_end(VfiSpan file, size_t *offset)
{
    if (file.size < END_SIZE)
        return false;
    size_t last = file.size - END_SIZE;
    size_t first = last > UINT16_MAX ? last - UINT16_MAX : 0;

    for (size_t at = last + 1; at-- > first;) {
        const uint8_t *end = file.data + at;
        if (vfi_read_le32(end) == END_SIGNATURE && vfi_read_le16(end + 20) == last - at) {
            *offset = at;
            return true;
        }
    }
    return false;
}

/* Replaces the directory's place by that of the zip64 end record, if there is one. */
static bool read_zip64_end(VfiSpan file, size_t end, Directory *directory, GError **error)
{
    VfiSpan locator, record;

    if (end < LOCATOR64_SIZE ||
        !vfi_span_slice(file, end - LOCATOR64_SIZE, LOCATOR64_SIZE, &locator) ||
        vfi_read_le32(locator.data) != LOCATOR64_SIGNATURE)
        return true;
    uint64_t offset = vfi_read_le64(locator.data + 8);
    if (!vfi_span_slice(file, offset, END64_SIZE, &record) ||
        vfi_read_le32(record.data) != END64_SIGNATURE)
        return vfi_corrupt(error,
                           "the zip64 end record is not at byte %" G_GUINT64_FORMAT
                           ", where its locator at byte %zu says",
                           offset, end - LOCATOR64_SIZE);
    *directory = (Directory){.entries = vfi_read_le64(record.data + 32),
                             .size = vfi_read_le64(record.data + 40),
                             .offset = vfi_read_le64(record.data + 48)};
    return true;
}

static bool find_directory(VfiSpan file, Directory *directory, GError **error)
{
    size_t end;

    if (!find_end(file, &end))
        return vfi_corrupt(error,
                           "the end record of the zip archive is missing: the file is "
                           "truncated; copy or download it again");
    const uint8_t *record = file.data + end;
    if (vfi_read_le16(record + 4) != 0 && vfi_read_le16(record + 4) != UINT16_MAX)
        return vfi_unsupported(error, "the zip archive is one part of several");
    *directory = (Directory){.entries = vfi_read_le16(record + 10),
                             .size = vfi_read_le32(record + 12),
                             .offset = vfi_read_le32(record + 16)};
    if (!read_zip64_end(file, end, directory, error))
        return false;
    if (directory->offset > end || directory->size > end - directory->offset)
        return vfi_corrupt(error,
                           "the zip directory (%" G_GUINT64_FORMAT
                           " bytes at %" G_GUINT64_FORMAT
                           ") reaches beyond the end record at byte %zu",
                           directory->size, directory->offset, end);
    if (directory->entries > directory->size / CENTRAL_SIZE)
        return vfi_corrupt(error,
                           "a zip directory of %" G_GUINT64_FORMAT
                           " bytes cannot hold %" G_GUINT64_FORMAT " entries",
                           directory->size, directory->entries);
    return true;
}

/* Takes from the zip64 extra field what did not fit the 32-bit fields of @member. */
static bool read_zip64_extra(VfiZipMember *member, VfiSpan extra)
{
    uint64_t *fields[] = {&member->size, &member->packed_size, &member->header};
    bool wanted = false;

    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        wanted |= *fields[i] == UINT32_MAX;
    for (size_t at = 0; wanted && extra.size - at >= 4;) {
        VfiSpan block;
        uint16_t id = vfi_read_le16(extra.data + at);
        if (!vfi_span_slice(extra, at + 4, vfi_read_le16(extra.data + at + 2), &block))
            return false;
        at += 4 + block.size;
        if (id != EXTRA_ZIP64)
            continue;
        size_t used = 0;
        for (size_t i = 0; i < G_N_ELEMENTS(fields); i++) {
            if (*fields[i] != UINT32_MAX)
                continue;
            if (block.size - used < 8)
                return false;
            *fields[i] = vfi_read_le64(block.data + used);
            used += 8;
        }
        wanted = false;
    }
    return !wanted;
}

/* Reads the directory entry at *at of @directory and moves *at behind it. */
static bool read_entry(VfiSpan directory, size_t *at, VfiZipMember *member)
{
    VfiSpan fixed, extra;

    if (!vfi_span_slice(directory, *at, CENTRAL_SIZE, &fixed) ||
        vfi_read_le32(fixed.data) != CENTRAL_SIGNATURE)
        return false;
    uint16_t name_size = vfi_read_le16(fixed.data + 28);
    uint16_t extra_size = vfi_read_le16(fixed.data + 30);
    uint16_t comment_size = vfi_read_le16(fixed.data + 32);
    *member = (VfiZipMember){
        .flags = vfi_read_le16(fixed.data + 8),
        .method = vfi_read_le16(fixed.data + 10),
        .crc = vfi_read_le32(fixed.data + 16),
        .packed_size = vfi_read_le32(fixed.data + 20),
        .size = vfi_read_le32(fixed.data + 24),
        .header = vfi_read_le32(fixed.data + 42),
    };
    size_t behind = *at + CENTRAL_SIZE;
    if (!vfi_span_slice(directory, behind, name_size, &member->name) ||
        !vfi_span_slice(directory, behind + name_size, extra_size, &extra))
        return false;
    *at = behind + name_size + extra_size + comment_size;
    return *at <= directory.size && read_zip64_extra(member, extra);
}

static bool read_directory(VfiZip *zip, GError **error)
{
    Directory place;
    VfiSpan directory;
    size_t at = 0;

    if (!find_directory(zip->file, &place, error))
        return false;
    if (!vfi_span_slice(zip->file, place.offset, place.size, &directory))
        return vfi_corrupt(error, "the zip directory lies outside the file");
    VfiZipMember *members = vfi_growing_add(&zip->members, (size_t)place.entries, error);
    if (members == NULL)
        return false;
    for (size_t i = 0; i < place.entries; i++) {
        size_t entry = at;
        if (!read_entry(directory, &at, &members[i]))
            return vfi_corrupt(
                error,
                "entry %zu of the zip directory, at byte %" G_GUINT64_FORMAT
                ", is damaged",
                i, place.offset + entry);
    }
    if (!vfi_name_index_init(&zip->index, members, zip->members.count, name_of_member,
                             error))
        return false;
    size_t duplicate = vfi_name_index_duplicate(&zip->index);
    if (duplicate != SIZE_MAX)
        return vfi_corrupt(error, "the zip archive has two members named \"%s\"",
                           vfi_quote(members[duplicate].name).text);
    return true;
}

bool vfi_zip_open(VfiZip *zip, VfiSpan file, GError **error)
{
    *zip = (VfiZip){.file = file};
    vfi_growing_init(&zip->members, sizeof(VfiZipMember), MAX_MEMBERS, "zip members");
    if (!vfi_size_mul(file.size, DEFLATE_MAX_RATIO, &zip->inflate_budget))
        zip->inflate_budget = SIZE_MAX;
    if (read_directory(zip, error))
        return true;
    vfi_zip_clear(zip);
    return false;
}

void vfi_zip_clear(VfiZip *zip)
{
    vfi_name_index_clear(&zip->index);
    vfi_growing_clear(&zip->members);
}

const VfiZipMember *vfi_zip_find(const VfiZip *zip, VfiSpan name)
{
    size_t found = vfi_name_index_find(&zip->index, name);

    return found == SIZE_MAX ? NULL : (const VfiZipMember *)zip->members.items + found;
}

/* *packed = the member's bytes as they stand in the file, behind its local header. */
static bool find_data(const VfiZip *zip, const VfiZipMember *member, VfiSpan *packed,
                      GError **error)
{
    VfiQuote name = vfi_quote(member->name);
    VfiSpan header, local_name;

    if (!vfi_span_slice(zip->file, member->header, LOCAL_SIZE, &header) ||
        vfi_read_le32(header.data) != LOCAL_SIGNATURE)
        return vfi_corrupt(error,
                           "member \"%s\" has no header at byte %" G_GUINT64_FORMAT
                           ", where the zip directory says",
                           name.text, member->header);
    uint64_t behind = member->header + LOCAL_SIZE;
    uint16_t name_size = vfi_read_le16(header.data + 26);
    uint16_t extra_size = vfi_read_le16(header.data + 28);
    if (name_size != member->name.size ||
        !vfi_span_slice(zip->file, behind, name_size, &local_name) ||
        memcmp(local_name.data, member->name.data, name_size) != 0)
        return vfi_corrupt(error, "member \"%s\" has another name in its own header",
                           name.text);
    if (!vfi_span_slice(zip->file, behind + name_size + extra_size, member->packed_size,
                        packed))
        return vfi_corrupt(error,
                           "member \"%s\" (%" G_GUINT64_FORMAT
                           " bytes) reaches beyond the end of the file",
                           name.text, member->packed_size);
    return true;
}

/* Inflates @packed to exactly @size bytes at @out. zlib counts input in unsigned int, so
 * both are fed in pieces. */
static bool inflate_to(VfiSpan packed, uint8_t *out, size_t size)
{
    static const size_t piece = (size_t)1 << 30;
    z_stream stream = {.next_in = (z_const Bytef *)packed.data, .next_out = out};
    size_t in_left = packed.size, out_left = size;
    int status = inflateInit2(&stream, -MAX_WBITS);

    if (status != Z_OK)
        return false;
    do {
        uInt in = (uInt)MIN(in_left, piece), room = (uInt)MIN(out_left, piece);
        stream.avail_in = in;
        stream.avail_out = room;
        status = inflate(&stream, Z_NO_FLUSH);
        in_left -= in - stream.avail_in;
        out_left -= room - stream.avail_out;
    } while (status == Z_OK);
    inflateEnd(&stream);
    return status == Z_STREAM_END && out_left == 0;
}

/* A fuzzer cannot guess checksums, so its build does without. */
#ifdef FUZZING_BUILD_MODE_UNSAFE_FOR_PRODUCTION
#define CRC_MATTERS false
#else
#define CRC_MATTERS true
#endif

static bool check_crc(const VfiZipMember *member, VfiSpan bytes, GError **error)
{
    uint32_t crc = (uint32_t)crc32_z(0, bytes.data, bytes.size);

    if (CRC_MATTERS && crc != member->crc)
        return vfi_corrupt(
            error,
            "member \"%s\" is damaged: its CRC-32 is %08x, not %08x; copy or "
            "download the file again",
            vfi_quote(member->name).text, crc, member->crc);
    return true;
}

static bool inflate_member(VfiZip *zip, const VfiZipMember *member, VfiSpan packed,
                           VfiSpan *bytes, void **memory, GError **error)
{
    VfiQuote name = vfi_quote(member->name);

    if (member->size > zip->inflate_budget ||
        member->size / DEFLATE_MAX_RATIO > packed.size)
        return vfi_corrupt(error,
                           "member \"%s\" claims %" G_GUINT64_FORMAT
                           " bytes, more than its %zu deflated bytes can give",
                           name.text, member->size, packed.size);
    *memory = vfi_try_alloc((size_t)member->size, 1, "an inflated zip member", error);
    if (*memory == NULL)
        return false;
    zip->inflate_budget -= member->size;
    *bytes = (VfiSpan){*memory, (size_t)member->size};
    if (!inflate_to(packed, *memory, bytes->size)) {
        vfi_corrupt(error,
                    "member \"%s\" does not inflate to the %" G_GUINT64_FORMAT
                    " bytes that the zip directory gives",
                    name.text, member->size);
        goto fail;
    }
    if (check_crc(member, *bytes, error))
        return true;

fail:
    vfi_free(*memory);
    *memory = NULL;
    return false;
}

bool vfi_zip_read(VfiZip *zip, const VfiZipMember *member, bool verify, VfiSpan *bytes,
                  void **memory, GError **error)
{
    VfiQuote name = vfi_quote(member->name);

    *memory = NULL;
    if ((member->flags & FLAG_ENCRYPTED) != 0)
        return vfi_unsupported(error, "member \"%s\" is encrypted", name.text);
    if (!find_data(zip, member, bytes, error))
        return false;
    if (member->method == METHOD_DEFLATED)
        return inflate_member(zip, member, *bytes, bytes, memory, error);
    if (member->method != METHOD_STORED)
        return vfi_unsupported(error,
                               "member \"%s\" uses zip compression method %u; stored and "
                               "deflated members are read",
                               name.text, member->method);
    if (member->packed_size != member->size)
        return vfi_corrupt(error, "stored member \"%s\" has two different sizes",
                           name.text);
    return !verify || check_crc(member, *bytes, error);
}
