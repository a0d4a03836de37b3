/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Damaged files and refused memory: whatever happens to the bytes, opening gives an error
 * or tensors that can be read, and leaves nothing behind. Meant to run under sanitizers
 * too. */
#include <string.h>

#include <vfi/error.h>

#include "base/alloc.h"
#include "check_main.h"
#include "checkpoint_fixture.h"

/* The four containers; then the archive with deflated members; then a damaged pickle in
 * an archive whose checksums are right. */
enum { DEFLATED = 4, REPACKED = 5, N_KINDS = 6 };

#define N_VARIANTS 1000

static const FixtureFile *const standard = &fixture_standard;

static GByteArray *make(int kind)
{
    return kind == DEFLATED ? fixture_torch_zip(standard, true)
                            : fixture_container((VfiContainer)kind, standard);
}

/* Reads every tensor, and finds it by its name. */
static void read_all(const VfiCheckpoint *checkpoint)
{
    for (size_t i = 0; i < vfi_checkpoint_n_tensors(checkpoint); i++) {
        g_autoptr(GError) error = NULL;
        const VfiTensorInfo *info = vfi_checkpoint_tensor(checkpoint, i);
        float *values = vfi_try_alloc(info->n_elements, sizeof *values, "a test", NULL);
        ck_assert_ptr_nonnull(values); /* the reader bounds the size by the file's */
        if (!vfi_checkpoint_read_f32(checkpoint, info, values, &error))
            ck_assert_msg(g_error_matches(error, VFI_ERROR, VFI_ERROR_CORRUPT), "%s",
                          error->message);
        vfi_free(values);
        ck_assert_ptr_eq(vfi_checkpoint_find(checkpoint, info->name), info);
    }
}

/* Opens damaged @bytes; a failure must be one of the errors that a file can cause. */
static VfiCheckpoint *open_damaged(const GByteArray *bytes)
{
    g_autoptr(GError) error = NULL;
    VfiCheckpoint *checkpoint = fixture_open(bytes, &error);

    ck_assert((checkpoint == NULL) == (error != NULL));
    if (error != NULL) {
        ck_assert_msg(g_error_matches(error, VFI_ERROR, VFI_ERROR_CORRUPT) ||
                          g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED),
                      "%s", error->message);
        ck_assert(g_utf8_validate(error->message, -1, NULL));
    }
    return checkpoint;
}

START_TEST(truncated_files_are_refused)
{
    g_autoptr(GByteArray) whole = make(_i);
    g_autoptr(GByteArray) part = g_byte_array_new();

    for (guint size = 0; size < whole->len; size += 64) {
        g_byte_array_set_size(part, 0);
        g_byte_array_append(part, whole->data, size);
        g_autoptr(VfiCheckpoint) checkpoint = open_damaged(part);
        ck_assert_msg(checkpoint == NULL, "opened with %u of %u bytes", size, whole->len);
    }
}
END_TEST

/* Flips 1 to 4 bits of @bytes. */
static void flip_bits(GByteArray *bytes, GRand *random)
{
    for (gint32 flips = g_rand_int_range(random, 1, 5); flips > 0; flips--) {
        guint32 bit = (guint32)g_rand_int_range(random, 0, (gint32)bytes->len * 8);
        bytes->data[bit / 8] ^= (guint8)(1u << bit % 8);
    }
}

static GByteArray *make_flipped(int kind, const GByteArray *whole, GRand *random)
{
    if (kind == REPACKED) {
        g_autoptr(GByteArray) pickle = pickle_new();
        pickle_state_dict(pickle, standard, "");
        pickle_op(pickle, '.');
        flip_bits(pickle, random);
        return fixture_zip_around(standard, pickle);
    }
    GByteArray *bytes = g_byte_array_new();
    g_byte_array_append(bytes, whole->data, whole->len);
    flip_bits(bytes, random);
    return bytes;
}

START_TEST(flipped_bits_do_no_harm)
{
    g_autoptr(GByteArray) whole = make(_i == REPACKED ? VFI_CONTAINER_TORCH_ZIP : _i);
    GRand *random = g_rand_new_with_seed(20240229u + (guint32)_i);
    unsigned opened = 0;

    for (int variant = 0; variant < N_VARIANTS; variant++) {
        g_autoptr(GByteArray) bytes = make_flipped(_i, whole, random);
        g_autoptr(VfiCheckpoint) checkpoint = open_damaged(bytes);
        if (checkpoint != NULL) {
            read_all(checkpoint);
            opened++;
        }
    }
    g_rand_free(random);
    /* Flips in values go unnoticed and flips in structure do not: both must have
     * occurred, or the test tests nothing. */
    ck_assert_uint_gt(opened, 0);
    ck_assert_uint_lt(opened, N_VARIANTS);
}
END_TEST

START_TEST(refused_memory_is_an_error)
{
    g_autoptr(GByteArray) bytes = make(_i);
    VfiCheckpoint *checkpoint = NULL;
    guint64 successes = 0;

    while (checkpoint == NULL) {
        g_autoptr(GError) error = NULL;
        vfi_alloc_fail_after(successes);
        checkpoint = fixture_open(bytes, &error);
        vfi_alloc_fail_after(G_MAXUINT64);
        if (checkpoint == NULL)
            ck_assert_msg(g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY),
                          "after %" G_GUINT64_FORMAT " allocations: %s", successes,
                          error->message);
        successes++;
        ck_assert_uint_lt(successes, 10000);
    }
    ck_assert_uint_gt(successes, 3); /* tensors, names and index at least */
    read_all(checkpoint);
    vfi_checkpoint_unref(checkpoint);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checkpoint damage");
    TCase *tcase = tcase_create("damage");
    tcase_add_loop_test(tcase, truncated_files_are_refused, 0, REPACKED);
    tcase_add_loop_test(tcase, flipped_bits_do_no_harm, 0, N_KINDS);
    tcase_add_loop_test(tcase, refused_memory_is_an_error, 0, REPACKED);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
