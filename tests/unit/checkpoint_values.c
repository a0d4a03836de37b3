/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is in a checkpoint comes out of it: every container, storage type, view, and every
 * spelling that writers of different ages use. */
#include <string.h>

#include <vfi/error.h>

#include "check_main.h"
#include "checkpoint_fixture.h"

static const FixtureFile *const standard = &fixture_standard;

static const char *const kind_names[] = {"torch zip", "torch legacy", "TorchScript",
                                         "safetensors"};

/* Opens @bytes and frees them; fails the test with the error if that fails. */
static VfiCheckpoint *open_or_fail(GByteArray *bytes)
{
    g_autoptr(GError) error = NULL;
    VfiCheckpoint *checkpoint = fixture_open(bytes, &error);

    ck_assert_msg(checkpoint != NULL, "%s", error != NULL ? error->message : "no error");
    ck_assert_ptr_null(error);
    g_byte_array_unref(bytes);
    return checkpoint;
}

/* Opens an archive around @pickle with the standard storages, and frees it. */
static VfiCheckpoint *open_pickle(GByteArray *pickle)
{
    GByteArray *bytes = fixture_zip_around(standard, pickle);

    g_byte_array_unref(pickle);
    return open_or_fail(bytes);
}

static void assert_holds_standard(const VfiCheckpoint *checkpoint)
{
    VfiContainer kind = vfi_checkpoint_container(checkpoint);
    size_t held = 0;

    for (int i = 0; i < standard->n_tensors; i++) {
        const FixtureTensor *tensor = &standard->tensors[i];
        if (!fixture_holds(kind, standard, i))
            continue;
        assert_tensor_equals(checkpoint, tensor->name, tensor);
        ck_assert_str_eq(vfi_checkpoint_tensor(checkpoint, held)->name, tensor->name);
        held++;
    }
    ck_assert_uint_eq(vfi_checkpoint_n_tensors(checkpoint), held);
}

START_TEST(container_round_trips)
{
    VfiContainer kind = (VfiContainer)_i;
    g_autoptr(VfiCheckpoint) checkpoint = open_or_fail(fixture_container(kind, standard));

    ck_assert_int_eq(vfi_checkpoint_container(checkpoint), kind);
    ck_assert_str_eq(vfi_container_to_string(kind), kind_names[kind]);
    assert_holds_standard(checkpoint);
    ck_assert_ptr_null(vfi_checkpoint_find(checkpoint, "block0"));
    ck_assert_ptr_null(vfi_checkpoint_find(checkpoint, ""));
}
END_TEST

START_TEST(deflated_members_are_inflated)
{
    g_autoptr(VfiCheckpoint) checkpoint = open_or_fail(fixture_torch_zip(standard, true));

    assert_holds_standard(checkpoint);
}
END_TEST

START_TEST(zip64_records_are_read)
{
    g_autoptr(GByteArray) pickle = pickle_new();
    static const float values[] = {1, 2};
    static const FixtureStorage storage = {VFI_DTYPE_F32, values, 2};
    static const FixtureTensor tensor = {"w", 0, 0, 1, {2}, {1}, values};
    const FixtureFile file = {&storage, 1, &tensor, 1};
    ZipWriter zip = zip_writer_new();

    zip.zip64 = true;
    pickle_state_dict(pickle, &file, "");
    pickle_op(pickle, '.');
    zip_writer_add(&zip, "x/data.pkl", pickle->data, pickle->len, false);
    zip_writer_add(&zip, "x/data/0", values, sizeof values, false);
    g_autoptr(VfiCheckpoint) checkpoint = open_or_fail(zip_writer_finish(&zip));
    assert_tensor_equals(checkpoint, "w", &tensor);
}
END_TEST

START_TEST(nan_payloads_survive)
{
    static const uint32_t f32_bits[] = {0x7fc00000, 0xffc12345, 0x7f800001};
    static const uint16_t f16_bits[] = {0x7e01, 0xfc01};
    static const uint32_t f16_as_f32[] = {0x7fc02000, 0xff802000};
    static const FixtureStorage storages[] = {{VFI_DTYPE_F32, f32_bits, 3},
                                              {VFI_DTYPE_F16, f16_bits, 2}};
    const FixtureTensor tensors[] = {
        {"a", 0, 0, 1, {3}, {1}, (const float *)f32_bits},
        {"b", 1, 0, 1, {2}, {1}, (const float *)f16_as_f32},
    };
    const FixtureFile file = {storages, 2, tensors, 2};
    g_autoptr(VfiCheckpoint) checkpoint =
        open_or_fail(fixture_container((VfiContainer)_i, &file));

    assert_tensor_equals(checkpoint, "a", &tensors[0]);
    assert_tensor_equals(checkpoint, "b", &tensors[1]);
}
END_TEST

START_TEST(references_keep_it_open)
{
    VfiCheckpoint *checkpoint = open_or_fail(fixture_torch_zip(standard, true));

    ck_assert_ptr_eq(vfi_checkpoint_ref(checkpoint), checkpoint);
    vfi_checkpoint_unref(checkpoint);
    assert_holds_standard(checkpoint);
    ck_assert(g_str_has_prefix(vfi_checkpoint_path(checkpoint), "/proc/self/fd/"));
    vfi_checkpoint_unref(checkpoint);
    vfi_checkpoint_unref(NULL);
}
END_TEST

static void short_text(GByteArray *pickle, const char *text)
{
    pickle_op(pickle, 0x8c);
    pickle_op(pickle, (int)strlen(text));
    pickle_raw(pickle, text, strlen(text));
    pickle_op(pickle, 0x94);
}

static void stack_global(GByteArray *pickle, const char *module, const char *name)
{
    short_text(pickle, module);
    short_text(pickle, name);
    pickle_raw(pickle, "\x93\x94", 2);
}

/* {"w": tensor} as Python's protocol 4 writes it: frame, memoize, stack global,
 * tuples. */
START_TEST(protocol_4_is_read)
{
    static const uint8_t head[] = {0x80, 4, 0x95};
    g_autoptr(GByteArray) body = g_byte_array_new();
    GByteArray *pickle = g_byte_array_new();

    pickle_raw(body, "}\x94(", 3);
    short_text(body, "w");
    stack_global(body, "torch._utils", "_rebuild_tensor_v2");
    pickle_raw(body, "((", 2);
    short_text(body, "storage");
    stack_global(body, "torch", "FloatStorage");
    short_text(body, "0");
    short_text(body, "cuda:0");
    pickle_raw(body, "K\x18t\x94Q", 5);
    pickle_raw(body, "K\0K\x02K\x03K\x04\x87\x94", 10);
    pickle_raw(body, "K\x0cK\x04K\x01\x87\x94\x89", 9);
    stack_global(body, "collections", "OrderedDict");
    pickle_raw(body, ")R\x94t\x94R\x94u.", 9);
    uint64_t size = body->len;
    pickle_raw(pickle, head, sizeof head);
    pickle_raw(pickle, &size, 8);
    pickle_raw(pickle, body->data, body->len);
    g_autoptr(VfiCheckpoint) checkpoint = open_pickle(pickle);
    assert_tensor_equals(checkpoint, "w", &standard->tensors[0]);
}
END_TEST

/* Python 2: byte strings, and OrderedDict([[key, value]]). */
START_TEST(python_2_spelling_is_read)
{
    GByteArray *pickle = pickle_new();

    pickle_global(pickle, "collections", "OrderedDict");
    pickle_raw(pickle, "](](U\x01wq\x07", 9);
    pickle_tensor(pickle, standard, 1);
    pickle_raw(pickle, "ee\x85R.", 5);
    g_autoptr(VfiCheckpoint) checkpoint = open_pickle(pickle);
    assert_tensor_equals(checkpoint, "w", &standard->tensors[1]);
}
END_TEST

/* Parameters, and tensors with attributes of their own, are the tensor they hold. */
START_TEST(wrapped_tensors_are_read)
{
    GByteArray *pickle = pickle_new();

    pickle_raw(pickle, "}(", 2);
    pickle_text(pickle, "parameter");
    pickle_global(pickle, "torch._utils", "_rebuild_parameter");
    pickle_op(pickle, '(');
    pickle_tensor(pickle, standard, 0);
    pickle_raw(pickle, "\x88}tR", 4);
    pickle_text(pickle, "typed");
    pickle_global(pickle, "torch._tensor", "_rebuild_from_type_v2");
    pickle_op(pickle, '(');
    pickle_global(pickle, "torch._utils", "_rebuild_parameter");
    pickle_global(pickle, "torch.nn.parameter", "Parameter");
    pickle_op(pickle, '(');
    pickle_tensor(pickle, standard, 1);
    pickle_raw(pickle, "\x88}t}tR", 6);
    pickle_raw(pickle, "u.", 2);
    g_autoptr(VfiCheckpoint) checkpoint = open_pickle(pickle);
    assert_tensor_equals(checkpoint, "parameter", &standard->tensors[0]);
    assert_tensor_equals(checkpoint, "typed", &standard->tensors[1]);
}
END_TEST

/* _rebuild_tensor_v3(untyped storage, offset, size, stride, grad, hooks, dtype) */
START_TEST(untyped_storage_with_a_type_is_read)
{
    GByteArray *pickle = pickle_new();

    pickle_raw(pickle, "}", 1);
    pickle_text(pickle, "w");
    pickle_global(pickle, "torch._utils", "_rebuild_tensor_v3");
    pickle_raw(pickle, "((", 2);
    pickle_text(pickle, "storage");
    pickle_global(pickle, "torch.storage", "UntypedStorage");
    pickle_text(pickle, "8");
    pickle_text(pickle, "cpu");
    pickle_int(pickle, 3);
    pickle_raw(pickle, "tQK\0K\x01\x85K\x01\x85\x89}", 12);
    pickle_global(pickle, "torch", "int8");
    pickle_raw(pickle, "tRs.", 4);
    g_autoptr(VfiCheckpoint) checkpoint = open_pickle(pickle);
    static const float expected[] = {-1}; /* the byte 255 */
    const FixtureTensor tensor = {"w", 8, 0, 1, {1}, {1}, expected};
    assert_tensor_equals(checkpoint, "w", &tensor);
    ck_assert_int_eq(vfi_checkpoint_find(checkpoint, "w")->dtype, VFI_DTYPE_I8);
}
END_TEST

/* Old legacy files: the tensor's storage is a part of another one. */
START_TEST(views_of_storages_are_read)
{
    GByteArray *pickle = pickle_new();

    pickle_raw(pickle, "}", 1);
    pickle_text(pickle, "w");
    pickle_global(pickle, "torch._utils", "_rebuild_tensor");
    pickle_raw(pickle, "((", 2);
    pickle_text(pickle, "storage");
    pickle_global(pickle, "torch", "FloatStorage");
    pickle_text(pickle, "0");
    pickle_text(pickle, "cpu");
    pickle_int(pickle, 24);
    pickle_op(pickle, '(');
    pickle_text(pickle, "view");
    pickle_raw(pickle, "K\x0aK\x04ttQK\x01K\x03\x85K\x01\x85tRs.", 19);
    g_autoptr(VfiCheckpoint) checkpoint =
        open_or_fail(fixture_legacy_around(standard, pickle));
    g_byte_array_unref(pickle);
    static const float expected[] = {11, 12, 13};
    const FixtureTensor tensor = {"w", 0, 11, 1, {3}, {1}, expected};
    assert_tensor_equals(checkpoint, "w", &tensor);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checkpoint values");
    TCase *tcase = tcase_create("values");
    tcase_add_loop_test(tcase, container_round_trips, 0, 4);
    tcase_add_test(tcase, deflated_members_are_inflated);
    tcase_add_test(tcase, zip64_records_are_read);
    tcase_add_loop_test(tcase, nan_payloads_survive, 0, 4);
    tcase_add_test(tcase, references_keep_it_open);
    tcase_add_test(tcase, protocol_4_is_read);
    tcase_add_test(tcase, python_2_spelling_is_read);
    tcase_add_test(tcase, wrapped_tensors_are_read);
    tcase_add_test(tcase, untyped_storage_with_a_type_is_read);
    tcase_add_test(tcase, views_of_storages_are_read);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
