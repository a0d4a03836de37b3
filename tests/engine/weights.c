/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is done to weights after they are loaded: other names, factors folded into
 * convolutions. */
#include "weights/weights.h"

#include <math.h>
#include <string.h>

#include "check_main.h"
#include "deterministic_weights.h"
#include "layer_weights.h"

static void add(GArray *entries, const char *key, int n_dims, int a, int b, int kernel)
{
    StateEntry entry = {
        .kind = STATE_WEIGHT, .n_dims = n_dims, .shape = {a, b, kernel, kernel}};

    g_strlcpy(entry.key, key, sizeof entry.key);
    g_array_append_val(entries, entry);
}

/* a: all three and they fit; b: a factor too few; c: no convolution; d: no bias. */
static VfiWeights *make_weights(void)
{
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(StateEntry));

    for (const char *p = "abd"; *p != '\0'; p++) {
        g_autofree char *weight = g_strdup_printf("%c.conv.weight", *p);
        g_autofree char *bias = g_strdup_printf("%c.conv.bias", *p);
        add(entries, weight, 4, 5, 3, 3);
        if (*p != 'd')
            add(entries, bias, 1, 5, 0, 0);
    }
    add(entries, "a.beta", 4, 1, 5, 1);
    add(entries, "b.beta", 4, 1, 4, 1);
    add(entries, "c.beta", 4, 1, 5, 1);
    add(entries, "d.beta", 4, 1, 5, 1);
    return weights_of_entries(entries);
}

static const VfiWeight *find(const VfiWeights *weights, const char *name)
{
    const VfiWeight *weight = vfi_weights_find(weights, name);

    ck_assert_msg(weight != NULL, "no %s", name);
    return weight;
}

START_TEST(factors_are_folded_where_all_fit)
{
    static const char *const unchanged[] = {"b.conv.weight", "b.conv.bias",
                                            "d.conv.weight", "a.beta", "c.beta"};
    VfiWeights *weights = make_weights(), *before = make_weights();
    const float *beta = find(before, "a.beta")->data;

    vfi_weights_fold_scale(weights, "beta", "conv");
    for (size_t i = 0; i < G_N_ELEMENTS(unchanged); i++) {
        const VfiWeight *weight = find(weights, unchanged[i]);
        ck_assert_mem_eq(weight->data, find(before, unchanged[i])->data,
                         weight->n_elements * sizeof(float));
    }
    for (int c = 0; c < 5; c++) {
        ck_assert_float_eq(find(weights, "a.conv.bias")->data[c],
                           find(before, "a.conv.bias")->data[c] * beta[c]);
        for (int i = 0; i < 27; i++)
            ck_assert_float_eq(find(weights, "a.conv.weight")->data[27 * c + i],
                               find(before, "a.conv.weight")->data[27 * c + i] * beta[c]);
    }
    vfi_weights_free(weights);
    vfi_weights_free(before);
}
END_TEST

/* x.3 and x.4 belong together; y.0 has too few channels, z no normalisation's mean. */
static VfiWeights *make_normed_weights(void)
{
    static const char *const parts[] = {"weight", "bias", "running_mean", "running_var"};
    g_autoptr(GArray) entries = g_array_new(FALSE, FALSE, sizeof(StateEntry));

    add(entries, "x.3.weight", 4, 5, 1, 3);
    add(entries, "x.3.bias", 1, 5, 0, 0);
    add(entries, "y.0.weight", 4, 4, 1, 3);
    add(entries, "y.0.bias", 1, 4, 0, 0);
    add(entries, "z.0.weight", 4, 5, 1, 3);
    add(entries, "z.0.bias", 1, 5, 0, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *x = g_strdup_printf("x.4.%s", parts[i]);
        g_autofree char *y = g_strdup_printf("y.1.%s", parts[i]);
        g_autofree char *z = g_strdup_printf("z.1.%s", parts[i]);
        add(entries, x, 1, 5, 0, 0);
        add(entries, y, 1, 5, 0, 0);
        if (i != 2)
            add(entries, z, 1, 5, 0, 0);
    }
    return weights_of_entries(entries);
}

START_TEST(batch_norms_are_folded_where_all_fit)
{
    static const char *const unchanged[] = {"y.0.weight", "y.0.bias",
                                            "z.0.weight", "z.0.bias",
                                            "x.4.weight", "x.4.running_var"};
    const double epsilon = 3.0; /* keeps variances, here negative too, above zero */
    VfiWeights *weights = make_normed_weights(), *before = make_normed_weights();

    vfi_weights_fold_batch_norm(weights, epsilon);
    for (size_t i = 0; i < G_N_ELEMENTS(unchanged); i++) {
        const VfiWeight *weight = find(weights, unchanged[i]);
        ck_assert_mem_eq(weight->data, find(before, unchanged[i])->data,
                         weight->n_elements * sizeof(float));
    }
    for (int c = 0; c < 5; c++) {
        double mean = (double)find(before, "x.4.running_mean")->data[c];
        double deviation =
            sqrt((double)find(before, "x.4.running_var")->data[c] + epsilon);
        double scale = (double)find(before, "x.4.weight")->data[c];
        double shift = (double)find(before, "x.4.bias")->data[c];
        for (int sum = 0; sum < 9; sum++) { /* what one pixel of the kernel sees */
            double old = (double)find(before, "x.3.weight")->data[9 * c + sum] +
                         (double)find(before, "x.3.bias")->data[c];
            double now = (double)find(weights, "x.3.weight")->data[9 * c + sum] +
                         (double)find(weights, "x.3.bias")->data[c];
            ck_assert_double_eq_tol(now, (old - mean) / deviation * scale + shift, 1e-5);
        }
    }
    vfi_weights_free(weights);
    vfi_weights_free(before);
}
END_TEST

/* a.… to z.…, c.beta to d.beta, which is there already. */
static char *rename_some(const char *name)
{
    if (strcmp(name, "c.beta") == 0)
        return g_strdup("d.beta");
    return name[0] == 'a' ? g_strdup_printf("z%s", name + 1) : NULL;
}

START_TEST(names_change_and_none_comes_twice)
{
    VfiWeights *weights = make_weights(), *before = make_weights();

    vfi_weights_rename(weights, rename_some);
    ck_assert_ptr_null(vfi_weights_find(weights, "a.conv.weight"));
    ck_assert_ptr_null(vfi_weights_find(weights, "c.beta"));
    const VfiWeight *renamed = find(weights, "z.conv.weight");
    ck_assert_str_eq(renamed->name, "z.conv.weight");
    ck_assert_mem_eq(renamed->data, find(before, "a.conv.weight")->data,
                     renamed->n_elements * sizeof(float));
    ck_assert_mem_eq(find(weights, "d.beta")->data, find(before, "d.beta")->data,
                     5 * sizeof(float));
    ck_assert_uint_eq(vfi_weights_n_parameters(weights) + 5,
                      vfi_weights_n_parameters(before));
    vfi_weights_free(weights);
    vfi_weights_free(before);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("weights");
    TCase *tcase = tcase_create("weights");

    tcase_add_test(tcase, factors_are_folded_where_all_fit);
    tcase_add_test(tcase, batch_norms_are_folded_where_all_fit);
    tcase_add_test(tcase, names_change_and_none_comes_twice);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
