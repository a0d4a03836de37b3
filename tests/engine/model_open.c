/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Opening models that should not be: weights that are no numbers, networks without
 * channels, files that inflate without end or name the same bytes again and again; and
 * giving up midway. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <glib/gstdio.h>

#include <vfi/vfi.h>

#include "../unit/checkpoint_fixture.h"
#include "base/alloc.h"
#include "check_main.h"
#include "deterministic_weights.h"
#include "fake_memory.h"
#include "machine/heap.h"

/* ---- weights that are not finite ---- */

/* The least FILM with @value as the last element of the file. Remove it, then
 * g_free(). */
static char *film_ending_with(float value)
{
    char *path = deterministic_checkpoint("film_min", NULL);
    g_autofree char *bytes = NULL;
    size_t size;

    ck_assert(g_file_get_contents(path, &bytes, &size, NULL));
    memcpy(bytes + size - sizeof value, &value, sizeof value);
    ck_assert(g_file_set_contents(path, bytes, (gssize)size, NULL));
    return path;
}

static void assert_nonfinite_refused(VfiModel *model, const GError *error)
{
    ck_assert_ptr_null(model);
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_CORRUPT));
    ck_assert_msg(strstr(error->message, "tensor \"fuse.convs.3.2.0.bias\"") != NULL &&
                      strstr(error->message, "infinite") != NULL,
                  "%s", error->message);
}

START_TEST(weights_that_are_no_numbers_are_refused)
{
    static const float values[] = {NAN, INFINITY, -INFINITY};
    const VfiOpenOptions allow = {.allow_nonfinite = TRUE};
    g_autofree char *path = film_ending_with(values[_i]);
    g_autoptr(GError) error = NULL;

    VfiModel *refused = vfi_model_open(path, NULL, &error);
    assert_nonfinite_refused(refused, error);
    g_autoptr(VfiModel) model = vfi_model_open_full(path, NULL, &allow, NULL);
    ck_assert_ptr_nonnull(model);
    g_unlink(path);
}
END_TEST

/* The largest number is one. */
START_TEST(large_weights_are_taken)
{
    g_autofree char *path = film_ending_with(G_MAXFLOAT);
    g_autoptr(VfiModel) model = vfi_model_open(path, NULL, NULL);

    ck_assert_ptr_nonnull(model);
    g_unlink(path);
}
END_TEST

/* Whoever allows them does not decide for others who open the same file. */
START_TEST(the_cache_gives_them_to_those_who_asked)
{
    const VfiModelCacheConfig allow = {.open = {.allow_nonfinite = TRUE}};
    g_autofree char *path = film_ending_with(NAN);
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiModel) first = vfi_model_cache_open(path, NULL, &allow, NULL);
    VfiModelCacheStats before, after;

    ck_assert_ptr_nonnull(first);
    VfiModel *refused = vfi_model_cache_open(path, NULL, NULL, &error);
    assert_nonfinite_refused(refused, error);
    vfi_model_cache_get_stats(&before);
    g_autoptr(VfiModel) second = vfi_model_cache_open(path, NULL, &allow, NULL);
    vfi_model_cache_get_stats(&after);
    ck_assert_ptr_nonnull(second);
    ck_assert_uint_eq(after.hits, before.hits + 1);
    g_unlink(path);
}
END_TEST

/* ---- what is no file ---- */

START_TEST(pipes_and_devices_are_refused_as_what_they_are)
{
    g_autofree char *folder = g_dir_make_tmp("vfi-XXXXXX", NULL);
    g_autofree char *fifo = g_build_filename(folder, "fifo", NULL);
    g_autoptr(GError) pipe = NULL, device = NULL;

    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_ptr_null(vfi_model_open(fifo, NULL, &pipe));
    ck_assert_ptr_null(vfi_model_open("/dev/zero", NULL, &device));
    g_unlink(fifo);
    g_rmdir(folder);
    ck_assert(g_error_matches(pipe, VFI_ERROR, VFI_ERROR_IO));
    ck_assert(g_error_matches(device, VFI_ERROR, VFI_ERROR_IO));
    ck_assert_ptr_nonnull(strstr(pipe->message, "a pipe"));
    ck_assert_ptr_nonnull(strstr(device->message, "a device"));
}
END_TEST

/* ---- networks without channels ---- */

START_TEST(film_without_channels_is_refused)
{
    g_autofree char *path = deterministic_checkpoint("film_none", NULL);
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(vfi_model_open(path, NULL, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED) ||
              g_error_matches(error, VFI_ERROR, VFI_ERROR_CORRUPT));
    ck_assert_msg(strstr(error->message, "extract.extract_sublevels.convs.0.0") != NULL &&
                      strstr(error->message, "channels") != NULL,
                  "%s", error->message);
    g_unlink(path);
}
END_TEST

/* ---- giving up ---- */

typedef struct {
    int patience; /* questions that are answered no */
    int asked;
} Caller;

static gboolean loses_patience(void *data)
{
    Caller *caller = data;

    return caller->asked++ >= caller->patience;
}

/* Wherever it gives up, that is the error; and in the end there is a model. */
START_TEST(opening_can_be_cancelled_at_any_moment)
{
    g_autofree char *path = deterministic_checkpoint("film_min", NULL);
    bool through_cache = _i != 0;
    VfiModel *model = NULL;

    for (int patience = 0; model == NULL; patience++) {
        Caller caller = {.patience = patience};
        const VfiModelCacheConfig config = {.open = {FALSE, loses_patience, &caller}};
        g_autoptr(GError) error = NULL;
        model = through_cache ? vfi_model_cache_open(path, NULL, &config, &error)
                              : vfi_model_open_full(path, NULL, &config.open, &error);
        ck_assert_msg(model != NULL ||
                          g_error_matches(error, VFI_ERROR, VFI_ERROR_CANCELLED),
                      "%s", error != NULL ? error->message : "");
        ck_assert_int_eq(caller.asked, model != NULL ? patience : patience + 1);
        ck_assert_int_lt(patience, 1000);
    }
    vfi_model_unref(model);
    g_unlink(path);
}
END_TEST

/* ---- files that are more than they seem ---- */

static char *write_file(GByteArray *bytes)
{
    char *path = NULL;
    int fd = g_file_open_tmp("vfi-XXXXXX.pth", &path, NULL);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes->data, bytes->len), bytes->len);
    close(fd);
    g_byte_array_unref(bytes);
    return path;
}

#define MAX_EXTRA 60000
static char extra_names[MAX_EXTRA][16];

/* The least FILM as an archive of one storage, which all tensors see; @extra more tensors
 * see it, too. @elements: that the storage has. */
static FixtureFile film_sharing(size_t elements, GArray *entries, GArray *tensors,
                                FixtureStorage *storage, size_t extra)
{
    *storage = (FixtureStorage){VFI_DTYPE_U8, NULL, elements};
    for (guint i = 0; i < entries->len; i++) {
        const StateEntry *entry = &g_array_index(entries, StateEntry, i);
        FixtureTensor tensor = {.name = entry->key, .n_dims = entry->n_dims};
        int64_t stride = 1;
        for (int dim = entry->n_dims - 1; dim >= 0; dim--) {
            tensor.shape[dim] = entry->shape[dim];
            tensor.stride[dim] = stride;
            stride *= entry->shape[dim];
        }
        g_array_append_val(tensors, tensor);
    }
    for (size_t i = 0; i < extra; i++) {
        g_snprintf(extra_names[i], sizeof extra_names[i], "extra.%zu", i);
        FixtureTensor tensor = {
            .name = extra_names[i], .n_dims = 1, .shape = {64}, .stride = {1}};
        g_array_append_val(tensors, tensor);
    }
    return (FixtureFile){storage, 1, (FixtureTensor *)(void *)tensors->data,
                         (int)tensors->len};
}

/* @n MiB of zeros, deflated, and what follows them: a piece that ends at a byte,
 * repeated. */
static GByteArray *deflated_zeros(unsigned n)
{
    g_autofree uint8_t *zeros = g_malloc0(1 << 20);
    uint8_t piece[4096];
    z_stream stream = {.next_in = zeros, .avail_in = 1 << 20};
    GByteArray *packed = g_byte_array_new();

    ck_assert_int_eq(
        deflateInit2(&stream, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
    stream.next_out = piece;
    stream.avail_out = sizeof piece;
    ck_assert_int_eq(deflate(&stream, Z_FULL_FLUSH), Z_OK);
    size_t size = sizeof piece - stream.avail_out;
    deflateEnd(&stream);
    for (unsigned i = 0; i < n; i++)
        pickle_raw(packed, piece, size);
    pickle_raw(packed, "\x03\0", 2); /* an empty last block */
    return packed;
}

/* An archive of @file whose storage is @packed. */
static char *write_archive(const FixtureFile *file, GByteArray *packed)
{
    g_autoptr(GByteArray) pickle = pickle_new();
    ZipWriter zip = zip_writer_new();

    zip.zip64 = file->storages[0].n_elements > UINT32_MAX;
    pickle_state_dict(pickle, file, "");
    pickle_op(pickle, '.');
    zip_writer_add(&zip, "m/data.pkl", pickle->data, pickle->len, false);
    zip_writer_add_zeros(&zip, "m/data/0", packed, file->storages[0].n_elements);
    g_byte_array_unref(packed);
    return write_file(zip_writer_finish(&zip));
}

static void assert_open_refused(const char *path, int code, const char *text)
{
    g_autoptr(GError) error = NULL;
    guint64 now, peak_before, peak;

    vfi_get_memory_use(&now, &peak_before);
    ck_assert_ptr_null(vfi_model_open(path, NULL, &error));
    vfi_get_memory_use(&now, &peak);
    ck_assert_msg(g_error_matches(error, VFI_ERROR, code) &&
                      strstr(error->message, text) != NULL,
                  "\"%s\" is not in \"%s\"", text, error->message);
    /* Refused before it was written to: at most address space. */
    ck_assert_uint_lt(vfi_resident_bytes(), 400 * MIB);
}

/* Six gigabytes behind six megabytes. */
START_TEST(what_inflates_out_of_proportion_is_refused)
{
    g_autoptr(GArray) entries = state_dict_of("film_min");
    g_autoptr(GArray) tensors = g_array_new(FALSE, FALSE, sizeof(FixtureTensor));
    FixtureStorage storage;
    FixtureFile file = film_sharing((size_t)6 << 30, entries, tensors, &storage, 0);
    g_autofree char *path = write_archive(&file, deflated_zeros(6 << 10));

    assert_open_refused(path, VFI_ERROR_CORRUPT, "inflate");
    g_unlink(path);
}
END_TEST

/* What nobody wants is not looked at, however large it is. */
START_TEST(what_is_not_wanted_is_not_inflated)
{
    g_autoptr(GArray) entries = state_dict_of("film_min");
    g_autoptr(GArray) tensors = g_array_new(FALSE, FALSE, sizeof(FixtureTensor));
    FixtureStorage storage;
    FixtureFile file = film_sharing(1 << 20, entries, tensors, &storage, 0);
    g_autoptr(GByteArray) pickle = pickle_new();
    g_autoptr(GByteArray) small = deflated_zeros(1), large = deflated_zeros(2 << 10);
    ZipWriter zip = zip_writer_new();
    Caller caller = {.patience = G_MAXINT};
    const VfiOpenOptions how = {FALSE, loses_patience, &caller};

    pickle_state_dict(pickle, &file, "");
    pickle_op(pickle, '.');
    zip_writer_add(&zip, "m/data.pkl", pickle->data, pickle->len, false);
    zip_writer_add_zeros(&zip, "m/data/0", small, 1 << 20);
    zip_writer_add_zeros(&zip, "m/data/1", large, (size_t)2 << 30);
    g_autofree char *path = write_file(zip_writer_finish(&zip));
    g_autoptr(VfiModel) model = vfi_model_open_full(path, NULL, &how, NULL);
    g_unlink(path);
    ck_assert_ptr_nonnull(model);
    ck_assert_int_lt(caller.asked, 200);
}
END_TEST

/* Sixty thousand tensors of one member: it is inflated once. */
START_TEST(a_member_is_inflated_once)
{
    g_autoptr(GArray) entries = state_dict_of("film_min");
    g_autoptr(GArray) tensors = g_array_new(FALSE, FALSE, sizeof(FixtureTensor));
    FixtureStorage storage;
    FixtureFile file =
        film_sharing((size_t)4 << 20, entries, tensors, &storage, MAX_EXTRA);
    g_autofree char *path = write_archive(&file, deflated_zeros(4));
    Caller caller = {.patience = G_MAXINT};
    const VfiOpenOptions how = {FALSE, loses_patience, &caller};
    g_autoptr(GError) error = NULL;

    g_autoptr(VfiModel) model = vfi_model_open_full(path, NULL, &how, &error);
    g_unlink(path);
    ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
    ck_assert_int_lt(caller.asked, 200);
}
END_TEST

/* The same, of a member of no bytes that is made of nothing but empty blocks. */
START_TEST(endless_nothing_is_read_once)
{
    g_autoptr(GArray) entries = state_dict_of("film_min");
    g_autoptr(GArray) tensors = g_array_new(FALSE, FALSE, sizeof(FixtureTensor));
    g_autoptr(GByteArray) nothing = g_byte_array_new();
    FixtureStorage storage;
    FixtureFile file = film_sharing(0, entries, tensors, &storage, MAX_EXTRA);
    Caller caller = {.patience = G_MAXINT};
    const VfiOpenOptions how = {FALSE, loses_patience, &caller};

    for (int i = 0; i < 800000; i++)
        pickle_raw(nothing, "\0\0\0\xff\xff", 5);
    pickle_raw(nothing, "\x03\0", 2);
    for (guint i = 0; i < tensors->len; i++)
        ((FixtureTensor *)(void *)tensors->data)[i].shape[0] = 0;
    g_autofree char *path = write_archive(&file, g_byte_array_ref(nothing));
    g_autoptr(GError) error = NULL;
    ck_assert_ptr_null(vfi_model_open_full(path, NULL, &how, &error));
    g_unlink(path);
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED) ||
              g_error_matches(error, VFI_ERROR, VFI_ERROR_CORRUPT));
    ck_assert_int_lt(caller.asked, 200);
}
END_TEST

/* What it would take is asked of the machine first. */
START_TEST(memory_is_claimed_before_it_is_taken)
{
    g_autoptr(GArray) entries = state_dict_of("film_min");
    g_autoptr(GArray) tensors = g_array_new(FALSE, FALSE, sizeof(FixtureTensor));
    FixtureStorage storage;
    FixtureFile file = film_sharing((size_t)64 << 20, entries, tensors, &storage, 0);
    /* One tensor whose elements are the storage's first and last. */
    FixtureTensor wide = {
        .name = "extra", .n_dims = 1, .shape = {2}, .stride = {((int64_t)64 << 20) - 1}};
    g_array_append_val(tensors, wide);
    file.tensors = (FixtureTensor *)(void *)tensors->data;
    file.n_tensors++;
    g_autofree char *path = write_archive(&file, deflated_zeros(64));
    g_autoptr(GError) error = NULL;

    fake_memory_begin();
    fake_memory_set(50 * MIB, 1000 * MIB);
    ck_assert_ptr_null(vfi_model_open(path, NULL, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY));
    fake_memory_set(900 * MIB, 1000 * MIB);
    g_autoptr(VfiModel) model = vfi_model_open(path, NULL, NULL);
    ck_assert_ptr_nonnull(model);
    fake_memory_end();
    g_unlink(path);
}
END_TEST

/* Two tensors of one storage of halves: it has to lie in memory as it is. */
START_TEST(what_is_converted_is_claimed_too)
{
    const size_t n = (size_t)24 << 20; /* as f16 48 MiB, as f32 96 */
    const FixtureStorage storage = {VFI_DTYPE_F16, NULL, n};
    FixtureTensor tensors[2] = {
        {.name = "a",
         .storage = 0,
         .n_dims = 1,
         .shape = {(int64_t)n / 2},
         .stride = {1}},
        {.name = "b",
         .storage = 0,
         .offset = (int64_t)n / 2,
         .n_dims = 1,
         .shape = {(int64_t)n / 2},
         .stride = {1}},
    };
    const FixtureFile file = {&storage, 1, tensors, 2};
    g_autoptr(GByteArray) pickle = pickle_new();
    g_autoptr(GByteArray) zeros = deflated_zeros(48);
    ZipWriter zip = zip_writer_new();
    g_autoptr(GError) error = NULL;

    pickle_state_dict(pickle, &file, "");
    pickle_op(pickle, '.');
    zip_writer_add(&zip, "m/data.pkl", pickle->data, pickle->len, false);
    zip_writer_add_zeros(&zip, "m/data/0", zeros, 2 * n);
    g_autofree char *path = write_file(zip_writer_finish(&zip));
    fake_memory_begin();
    fake_memory_set(40 * MIB, 1000 * MIB);
    g_autoptr(VfiCheckpoint) checkpoint = vfi_checkpoint_open(path, NULL);
    g_autofree float *values = g_new(float, n / 2);
    const VfiTensorInfo *tensor = vfi_checkpoint_find(checkpoint, "a");
    ck_assert(!vfi_checkpoint_read_f32(checkpoint, tensor, values, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY));
    fake_memory_set(600 * MIB, 1000 * MIB);
    ck_assert(vfi_checkpoint_read_f32(checkpoint, tensor, values, NULL));
    ck_assert_float_eq(values[n / 2 - 1], 0.0f);
    fake_memory_end();
    g_unlink(path);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model open");
    TCase *tcase = tcase_create("open");

    tcase_add_loop_test(tcase, weights_that_are_no_numbers_are_refused, 0, 3);
    tcase_add_test(tcase, large_weights_are_taken);
    tcase_add_test(tcase, the_cache_gives_them_to_those_who_asked);
    tcase_add_test(tcase, pipes_and_devices_are_refused_as_what_they_are);
    tcase_add_test(tcase, film_without_channels_is_refused);
    tcase_add_loop_test(tcase, opening_can_be_cancelled_at_any_moment, 0, 2);
    tcase_add_test(tcase, what_inflates_out_of_proportion_is_refused);
    tcase_add_test(tcase, what_is_not_wanted_is_not_inflated);
    tcase_add_test(tcase, a_member_is_inflated_once);
    tcase_add_test(tcase, endless_nothing_is_read_once);
    tcase_add_test(tcase, memory_is_claimed_before_it_is_taken);
    tcase_add_test(tcase, what_is_converted_is_claimed_too);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
