/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Writes whole networks as small files into the folder given, one of every container and
 * its variants: what fuzz-model starts from. The least FILM has 30,000 weights; RIFE and
 * IFRNet are as large as they are, so all of their tensors see one storage of constants,
 * deflated. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../engine/state_dict.h"
#include "../unit/checkpoint_fixture.h"
#include "seed.h"

/* A network as the fixtures want it. */
typedef struct {
    FixtureFile file;
    FixtureStorage *storages;
    FixtureTensor *tensors;
    GArray *entries;
    uint8_t *values;
} Network;

static void set_tensor(Network *network, guint i, bool shared)
{
    const StateEntry *entry = &g_array_index(network->entries, StateEntry, i);
    FixtureTensor *tensor = &network->tensors[i];
    int64_t stride = 1;

    *tensor = (FixtureTensor){
        .name = entry->key, .storage = shared ? 0 : (int)i, .n_dims = entry->n_dims};
    for (int dim = entry->n_dims - 1; dim >= 0; dim--) {
        tensor->shape[dim] = entry->shape[dim];
        tensor->stride[dim] = stride;
        stride *= entry->shape[dim];
    }
}

/* @shared: all tensors see one storage of bytes; else each has its own of f16. */
static Network network_new(const char *family, bool shared)
{
    Network network = {.entries = state_dict_of(family)};
    guint n = network.entries->len;
    guint64 most = 0, all = 0;

    for (guint i = 0; i < n; i++) {
        const StateEntry *entry = &g_array_index(network.entries, StateEntry, i);
        most = MAX(most, state_entry_elements(entry));
        all += state_entry_elements(entry);
    }
    most = MAX(most, all / 8); /* readers let tensors share not much more than this */
    network.values = g_malloc0(most * 2);
    network.storages = g_new0(FixtureStorage, n);
    network.tensors = g_new0(FixtureTensor, n);
    for (guint i = 0; i < n; i++) {
        const StateEntry *entry = &g_array_index(network.entries, StateEntry, i);
        network.storages[i] =
            (FixtureStorage){shared ? VFI_DTYPE_I8 : VFI_DTYPE_F16, network.values,
                             shared ? most : state_entry_elements(entry)};
        set_tensor(&network, i, shared);
    }
    network.file =
        (FixtureFile){network.storages, shared ? 1 : (int)n, network.tensors, (int)n};
    return network;
}

static void network_clear(Network *network)
{
    g_array_unref(network->entries);
    g_free(network->storages);
    g_free(network->tensors);
    g_free(network->values);
}

/* A pickle of protocol 4, with a frame and a global from the stack. */
static GByteArray *pickle_4(const FixtureFile *file)
{
    GByteArray *pickle = g_byte_array_new();
    g_autoptr(GByteArray) body = g_byte_array_new();

    pickle_raw(body,
               "\x8c\x0b"
               "collections\x94\x8c\x0b"
               "OrderedDict\x94\x93\x94)R\x94(",
               13 + 1 + 13 + 1 + 1 + 1 + 2 + 1 + 1);
    for (int i = 0; i < file->n_tensors; i++) {
        pickle_text(body, file->tensors[i].name);
        pickle_op(body, 0x94);
        pickle_tensor(body, file, i);
        pickle_op(body, 0x94);
    }
    pickle_raw(body, "u.", 2);
    uint64_t size = body->len;
    pickle_raw(pickle, "\x80\x04\x95", 3);
    pickle_raw(pickle, &size, 8);
    pickle_raw(pickle, body->data, body->len);
    return pickle;
}

static GByteArray *pickle_2(const FixtureFile *file)
{
    GByteArray *pickle = pickle_new();

    pickle_state_dict(pickle, file, "module.");
    pickle_op(pickle, '.');
    return pickle;
}

/* An archive with one storage, deflated. */
static GByteArray *archive(ZipWriter zip, const FixtureFile *file, GByteArray *pickle)
{
    bool plain = !zip.zip64 && !zip.streamed;

    zip_writer_add(&zip, "m/data.pkl", pickle->data, pickle->len, !plain);
    zip_writer_add(&zip, "m/byteorder", "little", 6, false);
    zip_writer_add(&zip, "m/data/0", file->storages[0].bytes,
                   file->storages[0].n_elements, true);
    g_byte_array_unref(pickle);
    return zip_writer_finish(&zip);
}

static bool write_archives(const char *folder, const char *family)
{
    g_autofree char *plain = g_strconcat(family, "-zip", NULL);
    g_autofree char *streamed = g_strconcat(family, "-streamed", NULL);
    g_autofree char *zip64 = g_strconcat(family, "-zip64", NULL);
    Network network = network_new(family, true);
    const FixtureFile *file = &network.file;
    ZipWriter writers[] = {zip_writer_new(), zip_writer_new(), zip_writer_new()};

    writers[1].streamed = true;
    writers[2].zip64 = true;
    bool written =
        write_seed(folder, plain, archive(writers[0], file, pickle_2(file))) &&
        write_seed(folder, streamed, archive(writers[1], file, pickle_2(file))) &&
        write_seed(folder, zip64, archive(writers[2], file, pickle_4(file)));
    network_clear(&network);
    return written;
}

static bool write_others(const char *folder)
{
    Network network = network_new("film_min", false);
    const FixtureFile *file = &network.file;
    bool written = write_seed(folder, "film-script", fixture_torchscript(file)) &&
                   write_seed(folder, "film-legacy", fixture_torch_legacy(file)) &&
                   write_seed(folder, "film-safetensors", fixture_safetensors(file));

    network_clear(&network);
    return written;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
        return EXIT_FAILURE;
    }
    bool written = write_archives(argv[1], "film_min") &&
                   write_archives(argv[1], "rife_v4_25_lite") &&
                   write_archives(argv[1], "ifrnet_s") && write_others(argv[1]);
    return written ? EXIT_SUCCESS : EXIT_FAILURE;
}
