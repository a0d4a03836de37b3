/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* RIFE's networks: each is recognised by names and shapes, near misses are told which
 * tensor is wrong, other spellings load, options that a network lacks are errors that
 * name it, and all run at other flow scales. Golden vectors say that the numbers are
 * right. */
#include <math.h>
#include <string.h>

#include <vfi/vfi.h>

#include "check_main.h"
#include "model/loaded_model.h"
#include "open_family.h"
#include "session_util.h"

/* What is published of each network: name, parameters (without training extras and
 * optional refinement), and the multiple of its size at flow scale 1. */
static const struct {
    const char *family, *variant;
    size_t n_parameters;
    int multiple;
    bool middle, ensembles, may_refine, refines;
} networks[] = {
    {"rife_eccv", "ECCV", 10708215 - 636665, 16, true, false, true, true},
    {"rife_eccv_m", "ECCV-m", 10073710, 16, false, false, true, true},
    {"rife_v3_6", "3.6", 2277600, 16, true, false, false, false},
    {"rife_v3_9", "3.9", 3127070, 32, false, false, false, false},
    {"rife_v4_0", "4.0", 5160980, 64, false, true, true, false},
    {"rife_v4_2", "4.2", 5156420, 32, false, true, true, false},
    {"rife_v4_5", "4.5", 5275520, 32, false, true, false, false},
    {"rife_v4_6", "4.6", 5306256, 32, false, true, false, false},
    {"rife_v4_7", "4.7", 5325012, 32, false, true, false, false},
    {"rife_v4_10", "4.10", 5364312, 32, false, true, false, false},
    {"rife_v4_12_lite", "4.12.lite", 2631804, 32, false, true, false, false},
    {"rife_v4_13", "4.13", 5364312, 32, false, true, false, false},
    {"rife_v4_14_lite", "4.14.lite", 2968152, 32, false, true, false, false},
    {"rife_v4_15_lite", "4.15.lite", 2616476, 32, false, true, false, false},
    {"rife_v4_20", "4.20", 15376512, 32, false, true, false, false},
    {"rife_v4_21", "4.21", 9322416, 32, false, false, false, false},
    {"rife_v4_22_lite", "4.22.lite", 4866052, 32, false, false, false, false},
    {"rife_v4_25", "4.25", 5664776, 64, false, false, false, false},
    {"rife_v4_25_lite", "4.25.lite", 5622700, 128, false, false, false, false},
    {"rife_v4_25_heavy", "4.25.heavy", 21663528, 64, false, false, false, false},
    {"rife_v4_26_heavy", "4.26.heavy", 5723156, 64, false, false, false, false},
};

START_TEST(each_is_recognised)
{
    g_autoptr(VfiModel) model = open_family(networks[_i].family, NULL);
    const VfiModelInfo *info = vfi_model_info(model);
    const VfiModelFamily *family = model->family;

    ck_assert_str_eq(info->family, "rife");
    ck_assert_str_eq(info->variant, networks[_i].variant);
    ck_assert_uint_eq(info->n_parameters, networks[_i].n_parameters);
    ck_assert_int_eq(info->time_mode,
                     networks[_i].middle ? VFI_TIME_MIDPOINT : VFI_TIME_ANY);
    ck_assert_int_eq(family->output(&model->setup),
                     networks[_i].refines ? VFI_OUTPUT_RGB : VFI_OUTPUT_FLOW);
    static const double scales[] = {0.25, 0.5, 1.0, 2.0, 4.0};
    for (size_t i = 0; i < G_N_ELEMENTS(scales); i++)
        ck_assert_int_eq(family->size_multiple(&model->setup, scales[i]),
                         (int)(networks[_i].multiple / MIN(scales[i], 1.0)));
}
END_TEST

/* The numbers that come of it are for golden vectors to judge. */
START_TEST(the_other_pyramid_has_its_own_multiple)
{
    static const char option[] = "{'pyramid': <'16-8-4-2-1'>}";
    static const double scales[] = {0.25, 0.5, 1.0, 2.0};
    g_autoptr(VfiModel) lite = open_family("rife_v4_25_lite", option);
    g_autoptr(VfiModel) full = open_family("rife_v4_25", option);

    for (size_t i = 0; i < G_N_ELEMENTS(scales); i++) {
        int expected = (int)(64 / MIN(scales[i], 1.0));
        ck_assert_int_eq(lite->family->size_multiple(&lite->setup, scales[i]), expected);
        ck_assert_int_eq(full->family->size_multiple(&full->setup, scales[i]), expected);
    }
}
END_TEST

/* A frame of floats with some texture. */
static VfiFrame make_frame(const VfiVideoInfo *video, int shift)
{
    VfiFrame frame;

    ck_assert(vfi_frame_alloc(&frame, video, NULL));
    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < video->height; y++) {
            float *row =
                (float *)(void *)(frame.data[plane] + (ptrdiff_t)y * frame.stride[plane]);
            for (int x = 0; x < video->width; x++)
                row[x] = (float)(((x + shift) * 7 + y * 5 + plane * 11) % 32) / 32.0f;
        }
    return frame;
}

static void assert_finite(const VfiFrame *frame, const VfiVideoInfo *video)
{
    size_t n = 0;

    for (int plane = 0; plane < 3; plane++)
        for (int y = 0; y < video->height; y++) {
            const float *row =
                (const float *)(const void *)(frame->data[plane] +
                                              (ptrdiff_t)y * frame->stride[plane]);
            for (int x = 0; x < video->width; x++)
                n += isfinite(row[x]) && row[x] > -0.01f && row[x] < 1.01f;
        }
    ck_assert_uint_eq(n, (size_t)3 * (size_t)video->width * (size_t)video->height);
}

START_TEST(each_runs_at_other_flow_scales)
{
    g_autoptr(VfiModel) model = open_family(networks[_i].family, NULL);
    VfiVideoInfo video = {.format = VFI_FORMAT_RGB_F32, .width = 40, .height = 24};
    VfiFrame frames[] = {make_frame(&video, 0), make_frame(&video, 3)}, out;
    static const double scales[] = {0.5, 2.0};

    ck_assert(vfi_frame_alloc(&out, &video, NULL));
    for (size_t i = 0; i < G_N_ELEMENTS(scales); i++) {
        VfiSessionConfig config = {
            .video = video, .device = "cpu", .threads = 2, .scale = scales[i]};
        g_autoptr(VfiSession) session = new_session(model, &config);
        g_autoptr(VfiPair) pair = vfi_session_begin(session, frames, 2, 0, NULL);
        g_autoptr(VfiJob) job = vfi_pair_submit(pair, 0.5, &out, NULL);
        ck_assert(vfi_job_wait(job, NULL));
        assert_finite(&out, &video);
    }
    vfi_frame_clear(&frames[0]);
    vfi_frame_clear(&frames[1]);
    vfi_frame_clear(&out);
}
END_TEST

/* The picture at 0.5 of two noisy frames; fills @stats. */
static VfiFrame picture_with_storage(VfiModel *model, const VfiVideoInfo *video,
                                     VfiFeatureStorage storage, VfiSessionStats *stats)
{
    VfiFrame frames[] = {make_frame(video, 0), make_frame(video, 3)}, out;
    VfiSessionConfig config = {
        .video = *video, .device = "cpu", .threads = 2, .feature_storage = storage};
    g_autoptr(VfiSession) session = vfi_session_new(model, &config, NULL);
    ck_assert_ptr_nonnull(session);
    g_autoptr(VfiPair) pair = vfi_session_begin(session, frames, 2, 0, NULL);

    ck_assert(vfi_frame_alloc(&out, video, NULL));
    g_autoptr(VfiJob) job = vfi_pair_submit(pair, 0.5, &out, NULL);
    ck_assert(vfi_job_wait(job, NULL));
    vfi_session_get_stats(session, stats);
    vfi_frame_clear(&frames[0]);
    vfi_frame_clear(&frames[1]);
    return out;
}

START_TEST(features_may_be_kept_in_16_bits)
{
    g_autoptr(VfiModel) model = open_family("rife_v4_10", NULL);
    VfiVideoInfo video = {.format = VFI_FORMAT_RGB_F32, .width = 128, .height = 96};
    VfiSessionStats automatic, wide, narrow;
    VfiFrame exact = picture_with_storage(model, &video, VFI_FEATURE_STORAGE_F32, &wide);
    VfiFrame rounded =
        picture_with_storage(model, &video, VFI_FEATURE_STORAGE_F16, &narrow);
    VfiFrame same =
        picture_with_storage(model, &video, VFI_FEATURE_STORAGE_AUTO, &automatic);
    size_t row_bytes = (size_t)video.width * sizeof(float);

    ck_assert_str_eq(wide.feature_storage, "f32");
    ck_assert_str_eq(narrow.feature_storage, "f16");
    ck_assert_str_eq(automatic.feature_storage, "f32");
    ck_assert_uint_eq(automatic.arena_bytes, wide.arena_bytes);
    /* at least one frame's eight planes in halves */
    ck_assert_uint_le(narrow.arena_bytes + (size_t)8 * 128 * 96 * 2, wide.arena_bytes);
    assert_finite(&rounded, &video);
    ck_assert_mem_eq(exact.data[0], same.data[0], row_bytes);
    ck_assert_mem_ne(exact.data[0], rounded.data[0], row_bytes);
    vfi_frame_clear(&exact);
    vfi_frame_clear(&rounded);
    vfi_frame_clear(&same);
}
END_TEST

static void refuse(const GArray *entries, const char *options, const char *const *words)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) parsed = NULL;

    if (options != NULL)
        parsed = g_variant_parse(G_VARIANT_TYPE_VARDICT, options, NULL, NULL, NULL);
    ck_assert_ptr_null(open_entries(entries, parsed, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_UNSUPPORTED));
    for (; *words != NULL; words++)
        ck_assert_msg(strstr(error->message, *words) != NULL, "no \"%s\" in: %s", *words,
                      error->message);
}

START_TEST(options_that_a_network_lacks_are_errors)
{
    g_autoptr(GArray) entries = state_dict_of(networks[_i].family);
    const char *name = networks[_i].middle && !networks[_i].refines
                           ? "RIFE 3.2 to 3.8"
                           : networks[_i].variant;

    if (!networks[_i].ensembles)
        refuse(entries, "{'ensemble': <true>}", (const char *[]){name, "ensemble", NULL});
    if (!networks[_i].may_refine)
        refuse(entries, "{'refine': <true>}", (const char *[]){name, "refine", NULL});
    if (!g_str_has_prefix(name, "4.25") && !g_str_has_prefix(name, "4.26"))
        refuse(entries, "{'pyramid': <'16-8-4-2-1'>}",
               (const char *[]){name, "pyramid", "4.25.lite", NULL});
}
END_TEST

/* One dimension of one tensor is changed (to 0: the tensor is renamed, so it is
 * missing). */
static const struct {
    const char *family, *key;
    int dimension, value;
    const char *words[4];
} near_misses[] = {
    /* 4.6 and 4.7: the head decides */
    {"rife_v4_7", "encode.1.weight", 0, 0, {"4.7", "encode.1.weight", "missing"}},
    {"rife_v4_6", "block0.conv0.0.0.weight", 1, 15, {"4.6", "96x7x3x3", "96x15x3x3"}},
    /* 4.5 and 4.6: the last layer */
    {"rife_v4_6", "block2.lastconv.0.weight", 1, 20, {"4.6", "96x24x4x4", "96x20x4x4"}},
    /* 4.10, 4.13: spelling of the head; 4.14.lite: groups */
    {"rife_v4_13",
     "encode.cnn2.weight",
     0,
     16,
     {"4.13", "encode.cnn2.weight", "16x32x3x3"}},
    {"rife_v4_14_lite",
     "block3.convblock.7.conv.weight",
     1,
     64,
     {"4.14.lite", "64x32x3x3"}},
    {"rife_v4_13", "block0.convblock.0.conv.weight", 1, 95, {"4.13", "192x192x3x3"}},
    /* 4.21 and 4.22.lite: one width of the other */
    {"rife_v4_21", "block2.conv0.1.0.weight", 0, 64, {"4.21", "block2.conv0.1.0.weight"}},
    {"rife_v4_22_lite", "block1.conv0.1.0.weight", 0, 192, {"4.22.lite", "128x64x3x3"}},
    /* one width of 4.25.lite does not make it that */
    {"rife_v4_25",
     "block4.conv0.1.0.weight",
     0,
     24,
     {"as rife 4.25: ", "block4.conv0.1.0.weight", "32x16x3x3"}},
    {"rife_v4_25_lite",
     "block4.conv0.1.0.weight",
     0,
     25,
     {"as rife 4.25.lite: ", "block4.conv0.1.0.weight", "24x12x3x3"}},
    {"rife_v4_25_heavy",
     "block1.conv0.1.0.weight",
     0,
     128,
     {"4.25.heavy", "256x128x3x3"}},
    {"rife_v4_26_heavy",
     "encode.cnn3.weight",
     1,
     4,
     {"4.26.heavy", "16x16x4x4", "16x4x4x4"}},
    /* what was folded into others is looked at all the same */
    {"rife_v4_25", "block1.convblock.3.beta", 1, 127, {"4.25", "1x128x1x1", "1x127x1x1"}},
    {"rife_v4_25",
     "block1.convblock.3.beta",
     0,
     0,
     {"4.25", "block1.convblock.3.beta", "missing"}},
    /* the paper's */
    {"rife_eccv_m", "unet.up2.0.weight", 1, 31, {"ECCV-m", "unet.up2.0.weight"}},
    {"rife_eccv",
     "contextnet.conv1.conv1.0.bias",
     0,
     0,
     {"ECCV", "contextnet.conv1.conv1.0.bias", "missing"}},
    {"rife_v3_9",
     "block3.convblock.7.1.weight",
     0,
     99,
     {"3.9", "block3.convblock.7.1.weight"}},
};

START_TEST(near_misses_name_the_first_wrong_tensor)
{
    g_autoptr(GArray) entries = state_dict_of(near_misses[_i].family);
    StateEntry *entry = find_entry(entries, near_misses[_i].key);

    if (near_misses[_i].value == 0)
        entry->key[0] = 'x';
    else
        entry->shape[near_misses[_i].dimension] = near_misses[_i].value;
    refuse(entries, NULL, near_misses[_i].words);
}
END_TEST

static GArray *one_tensor(const char *key, int n_dims, int a, int b, int kernel)
{
    GArray *entries = g_array_new(FALSE, TRUE, sizeof(StateEntry));
    StateEntry entry = {
        .kind = STATE_WEIGHT, .n_dims = n_dims, .shape = {a, b, kernel, kernel}};

    g_strlcpy(entry.key, key, sizeof entry.key);
    g_array_append_val(entries, entry);
    return entries;
}

START_TEST(networks_that_cannot_run_are_named)
{
    g_autoptr(GArray) v2 = one_tensor("block0.conv1.weight", 4, 320, 4, 4);
    g_autoptr(GArray) v1 = one_tensor("block0.conv0.0.weight", 4, 32, 6, 5);
    g_autoptr(GArray) mean = one_tensor("block0.conv0.1.running_mean", 1, 32, 1, 1);
    g_autoptr(GArray) other = one_tensor("block0.conv0.0.0.weight", 4, 96, 7, 3);

    refuse(v2, NULL, (const char *[]){"rife 3.1, 3.0 or 2.x", "3.2 and later", NULL});
    g_array_append_vals(v1, mean->data, 1);
    refuse(v1, NULL, (const char *[]){"rife 1.x", "batch normalisation", NULL});
    refuse(other, NULL, (const char *[]){"not a network that is known", NULL});
}
END_TEST

/* What interpolation gives, as bytes. */
static GBytes *picture_of(const GArray *entries)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(VfiModel) model = open_entries(entries, NULL, &error);
    VfiVideoInfo video = {.format = VFI_FORMAT_RGB_F32, .width = 64, .height = 64};
    VfiFrame frames[] = {make_frame(&video, 0), make_frame(&video, 3)}, out;
    VfiSessionConfig config = {.video = video, .device = "cpu", .threads = 2};

    ck_assert_msg(model != NULL, "%s", error != NULL ? error->message : "");
    g_autoptr(VfiSession) session = vfi_session_new(model, &config, NULL);
    g_autoptr(VfiPair) pair = vfi_session_begin(session, frames, 2, 0, NULL);
    ck_assert(vfi_frame_alloc(&out, &video, NULL));
    g_autoptr(VfiJob) job = vfi_pair_submit(pair, 0.5, &out, NULL);
    ck_assert(vfi_job_wait(job, NULL));
    GBytes *picture = g_bytes_new(out.data[0], (gsize)(out.stride[0] * video.height));
    vfi_frame_clear(&frames[0]);
    vfi_frame_clear(&frames[1]);
    vfi_frame_clear(&out);
    return picture;
}

/* Spells all names otherwise, with the same values: @prefix before them, a list's
 * "blocks.0." for "block0.". */
static void spell(GArray *entries, const char *prefix, bool list)
{
    for (guint i = 0; i < entries->len; i++) {
        StateEntry *entry = &g_array_index(entries, StateEntry, i);
        g_autofree char *name = g_strdup(entry->key);
        bool in_block = list && g_str_has_prefix(name, "block");
        g_strlcpy(entry->seed, name, sizeof entry->seed);
        g_snprintf(entry->key, sizeof entry->key, "%s%s%s", prefix,
                   in_block ? "blocks." : "", in_block ? name + strlen("block") : name);
    }
}

START_TEST(other_spellings_are_the_same_network)
{
    static const char *const families[] = {"rife_v4_25", "rife_v4_6", "rife_v3_6"};
    g_autoptr(GArray) plain = state_dict_of(families[_i]);
    g_autoptr(GArray) list = state_dict_of(families[_i]);
    g_autoptr(GArray) extras = state_dict_of(families[_i]);
    static const char *const names[] = {"teacher.block0.conv0.0.0.weight",
                                        "caltime.0.weight", "loss.weight",
                                        "block_tea.conv0.0.0.weight"};

    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GArray) extra = one_tensor(names[i], 4, 3, 3, 3);
        g_array_append_vals(extras, extra->data, 1);
    }
    spell(list, "", true);
    spell(extras, "module.", false);
    g_autoptr(GBytes) expected = picture_of(plain);
    g_autoptr(GBytes) same = picture_of(list);
    g_autoptr(GBytes) without = picture_of(extras);
    ck_assert(g_bytes_equal(same, expected));
    ck_assert(g_bytes_equal(without, expected));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("rife_networks");
    TCase *tcase = tcase_create("rife_networks");
    int n = (int)G_N_ELEMENTS(networks);

    tcase_add_loop_test(tcase, each_is_recognised, 0, n);
    tcase_add_loop_test(tcase, each_runs_at_other_flow_scales, 0, n);
    tcase_add_test(tcase, the_other_pyramid_has_its_own_multiple);
    tcase_add_test(tcase, features_may_be_kept_in_16_bits);
    tcase_add_loop_test(tcase, options_that_a_network_lacks_are_errors, 0, n);
    tcase_add_loop_test(tcase, near_misses_name_the_first_wrong_tensor, 0,
                        (int)G_N_ELEMENTS(near_misses));
    tcase_add_test(tcase, networks_that_cannot_run_are_named);
    tcase_add_loop_test(tcase, other_spellings_are_the_same_network, 0, 3);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
