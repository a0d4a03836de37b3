/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "ncnn_fixture.h"

#include <check.h>

#include "deterministic_weights.h"
#include "temporary_folder.h"

const NcnnNetwork ncnn_toy = {.family = "toy",
                              .n_blocks = 2,
                              .width = {6, 4},
                              .in_first = 13,
                              .in = 18,
                              .n_head = 4,
                              .head_width = 2,
                              .head_out = 3,
                              .head_key = "encode.cnn",
                              .head_step = 1,
                              .last = 24,
                              .groups = 1,
                              .beta = NCNN_BETA_BETWEEN};

char *ncnn_folder;

void ncnn_setup(void)
{
    ncnn_folder = g_dir_make_tmp("vfi-ncnn-XXXXXX", NULL);
    ck_assert_ptr_nonnull(ncnn_folder);
}

void ncnn_teardown(void)
{
    folder_remove(ncnn_folder);
    g_free(ncnn_folder);
}

VfiCheckpoint *ncnn_open(const NcnnFile *file, GError **error)
{
    ncnn_file_write(file, ncnn_folder);
    return vfi_checkpoint_open(ncnn_folder, error);
}

static void assert_values(const StateEntry *entry, const VfiCheckpoint *checkpoint,
                          const VfiTensorInfo *tensor, bool f16)
{
    guint64 n = state_entry_elements(entry);
    bool is_one = g_str_has_suffix(entry->key, ".beta") && entry->kind == STATE_WEIGHT;
    bool is_half = f16 && entry->kind == STATE_WEIGHT && !is_one;
    g_autofree float *expected = deterministic_values(entry);
    g_autofree float *values = g_new(float, n);

    ck_assert_int_eq(tensor->dtype, is_half ? VFI_DTYPE_F16 : VFI_DTYPE_F32);
    ck_assert(vfi_checkpoint_read_f32(checkpoint, tensor, values, NULL));
    for (guint64 i = 0; i < n; i++) {
        float value = is_one ? 1.0f : is_half ? ncnn_f16_value(expected[i]) : expected[i];
        if (values[i] != value)
            ck_abort_msg("%s[%d]: %g instead of %g", entry->key, (int)i,
                         (double)values[i], (double)value);
    }
}

const VfiTensorInfo *ncnn_find_tensor(const VfiCheckpoint *checkpoint,
                                      const StateEntry *entry)
{
    const VfiTensorInfo *tensor = vfi_checkpoint_find(checkpoint, entry->key);

    ck_assert_msg(tensor != NULL, "no tensor %s", entry->key);
    ck_assert_int_eq(tensor->n_dims, entry->n_dims);
    for (int i = 0; i < entry->n_dims; i++)
        ck_assert_msg(tensor->shape[i] == entry->shape[i],
                      "%s: dimension %d is %d, not %d", entry->key, i,
                      (int)tensor->shape[i], entry->shape[i]);
    return tensor;
}

void ncnn_assert_tensors(const NcnnFile *file, const VfiCheckpoint *checkpoint, bool f16)
{
    ck_assert_uint_eq(vfi_checkpoint_n_tensors(checkpoint), file->entries->len);
    for (guint i = 0; i < file->entries->len; i++) {
        const StateEntry *entry = &g_array_index(file->entries, StateEntry, i);
        assert_values(entry, checkpoint, ncnn_find_tensor(checkpoint, entry), f16);
    }
}
