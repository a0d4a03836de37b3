/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Models: names on the search path, recognition by keys and shapes, options, errors that
 * say what would help. */
#include <string.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include <vfi/vfi.h>

#include "base/alloc.h"
#include "check_main.h"
#include "deterministic_weights.h"
#include "model/model_source.h"
#include "open_family.h"
#include "temporary_folder.h"

/* A folder on the search path, alone: the user's own models must not be seen. */
static char *folder;

static void setup(void)
{
    folder = g_dir_make_tmp("vfi-models-XXXXXX", NULL);
    ck_assert_ptr_nonnull(folder);
    g_setenv("VFI_MODEL_PATH", folder, TRUE);
    g_setenv("XDG_DATA_HOME", folder, TRUE);
}

static void teardown(void)
{
    folder_remove(folder);
    g_free(folder);
}

static void touch(const char *name)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);

    ck_assert(g_file_set_contents(path, "", 0, NULL));
}

static void touch_in(const char *inner, const char *name)
{
    g_autofree char *path = g_build_filename(folder, inner, NULL);
    g_autofree char *file = g_build_filename(inner, name, NULL);

    g_mkdir(path, 0700);
    touch(file);
}

/* What @name resolves to, without the folder; NULL if nothing. */
static char *resolved(const char *name)
{
    g_autofree char *path = NULL;

    return vfi_model_resolve(name, &path, NULL) ? g_path_get_basename(path) : NULL;
}

START_TEST(names_match_with_and_without_extension_and_version)
{
    static const struct {
        const char *name, *expected;
    } cases[] = {
        {"rife", "rife-4.26.pkl"},
        {"rife-4.6", "rife-4.6.pth"},
        {"rife-4.6.pth", "rife-4.6.pth"},
        {"film", "film_net.pt"},
        {"auto", "rife-4.26.pkl"},
        {"film_net", "film_net.pt"},
        {"odd name", "odd name.safetensors"},
        {"rife-4", "rife-4.26.pkl"},
        {"rife-4.2", NULL},
        {"ncnn-1", "flownet.bin"}, /* folders of a model */
        {"torch", "flownet.pkl"},
        {"ncnn-2", NULL}, /* a structure without weights */
        {"rif", NULL},
        {"notes", NULL},
    };

    touch("rife-4.6.pth");
    touch("rife-4.26.pkl");
    touch("rife-4.26.txt");
    touch("rife-3.pkl");
    touch("film_net.pt");
    touch("odd name.safetensors");
    touch("notes.txt");
    touch_in("ncnn-1", "flownet.param");
    touch_in("ncnn-1", "flownet.bin");
    touch_in("ncnn-2", "flownet.param");
    touch_in("torch", "flownet.pkl");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = resolved(cases[i].name);
        ck_assert_msg(g_strcmp0(found, cases[i].expected) == 0, "%s: %s instead of %s",
                      cases[i].name, found, cases[i].expected);
    }
}
END_TEST

/* What @name resolves to from within @folder; relative to that. */
static char *resolved_here(const char *name)
{
    g_autofree char *before = g_get_current_dir();
    char *path = NULL;

    ck_assert_int_eq(g_chdir(folder), 0);
    vfi_model_resolve(name, &path, NULL);
    ck_assert_int_eq(g_chdir(before), 0);
    return path;
}

START_TEST(what_is_in_the_current_folder_comes_first)
{
    static const struct {
        const char *name, *expected;
    } cases[] = {
        {"./train_log", "./train_log/flownet.pkl"},
        {"train_log/", "train_log/flownet.pkl"},
        {"train_log", "train_log/flownet.pkl"},
        {"rife-4.0", "rife-4.0/flownet.pkl"}, /* and not what the search path has */
        {"rife-4.6", "rife-4.6/flownet.bin"},
        {"RIFEv4.25", "RIFEv4.25/train_log/flownet.pkl"},
        {"film.pt", "film.pt"},
    };

    touch_in("train_log", "flownet.pkl");
    touch_in("rife-4.0", "flownet.pkl");
    touch_in("rife-4.6", "flownet.param");
    touch_in("rife-4.6", "flownet.bin");
    touch_in("RIFEv4.25", "readme.txt");
    touch_in("RIFEv4.25/train_log", "flownet.pkl");
    touch("film.pt");
    touch_in("elsewhere", "rife-4.0.pkl");
    touch_in("elsewhere", "ifrnet_s.pth");
    g_autofree char *elsewhere = g_build_filename(folder, "elsewhere", NULL);
    g_setenv("VFI_MODEL_PATH", elsewhere, TRUE);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *found = resolved_here(cases[i].name);
        ck_assert_msg(g_strcmp0(found, cases[i].expected) == 0, "%s: %s instead of %s",
                      cases[i].name, found, cases[i].expected);
    }
    /* A folder without a model, say of videos, hides nothing. */
    touch_in("ifrnet_s", "holiday.mkv");
    g_autofree char *found = resolved_here("ifrnet_s");
    ck_assert(found != NULL && g_str_has_suffix(found, "elsewhere/ifrnet_s.pth"));
}
END_TEST

START_TEST(auto_is_never_a_file)
{
    touch("auto");
    touch("auto.pkl");
    g_autofree char *nothing = resolved_here("auto");
    ck_assert_ptr_null(nothing);
    touch("rife-4.6.pth");
    g_autofree char *model = resolved_here("auto");
    ck_assert(model != NULL && g_str_has_suffix(model, "rife-4.6.pth"));
    g_autofree char *named = resolved_here("./auto"); /* a path is a path */
    ck_assert_str_eq(named, "./auto");

    g_autofree char *file = g_build_filename(folder, "auto", NULL);
    g_unlink(file);
    touch_in("auto", "flownet.pkl");
    g_autofree char *still = resolved_here("auto");
    ck_assert(still != NULL && g_str_has_suffix(still, "rife-4.6.pth"));
}
END_TEST

/* RIFE's downloads say their version in the folder around a train_log, if anywhere. */
START_TEST(folders_say_the_version)
{
    static const struct {
        const char *folder, *name;
    } cases[] = {
        {"RIFE_v4.25/train_log", "rife-4.25"},
        {"4.25/train_log", "rife-4.25"},
        {"rife425/train_log", "rife-4.25"},
        {"RIFEv4.26_0921/train_log", "rife-4.26"},
        {"v4.22.lite/train_log", "rife-4.22-lite"},
        {"4.25", "rife-4.25"},
        {"Practical-RIFE-4.7", "rife-4.7"},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *inner = g_build_filename(folder, cases[i].folder, NULL);
        g_autofree char *file = g_build_filename(cases[i].folder, "flownet.pkl", NULL);
        ck_assert_int_eq(g_mkdir_with_parents(inner, 0700), 0);
        touch(file);
        /* the folder of folders, the one with the version, and the train_log are on the
         * path */
        g_autofree char *around = g_path_get_dirname(inner);
        const char *search[] = {folder, around, inner};
        for (size_t k = 0; k < G_N_ELEMENTS(search); k++) {
            g_autoptr(GError) error = NULL;
            g_autofree char *path = NULL;
            g_setenv("VFI_MODEL_PATH", search[k], TRUE);
            ck_assert_msg(vfi_model_resolve(cases[i].name, &path, &error), "%s in %s: %s",
                          cases[i].name, search[k], error->message);
            ck_assert(g_str_has_suffix(path, file));
            g_clear_pointer(&path, g_free);
            ck_assert(!vfi_model_resolve("rife-4.2", &path, NULL));
        }
        g_autofree char *top = g_strdup(cases[i].folder);
        *(strchr(top, '/') != NULL ? strchr(top, '/') : top + strlen(top)) = '\0';
        g_autofree char *remove = g_build_filename(folder, top, NULL);
        folder_remove(remove);
    }
}
END_TEST

/* Wants @name refused with @code and @text. */
static void assert_unresolved(const char *name, int code, const char *text)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;

    ck_assert_msg(!vfi_model_resolve(name, &path, &error), "%s: %s", name, path);
    ck_assert_msg(strstr(error->message, text) != NULL, "no \"%s\" in: %s", text,
                  error->message);
    ck_assert_int_eq(error->code, code);
}

START_TEST(names_that_mean_nothing_are_explained)
{
    const char *home = "/home/somebody/models/x.pkl";
    g_autofree char *other = g_build_filename(folder, "other", NULL);
    g_autofree char *film = g_build_filename(folder, "film", NULL);

    g_setenv("HOME", "/home/somebody", TRUE);
    assert_unresolved("~/models/x.pkl", VFI_ERROR_NOT_FOUND, home);
    assert_unresolved("~someone/x.pkl", VFI_ERROR_NOT_FOUND, "did not replace the \"~\"");
    touch_in("other", "rife47.pth");
    assert_unresolved(other, VFI_ERROR_NOT_FOUND, "in the folder: rife47.pth");
    touch("RIFEv4.25_0919.zip");
    assert_unresolved("rife-4.25", VFI_ERROR_NOT_FOUND,
                      "RIFEv4.25_0919.zip is an archive, to be unpacked");
    assert_unresolved(folder, VFI_ERROR_NOT_FOUND, "is an archive, to be unpacked");
    touch_in("film", "saved_model.pb");
    assert_unresolved(film, VFI_ERROR_UNSUPPORTED, "TensorFlow");
    assert_unresolved("/no/such\n\x1b[2J/file.pth", VFI_ERROR_NOT_FOUND,
                      "\"/no/such\\n\\x1b[2J/file.pth\"");
    assert_unresolved("rife\x1b[2J", VFI_ERROR_NOT_FOUND, "no model \"rife\\x1b[2J\"");
}
END_TEST

/* The superuser may read everything: this is somebody else. */
START_TEST(folders_that_may_not_be_read_are_said)
{
    g_autofree char *secret = g_build_filename(folder, "secret", NULL);
    g_autofree char *file = g_build_filename(secret, "flownet.pkl", NULL);
    bool is_root = geteuid() == 0;

    touch_in("secret", "flownet.pkl");
    ck_assert_int_eq(g_chmod(folder, 0755), 0);
    ck_assert_int_eq(g_chmod(secret, 0), 0);
    g_setenv("VFI_MODEL_PATH", secret, TRUE);
    if (is_root)
        ck_assert_int_eq(seteuid(65534), 0);
    assert_unresolved(file, VFI_ERROR_IO, "Permission denied");
    assert_unresolved(secret, VFI_ERROR_IO, "Permission denied");
    assert_unresolved("rife", VFI_ERROR_NOT_FOUND, "cannot be read: Permission denied");
    if (is_root)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(g_chmod(secret, 0700), 0);
}
END_TEST

START_TEST(a_missing_model_lists_folders_and_remedies)
{
    g_autoptr(GError) error = NULL;

    touch("film_net_fp32.pt");
    touch("rife-4.6.txt");
    ck_assert_ptr_null(vfi_model_open("rife-9", NULL, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NOT_FOUND));
    ck_assert_ptr_nonnull(strstr(error->message, folder));
    ck_assert_ptr_nonnull(strstr(error->message, "/usr/share/vfi/models"));
    ck_assert_ptr_nonnull(strstr(error->message, "tools/get-models"));
    ck_assert_ptr_nonnull(strstr(error->message, "found there: film_net_fp32.pt. "));
    ck_assert_ptr_nonnull(strstr(error->message, "the model flow needs none"));
    g_clear_error(&error);
    ck_assert_ptr_null(vfi_model_open("/no/such/file.pth", NULL, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NOT_FOUND));
    ck_assert_ptr_nonnull(strstr(error->message, "/no/such/file.pth"));
    g_clear_error(&error);
    ck_assert_ptr_null(vfi_model_open(folder, NULL, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_NOT_FOUND));
    ck_assert_ptr_nonnull(strstr(error->message, "flownet.param"));
}
END_TEST

START_TEST(the_models_there_are_are_listed)
{
    g_auto(GStrv) nothing = vfi_model_list();
    ck_assert_uint_eq(g_strv_length(nothing), 0);
    touch("rife-4.6.pth");
    touch("notes.txt");
    touch("film_net.pt");
    touch_in("rife-v4", "flownet.param");
    touch_in("rife-v4", "flownet.bin");
    touch_in("empty", "other.pkl");

    static const char *const expected[] = {"film_net.pt", "rife-4.6.pth",
                                           "rife-v4/flownet.bin"};
    g_auto(GStrv) found = vfi_model_list();
    ck_assert_uint_eq(g_strv_length(found), G_N_ELEMENTS(expected));
    for (size_t i = 0; i < G_N_ELEMENTS(expected); i++)
        ck_assert(g_str_has_suffix(found[i], expected[i]));
}
END_TEST

START_TEST(variants_are_recognised_by_keys_and_shapes)
{
    g_autoptr(GArray) v4 = state_dict_of("rife_v4_0");
    g_autoptr(GArray) v3 = state_dict_of("rife_v3_6");
    g_autoptr(VfiModel) rife4 = open_entries(v4, NULL, NULL);
    g_autoptr(VfiModel) rife3 = open_entries(v3, NULL, NULL);

    ck_assert_ptr_nonnull(rife4);
    ck_assert_str_eq(vfi_model_info(rife4)->family, "rife");
    ck_assert_str_eq(vfi_model_info(rife4)->variant, "4.0");
    ck_assert_int_eq(vfi_model_info(rife4)->time_mode, VFI_TIME_ANY);
    /* without the refinement networks: models.md's count for family B */
    ck_assert_uint_eq(vfi_model_info(rife4)->n_parameters, 5160980);
    ck_assert_ptr_nonnull(rife3);
    ck_assert_str_eq(vfi_model_info(rife3)->variant, "3.6");
    ck_assert_int_eq(vfi_model_info(rife3)->time_mode, VFI_TIME_MIDPOINT);

    g_autoptr(VfiModel) refined =
        open_entries(v4, g_variant_new_parsed("{'refine': <true>}"), NULL);
    ck_assert_ptr_nonnull(refined);
    ck_assert_uint_eq(vfi_model_info(refined)->n_parameters, 8412855);
}
END_TEST

START_TEST(training_extras_are_ignored)
{
    g_autoptr(GArray) entries = state_dict_of("rife_v3_6");
    StateEntry teacher = {.key = "block_tea.conv0.0.0.weight",
                          .kind = STATE_WEIGHT,
                          .n_dims = 4,
                          .shape = {45, 14, 3, 3}};

    g_array_append_val(entries, teacher);
    g_autoptr(VfiModel) model = open_entries(entries, NULL, NULL);
    ck_assert_ptr_nonnull(model);
}
END_TEST

START_TEST(near_misses_name_the_tensor)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GArray) entries = state_dict_of("rife_v3_6");

    /* one shape wrong */
    StateEntry *entry = find_entry(entries, "block2.convblock1.0.0.weight");
    entry->shape[1] = 89;
    ck_assert_ptr_null(open_entries(entries, NULL, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "block2.convblock1.0.0.weight"));
    ck_assert_ptr_nonnull(strstr(error->message, "90x90x3x3"));
    ck_assert_ptr_nonnull(strstr(error->message, "90x89x3x3"));
    g_clear_error(&error);

    /* one tensor missing */
    strcpy(entry->key, "block2.convblock1.0.9.weight"); /* NOLINT: fits, same length */
    ck_assert_ptr_null(open_entries(entries, NULL, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "block2.convblock1.0.0.weight"));
    ck_assert_ptr_nonnull(strstr(error->message, "missing"));
    g_clear_error(&error);
}
END_TEST

/* A family of one layer, which resembles whatever has that layer's bias. */
static VfiDetection small_detect(const VfiCheckpoint *checkpoint)
{
    int score = vfi_checkpoint_find(checkpoint, "layer.bias") != NULL
                    ? VFI_SCORE_RECOGNISED - 1
                    : 0;

    return (VfiDetection){.score = score, .name = "1"};
}

static bool small_build(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                        double scale)
{
    (void)setup;
    (void)scale;
    if (stage == VFI_STAGE_TIME)
        vfi_graph_conv(graph, vfi_graph_image(graph, 0), "layer", 2, 3, 1);
    return stage == VFI_STAGE_TIME;
}

START_TEST(what_resembles_a_family_is_told_the_difference)
{
    static const VfiModelFamily small = {.name = "small",
                                         .has_weights = true,
                                         .detect = small_detect,
                                         .build = small_build};
    static const VfiModelFamily *const families[] = {&small, NULL};
    static const struct {
        StateEntry weight;
        const char *text;
    } cases[] = {
        {{.key = "layer.weight", .n_dims = 4, .shape = {2, 4, 3, 3}},
         "as small 1: tensor \"layer.weight\" should be 2x3x3x3, but the checkpoint has "
         "2x4x3x3 (of the networks that are known here it is nearest to that: 1 of its 2 "
         "tensors are there)"},
        {{.key = "layer.waste", .n_dims = 4, .shape = {2, 3, 3, 3}},
         "tensor \"layer.weight\" (2x3x3x3) is missing"},
        {{.key = "layer.weight", .n_dims = 4, .shape = {2, 3, 3, 3}}, "others say"},
    };
    StateEntry bias = {
        .key = "layer.bias", .kind = STATE_BIAS, .n_dims = 1, .shape = {2}};

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(StateEntry));
        g_autoptr(GError) error = NULL;
        VfiDetection detection;

        g_array_append_val(entries, cases[i].weight);
        g_array_append_val(entries, bias);
        g_autofree char *path = deterministic_file(entries, NULL);
        g_autoptr(VfiCheckpoint) checkpoint = vfi_checkpoint_open(path, NULL);
        g_unlink(path);
        ck_assert_ptr_nonnull(checkpoint);
        ck_assert_ptr_null(
            vfi_model_source_detect(families, checkpoint, &detection, &error));
        ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
        ck_assert_msg(strstr(error->message, cases[i].text) != NULL, "%s",
                      error->message);
    }
}
END_TEST

START_TEST(names_of_tensors_are_quoted)
{
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(StateEntry));
    StateEntry entry = {.key = "a\\u001b[2J\\n", /* as JSON has it */
                        .kind = STATE_BIAS,
                        .n_dims = 1,
                        .shape = {2}};
    g_autoptr(GError) error = NULL;

    g_array_append_val(entries, entry);
    ck_assert_ptr_null(open_entries(entries, NULL, &error));
    ck_assert_msg(strstr(error->message, "the first is \"a\\x1b[2J\\n\"") != NULL, "%s",
                  error->message);
}
END_TEST

START_TEST(options_are_checked_against_the_table)
{
    static const struct {
        const char *options, *part;
    } cases[] = {
        {"{'ensembel': <true>}", "does not exist"},
        {"{'ensemble': <1>}", "wrong type"},
        {"{'bisect-depth': <uint32 5>}", "out of range"},
        {"{'bisect-depth': <0>}", "out of range"},
        {"{'pad-multiple': <64.5>}", "out of range"},
        {"{'pad-multiple': <'64'>}", "wrong type"},
        {"{'ensemble': <true>}", "neither ensemble nor refine"}, /* not for 3.x */
    };
    g_autoptr(GArray) entries = state_dict_of("rife_v3_6");

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GVariant) options =
            g_variant_parse(G_VARIANT_TYPE_VARDICT, cases[i].options, NULL, NULL, NULL);
        ck_assert_ptr_null(open_entries(entries, options, &error));
        ck_assert_msg(strstr(error->message, cases[i].part) != NULL, "%s: %s",
                      cases[i].options, error->message);
        ck_assert_ptr_nonnull(strstr(error->message, "ensemble"));
    }
    g_autoptr(VfiModel) model = open_entries(
        entries,
        g_variant_new_parsed("{'bisect-depth': <4>, 'pad-multiple': <uint32 32>}"), NULL);
    ck_assert_ptr_nonnull(model);
    ck_assert_ptr_null(
        vfi_model_open("blend", g_variant_new_parsed("{'ensemble': <true>}"), NULL));
}
END_TEST

START_TEST(failing_allocations_are_errors)
{
    g_autoptr(GArray) entries = state_dict_of("rife_v3_6");
    g_autofree char *path = deterministic_file(entries, NULL);
    bool opened = false;

    for (guint64 successes = 0; !opened && successes < 1000; successes += 7) {
        g_autoptr(GError) error = NULL;
        vfi_alloc_fail_after(successes);
        g_autoptr(VfiModel) model = vfi_model_open(path, NULL, &error);
        vfi_alloc_fail_after(G_MAXUINT64);
        opened = model != NULL;
        ck_assert(opened || g_error_matches(error, VFI_ERROR, VFI_ERROR_NO_MEMORY));
    }
    ck_assert(opened);
    g_unlink(path);
}
END_TEST

START_TEST(families_describe_their_options)
{
    size_t n;
    const VfiOptionSpec *options = vfi_family_options("rife", &n);
    const char *const *names = vfi_family_names();

    ck_assert_str_eq(names[0], "blend");
    ck_assert_ptr_nonnull(options);
    for (size_t i = 0; i < n; i++) {
        bool is_choice = strcmp(options[i].type, "s") == 0; /* "FIRST|SECOND|…" */
        g_autoptr(GVariant) value =
            is_choice ? g_variant_new_string(options[i].default_value)
                      : g_variant_parse(G_VARIANT_TYPE(options[i].type),
                                        options[i].default_value, NULL, NULL, NULL);
        ck_assert_msg(value != NULL, "%s: default \"%s\" is not of type %s",
                      options[i].name, options[i].default_value, options[i].type);
    }
    ck_assert_ptr_null(vfi_family_options("nothing", &n));
    ck_assert_uint_eq(n, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("model");
    TCase *tcase = tcase_create("model");

    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, names_match_with_and_without_extension_and_version);
    tcase_add_test(tcase, what_is_in_the_current_folder_comes_first);
    tcase_add_test(tcase, auto_is_never_a_file);
    tcase_add_test(tcase, folders_say_the_version);
    tcase_add_test(tcase, names_that_mean_nothing_are_explained);
    tcase_add_test(tcase, folders_that_may_not_be_read_are_said);
    tcase_add_test(tcase, a_missing_model_lists_folders_and_remedies);
    tcase_add_test(tcase, the_models_there_are_are_listed);
    tcase_add_test(tcase, variants_are_recognised_by_keys_and_shapes);
    tcase_add_test(tcase, training_extras_are_ignored);
    tcase_add_test(tcase, near_misses_name_the_tensor);
    tcase_add_test(tcase, what_resembles_a_family_is_told_the_difference);
    tcase_add_test(tcase, names_of_tensors_are_quoted);
    tcase_add_test(tcase, options_are_checked_against_the_table);
    tcase_add_test(tcase, failing_allocations_are_errors);
    tcase_add_test(tcase, families_describe_their_options);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
