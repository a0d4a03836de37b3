/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a session would cost: work against figures of another implementation, memory
 * against the session that is then built. */
#include <string.h>

#include <vfi/vfi.h>

#include "base/alloc.h"
#include "check_main.h"
#include "model/loaded_model.h"
#include "open_family.h"

static VfiSessionConfig config_of(int width, int height, double scale)
{
    return (VfiSessionConfig){
        .video = {.format = VFI_FORMAT_I420, .width = width, .height = height},
        .device = "cpu",
        .threads = 1,
        .scale = scale,
    };
}

START_TEST(work_is_that_of_the_network)
{
    g_autoptr(VfiModel) model = open_family("rife_v4_0", NULL);
    g_autoptr(VfiModel) refined = open_family("rife_v4_0", "{'refine': <true>}");
    VfiSessionConfig config = config_of(1920, 1088, 1.0);
    VfiEstimate estimate;

    /* Counted by torch's FlopCounterMode on the network's source at 1088×1920: 83.7
     * without and 168.8 with the refinement networks, which see each frame once. */
    ck_assert(vfi_model_estimate(model, &config, &estimate, NULL));
    ck_assert_double_eq_tol(estimate.time_macs / 1e9, 83.7, 0.05);
    ck_assert(estimate.frame_macs == 0.0);
    /* Large motion: blocks 0 and 1, then all four at a quarter of the pixels, is less. */
    ck_assert(estimate.time_macs_max == estimate.time_macs);
    ck_assert(vfi_model_estimate(refined, &config, &estimate, NULL));
    ck_assert_double_eq_tol((estimate.time_macs + 2 * estimate.frame_macs) / 1e9, 168.8,
                            0.05);
    ck_assert(estimate.frame_macs > 0.0);
}
END_TEST

/* A convolution from 64 to 64 channels before a loop, one in each round, one behind. */
enum { ROUNDS = 5, CHANNELS = 64 };

static VfiValue convolve(VfiGraph *graph, VfiValue x)
{
    return vfi_graph_conv(graph, x, "block3.convblock.0.0", CHANNELS, 3, 1);
}

static bool build_rounds(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                         double scale)
{
    VfiValue planes[CHANNELS];

    (void)setup;
    (void)scale;
    if (stage != VFI_STAGE_TIME)
        return false;
    VfiShape image = vfi_graph_shape(graph, vfi_graph_image(graph, 0));
    for (int i = 0; i < CHANNELS; i++)
        planes[i] = vfi_graph_run_input(graph, VFI_RUN_INPUT_TIME, image.h, image.w, 1.0f,
                                        (float)i);
    VfiValue x = convolve(graph, vfi_graph_concat(graph, planes, CHANNELS));
    VfiState state = vfi_graph_new_state(graph, x);
    int loop = vfi_graph_loop(graph, 0, ROUNDS);
    vfi_graph_update_state(graph, state, convolve(graph, vfi_graph_state(graph, state)));
    vfi_graph_segment(graph, loop);
    x = convolve(graph, vfi_graph_state(graph, state));
    vfi_graph_output(graph, "rgb", vfi_graph_slice(graph, x, 0, 3));
    return true;
}

static VfiOutputKind output_rgb(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_RGB;
}

START_TEST(each_round_is_work)
{
    static const VfiModelFamily rounds = {
        .name = "rounds", .output = output_rgb, .build = build_rounds};
    g_autoptr(VfiModel) model = open_family("rife_v4_0", NULL);
    VfiSessionConfig config = config_of(64, 32, 1.0);
    g_autoptr(GError) error = NULL;
    VfiEstimate estimate = {0};

    model->family = &rounds;
    bool done = vfi_model_estimate(model, &config, &estimate, &error);
    ck_assert_msg(done, "%s", error != NULL ? error->message : "");
    ck_assert(estimate.time_macs == (ROUNDS + 2) * 9.0 * CHANNELS * CHANNELS * 64 * 32);
    ck_assert(estimate.time_macs_max == estimate.time_macs);
}
END_TEST

START_TEST(memory_is_that_of_the_session)
{
    static const struct {
        const char *family;
        int width, height, padded_width, padded_height, multiple;
        double scale;
    } cases[] = {
        {"rife_v4_0", 200, 100, 256, 128, 64, 1.0},
        {"rife_v4_0", 200, 100, 256, 128, 128, 0.5},
        {"rife_v3_6", 200, 100, 208, 112, 16, 1.0},
    };

    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(VfiModel) model = open_family(cases[i].family, NULL);
        VfiSessionConfig config =
            config_of(cases[i].width, cases[i].height, cases[i].scale);
        VfiEstimate estimate;
        VfiSessionStats stats;

        ck_assert(vfi_model_estimate(model, &config, &estimate, NULL));
        uint64_t before, after, peak;
        vfi_get_memory_use(&before, &peak);
        g_autoptr(VfiSession) session = vfi_session_new(model, &config, NULL);
        ck_assert_ptr_nonnull(session);
        vfi_get_memory_use(&after, &peak);
        vfi_session_get_stats(session, &stats);
        ck_assert_int_eq(estimate.padded_width, cases[i].padded_width);
        ck_assert_int_eq(estimate.padded_height, cases[i].padded_height);
        ck_assert_int_eq(estimate.size_multiple, cases[i].multiple);
        ck_assert_int_eq(stats.padded_width, cases[i].padded_width);
        ck_assert_uint_eq(estimate.arena_bytes + estimate.frames * estimate.frame_bytes,
                          stats.arena_bytes);
        /* The backend counts tables of its own, such as offsets, as packed. */
        ck_assert_uint_le(estimate.packed_weight_bytes, stats.packed_weight_bytes);
        ck_assert_uint_ge(estimate.packed_weight_bytes + estimate.scratch_bytes,
                          stats.packed_weight_bytes);
        /* Tables whose size no frame decides are not planned. */
        ck_assert_uint_le(after - before, estimate.session_bytes + (1 << 20));
        ck_assert_uint_ge(after - before + (1 << 20), estimate.session_bytes);
    }
}
END_TEST

START_TEST(nothing_is_allocated_or_packed)
{
    g_autoptr(VfiModel) model = open_family("rife_v4_0", NULL);
    VfiSessionConfig config = config_of(3840, 2160, 1.0);
    VfiEstimate first, second;
    uint64_t before, after, peak_before, peak;

    vfi_get_memory_use(&before, &peak_before);
    ck_assert(vfi_model_estimate(model, &config, &first, NULL));
    vfi_get_memory_use(&after, &peak);
    ck_assert_uint_eq(before, after);
    ck_assert_uint_lt(peak - before, 8 << 20); /* the plan's tables */
    ck_assert_uint_gt(first.session_bytes, (size_t)500 << 20);
    ck_assert(vfi_model_estimate(model, &config, &second, NULL));
    ck_assert_uint_eq(first.packed_weight_bytes, second.packed_weight_bytes);
}
END_TEST

START_TEST(blend_costs_nothing_to_keep)
{
    g_autoptr(VfiModel) model = vfi_model_open("blend", NULL, NULL);
    VfiSessionConfig config = config_of(63, 33, 0.0);
    VfiEstimate estimate;

    ck_assert(vfi_model_estimate(model, &config, &estimate, NULL));
    ck_assert(estimate.time_macs == 0.0 && estimate.session_bytes == 0);
    ck_assert_int_eq(estimate.padded_width, 63);
    ck_assert_int_eq(estimate.size_multiple, 1);
}
END_TEST

START_TEST(what_no_session_would_take_is_refused)
{
    g_autoptr(VfiModel) model = vfi_model_open("blend", NULL, NULL);
    VfiSessionConfig sizeless = config_of(0, 33, 1.0), scaled = config_of(64, 64, 5.0),
                     elsewhere = config_of(64, 64, 1.0);
    VfiEstimate estimate = {.frames = 7};
    g_autoptr(GError) error = NULL;

    ck_assert(!vfi_model_estimate(model, &sizeless, &estimate, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT));
    g_clear_error(&error);
    ck_assert(!vfi_model_estimate(model, &scaled, &estimate, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_INVALID_ARGUMENT));
    g_clear_error(&error);
    elsewhere.device = "abacus";
    ck_assert(!vfi_model_estimate(model, &elsewhere, &estimate, &error));
    ck_assert_ptr_nonnull(strstr(error->message, "abacus"));
    ck_assert_uint_eq(estimate.frames, 7);
}
END_TEST

START_TEST(the_system_is_described)
{
    VfiSystemInfo info;

    vfi_system_info(&info);
    ck_assert_ptr_nonnull(strstr("c avx2 avx512", info.cpu_level));
    ck_assert_ptr_nonnull(strstr("c avx2 avx512", info.machine_cpu_level));
    ck_assert_uint_ge(info.threads, 1);
    ck_assert_uint_le(info.memory_limit, info.memory_total);
    ck_assert_ptr_nonnull(info.memory_limited_by);
    ck_assert_ptr_nonnull(info.cuda);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("estimate");
    TCase *tcase = tcase_create("estimate");

    tcase_add_test(tcase, work_is_that_of_the_network);
    tcase_add_test(tcase, each_round_is_work);
    tcase_add_test(tcase, memory_is_that_of_the_session);
    tcase_add_test(tcase, nothing_is_allocated_or_packed);
    tcase_add_test(tcase, blend_costs_nothing_to_keep);
    tcase_add_test(tcase, what_no_session_would_take_is_refused);
    tcase_add_test(tcase, the_system_is_described);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
