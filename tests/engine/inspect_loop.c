/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* vfi-inspect --plan of a network with a loop, which no model file has:
 * "inspect-loop FORM DEVICE". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/inspected_plan.h"

enum { ROUNDS = 5 };

/* Two states: the mean of all that was seen, and the other frame, which the rounds bring
 * nearer. */
static bool build_rounds(VfiGraph *graph, const VfiModelSetup *setup, VfiStage stage,
                         double scale)
{
    (void)setup;
    (void)scale;
    if (stage != VFI_STAGE_TIME)
        return false;
    VfiValue image = vfi_graph_image(graph, 0), other = vfi_graph_image(graph, 1);
    VfiState mean = vfi_graph_new_state(graph, vfi_graph_add(graph, image, other, 0.5f));
    VfiState near = vfi_graph_new_state(graph, other);
    int loop = vfi_graph_loop(graph, 0, ROUNDS);
    VfiValue next = vfi_graph_add(graph, vfi_graph_state(graph, near), image, 0.5f);
    vfi_graph_update_state(
        graph, mean, vfi_graph_add(graph, vfi_graph_state(graph, mean), next, 0.5f));
    vfi_graph_update_state(graph, near, next);
    vfi_graph_segment(graph, loop);
    vfi_graph_output(graph, "rgb",
                     vfi_graph_clamp(graph, vfi_graph_state(graph, mean), 0.0f, 1.0f));
    return true;
}

static VfiOutputKind output_rgb(const VfiModelSetup *setup)
{
    (void)setup;
    return VFI_OUTPUT_RGB;
}

int main(int argc, char **argv)
{
    static const VfiModelFamily rounds = {
        .name = "rounds", .output = output_rgb, .build = build_rounds};
    const char *form = argc > 1 ? argv[1] : "text";
    VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_I420, .width = 48, .height = 32},
        .device = argc > 2 ? argv[2] : "cpu"};
    g_autoptr(GError) error = NULL;
    VfiModel *model = vfi_model_open("blend", NULL, &error);
    InspectedPlan inspected;

    if (model == NULL) {
        fprintf(stderr, "%s\n", error->message);
        return EXIT_FAILURE;
    }
    model->family = &rounds;
    bool planned = inspected_plan_init(&inspected, model, &config, &error);
    if (!planned)
        fprintf(stderr, "%s\n", error->message);
    else if (strcmp(form, "json") == 0)
        inspected_print_json(&inspected);
    else if (strcmp(form, "dot") == 0)
        inspected_print_dot(&inspected);
    else
        inspected_print_text(&inspected);
    inspected_plan_clear(&inspected);
    return planned ? EXIT_SUCCESS : EXIT_FAILURE;
}
