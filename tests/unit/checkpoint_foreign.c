/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that people have in place of a checkpoint: each is named for what it is, and the
 * message says what to do. */
#include <string.h>

#include <glib/gstdio.h>
#include <zlib.h>

#include <vfi/error.h>

#include "check_main.h"
#include "checkpoint_fixture.h"

static GByteArray *bytes_of(const void *data, size_t size)
{
    GByteArray *bytes = g_byte_array_new();

    pickle_raw(bytes, data, size);
    return bytes;
}

#define REFUSED(literal, text)                                                           \
    assert_refused(bytes_of(literal, sizeof(literal) - 1), VFI_ERROR_UNSUPPORTED, text)

START_TEST(other_formats_are_named)
{
    REFUSED("\x1f\x8b\x08\0\0\0\0\0\0\3", "gzip; unpack");
    REFUSED("7z\xbc\xaf\x27\x1c\0\4", "7-Zip archive; unpack");
    REFUSED("Rar!\x1a\x07\1\0", "RAR archive; unpack");
    REFUSED("\xfd"
            "7zXZ\0\0",
            "xz; unpack");
    REFUSED("\x28\xb5\x2f\xfd\0", "Zstandard; unpack");
    REFUSED("BZh91AY", "bzip2; unpack");
    REFUSED("version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull");
    REFUSED("\x08\x07\x12\x07pytorch\x1a\x05"
            "2.1.0:",
            "ONNX model, which is not read; take the PyTorch checkpoint");
    REFUSED("\x08\x08:\xff\x01\0\0\0\0", "ONNX model");
    REFUSED("ftrt\0\0\0\0\0\0", "TensorRT engine");
    REFUSED("ptrt\0\0\0\0\0\0", "TensorRT engine");
    REFUSED("\x89HDF\r\n\x1a\n\0\0", "HDF5");
    REFUSED("\x08\x01\x12\x80\1\0", "TensorFlow SavedModel");
    REFUSED("\x1c\0\0\0TFL3\0\0", "TensorFlow Lite");
    REFUSED("\x93NUMPY\1\0", "NumPy");
    REFUSED("7767517\n75 90\n", "call it NAME.param");
}
END_TEST

START_TEST(text_is_named)
{
    REFUSED("<!DOCTYPE html><html>", "web page");
    REFUSED("\xef\xbb\xbf\r\n  <html><head><title>Google Drive - Virus scan warning",
            "web page, not a checkpoint");
    REFUSED("<?xml version=\"1.0\"?><Error><Code>AccessDenied", "XML text");
    REFUSED("{\"error\": \"Not Found\"}", "JSON text");
    REFUSED("Not Found\n", "text that begins with \"Not Found\\n\"");
    GByteArray *pages = g_byte_array_new(); /* a character is cut where looking ends */
    for (int i = 0; i < 1000; i++)
        pickle_raw(pages, "模型", strlen("模型"));
    assert_refused(pages, VFI_ERROR_UNSUPPORTED, "text that begins with \"模型");
    REFUSED("modèle", "text that begins with \"modèle\"");
    REFUSED("\1\2\3\4\xff\xfe",
            "begins with \"\\x01\\x02\\x03\\x04\\xff\\xfe\", which is none of");
}
END_TEST

/* ---- archives ---------------------------------------------------------------------- */

static GByteArray *zip_of(const char *const *members)
{
    ZipWriter zip = zip_writer_new();

    for (; *members != NULL; members++)
        zip_writer_add(&zip, *members, "x", 1, false);
    return zip_writer_finish(&zip);
}

/* As tar writes them: a header of 512 bytes, the content up to a multiple of that. */
static GByteArray *tar_of(const char *const *members)
{
    static const char zeros[1024];
    GByteArray *tar = g_byte_array_new();

    for (; *members != NULL; members++) {
        char header[512] = {0};
        g_strlcpy(header, *members, 100);
        memcpy(header + 124, "00000001001", 11); /* 513 bytes */
        memcpy(header + 257, "ustar\00000", 8);
        pickle_raw(tar, header, sizeof header);
        pickle_raw(tar, zeros, sizeof zeros);
    }
    pickle_raw(tar, zeros, sizeof zeros);
    return tar;
}

/* Frees @plain. */
static GByteArray *gzip_of(GByteArray *plain)
{
    guint8 packed[8192];
    z_stream stream = {.next_in = plain->data,
                       .avail_in = plain->len,
                       .next_out = packed,
                       .avail_out = sizeof packed};

    ck_assert_int_eq(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, 0), Z_OK);
    ck_assert_int_eq(deflate(&stream, Z_FINISH), Z_STREAM_END);
    deflateEnd(&stream);
    g_byte_array_unref(plain);
    return bytes_of(packed, sizeof packed - stream.avail_out);
}

static const struct {
    const char *members[5];
    const char *text;
} archives[] = {
    {{"train_log/", "train_log/IFNet_HDv3.py", "train_log/flownet.pkl",
      "train_log/x.pth"},
     "unpack it and take the model in it, \"train_log/flownet.pkl\""},
    {{"__MACOSX/train_log/._flownet.pkl", "RIFE/readme.txt", "RIFE/rife47.pth"},
     "take the model in it, \"RIFE/rife47.pth\""},
    {{"rife-v4.6/flownet.bin", "rife-v4.6/flownet.param"},
     "take the model in it, \"rife-v4.6/flownet.param\""},
    {{"readme.txt", "rife_v4.6.onnx"}, "it holds an ONNX model"},
    {{"film/keras_metadata.pb", "film/saved_model.pb"}, "it holds a TensorFlow model"},
    {{"weights.npy"}, "it holds NumPy arrays"},
    {{"holiday.jpg"},
     "neither a checkpoint nor with one in it (its first member is "
     "\"holiday.jpg\")"},
};

START_TEST(archives_say_which_model_is_in_them)
{
    const char *const *members = archives[_i].members;
    const char *text = archives[_i].text;

    assert_refused(zip_of(members), VFI_ERROR_UNSUPPORTED, "it is a zip archive");
    assert_refused(zip_of(members), VFI_ERROR_UNSUPPORTED, text);
    assert_refused(tar_of(members), VFI_ERROR_UNSUPPORTED, "it is a tar archive");
    assert_refused(tar_of(members), VFI_ERROR_UNSUPPORTED, text);
    assert_refused(gzip_of(tar_of(members)), VFI_ERROR_UNSUPPORTED,
                   "it is a compressed tar archive");
    assert_refused(gzip_of(tar_of(members)), VFI_ERROR_UNSUPPORTED, text);
}
END_TEST

START_TEST(odd_archives_are_named)
{
    static const char *const nothing[] = {NULL};
    static const char *const old_torch[] = {"sys_info", "pickle", "tensors", "storages",
                                            NULL};

    assert_refused(zip_of(nothing), VFI_ERROR_UNSUPPORTED, "with nothing in it");
    assert_refused(tar_of(old_torch), VFI_ERROR_UNSUPPORTED, "torch before 0.1.10");
    /* cut anywhere: still an archive, and no byte behind the end is read */
    GByteArray *whole = tar_of(archives[0].members);
    for (guint size = 264; size < whole->len; size += 123)
        assert_refused(bytes_of(whole->data, size), VFI_ERROR_UNSUPPORTED, "tar archive");
    g_byte_array_unref(whole);
    whole = gzip_of(tar_of(archives[0].members));
    for (guint size = 9; size < whole->len; size += 7)
        assert_refused(bytes_of(whole->data, size), VFI_ERROR_UNSUPPORTED, "compressed");
    g_byte_array_unref(whole);
}
END_TEST

/* What the bytes do not say, the name may. */
START_TEST(names_tell_what_bytes_do_not)
{
    static const struct {
        const char *name, *text;
    } cases[] = {
        {"rife.ONNX", "called an ONNX model"},
        {"rife.engine", "called a TensorRT engine"},
        {"graph.pb", "TensorFlow graph"},
        {"flownet.bin", ".param"},
        {"rife.pkl", "which is none of torch"},
    };
    g_autofree char *folder = g_dir_make_tmp("vfi-foreign-XXXXXX", NULL);

    ck_assert_ptr_nonnull(folder);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_build_filename(folder, cases[i].name, NULL);
        g_autoptr(GError) error = NULL;
        ck_assert(g_file_set_contents(path, "\1\2\0\4", 4, NULL));
        ck_assert_ptr_null(vfi_checkpoint_open(path, &error));
        g_unlink(path);
        ck_assert_msg(strstr(error->message, cases[i].text) != NULL, "%s",
                      error->message);
    }
    g_rmdir(folder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checkpoint foreign");
    TCase *tcase = tcase_create("foreign");
    tcase_add_test(tcase, other_formats_are_named);
    tcase_add_test(tcase, text_is_named);
    tcase_add_loop_test(tcase, archives_say_which_model_is_in_them, 0,
                        (int)G_N_ELEMENTS(archives));
    tcase_add_test(tcase, odd_archives_are_named);
    tcase_add_test(tcase, names_tell_what_bytes_do_not);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
