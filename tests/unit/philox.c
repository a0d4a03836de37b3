/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Philox4x32-10 against the known answers that Random123 publishes (tests/kat_vectors,
 * lines "philox4x32 10"). */
#include "check_main.h"
#include "op/philox.h"

static const struct {
    uint32_t counter[4], key[2], numbers[4];
} known[] = {
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    /* The digits of pi. */
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
};

START_TEST(numbers_are_those_that_are_published)
{
    uint32_t words[4];

    for (int i = 0; i < 4; i++)
        words[i] = known[_i].counter[i];
    vfi_philox(words, known[_i].key);
    for (int i = 0; i < 4; i++)
        ck_assert_uint_eq(words[i], known[_i].numbers[i]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("philox");
    TCase *tcase = tcase_create("philox");

    suite_add_tcase(suite, tcase);
    tcase_add_loop_test(tcase, numbers_are_those_that_are_published, 0,
                        (int)(sizeof known / sizeof known[0]));
    return check_main(suite);
}
