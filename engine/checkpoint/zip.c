/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Zip archives: end record, zip64 records, central directory, local headers, members.
 * Field offsets are those of PKWARE's APPNOTE. */
#include "checkpoint/zip.h"

#include "base/alloc.h"

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

#define MAX_MEMBERS (1u << 17)

/* The end record and the longest comment after it; and zip64's locator before it. */
#define MAX_TAIL (END_SIZE + UINT16_MAX + LOCATOR64_SIZE)

/* A member that is read as a whole, a pickle, is inflated to no more than this. */
#define WHOLE_RATIO 16
#define WHOLE_ALLOWANCE ((uint64_t)1 << 20)

typedef struct {
    uint64_t entries;
    uint64_t size;
    uint64_t offset;
} Directory;

static VfiSpan name_of_member(const void *items, size_t index)
{
    return ((const VfiZipMember *)items)[index].name;
}

/* The records at the end of the file. */
typedef struct {
    VfiSpan bytes;
    uint64_t offset;
} Tail;

/* Finds the end record, which only a comment of at most 65,535 bytes may follow. */
static bool find_end(VfiSpan tail, size_t *offset)
{
    if (tail.size < END_SIZE)
        return false;
    size_t last = tail.size - END_SIZE;
    size_t first = last > UINT16_MAX ? last - UINT16_MAX : 0;

    for (size_t at = last + 1; at-- > first;) {
        const uint8_t *end = tail.data + at;
        if (vfi_read_le32(end) == END_SIGNATURE && vfi_read_le16(end + 20) == last - at) {
            *offset = at;
            return true;
        }
    }
    return false;
}

/* Replaces the directory's place by that of the zip64 end record, if there is one. */
static bool read_zip64_end(const VfiSource *file, Tail tail, size_t end,
                           Directory *directory, GError **error)
{
    uint8_t record[END64_SIZE];
    VfiSpan locator;

    if (end < LOCATOR64_SIZE ||
        !vfi_span_slice(tail.bytes, end - LOCATOR64_SIZE, LOCATOR64_SIZE, &locator) ||
        vfi_read_le32(locator.data) != LOCATOR64_SIGNATURE)
        return true;
    uint64_t offset = vfi_read_le64(locator.data + 8);
    bool is_inside = vfi_source_has(file, offset, END64_SIZE);
    if (is_inside && !vfi_source_read(file, offset, record, END64_SIZE, error))
        return false;
    if (!is_inside || vfi_read_le32(record) != END64_SIGNATURE)
        return vfi_corrupt(error,
                           "the zip64 end record is not at byte %" G_GUINT64_FORMAT
                           ", where its locator at byte %" G_GUINT64_FORMAT " says",
                           offset, tail.offset + end - LOCATOR64_SIZE);
    *directory = (Directory){.entries = vfi_read_le64(record + 32),
                             .size = vfi_read_le64(record + 40),
                             .offset = vfi_read_le64(record + 48)};
    return true;
}

static bool find_directory(const VfiSource *file, Tail tail, Directory *directory,
                           GError **error)
{
    size_t at;

    if (!find_end(tail.bytes, &at))
        return vfi_corrupt(error,
                           "the end record of the zip archive is missing: the file is "
                           "truncated; copy or download it again");
    const uint8_t *record = tail.bytes.data + at;
    uint64_t end = tail.offset + at;
    if (vfi_read_le16(record + 4) != 0 && vfi_read_le16(record + 4) != UINT16_MAX)
        return vfi_unsupported(error, "the zip archive is one part of several");
    *directory = (Directory){.entries = vfi_read_le16(record + 10),
                             .size = vfi_read_le32(record + 12),
                             .offset = vfi_read_le32(record + 16)};
    if (!read_zip64_end(file, tail, at, directory, error))
        return false;
    if (directory->offset > end || directory->size > end - directory->offset)
        return vfi_corrupt(error,
                           "the zip directory (%" G_GUINT64_FORMAT
                           " bytes at %" G_GUINT64_FORMAT
                           ") reaches beyond the end record at byte %" G_GUINT64_FORMAT,
                           directory->size, directory->offset, end);
    if (directory->entries > directory->size / CENTRAL_SIZE)
        return vfi_corrupt(error,
                           "a zip directory of %" G_GUINT64_FORMAT
                           " bytes cannot hold %" G_GUINT64_FORMAT " entries",
                           directory->size, directory->entries);
    return true;
}

/* Reads as much of the file's end as tells where the directory is. */
static bool look_at_end(const VfiSource *file, Directory *directory, GError **error)
{
    uint64_t size = MIN(file->size, MAX_TAIL);
    Tail tail = {.offset = file->size - size};
    void *memory =
        vfi_source_load(file, tail.offset, size, "the end of a zip archive", error);

    if (memory == NULL)
        return false;
    tail.bytes = (VfiSpan){memory, (size_t)size};
    bool found = find_directory(file, tail, directory, error);
    vfi_free(memory);
    return found;
}

/* Takes from the zip64 extra field the values that did not fit @member's 32-bit
 * fields. */
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

/* Reads the directory entry at *at of @directory and moves *at past it. */
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

/* Reads the @place->entries entries of @directory. */
static bool read_entries(VfiZip *zip, const Directory *place, VfiSpan directory,
                         GError **error)
{
    VfiZipMember *members = vfi_growing_add(&zip->members, (size_t)place->entries, error);
    uint64_t bytes = 0;
    size_t at = 0;

    if (members == NULL)
        return false;
    for (size_t i = 0; i < place->entries; i++) {
        size_t entry = at;
        if (!read_entry(directory, &at, &members[i]))
            return vfi_corrupt(
                error,
                "entry %zu of the zip directory, at byte %" G_GUINT64_FORMAT
                ", is damaged",
                i, place->offset + entry);
        /* Members that share bytes would make a small file a long read. */
        if (members[i].packed_size > zip->file->size - bytes)
            return vfi_corrupt(error,
                               "the members of the zip archive up to \"%s\" have more "
                               "bytes than the file",
                               vfi_quote(members[i].name).text);
        bytes += members[i].packed_size;
    }
    return true;
}

static bool read_directory(VfiZip *zip, GError **error)
{
    Directory place;

    if (!look_at_end(zip->file, &place, error))
        return false;
    zip->directory = vfi_source_load(zip->file, place.offset, place.size,
                                     "the directory of a zip archive", error);
    if (zip->directory == NULL ||
        !read_entries(zip, &place, (VfiSpan){zip->directory, (size_t)place.size}, error))
        return false;
    const VfiZipMember *members = zip->members.items;
    if (!vfi_name_index_init(&zip->index, members, zip->members.count, name_of_member,
                             error))
        return false;
    size_t duplicate = vfi_name_index_duplicate(&zip->index);
    if (duplicate != SIZE_MAX)
        return vfi_corrupt(error, "the zip archive has two members named \"%s\"",
                           vfi_quote(members[duplicate].name).text);
    return true;
}

bool vfi_zip_open(VfiZip *zip, const VfiSource *file, GError **error)
{
    *zip = (VfiZip){.file = file};
    vfi_growing_init(&zip->members, sizeof(VfiZipMember), MAX_MEMBERS, "zip members");
    if (read_directory(zip, error))
        return true;
    vfi_zip_clear(zip);
    return false;
}

void vfi_zip_clear(VfiZip *zip)
{
    vfi_name_index_clear(&zip->index);
    vfi_growing_clear(&zip->members);
    g_clear_pointer(&zip->directory, vfi_free);
}

const VfiZipMember *vfi_zip_find(const VfiZip *zip, VfiSpan name)
{
    size_t found = vfi_name_index_find(&zip->index, name);

    return found == SIZE_MAX ? NULL : (const VfiZipMember *)zip->members.items + found;
}

/* *offset = where the member's bytes stand in the file, after its local header. */
static bool find_data(const VfiZip *zip, const VfiZipMember *member, uint64_t *offset,
                      GError **error)
{
    VfiQuote name = vfi_quote(member->name);
    uint8_t header[LOCAL_SIZE];
    g_autofree uint8_t *local_name = NULL;
    bool is_inside = vfi_source_has(zip->file, member->header, LOCAL_SIZE);

    if (is_inside &&
        !vfi_source_read(zip->file, member->header, header, LOCAL_SIZE, error))
        return false;
    if (!is_inside || vfi_read_le32(header) != LOCAL_SIGNATURE)
        return vfi_corrupt(error,
                           "member \"%s\" has no header at byte %" G_GUINT64_FORMAT
                           ", where the zip directory says",
                           name.text, member->header);
    uint64_t behind = member->header + LOCAL_SIZE;
    uint16_t name_size = vfi_read_le16(header + 26);
    bool has_name =
        name_size == member->name.size && vfi_source_has(zip->file, behind, name_size);
    local_name = g_malloc(UINT16_MAX + 1);
    if (has_name && !vfi_source_read(zip->file, behind, local_name, name_size, error))
        return false;
    if (!has_name || memcmp(local_name, member->name.data, name_size) != 0)
        return vfi_corrupt(error, "member \"%s\" has another name in its own header",
                           name.text);
    *offset = behind + name_size + vfi_read_le16(header + 28);
    return vfi_source_has(zip->file, *offset, member->packed_size) ||
           vfi_corrupt(error,
                       "member \"%s\" (%" G_GUINT64_FORMAT
                       " bytes) reaches beyond the end of the file",
                       name.text, member->packed_size);
}

bool vfi_zip_locate(const VfiZip *zip, const VfiZipMember *member, VfiStorage *storage,
                    GError **error)
{
    VfiQuote name = vfi_quote(member->name);

    *storage = (VfiStorage){.size = member->size,
                            .packed_size = member->packed_size,
                            .deflated = member->method == METHOD_DEFLATED,
                            .has_crc = true,
                            .crc = member->crc};
    if ((member->flags & FLAG_ENCRYPTED) != 0)
        return vfi_unsupported(error, "member \"%s\" is encrypted", name.text);
    if (member->method != METHOD_DEFLATED && member->method != METHOD_STORED)
        return vfi_unsupported(error,
                               "member \"%s\" uses zip compression method %u; stored and "
                               "deflated members are read",
                               name.text, member->method);
    if (!find_data(zip, member, &storage->offset, error))
        return false;
    return storage->deflated || member->packed_size == member->size ||
           vfi_corrupt(error, "stored member \"%s\" has two different sizes", name.text);
}

bool vfi_zip_read(const VfiZip *zip, const VfiZipMember *member, VfiSpan *bytes,
                  GError **error)
{
    VfiStorage storage;

    *bytes = (VfiSpan){NULL, 0};
    if (!vfi_zip_locate(zip, member, &storage, error))
        return false;
    if (storage.size > WHOLE_ALLOWANCE &&
        (storage.size - WHOLE_ALLOWANCE) / WHOLE_RATIO > zip->file->size)
        return vfi_corrupt(error,
                           "member \"%s\" claims %" G_GUINT64_FORMAT
                           " bytes, in a file of %" G_GUINT64_FORMAT,
                           vfi_quote(member->name).text, storage.size, zip->file->size);
    void *memory =
        vfi_source_allocate(zip->file, storage.size, "an inflated zip member", error);
    if (memory == NULL)
        return false;
    bool read = vfi_storage_read(&storage, zip->file, 0, storage.size, memory, error);
    vfi_source_settle(zip->file, storage.size);
    if (read) {
        *bytes = (VfiSpan){memory, (size_t)storage.size};
        return true;
    }
    g_prefix_error(error, "member \"%s\": ", vfi_quote(member->name).text);
    vfi_free(memory);
    return false;
}
