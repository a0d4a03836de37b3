/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files made to harm, and things that are no checkpoint: each is refused with an error
 * that names the cause. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include <vfi/error.h>

#include "check_main.h"
#include "checkpoint_fixture.h"

static const FixtureFile *const standard = &fixture_standard;

/* Ends @pickle and wants it refused, in an archive and in a stream. Frees it. */
static void refuse_pickle(GByteArray *pickle, int code, const char *text)
{
    pickle_op(pickle, '.');
    assert_refused(fixture_zip_around(standard, pickle), code, text);
    assert_refused(fixture_legacy_around(standard, pickle), code, text);
    g_byte_array_unref(pickle);
}

/* Same for a pickle given as a literal behind its PROTO opcode. */
#define REFUSE_PICKLE(literal, code, text)                                               \
    refuse_pickle(pickle_of(literal, sizeof(literal) - 1), code, text)

static GByteArray *pickle_of(const char *bytes, size_t size)
{
    GByteArray *pickle = pickle_new();

    pickle_raw(pickle, bytes, size);
    return pickle;
}

/* ---- code ---- */

START_TEST(code_is_refused_by_name)
{
    static const struct {
        const char *module, *name, *text;
    } cases[] = {
        {"os", "system", "os system"},
        {"posix", "system", "posix system"},
        {"builtins", "eval", "builtins eval"},
        {"__builtin__", "getattr", "__builtin__ getattr"},
        {"torch", "load", "torch load"},
        {"torch._utils", "_import_dotted_name", "torch._utils _import_dotted_name"},
        {"model.RIFE_HDv3", "Model", "model.RIFE_HDv3 Model"},
        {"__torch__evil", "x", "__torch__evil x"},
        {"torch._utils", "_rebuild_sparse_tensor", "sparse tensor"},
        {"torch._utils", "_rebuild_qtensor", "quantised tensor"},
        {"torch", "ComplexFloatStorage", "complex storage"},
    };
    GByteArray *pickle = pickle_new();

    pickle_raw(pickle, "}", 1);
    pickle_text(pickle, "weight");
    pickle_global(pickle, cases[_i].module, cases[_i].name);
    pickle_text(pickle, "touch /tmp/owned");
    pickle_raw(pickle, "\x85Rs", 3);
    refuse_pickle(pickle, VFI_ERROR_UNSUPPORTED, cases[_i].text);
}
END_TEST

START_TEST(a_global_from_the_stack_is_refused_by_name)
{
    REFUSE_PICKLE("\x8c\x05posix\x8c\x06system\x93\x8c\x02id\x85R", VFI_ERROR_UNSUPPORTED,
                  "posix system");
    REFUSE_PICKLE("K\x01K\x02\x93", VFI_ERROR_CORRUPT, "not text");
}
END_TEST

START_TEST(opcodes_of_code_are_refused_by_name)
{
    REFUSE_PICKLE("(ios\nsystem\n", VFI_ERROR_UNSUPPORTED, "INST");
    REFUSE_PICKLE("\x82\x01", VFI_ERROR_UNSUPPORTED, "EXT1");
    REFUSE_PICKLE("Pid\n", VFI_ERROR_UNSUPPORTED, "PERSID");
    REFUSE_PICKLE("\xff", VFI_ERROR_CORRUPT, "0xff");
    REFUSE_PICKLE("\x80\x06", VFI_ERROR_UNSUPPORTED, "protocol 6");
}
END_TEST

/* ---- broken machines ---- */

START_TEST(broken_pickles_are_refused)
{
    REFUSE_PICKLE("", VFI_ERROR_CORRUPT, "STOP");
    REFUSE_PICKLE("(", VFI_ERROR_CORRUPT, "empty stack");
    REFUSE_PICKLE("0", VFI_ERROR_CORRUPT, "POP");
    REFUSE_PICKLE("t", VFI_ERROR_CORRUPT, "mark");
    REFUSE_PICKLE("K\x01\x86", VFI_ERROR_CORRUPT, "TUPLE2");
    REFUSE_PICKLE("}K\x01(K\x02u", VFI_ERROR_CORRUPT, "not a dict");
    REFUSE_PICKLE("}(K\x02u", VFI_ERROR_CORRUPT, "key without a value");
    REFUSE_PICKLE("(K\x02\x64", VFI_ERROR_CORRUPT, "key without a value");
    REFUSE_PICKLE("K\x01K\x02\x61", VFI_ERROR_CORRUPT, "not a list");
    REFUSE_PICKLE("h\x05", VFI_ERROR_CORRUPT, "memo number 5");
    REFUSE_PICKLE("Nj\xff\xff\xff\xff", VFI_ERROR_CORRUPT, "memo number 4294967295");
    REFUSE_PICKLE("Nr\xff\xff\xff\xff", VFI_ERROR_CORRUPT, "memo number 4294967295");
    REFUSE_PICKLE("K\x01N\x62", VFI_ERROR_CORRUPT, "BUILD");
    REFUSE_PICKLE("K\x01)R", VFI_ERROR_CORRUPT, "REDUCE");
    REFUSE_PICKLE("K\x01Q", VFI_ERROR_CORRUPT, "persistent id");
}
END_TEST

START_TEST(absurd_sizes_are_refused)
{
    REFUSE_PICKLE("X\xff\xff\xff\xff", VFI_ERROR_CORRUPT, "4294967295 more bytes");
    REFUSE_PICKLE("\x8d\xff\xff\xff\xff\xff\xff\xff\xff", VFI_ERROR_CORRUPT,
                  "BINUNICODE8");
    REFUSE_PICKLE("\x8b\xff\xff\xff\x7f", VFI_ERROR_CORRUPT, "LONG4");
    REFUSE_PICKLE("\x95\xff\xff\xff\xff\xff\xff\xff\x7fN", VFI_ERROR_CORRUPT, "frame");
}
END_TEST

START_TEST(deep_and_endless_nesting_is_refused)
{
    GByteArray *deep = pickle_new();

    for (int i = 0; i < 10000; i++)
        pickle_op(deep, ']');
    for (int i = 1; i < 10000; i++)
        pickle_op(deep, 'a');
    refuse_pickle(deep, VFI_ERROR_CORRUPT, "nested");
    REFUSE_PICKLE("]q\1h\1\x61", VFI_ERROR_CORRUPT, "contains itself"); /* x = [x] */
    REFUSE_PICKLE("}q\1X\1\0\0\0ah\1s", VFI_ERROR_CORRUPT, "contains itself");
}
END_TEST

/* x1 = [x0, x0], x2 = [x1, x1] …: 2^40 names from 200 bytes. */
START_TEST(exploding_sharing_is_refused)
{
    GByteArray *pickle = pickle_of("]q\1", 3);

    for (int i = 0; i < 40; i++)
        pickle_raw(pickle, "0](h\1h\1eq\1", 10);
    refuse_pickle(pickle, VFI_ERROR_CORRUPT, "explodes");
}
END_TEST

/* ---- tensors ---- */

/* A state dictionary of one tensor of the 24-element storage. */
static void refuse_tensor(const FixtureTensor *tensor, int code, const char *text)
{
    const FixtureFile file = {standard->storages, standard->n_storages, tensor, 1};
    GByteArray *pickle = pickle_new();

    pickle_state_dict(pickle, &file, "");
    refuse_pickle(pickle, code, text);
}

START_TEST(tensors_outside_their_storage_are_refused)
{
    static const FixtureTensor cases[] = {
        {"w", 0, 0, 1, {25}, {1}, NULL},
        {"w", 0, 24, 1, {1}, {1}, NULL},
        {"w", 0, -1, 1, {2}, {1}, NULL},
        {"w", 0, 0, 2, {2, 2}, {24, 1}, NULL},
        {"w", 0, INT64_MAX, 1, {2}, {INT64_MAX}, NULL},
        {"w", 0, 0, 2, {2, 2}, {INT64_MAX, INT64_MAX}, NULL},
        {"w", 0, 4, 1, {2}, {-1}, NULL},
        {"w", 0, 0, 1, {-3}, {1}, NULL},
        {"w", 0, 0, 3, {INT64_C(1) << 30, INT64_C(1) << 30, 8}, {0, 0, 0}, NULL},
        {"w", 0, 0, 2, {1 << 20, 1 << 20}, {0, 0}, NULL},
        {"w", 11, 0, 1, {1}, {1}, NULL},
    };

    refuse_tensor(&cases[_i], VFI_ERROR_CORRUPT, "tensor \"w\"");
}
END_TEST

START_TEST(nine_dimensions_are_refused)
{
    GByteArray *pickle = pickle_new();

    pickle_raw(pickle, "}", 1);
    pickle_text(pickle, "w");
    pickle_global(pickle, "torch._utils", "_rebuild_tensor_v2");
    pickle_raw(pickle, "((", 2);
    pickle_text(pickle, "storage");
    pickle_global(pickle, "torch", "FloatStorage");
    pickle_text(pickle, "0");
    pickle_raw(pickle, "NK\x18tQK\0", 7);
    for (int i = 0; i < 2; i++) {
        pickle_op(pickle, '(');
        for (int dim = 0; dim < 9; dim++)
            pickle_raw(pickle, "K\x01", 2);
        pickle_op(pickle, 't');
    }
    pickle_raw(pickle, "tRs", 3);
    refuse_pickle(pickle, VFI_ERROR_UNSUPPORTED, "9 dimensions");
}
END_TEST

START_TEST(a_storage_larger_than_its_data_is_refused)
{
    static const FixtureStorage claimed = {VFI_DTYPE_F32, "", 1000000};
    static const FixtureTensor tensor = {"w", 0, 0, 1, {1000000}, {1}, NULL};
    const FixtureFile claim = {&claimed, 1, &tensor, 1};
    GByteArray *pickle = pickle_new();

    pickle_state_dict(pickle, &claim, "");
    refuse_pickle(pickle, VFI_ERROR_CORRUPT, "1000000");
}
END_TEST

START_TEST(wrong_types_are_refused)
{
    REFUSE_PICKLE("ctorch._utils\n_rebuild_tensor_v2\n(K\1K\2K\3K\4tR", VFI_ERROR_CORRUPT,
                  "without a storage");
    REFUSE_PICKLE("ctorch._utils\n_rebuild_tensor_v2\nNR", VFI_ERROR_CORRUPT, "REDUCE");
    REFUSE_PICKLE("ctorch\nFloatStorage\n)R", VFI_ERROR_CORRUPT, "not a function");
    REFUSE_PICKLE("ctorch\nSize\n)R", VFI_ERROR_CORRUPT, "without an argument");
    REFUSE_PICKLE("ccollections\nOrderedDict\nK\1\x85R", VFI_ERROR_CORRUPT, "pairs");
    REFUSE_PICKLE("(X\6\0\0\0moduleNNNtQ", VFI_ERROR_UNSUPPORTED, "whole module");
    REFUSE_PICKLE("K\1", VFI_ERROR_UNSUPPORTED, "no tensors");
}
END_TEST

START_TEST(two_tensors_of_one_name_are_refused)
{
    GByteArray *pickle = pickle_new();

    pickle_raw(pickle, "}(", 2);
    pickle_text(pickle, "w");
    pickle_tensor(pickle, standard, 0);
    pickle_text(pickle, "w");
    pickle_tensor(pickle, standard, 1);
    pickle_op(pickle, 'u');
    refuse_pickle(pickle, VFI_ERROR_CORRUPT, "two tensors are named \"w\"");
}
END_TEST

START_TEST(long_and_broken_names_are_refused)
{
    g_autofree char *name = g_strnfill(2000, 'n');
    FixtureTensor tensor = {name, 0, 0, 1, {1}, {1}, NULL};

    refuse_tensor(&tensor, VFI_ERROR_CORRUPT, "longer than 1023 bytes");
    tensor.name = "a\xff\xfe";
    refuse_tensor(&tensor, VFI_ERROR_CORRUPT, "not UTF-8");
}
END_TEST

/* ---- archives ---- */

static ZipWriter archive_with(const char *name, const char *content)
{
    ZipWriter zip = zip_writer_new();
    g_autoptr(GByteArray) pickle = pickle_new();

    pickle_state_dict(pickle, standard, "");
    pickle_op(pickle, '.');
    zip_writer_add(&zip, "a/data.pkl", pickle->data, pickle->len, false);
    zip_writer_add(&zip, name, content, strlen(content), false);
    return zip;
}

START_TEST(odd_archives_are_refused)
{
    ZipWriter twice = archive_with("a/data.pkl", "x");
    assert_refused(zip_writer_finish(&twice), VFI_ERROR_CORRUPT, "two members named");
    ZipWriter two = archive_with("b/data.pkl", "x");
    assert_refused(zip_writer_finish(&two), VFI_ERROR_CORRUPT, "two members");
    ZipWriter big_endian = archive_with("a/byteorder", "big");
    assert_refused(zip_writer_finish(&big_endian), VFI_ERROR_UNSUPPORTED,
                   "little-endian");
    ZipWriter lacking = archive_with("a/data/1", "x");
    assert_refused(zip_writer_finish(&lacking), VFI_ERROR_CORRUPT, "data/0");
    ZipWriter other = zip_writer_new();
    zip_writer_add(&other, "model.json", "{}", 2, false);
    assert_refused(zip_writer_finish(&other), VFI_ERROR_UNSUPPORTED,
                   "neither a checkpoint");
    ZipWriter empty = zip_writer_new();
    assert_refused(zip_writer_finish(&empty), VFI_ERROR_UNSUPPORTED,
                   "with nothing in it");
}
END_TEST

/* Overwrites @size bytes at @offset behind the first @signature of @bytes. */
static void patch(GByteArray *bytes, const char *signature, size_t offset,
                  const char *value, size_t size)
{
    uint8_t *found = memmem(bytes->data, bytes->len, signature, 4);

    ck_assert_ptr_nonnull(found);
    memcpy(found + offset, value, size);
}

START_TEST(archives_that_lie_are_refused)
{
    static const char central[] = "PK\1\2", local[] = "PK\3\4", end[] = "PK\5\6";
    GByteArray *crc = fixture_torch_zip(standard, false);
    patch(crc, central, 16, "\0\0\0\0", 4);
    assert_refused(crc, VFI_ERROR_CORRUPT, "CRC-32");
    GByteArray *encrypted = fixture_torch_zip(standard, false);
    patch(encrypted, central, 8, "\1", 1);
    assert_refused(encrypted, VFI_ERROR_UNSUPPORTED, "encrypted");
    GByteArray *method = fixture_torch_zip(standard, false);
    patch(method, central, 10, "\x0e", 1);
    assert_refused(method, VFI_ERROR_UNSUPPORTED, "compression method 14");
    GByteArray *header = fixture_torch_zip(standard, false);
    patch(header, central, 42, "\xf0\xff\xff\x7f", 4);
    assert_refused(header, VFI_ERROR_CORRUPT, "no header at byte 2147483632");
    GByteArray *size = fixture_torch_zip(standard, false);
    patch(size, central, 20, "\xf0\xff\xff\x7f\xf0\xff\xff\x7f", 8);
    assert_refused(size, VFI_ERROR_CORRUPT, "more bytes than the file");
    GByteArray *name = fixture_torch_zip(standard, false);
    patch(name, local, 30, "A", 1);
    assert_refused(name, VFI_ERROR_CORRUPT, "another name");
    GByteArray *bomb = fixture_torch_zip(standard, true);
    patch(bomb, central, 24, "\xf0\xff\xff\x7f", 4);
    assert_refused(bomb, VFI_ERROR_CORRUPT, "claims 2147483632 bytes");
    GByteArray *inflated = fixture_torch_zip(standard, true);
    patch(inflated, central, 24, "\x01\x00\x00\x00", 4);
    assert_refused(inflated, VFI_ERROR_CORRUPT, "does not inflate");
    GByteArray *entries = fixture_torch_zip(standard, false);
    patch(entries, end, 10, "\xff\xff", 2);
    assert_refused(entries, VFI_ERROR_CORRUPT, "cannot hold 65535 entries");
    GByteArray *directory = fixture_torch_zip(standard, false);
    patch(directory, end, 16, "\xf0\xff\xff\x7f", 4);
    assert_refused(directory, VFI_ERROR_CORRUPT, "zip directory");
}
END_TEST

/* ---- streams ---- */

START_TEST(odd_streams_are_refused)
{
    GByteArray *pickle = pickle_of("}.", 2);
    assert_refused(pickle, VFI_ERROR_UNSUPPORTED, "magic number");
    GByteArray *version = fixture_torch_legacy(standard);
    version->data[18] = 0;
    assert_refused(version, VFI_ERROR_UNSUPPORTED, "protocol version");
    GByteArray *big_endian = fixture_torch_legacy(standard);
    uint8_t *flag = memchr(big_endian->data, 0x88, big_endian->len);
    ck_assert_ptr_nonnull(flag);
    *flag = 0x89;
    assert_refused(big_endian, VFI_ERROR_UNSUPPORTED, "big-endian");
}
END_TEST

/* ---- safetensors ---- */

START_TEST(odd_safetensors_are_refused)
{
    static const struct {
        const char *header;
        int code;
        const char *text;
    } cases[] = {
        {"{", VFI_ERROR_CORRUPT, "expected"},
        {"{}", VFI_ERROR_UNSUPPORTED, "no tensors"},
        {"{} x", VFI_ERROR_CORRUPT, "after its end"},
        {"{\"w\":1}", VFI_ERROR_CORRUPT, "expected '{'"},
        {"{\"w\":{}}", VFI_ERROR_CORRUPT, "lacks one of"},
        {"{\"w\":{\"dtype\":\"F8_E4M3\",\"shape\":[1],\"data_offsets\":[0,1]}}",
         VFI_ERROR_UNSUPPORTED, "F8_E4M3"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,4]}}",
         VFI_ERROR_CORRUPT, "outside"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,8]}}",
         VFI_ERROR_CORRUPT, "needs 4 bytes"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,4]}}",
         VFI_ERROR_CORRUPT, "outside the 8 bytes"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[8,12]}}",
         VFI_ERROR_CORRUPT, "outside the 8 bytes"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[-1],\"data_offsets\":[0,4]}}",
         VFI_ERROR_CORRUPT, "non-negative"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[99999999999999999999],\"data_offsets\":[0,"
         "4]}}",
         VFI_ERROR_CORRUPT, "below 2^63"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[4294967296,4294967296],\"data_offsets\":["
         "0,4]"
         "}}",
         VFI_ERROR_CORRUPT, "overflows"},
        {"{\"w\":{\"dtype\":\"F32\",\"shape\":[1,1,1,1,1,1,1,1,1],\"data_offsets\":[0,4]}"
         "}",
         VFI_ERROR_UNSUPPORTED, "dimensions"},
        {"{\"w\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]},\"w\":{\"dtype\":"
         "\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}",
         VFI_ERROR_CORRUPT, "two tensors"},
        {"{\"\\u0000\":{\"dtype\":\"U8\",\"shape\":[],\"data_offsets\":[0,1]}}",
         VFI_ERROR_CORRUPT, "not UTF-8"},
        {"{\"\\ud800\":1}", VFI_ERROR_CORRUPT, "escape"},
        {"{\"__metadata__\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}", VFI_ERROR_CORRUPT,
         "nesting"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        assert_refused(fixture_safetensors_around(cases[i].header, 8), cases[i].code,
                       cases[i].text);
    GByteArray *length = fixture_safetensors_around("{}", 8);
    memset(length->data, 0xff, 8);
    assert_refused(length, VFI_ERROR_CORRUPT, "18446744073709551615 bytes");
}
END_TEST

/* ---- no checkpoint at all ---- */

START_TEST(other_files_are_refused)
{
    static const struct {
        const char *content, *text;
    } cases[] = {
        {"hello", "hello"},
        {"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"},
        {"<!DOCTYPE html><html>", "web page"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        GByteArray *bytes = g_byte_array_new();
        pickle_raw(bytes, cases[i].content, strlen(cases[i].content));
        assert_refused(bytes, VFI_ERROR_UNSUPPORTED, cases[i].text);
    }
    assert_refused(g_byte_array_new(), VFI_ERROR_CORRUPT, "empty");
}
END_TEST

static void refuse_path(const char *path, int code)
{
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(vfi_checkpoint_open(path, &error));
    ck_assert_ptr_nonnull(error);
    ck_assert_msg(error->code == code, "%s", error->message);
    ck_assert_ptr_nonnull(strstr(error->message, path));
}

START_TEST(unreadable_paths_are_refused)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *folder = g_dir_make_tmp("checkpoint-XXXXXX", &error);
    ck_assert_ptr_nonnull(folder);
    g_autofree char *missing = g_build_filename(folder, "missing.pkl", NULL);
    g_autofree char *fifo = g_build_filename(folder, "fifo", NULL);
    g_autofree char *secret = g_build_filename(folder, "secret.pkl", NULL);

    refuse_path(missing, VFI_ERROR_NOT_FOUND);
    refuse_path(folder, VFI_ERROR_IO);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    refuse_path(fifo, VFI_ERROR_IO);
    ck_assert(g_file_set_contents(secret, "hello", 5, NULL));
    ck_assert_int_eq(g_chmod(secret, 0), 0);
    /* The superuser may read anything, and then finds that it is no checkpoint. */
    refuse_path(secret, access(secret, R_OK) == 0 ? VFI_ERROR_UNSUPPORTED : VFI_ERROR_IO);
    g_unlink(secret);
    g_unlink(fifo);
    g_rmdir(folder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checkpoint hostile");
    TCase *tcase = tcase_create("hostile");
    tcase_add_loop_test(tcase, code_is_refused_by_name, 0, 11);
    tcase_add_test(tcase, a_global_from_the_stack_is_refused_by_name);
    tcase_add_test(tcase, opcodes_of_code_are_refused_by_name);
    tcase_add_test(tcase, broken_pickles_are_refused);
    tcase_add_test(tcase, absurd_sizes_are_refused);
    tcase_add_test(tcase, deep_and_endless_nesting_is_refused);
    tcase_add_test(tcase, exploding_sharing_is_refused);
    tcase_add_loop_test(tcase, tensors_outside_their_storage_are_refused, 0, 11);
    tcase_add_test(tcase, nine_dimensions_are_refused);
    tcase_add_test(tcase, a_storage_larger_than_its_data_is_refused);
    tcase_add_test(tcase, wrong_types_are_refused);
    tcase_add_test(tcase, two_tensors_of_one_name_are_refused);
    tcase_add_test(tcase, long_and_broken_names_are_refused);
    tcase_add_test(tcase, odd_archives_are_refused);
    tcase_add_test(tcase, archives_that_lie_are_refused);
    tcase_add_test(tcase, odd_streams_are_refused);
    tcase_add_test(tcase, odd_safetensors_are_refused);
    tcase_add_test(tcase, other_files_are_refused);
    tcase_add_test(tcase, unreadable_paths_are_refused);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
