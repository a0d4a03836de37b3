/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What trainers save beside weights is passed over: averages, optimisers' states,
 * settings, and values of Python and NumPy. */
#include <string.h>

#include <vfi/error.h>

#include "check_main.h"
#include "checkpoint_fixture.h"

static const FixtureFile *const standard = &fixture_standard;

/* A value as pickle.dumps() of protocol 2 writes it. */
typedef struct {
    const char *what, *bytes;
    size_t size;
} Value;

#define VALUE(what, literal)                                                             \
    {                                                                                    \
        what, literal, sizeof(literal) - 1                                               \
    }

#define F8                                                                               \
    "cnumpy\ndtype\nX\2\0\0\0f8\x89\x88\x87R(K\3X\1\0\0\0<"                              \
    "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
#define LATIN1 "X\6\0\0\0latin1\x86R"
#define SCALAR                                                                           \
    "scalar\n" F8 "c_codecs\nencode\nX\t\0\0\0\0\0\0\0\0\0\xc3\xb8?" LATIN1 "\x86R"
#define ARRAY                                                                            \
    "_reconstruct\ncnumpy\nndarray\nK\0\x85"                                             \
    "c_codecs\nencode\nX\1\0\0\0b" LATIN1 "\x87R(K\1K\1\x85" F8 "\x89"                   \
    "c_codecs\nencode\nX\x08\0\0\0\0\0\0\0\0\0\0\0" LATIN1 "tb"

static const Value values[] = {
    VALUE("None", "N"),
    VALUE("0.5", "G?\xe0\0\0\0\0\0\0"),
    VALUE("1 << 80", "\x8a\x0b\0\0\0\0\0\0\0\0\0\0\1"),
    VALUE("{3: [True, ()]}", "}K\3](\x88)es"),
    VALUE("torch.Size([3])", "ctorch\nSize\nK\3\x85\x85R"),
    VALUE("argparse.Namespace(lr=0.5)",
          "cargparse\nNamespace\n)\x81}X\2\0\0\0lrG?\xe0\0\0\0\0\0\0sb"),
    VALUE("types.SimpleNamespace(a=1)", "ctypes\nSimpleNamespace\n)R}X\1\0\0\0aK\1sb"),
    VALUE("collections.defaultdict(list, a=[1])",
          "ccollections\ndefaultdict\nc__builtin__\nlist\n\x85RX\1\0\0\0a]K\1as"),
    VALUE("collections.Counter('a')", "ccollections\nCounter\n}X\1\0\0\0aK\1s\x85R"),
    VALUE("collections.deque([1])", "ccollections\ndeque\n)RK\1a"),
    VALUE("pathlib.Path('/a')", "cpathlib\nPosixPath\nX\1\0\0\0/X\1\0\0\0a\x86R"),
    VALUE("datetime.timedelta(1)", "cdatetime\ntimedelta\nK\1K\0K\0\x87R"),
    VALUE("frozenset([1])", "c__builtin__\nfrozenset\n]K\1a\x85R"),
    VALUE("range(3)", "c__builtin__\nxrange\nK\0K\3K\1\x87R"),
    VALUE("slice(1, 2)", "cbuiltins\nslice\nK\1K\2N\x87R"),
    VALUE("AttributeDict(a=1)",
          "cpytorch_lightning.utilities.parsing\nAttributeDict\n)\x81X\1\0\0\0aK\1s"),
    VALUE("OmegaConf.create([1]), less most of its metadata",
          "comegaconf.listconfig\nListConfig\n)\x81q\1}(X\x09\0\0\0_metadata"
          "comegaconf.base\nContainerMetadata\n)\x81}X\x08\0\0\0ref_typectyping\nAny\nsb"
          "X\x08\0\0\0_content]comegaconf.nodes\nAnyNode\n)\x81}(X\7\0\0\0_parenth\1"
          "X\4\0\0\0_valK\1ubaub"),
    VALUE("numpy.float64(1.5)", "cnumpy.core.multiarray\n" SCALAR),
    VALUE("numpy.float64(1.5) of NumPy 2", "cnumpy._core.multiarray\n" SCALAR),
    VALUE("numpy.zeros(1)", "cnumpy.core.multiarray\n" ARRAY),
    VALUE("numpy.zeros(1) of NumPy 2", "cnumpy._core.multiarray\n" ARRAY),
};

/* Opens {"model": all tensors, "beside": @value} and checks that the tensors are all
 * there is; @enclose: the value is in a list of its own. */
static void check_beside(const Value *value, bool enclose)
{
    g_autoptr(GByteArray) pickle = pickle_new();
    g_autoptr(GError) error = NULL;

    pickle_raw(pickle, "}(", 2);
    pickle_text(pickle, "beside");
    pickle_raw(pickle, "](", enclose ? 2 : 0);
    pickle_raw(pickle, value->bytes, value->size);
    pickle_raw(pickle, "e", enclose ? 1 : 0);
    pickle_text(pickle, "model");
    pickle_state_dict(pickle, standard, "");
    pickle_raw(pickle, "u.", 2);
    g_autoptr(GByteArray) bytes = fixture_zip_around(standard, pickle);
    g_autoptr(VfiCheckpoint) checkpoint = fixture_open(bytes, &error);
    ck_assert_msg(checkpoint != NULL, "%s: %s", value->what,
                  error == NULL ? "" : error->message);
    ck_assert_uint_eq(vfi_checkpoint_n_tensors(checkpoint), (size_t)standard->n_tensors);
    for (int i = 0; i < standard->n_tensors; i++)
        assert_tensor_equals(checkpoint, standard->tensors[i].name,
                             &standard->tensors[i]);
}

START_TEST(values_beside_weights_are_passed_over)
{
    check_beside(&values[_i], false);
    check_beside(&values[_i], true);
}
END_TEST

/* Beside tensors themselves they are no tensors; but an array may be meant as one. */
START_TEST(values_among_weights_are_passed_over)
{
    g_autoptr(GByteArray) pickle = pickle_new();
    g_autoptr(GError) error = NULL;
    bool is_array = g_str_has_prefix(values[_i].what, "numpy.zeros");

    pickle_raw(pickle, "}(", 2);
    pickle_text(pickle, "w");
    pickle_tensor(pickle, standard, 0);
    pickle_text(pickle, "beside");
    pickle_raw(pickle, values[_i].bytes, values[_i].size);
    pickle_raw(pickle, "u.", 2);
    if (is_array) {
        assert_refused(fixture_zip_around(standard, pickle), VFI_ERROR_UNSUPPORTED,
                       "\"beside\" is an array of NumPy");
        return;
    }
    g_autoptr(GByteArray) bytes = fixture_zip_around(standard, pickle);
    g_autoptr(VfiCheckpoint) checkpoint = fixture_open(bytes, &error);
    ck_assert_msg(checkpoint != NULL, "%s: %s", values[_i].what,
                  error == NULL ? "" : error->message);
    ck_assert_uint_eq(vfi_checkpoint_n_tensors(checkpoint), 1);
    assert_tensor_equals(checkpoint, "w", &standard->tensors[0]);
}
END_TEST

/* Averages of all tensors under their own names, and
 * [{"state": {0: {"step": 3, "exp_avg": tensor}}, "param_groups": [{"params": [0]}]}]
 * as Adam has it. */
START_TEST(averages_and_optimisers_are_passed_over)
{
    g_autoptr(GByteArray) pickle = pickle_new();
    g_autoptr(GError) error = NULL;

    pickle_raw(pickle, "}(", 2);
    pickle_text(pickle, "ema");
    pickle_state_dict(pickle, standard, "");
    pickle_text(pickle, "optimizer");
    pickle_raw(pickle, "]}(", 3);
    pickle_text(pickle, "state");
    pickle_raw(pickle, "}K\0}(", 5);
    pickle_text(pickle, "step");
    pickle_int(pickle, 3);
    pickle_text(pickle, "exp_avg");
    pickle_tensor(pickle, standard, 0);
    pickle_raw(pickle, "us", 2);
    pickle_text(pickle, "param_groups");
    pickle_raw(pickle, "]}", 2);
    pickle_text(pickle, "params");
    pickle_raw(pickle, "]K\0as\x61ua", 8);
    pickle_text(pickle, "model");
    pickle_state_dict(pickle, standard, "net.");
    pickle_raw(pickle, "u.", 2);
    g_autoptr(GByteArray) bytes = fixture_zip_around(standard, pickle);
    g_autoptr(VfiCheckpoint) checkpoint = fixture_open(bytes, &error);
    ck_assert_msg(checkpoint != NULL, "%s", error == NULL ? "" : error->message);
    ck_assert_uint_eq(vfi_checkpoint_n_tensors(checkpoint), (size_t)standard->n_tensors);
    ck_assert_str_eq(vfi_checkpoint_tensor(checkpoint, 0)->name,
                     standard->tensors[0].name);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checkpoint beside");
    TCase *tcase = tcase_create("beside");
    tcase_add_loop_test(tcase, values_beside_weights_are_passed_over, 0,
                        G_N_ELEMENTS(values));
    tcase_add_loop_test(tcase, values_among_weights_are_passed_over, 0,
                        G_N_ELEMENTS(values));
    tcase_add_test(tcase, averages_and_optimisers_are_passed_over);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
