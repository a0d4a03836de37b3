/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* device_probe DEVICE PRECISION: builds two small sessions, one after the other. Prints
 * what became of the last one, and the engine's log from INFO up. */
#include <stdio.h>
#include <stdlib.h>

#include <vfi/vfi.h>

static void tell(VfiLogLevel level, const char *message, void *user_data)
{
    (void)user_data;
    if (level <= VFI_LOG_INFO)
        printf("log: %s\n", message);
}

int main(int argc, char **argv)
{
    VfiSessionConfig config = {
        .video = {.format = VFI_FORMAT_I420, .width = 64, .height = 64}};
    g_autoptr(VfiModel) model = vfi_model_open("blend", NULL, NULL);

    if (argc != 3 || model == NULL ||
        !vfi_precision_from_string(argv[2], &config.precision))
        return EXIT_FAILURE;
    vfi_set_log_func(tell, NULL);
    config.device = argv[1];
    for (int i = 0; i < 2; i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(VfiSession) session = vfi_session_new(model, &config, &error);
        VfiSessionStats stats;
        if (i == 0)
            continue;
        if (session == NULL) {
            printf("error %d: %s\n", error->code, error->message);
            continue;
        }
        vfi_session_get_stats(session, &stats);
        printf("session: %s %s\n", stats.device, stats.precision);
    }
    return EXIT_SUCCESS;
}
