/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "checkpoint/foreign.h"

#include <zlib.h>

/* Bytes of a compressed file that are unpacked to see whether it is a tar archive. */
#define UNPACKED 16384

#define TAR_BLOCK 512
#define TAR_NAME 100   /* bytes of a member's name, at the beginning */
#define TAR_SIZE 124   /* offset of a member's size: octal digits */
#define TAR_MAGIC 257  /* offset of "ustar" */
#define TAR_MEMBERS 64 /* looked at; downloads have fewer */

static bool has_bytes(VfiSpan file, size_t offset, const char *bytes, size_t size)
{
    return file.size >= offset + size && memcmp(file.data + offset, bytes, size) == 0;
}

static bool has_text(VfiSpan file, const char *text)
{
    return has_bytes(file, 0, text, strlen(text));
}

static bool ends_with(VfiSpan name, const char *end)
{
    size_t length = strlen(end);

    return name.size >= length &&
           g_ascii_strncasecmp((const char *)name.data + name.size - length, end,
                               length) == 0;
}

/* ---- archives ---------------------------------------------------------------------- */

#define NO_MODEL 0

/* How likely the member of that name is the model: endings of models, RIFE's own name
 * first; not the doubles that macOS adds. */
static int judge_member(VfiSpan name)
{
    static const char *const models[] = {".param", ".ckpt",        ".pt",
                                         ".pth",   ".safetensors", ".pkl"};
    static const char *const names[] = {"flownet.param", "flownet.pkl"};
    static const char mac[] = "__MACOSX/";

    if (has_text(name, mac))
        return NO_MODEL;
    for (size_t i = G_N_ELEMENTS(names); i-- > 0;)
        if (ends_with(name, names[i]))
            return (int)(G_N_ELEMENTS(models) + i + 1);
    for (size_t i = G_N_ELEMENTS(models); i-- > 0;)
        if (ends_with(name, models[i]))
            return (int)i + 1;
    return NO_MODEL;
}

/* Other contents of archives without a model, by the ending of a member's name. */
static const struct {
    const char *end, *what;
} other_members[] = {
    {".onnx",
     "; it holds an ONNX model, which is not read: take the checkpoint that it was "
     "made from"},
    {"saved_model.pb",
     "; it holds a TensorFlow model, which is not read: take PyTorch's"},
    {".npy", "; it holds NumPy arrays, which are not read: save them as safetensors"},
};

bool vfi_refuse_archive(const char *kind, const void *archive, size_t n_members,
                        VfiMemberName member, GError **error)
{
    const char *other = "";
    VfiSpan best = {NULL, 0};
    int likely = NO_MODEL;

    for (size_t i = 0; i < n_members; i++) {
        VfiSpan name = member(archive, i);
        int judgement = judge_member(name);
        if (judgement > likely) {
            likely = judgement;
            best = name;
        }
        for (size_t k = 0; other[0] == '\0' && k < G_N_ELEMENTS(other_members); k++)
            if (ends_with(name, other_members[k].end))
                other = other_members[k].what;
    }
    if (likely != NO_MODEL)
        return vfi_unsupported(
            error,
            "it is %s with files in it, as downloads are; unpack it and "
            "take the model in it, \"%s\"",
            kind, vfi_quote(best).text);
    if (n_members == 0)
        return vfi_unsupported(error, "it is %s with nothing in it", kind);
    return vfi_unsupported(error,
                           "it is %s, but neither a checkpoint nor with one in it (its "
                           "first member is \"%s\")%s",
                           kind, vfi_quote(member(archive, 0)).text, other);
}

/* A tar archive: a file, or the unpacked beginning of a compressed one. */
typedef struct {
    const VfiSource *file; /* NULL: in .memory */
    VfiSpan memory;
    char names[TAR_MEMBERS][TAR_NAME + 1];
    size_t n;
} Tar;

static VfiSpan tar_member(const void *archive, size_t index)
{
    const char *name = ((const Tar *)archive)->names[index];

    return (VfiSpan){(const uint8_t *)name, strlen(name)};
}

static bool is_tar(VfiSpan file)
{
    return has_bytes(file, TAR_MAGIC, "ustar", 5);
}

static bool read_header(const Tar *tar, uint64_t offset, uint8_t *header)
{
    VfiSpan bytes;

    if (tar->file != NULL)
        return vfi_source_has(tar->file, offset, TAR_BLOCK) &&
               vfi_source_read(tar->file, offset, header, TAR_BLOCK, NULL);
    if (!vfi_span_slice(tar->memory, offset, TAR_BLOCK, &bytes))
        return false;
    memcpy(header, bytes.data, TAR_BLOCK);
    return true;
}

/* Fills in the names of the first members. */
static void list_tar(Tar *tar)
{
    uint8_t header[TAR_BLOCK];
    uint64_t at = 0;

    while (tar->n < TAR_MEMBERS && read_header(tar, at, header) &&
           is_tar((VfiSpan){header, sizeof header})) {
        uint64_t size = 0;
        for (size_t i = TAR_SIZE; i < TAR_SIZE + 11; i++)
            if (header[i] >= '0' && header[i] <= '7')
                size = 8 * size + (uint64_t)(header[i] - '0');
        memcpy(tar->names[tar->n++], header, TAR_NAME); /* the rest is zero */
        at += TAR_BLOCK + (size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK;
    }
}

static bool refuse_tar(const VfiSource *file, VfiSpan memory, const char *kind,
                       GError **error)
{
    Tar tar = {.file = file, .memory = memory};

    list_tar(&tar);
    for (size_t i = 0; i < tar.n; i++)
        if (strcmp(tar.names[i], "storages") == 0)
            return vfi_unsupported(error,
                                   "it is a tar archive as torch before 0.1.10 wrote; "
                                   "save it again with a newer torch");
    return vfi_refuse_archive(kind, &tar, tar.n, tar_member, error);
}

static bool refuse_gzip(const VfiSource *file, GError **error)
{
    uint8_t packed[UNPACKED], unpacked[UNPACKED];
    size_t size = (size_t)MIN(file->size, sizeof packed);
    z_stream stream = {.next_in = packed,
                       .avail_in = (uInt)size,
                       .next_out = unpacked,
                       .avail_out = UNPACKED};
    VfiSpan start = {unpacked, 0};

    if (vfi_source_read(file, 0, packed, size, NULL) &&
        inflateInit2(&stream, 16 + MAX_WBITS) == Z_OK) {
        inflate(&stream, Z_SYNC_FLUSH);
        start.size = UNPACKED - stream.avail_out;
        inflateEnd(&stream);
    }
    if (is_tar(start))
        return refuse_tar(NULL, start, "a compressed tar archive", error);
    return vfi_unsupported(error, "it is compressed with gzip; unpack it first (gunzip)");
}

/* ---- single files ------------------------------------------------------------------ */

#define CHECKPOINT_INSTEAD                                                               \
    "take the PyTorch checkpoint that it was made from (.pkl, .pth or .safetensors)"

static const struct {
    size_t offset, size;
    const char *bytes;
    const char *what;
} signatures[] = {
    {0, 6, "7z\xbc\xaf\x27\x1c",
     "it is a 7-Zip archive; unpack it and take the model in it"},
    {0, 6, "Rar!\x1a\x07", "it is a RAR archive; unpack it and take the model in it"},
    {0, 6,
     "\xfd"
     "7zXZ\0",
     "it is compressed with xz; unpack it first (unxz, or tar -xf)"},
    {0, 4, "\x28\xb5\x2f\xfd",
     "it is compressed with Zstandard; unpack it first (unzstd, or tar -xf)"},
    {0, 3, "BZh", "it is compressed with bzip2; unpack it first (bunzip2, or tar -xf)"},
    {0, 4, "\x04\x22\x4d\x18", "it is compressed with LZ4; unpack it first (unlz4)"},
    {0, 23, "version https://git-lfs",
     "it is a Git LFS pointer, not the file itself; "
     "run git lfs pull, or download the file"},
    {0, 4, "ftrt", "it is a TensorRT engine, which is not read; " CHECKPOINT_INSTEAD},
    {0, 4, "ptrt", "it is a TensorRT engine, which is not read; " CHECKPOINT_INSTEAD},
    {0, 8, "\x89HDF\r\n\x1a\n",
     "it is an HDF5 file (Keras), which is not read; "
     "take the model's PyTorch checkpoint"},
    {4, 4, "TFL3",
     "it is a TensorFlow Lite model, which is not read; " CHECKPOINT_INSTEAD},
    {0, 6, "\x93NUMPY", "it is a NumPy array, which is not read; save it as safetensors"},
    {0, 4, "\xdd\x85\x76\0",
     "it is the structure of an ncnn model in its binary form; take the text (.param)"},
    {0, 7, "7767517",
     "it is the structure of an ncnn model: call it NAME.param, with NAME.bin beside it"},
    {0, 3, "\x08\x01\x12",
     "it is a TensorFlow SavedModel, which is not read; "
     "take the model's PyTorch checkpoint"},
    {0, 4, "GGUF", "it is a GGUF file, which is not read; " CHECKPOINT_INSTEAD},
};

/* Files whose beginning is not characteristic. */
static const struct {
    const char *end, *what;
} endings[] = {
    {".onnx", "it is called an ONNX model, which is not read; " CHECKPOINT_INSTEAD},
    {".engine", "it is called a TensorRT engine, which is not read; " CHECKPOINT_INSTEAD},
    {".plan", "it is called a TensorRT engine, which is not read; " CHECKPOINT_INSTEAD},
    {".trt", "it is called a TensorRT engine, which is not read; " CHECKPOINT_INSTEAD},
    {".pb", "it is called a TensorFlow graph, which is not read; "
            "take the model's PyTorch checkpoint"},
    {".bin", "it is called the weights of a model, but not in a form that says so; those "
             "of an ncnn model need their .param beside them"},
};

/* A protobuf message of ONNX: its version, 3 to 20, then one of the fields of a model. */
static bool is_onnx(VfiSpan file)
{
    static const char fields[] = {0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42};

    return file.size > 8 && file.data[0] == 0x08 && file.data[1] >= 3 &&
           file.data[1] <= 20 && memchr(fields, file.data[2], sizeof fields) != NULL;
}

/* The text after a byte order mark and white space. */
static VfiSpan skip_space(VfiSpan file)
{
    size_t at = has_text(file, "\xef\xbb\xbf") ? 3 : 0;

    while (at < file.size && g_ascii_isspace(file.data[at]))
        at++;
    return (VfiSpan){file.data + at, file.size - at};
}

/* Whether the beginning of a file is text, whose last character it may cut unless it is
 * the @whole file. */
static bool is_text(VfiSpan head, bool whole)
{
    const char *text = (const char *)head.data, *end;

    if (!g_utf8_validate_len(text, head.size, &end) &&
        (whole || head.size - (size_t)(end - text) >= 4))
        return false;
    for (const char *p = text; p < end; p++)
        if (g_ascii_iscntrl(*p) && !g_ascii_isspace(*p))
            return false;
    return true;
}

bool vfi_is_stand_in(VfiSpan head, bool whole)
{
    VfiSpan text = skip_space(head);

    return is_text(head, whole) && (has_text(text, "<") || has_text(text, "{") ||
                                    has_text(text, "version https://git-lfs"));
}

/* Web pages, answers of servers, other text. */
static bool refuse_text(VfiSpan file, GError **error)
{
    VfiSpan text = skip_space(file);
    VfiSpan start = {text.data, MIN(text.size, 60)};

    if (has_text(text, "<?xml"))
        return vfi_unsupported(
            error, "it is XML text: a server's message in place of the file, "
                   "or the structure of an OpenVINO model, which is not read");
    if (has_text(text, "<"))
        return vfi_unsupported(error,
                               "it is a web page, not a checkpoint: the address was that "
                               "of a page about the file, or asked for a confirmation; "
                               "download the file itself");
    if (has_text(text, "{"))
        return vfi_unsupported(error,
                               "it is JSON text, not a checkpoint: a server's message in "
                               "place of the file, or a description beside it (\"%s\")",
                               vfi_quote(start).text);
    return vfi_unsupported(error, "it is text that begins with \"%s\", not a checkpoint",
                           vfi_quote(start).text);
}

bool vfi_refuse_foreign(const VfiSource *file, VfiSpan head, const char *path,
                        GError **error)
{
    VfiSpan start = {head.data, MIN(head.size, 16)};
    VfiSpan name = {(const uint8_t *)path, strlen(path)};

    for (size_t i = 0; i < G_N_ELEMENTS(signatures); i++)
        if (has_bytes(head, signatures[i].offset, signatures[i].bytes,
                      signatures[i].size))
            return vfi_unsupported(error, "%s", signatures[i].what);
    if (has_text(head, "\x1f\x8b"))
        return refuse_gzip(file, error);
    if (is_tar(head))
        return refuse_tar(file, (VfiSpan){NULL, 0}, "a tar archive", error);
    if (is_onnx(head))
        return vfi_unsupported(
            error, "it is an ONNX model, which is not read; " CHECKPOINT_INSTEAD);
    if (is_text(head, head.size == file->size))
        return refuse_text(head, error);
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++)
        if (ends_with(name, endings[i].end))
            return vfi_unsupported(error, "%s (it begins with \"%s\")", endings[i].what,
                                   vfi_quote(start).text);
    return vfi_unsupported(
        error,
        "it begins with \"%s\", which is none of torch zip, torch legacy, "
        "TorchScript, safetensors and an ncnn model's .param with a .bin beside it",
        vfi_quote(start).text);
}
