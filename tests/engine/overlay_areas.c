/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Areas of cells are followed in memory of their own, however large they are. */
#include <string.h>

#include <vfi/vfi.h>

#include "base/alloc.h"
#include "check_main.h"
#include "pixels/overlay.h"

static const VfiVideoInfo sizes[] = {
    {.format = VFI_FORMAT_GRAY8, .width = 200, .height = 120},
    {.format = VFI_FORMAT_GRAY8, .width = 1280, .height = 720},
    {.format = VFI_FORMAT_GRAY8, .width = 1920, .height = 1080},
};

static bool is_all(const void *memory, size_t bytes, uint8_t value)
{
    for (size_t i = 0; i < bytes; i++)
        if (((const uint8_t *)memory)[i] != value)
            return false;
    return true;
}

START_TEST(the_whole_picture_may_be_one_area)
{
    const VfiVideoInfo *info = &sizes[_i];
    char *memory = vfi_try_alloc(vfi_overlay_bytes(info), 1, "a test", NULL);
    VfiOverlayFinder finder;

    ck_assert_ptr_nonnull(memory);
    vfi_overlay_init(&finder, info, memory);
    vfi_overlay_begin(&finder);
    size_t cells = (size_t)finder.cells_x * (size_t)finder.cells_y;
    size_t blocks = (size_t)finder.blocks_x * (size_t)finder.blocks_y;
    size_t plane = finder.row * (size_t)info->height;
    memset(finder.luma[0], 7, plane);
    memset(finder.luma[1], 8, plane);
    memset(finder.verdicts, VFI_OVERLAY_SURE, cells);
    vfi_overlay_decide(&finder);
    ck_assert(is_all(finder.verdicts, cells, VFI_OVERLAY_YES));
    ck_assert(is_all(finder.blocks, blocks * sizeof *finder.blocks, 0));
    ck_assert(is_all(finder.luma[0], plane, 7));
    ck_assert(is_all(finder.luma[1], plane, 8));
    vfi_free(memory);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("overlay_areas");
    TCase *tcase = tcase_create("overlay_areas");

    tcase_add_loop_test(tcase, the_whole_picture_may_be_one_area, 0,
                        (int)G_N_ELEMENTS(sizes));
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
