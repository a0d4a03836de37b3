/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Names of tensors: wrappers, prefixes, paths, and when they are left alone. */
#include <string.h>

#include <vfi/error.h>

#include "check_main.h"
#include "checkpoint_fixture.h"

static const FixtureFile *const standard = &fixture_standard;

/* Ends @pickle, opens it in a zip archive and frees it. */
static VfiCheckpoint *open_pickle(GByteArray *pickle)
{
    g_autoptr(GError) error = NULL;

    pickle_op(pickle, '.');
    g_autoptr(GByteArray) bytes = fixture_zip_around(standard, pickle);
    VfiCheckpoint *checkpoint = fixture_open(bytes, &error);
    ck_assert_msg(checkpoint != NULL, "%s", error != NULL ? error->message : "no error");
    g_byte_array_unref(pickle);
    return checkpoint;
}

static void assert_is_standard(const VfiCheckpoint *checkpoint)
{
    ck_assert_uint_eq(vfi_checkpoint_n_tensors(checkpoint), (size_t)standard->n_tensors);
    for (int i = 0; i < standard->n_tensors; i++)
        assert_tensor_equals(checkpoint, standard->tensors[i].name,
                             &standard->tensors[i]);
}

/* Opens a dictionary of tensors 0, 1 … under @names (NULL-terminated) and checks that
 * they come out as @expected. */
static void check_names(const char *const *names, const char *const *expected)
{
    GByteArray *pickle = pickle_new();
    int n_names = 0;

    pickle_raw(pickle, "}(", 2);
    for (; names[n_names] != NULL; n_names++) {
        pickle_text(pickle, names[n_names]);
        pickle_tensor(pickle, standard, n_names);
    }
    pickle_op(pickle, 'u');
    g_autoptr(VfiCheckpoint) checkpoint = open_pickle(pickle);
    ck_assert_uint_eq(vfi_checkpoint_n_tensors(checkpoint), (size_t)n_names);
    for (int i = 0; i < n_names; i++) {
        ck_assert_str_eq(vfi_checkpoint_tensor(checkpoint, (size_t)i)->name, expected[i]);
        assert_tensor_equals(checkpoint, expected[i], &standard->tensors[i]);
    }
}

START_TEST(wrappers_are_entered)
{
    static const char *const wrappers[] = {
        "state_dict", "model_state_dict", "model",   "params_ema", "params", "ema",
        "net",        "generator",        "network", "weights"};
    GByteArray *pickle = pickle_new();

    pickle_raw(pickle, "}(", 2);
    pickle_text(pickle, "epoch");
    pickle_int(pickle, 300);
    pickle_text(pickle, "loss"); /* a scalar beside it does not count */
    pickle_tensor(pickle, standard, 13);
    pickle_text(pickle, "optimizer");
    pickle_raw(pickle, "}(", 2);
    pickle_text(pickle, "momentum");
    pickle_tensor(pickle, standard, 0);
    pickle_op(pickle, 'u');
    pickle_text(pickle, wrappers[_i]);
    pickle_state_dict(pickle, standard, "");
    pickle_op(pickle, 'u');
    g_autoptr(VfiCheckpoint) checkpoint = open_pickle(pickle);
    assert_is_standard(checkpoint);
}
END_TEST

START_TEST(the_better_wrapper_is_entered)
{
    GByteArray *pickle = pickle_new();

    pickle_raw(pickle, "}(", 2);
    pickle_text(pickle, "ema");
    pickle_state_dict(pickle, standard, "wrong.");
    pickle_text(pickle, "model");
    pickle_raw(pickle, "}", 1); /* nested, and with prefixes */
    pickle_text(pickle, "state_dict");
    pickle_state_dict(pickle, standard, "module.flownet.");
    pickle_raw(pickle, "su", 2);
    g_autoptr(VfiCheckpoint) checkpoint = open_pickle(pickle);
    assert_is_standard(checkpoint);
}
END_TEST

START_TEST(a_wrapper_beside_tensors_is_a_part)
{
    GByteArray *pickle = pickle_new();

    pickle_raw(pickle, "}(", 2);
    pickle_text(pickle, "w");
    pickle_tensor(pickle, standard, 0);
    pickle_text(pickle, "model");
    pickle_raw(pickle, "}", 1);
    pickle_text(pickle, "w");
    pickle_tensor(pickle, standard, 1);
    pickle_raw(pickle, "su", 2);
    g_autoptr(VfiCheckpoint) checkpoint = open_pickle(pickle);
    assert_tensor_equals(checkpoint, "w", &standard->tensors[0]);
    assert_tensor_equals(checkpoint, "model.w", &standard->tensors[1]);
}
END_TEST

START_TEST(shared_prefixes_are_removed)
{
    check_names((const char *[]){"module.a.w", "module.b", NULL},
                (const char *[]){"a.w", "b", NULL});
    check_names(
        (const char *[]){"model.module.flownet.a", "model.module.flownet.b", NULL},
        (const char *[]){"a", "b", NULL});
    check_names((const char *[]){"flownet.a", "fusionnet.b", NULL},
                (const char *[]){"flownet.a", "fusionnet.b", NULL});
    check_names((const char *[]){"model.a", "models.b", NULL},
                (const char *[]){"model.a", "models.b", NULL});
    check_names((const char *[]){"module.", "module.a", NULL},
                (const char *[]){"module.", "a", NULL});
}
END_TEST

/* Whatever wraps the network, in any order and number. */
START_TEST(combined_prefixes_are_removed)
{
    static const char *const prefixes[] = {
        "_orig_mod.",
        "net.",
        "generator.",
        "network.",
        "module._orig_mod.flownet.",
        "_orig_mod.module.",
        "flownet._orig_mod.",
        "net.module.model.flownet.",
    };

    for (size_t i = 0; i < G_N_ELEMENTS(prefixes); i++) {
        g_autofree char *first = g_strconcat(prefixes[i], "block0.w", NULL);
        g_autofree char *second = g_strconcat(prefixes[i], "block1.w", NULL);
        check_names((const char *[]){first, second, NULL},
                    (const char *[]){"block0.w", "block1.w", NULL});
    }
    check_names((const char *[]){"block0._orig_mod.w", "block1.a_orig_mod.w",
                                 "_orig_mod.", "block2._orig_mod._orig_mod.b", NULL},
                (const char *[]){"block0.w", "block1.a_orig_mod.w", "_orig_mod.",
                                 "block2.b", NULL});
}
END_TEST

/* A training checkpoint keeps losses and their networks beside the network. */
START_TEST(prefixes_are_shared_but_for_what_trains)
{
    check_names(
        (const char *[]){"flownet.a", "loss.vgg.w", "epe.kernel", "flownet.b", NULL},
        (const char *[]){"a", "loss.vgg.w", "epe.kernel", "b", NULL});
    check_names(
        (const char *[]){"module.flownet.a", "module.lap.w", "module.vgg.w", NULL},
        (const char *[]){"a", "lap.w", "vgg.w", NULL});
    check_names((const char *[]){"generator.a", "discriminator.a", "optimizer.0", NULL},
                (const char *[]){"a", "discriminator.a", "optimizer.0", NULL});
    /* nothing but those: they stay */
    check_names((const char *[]){"loss.a", "epe.b", NULL},
                (const char *[]){"loss.a", "epe.b", NULL});
    /* what shares no prefix does not make one */
    check_names((const char *[]){"flownet.a", "loss.b", "lossy.c", NULL},
                (const char *[]){"flownet.a", "loss.b", "lossy.c", NULL});
}
END_TEST

/* As RIFE's training script leaves it: the trained network is wrapped, its teacher is
 * not. */
START_TEST(module_is_removed_where_it_is)
{
    check_names((const char *[]){"module.block0.w", "teacher.w", "caltime.0.w", NULL},
                (const char *[]){"block0.w", "teacher.w", "caltime.0.w", NULL});
}
END_TEST

START_TEST(names_that_would_collide_stay)
{
    check_names((const char *[]){"model.module.a", "model.a", "model.module.b", NULL},
                (const char *[]){"module.a", "a", "module.b", NULL});
}
END_TEST

START_TEST(paths_go_through_lists_and_numbers)
{
    GByteArray *pickle = pickle_new();

    pickle_raw(pickle, "}(", 2);
    pickle_text(pickle, "list");
    pickle_raw(pickle, "](", 2);
    pickle_tensor(pickle, standard, 0);
    pickle_raw(pickle, "NG\x3f\xf0\0\0\0\0\0\0}K\x07", 13);
    pickle_tensor(pickle, standard, 1);
    pickle_raw(pickle, "s\x8f(K\x01\x90\x65", 7); /* a set, then APPENDS */
    pickle_raw(pickle, "K\x05K\x06\x86K\x09", 7); /* a tuple as key names nothing */
    pickle_op(pickle, 'u');
    g_autoptr(VfiCheckpoint) checkpoint = open_pickle(pickle);
    assert_tensor_equals(checkpoint, "list.0", &standard->tensors[0]);
    assert_tensor_equals(checkpoint, "list.3.7", &standard->tensors[1]);
    ck_assert_uint_eq(vfi_checkpoint_n_tensors(checkpoint), 2);
}
END_TEST

START_TEST(a_lone_tensor_has_a_name)
{
    GByteArray *pickle = pickle_new();

    pickle_tensor(pickle, standard, 2);
    g_autoptr(VfiCheckpoint) checkpoint = open_pickle(pickle);
    assert_tensor_equals(checkpoint, "tensor", &standard->tensors[2]);
}
END_TEST

/* A storage and a module used twice are two tensors each. */
START_TEST(shared_objects_are_named_twice)
{
    GByteArray *pickle = pickle_new();

    pickle_raw(pickle, "}(", 2);
    pickle_text(pickle, "a");
    pickle_raw(pickle, "}", 1);
    pickle_text(pickle, "w");
    pickle_tensor(pickle, standard, 0);
    pickle_raw(pickle, "sr\x64\0\0\0", 6); /* LONG_BINPUT 100 */
    pickle_text(pickle, "b");
    pickle_raw(pickle, "j\x64\0\0\0u", 6);
    g_autoptr(VfiCheckpoint) checkpoint = open_pickle(pickle);
    assert_tensor_equals(checkpoint, "a.w", &standard->tensors[0]);
    assert_tensor_equals(checkpoint, "b.w", &standard->tensors[0]);
}
END_TEST

START_TEST(json_escapes_are_decoded)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GByteArray) bytes = fixture_safetensors_around(
        "{  \"a\\u002E\\\"\\u00e9\\ud83d\\ude00\" :{\"shape\": [ ] , \"note\": [1e3, "
        "{\"x\": "
        "null}], \"data_offsets\" :[0,1],\"dtype\": \"U8\"} } \n ",
        1);
    g_autoptr(VfiCheckpoint) checkpoint = fixture_open(bytes, &error);
    ck_assert_msg(checkpoint != NULL, "%s", error != NULL ? error->message : "no error");
    static const float zero[] = {0};
    const FixtureTensor tensor = {"", 0, 0, 0, {0}, {0}, zero};
    assert_tensor_equals(checkpoint, "a.\"\xc3\xa9\xf0\x9f\x98\x80", &tensor);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checkpoint names");
    TCase *tcase = tcase_create("names");
    tcase_add_loop_test(tcase, wrappers_are_entered, 0, 10);
    tcase_add_test(tcase, the_better_wrapper_is_entered);
    tcase_add_test(tcase, a_wrapper_beside_tensors_is_a_part);
    tcase_add_test(tcase, shared_prefixes_are_removed);
    tcase_add_test(tcase, combined_prefixes_are_removed);
    tcase_add_test(tcase, prefixes_are_shared_but_for_what_trains);
    tcase_add_test(tcase, module_is_removed_where_it_is);
    tcase_add_test(tcase, names_that_would_collide_stay);
    tcase_add_test(tcase, paths_go_through_lists_and_numbers);
    tcase_add_test(tcase, a_lone_tensor_has_a_name);
    tcase_add_test(tcase, shared_objects_are_named_twice);
    tcase_add_test(tcase, json_escapes_are_decoded);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
