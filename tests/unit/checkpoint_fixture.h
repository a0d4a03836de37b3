/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writers of small checkpoint files for tests: pickles, zip archives, and the four
 * containers around one set of tensors that has every storage type. */
#pragma once

#include <stdbool.h>

#include <vfi/checkpoint.h>

typedef struct {
    VfiDType dtype;
    const void *bytes;
    size_t n_elements;
} FixtureStorage;

typedef struct {
    const char *name;
    int storage; /* index */
    int64_t offset;
    int n_dims;
    int64_t shape[4];
    int64_t stride[4];
    const float *expected; /* what reading it as f32 gives */
} FixtureTensor;

typedef struct {
    const FixtureStorage *storages;
    int n_storages;
    const FixtureTensor *tensors;
    int n_tensors;
} FixtureFile;

/* Every storage type, transposed, sliced and broadcast views, a scalar, a zero-size
 * tensor. Names have no prefix and no wrapper. */
extern const FixtureFile fixture_standard;

/* The containers. fixture_container() picks one by kind. Safetensors holds the tensors
 * that are contiguous, have no offset and fill their storage. */
GByteArray *fixture_torch_zip(const FixtureFile *file, bool deflate);
GByteArray *fixture_torch_legacy(const FixtureFile *file);
GByteArray *fixture_torchscript(const FixtureFile *file);
GByteArray *fixture_safetensors(const FixtureFile *file);
GByteArray *fixture_container(VfiContainer kind, const FixtureFile *file);

/* Whether the container of that kind holds the tensor. */
bool fixture_holds(VfiContainer kind, const FixtureFile *file, int tensor);

/* Around an object pickle: a zip archive with the storages of @file, or a legacy stream
 * with those that the pickle mentions. */
GByteArray *fixture_zip_around(const FixtureFile *file, const GByteArray *pickle);
GByteArray *fixture_legacy_around(const FixtureFile *file, const GByteArray *pickle);
GByteArray *fixture_safetensors_around(const char *header, size_t data_size);

/* Parts of a pickle. */
GByteArray *pickle_new(void); /* PROTO 2 */
void pickle_op(GByteArray *pickle, int opcode);
void pickle_raw(GByteArray *pickle, const void *bytes, size_t size);
void pickle_text(GByteArray *pickle, const char *text);
void pickle_int(GByteArray *pickle, int64_t value);
void pickle_global(GByteArray *pickle, const char *module, const char *name);
void pickle_tensor(GByteArray *pickle, const FixtureFile *file, int tensor);
/* OrderedDict() of all tensors, each name behind @prefix; no STOP. */
void pickle_state_dict(GByteArray *pickle, const FixtureFile *file, const char *prefix);

/* A zip archive under construction. */
typedef struct {
    GByteArray *bytes;
    GByteArray *directory;
    unsigned n_members;
    bool zip64;    /* sizes, offsets and counts go to the zip64 records */
    bool streamed; /* sizes and checksums follow the data */
} ZipWriter;

ZipWriter zip_writer_new(void);
void zip_writer_add(ZipWriter *zip, const char *name, const void *data, size_t size,
                    bool deflate);
/* A member of @size zeros, a multiple of 4096, deflated to @packed. */
void zip_writer_add_zeros(ZipWriter *zip, const char *name, const GByteArray *packed,
                          size_t size);
GByteArray *zip_writer_finish(ZipWriter *zip);

/* Opens @bytes (at most 64 KiB) as a file that has no name on disk. */
VfiCheckpoint *fixture_open(const GByteArray *bytes, GError **error);

/* Fails the test unless opening @bytes gives the error @code with @text in its message.
 * Frees @bytes. */
void assert_refused(GByteArray *bytes, int code, const char *text);

/* Fails the test unless @checkpoint's tensor @name is @tensor, bit for bit. */
void assert_tensor_equals(const VfiCheckpoint *checkpoint, const char *name,
                          const FixtureTensor *tensor);
