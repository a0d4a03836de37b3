/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Files that are not still: short and interrupted reads, files that are rewritten, cut
 * short or touched between two reads, paths that are no files, and damaged tensors of
 * archives. */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include <vfi/error.h>

#include "check_main.h"
#include "checkpoint/open.h"
#include "checkpoint_fixture.h"

static const FixtureFile *const standard = &fixture_standard;

/* The containers, and the archive with deflated members. */
enum { DEFLATED = 4, N_KINDS = 5 };

/* What the system does between the engine's reads. */
static struct {
    bool interrupts;  /* every other read is interrupted, the others are short */
    int change_at;    /* reads until the file is changed; 0: never */
    int fd;           /* of that file */
    off_t cut_to;     /* its new size; -1: it keeps it */
    unsigned n_reads; /* so far */
} disk;

/* Takes the place of the C library's. */
ssize_t pread(int fd, void *out, size_t size, off_t offset)
{
    disk.n_reads++;
    if (disk.change_at > 0 && --disk.change_at == 0) {
        const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
        if (disk.cut_to >= 0)
            ck_assert_int_eq(ftruncate(disk.fd, disk.cut_to), 0);
        else
            ck_assert_int_eq(futimens(disk.fd, times), 0);
    }
    if (disk.interrupts && disk.n_reads % 2 == 0) {
        errno = EINTR;
        return -1;
    }
    if (disk.interrupts)
        size = MIN(size, 61);
    return (ssize_t)syscall(SYS_pread64, fd, out, size, offset);
}

static GByteArray *make(int kind)
{
    return kind == DEFLATED ? fixture_torch_zip(standard, true)
                            : fixture_container((VfiContainer)kind, standard);
}

/* Opens a file of @bytes and reads all of its tensors; how many there are, 0 with an
 * error. */
static size_t open_and_read(const GByteArray *bytes, off_t cut_to, int change_at,
                            GError **error)
{
    float values[64][64];
    VfiTensorRead reads[64];
    char path[64];
    size_t n = 0;
    int fd = memfd_create("checkpoint", MFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, bytes->data, bytes->len), bytes->len);
    g_snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    disk.fd = fd;
    disk.cut_to = cut_to;
    disk.change_at = change_at;
    disk.n_reads = 0;
    g_autoptr(VfiCheckpoint) checkpoint = vfi_checkpoint_open(path, error);
    size_t all = checkpoint != NULL ? vfi_checkpoint_n_tensors(checkpoint) : 0;
    for (; n < all; n++)
        reads[n] = (VfiTensorRead){vfi_checkpoint_tensor(checkpoint, n), values[n]};
    if (n > 0 && !vfi_checkpoint_read(checkpoint, reads, n, error))
        n = 0;
    disk.change_at = 0;
    close(fd);
    return n;
}

START_TEST(short_and_interrupted_reads_are_continued)
{
    g_autoptr(GByteArray) bytes = make(_i);
    g_autoptr(GError) error = NULL;

    disk.interrupts = true;
    g_autoptr(VfiCheckpoint) checkpoint = fixture_open(bytes, &error);
    ck_assert_msg(checkpoint != NULL, "%s", error != NULL ? error->message : "");
    for (int i = 0; i < standard->n_tensors; i++)
        if (_i == DEFLATED || fixture_holds((VfiContainer)_i, standard, i))
            assert_tensor_equals(checkpoint, standard->tensors[i].name,
                                 &standard->tensors[i]);
    disk.interrupts = false;
    ck_assert_uint_gt(disk.n_reads, bytes->len / 61);
}
END_TEST

/* However late the file changes, the end is an error that says so. */
START_TEST(a_file_that_changes_while_it_is_read_is_refused)
{
    g_autoptr(GByteArray) bytes = make(_i / 2);
    off_t cut_to = _i % 2 == 0 ? -1 : (off_t)bytes->len / 2;

    ck_assert_uint_gt(open_and_read(bytes, -1, 0, NULL), 0);
    int n_reads = (int)disk.n_reads;
    ck_assert_int_gt(n_reads, 4);
    for (int at = 1; at <= n_reads; at++) {
        g_autoptr(GError) error = NULL;
        ck_assert_uint_eq(open_and_read(bytes, cut_to, at, &error), 0);
        ck_assert_msg(g_error_matches(error, VFI_ERROR, VFI_ERROR_IO) &&
                          strstr(error->message, "changed while it was read") != NULL,
                      "changed at read %d of %d: %s", at, n_reads, error->message);
    }
}
END_TEST

/* What was wrong with a file that is no more is of no interest. */
START_TEST(a_change_explains_damage)
{
    g_autoptr(GByteArray) bytes = make(VFI_CONTAINER_TORCH_ZIP);
    g_autoptr(GError) error = NULL;

    memset(bytes->data + bytes->len / 2, 0, bytes->len / 4);
    ck_assert_uint_eq(open_and_read(bytes, -1, 1, &error), 0);
    ck_assert_ptr_nonnull(strstr(error->message, "changed while it was read"));
}
END_TEST

/* Damage in a file that is old is damage; in a fresh one it may be half of the file. */
START_TEST(damage_in_a_fresh_file_may_be_a_writer)
{
    static const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    static const char *const contents[] = {"", "PK\3\4"};

    for (size_t i = 0; i < G_N_ELEMENTS(contents); i++) {
        g_autofree char *path = NULL;
        g_autoptr(GError) fresh = NULL, aged = NULL;
        int fd = g_file_open_tmp("checkpoint-XXXXXX", &path, NULL);
        ck_assert_int_eq(write(fd, contents[i], strlen(contents[i])),
                         strlen(contents[i]));
        ck_assert_ptr_null(vfi_checkpoint_open(path, &fresh));
        ck_assert_int_eq(futimens(fd, old), 0);
        ck_assert_ptr_null(vfi_checkpoint_open(path, &aged));
        close(fd);
        g_unlink(path);
        ck_assert_ptr_nonnull(strstr(fresh->message, "try again when it is whole"));
        ck_assert_ptr_null(strstr(aged->message, "try again when it is whole"));
    }
}
END_TEST

static gboolean always(void *data)
{
    ++*(int *)data;
    return TRUE;
}

START_TEST(opening_can_be_cancelled)
{
    int asked = 0;
    const VfiReadHooks hooks = {.is_cancelled = always, .cancel_data = &asked};
    g_autoptr(GByteArray) bytes = make(_i);
    g_autofree char *path = NULL;
    g_autoptr(GError) error = NULL;
    int fd = g_file_open_tmp("checkpoint-XXXXXX", &path, NULL);

    ck_assert_int_eq(write(fd, bytes->data, bytes->len), bytes->len);
    close(fd);
    ck_assert_ptr_null(vfi_checkpoint_open_with(path, &hooks, &error));
    ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_CANCELLED));
    ck_assert_int_eq(asked, 1);
    g_unlink(path);
}
END_TEST

/* A byte in the data of a stored member; the name of its tensor is in the error. */
START_TEST(damaged_tensors_of_archives_are_refused)
{
    g_autoptr(GByteArray) bytes = fixture_torch_zip(standard, false);
    unsigned damaged = 0;

    for (int i = 0; i < standard->n_tensors; i++) {
        const FixtureTensor *tensor = &standard->tensors[i];
        const FixtureStorage *storage = &standard->storages[tensor->storage];
        g_autoptr(GByteArray) copy = g_byte_array_new();
        g_autoptr(GError) error = NULL;
        float values[64];
        g_autofree char *member = g_strdup_printf("archive/data/%d", tensor->storage);
        g_byte_array_append(copy, bytes->data, bytes->len);
        uint8_t *name = memmem(copy->data, copy->len, member, strlen(member));
        ck_assert_ptr_nonnull(name);
        if (storage->n_elements == 0)
            continue;
        name[strlen(member) + 5] ^= 1; /* behind the writer's extra field */
        g_autoptr(VfiCheckpoint) checkpoint = fixture_open(copy, &error);
        ck_assert_msg(checkpoint != NULL, "%s", error != NULL ? error->message : "");
        const VfiTensorInfo *info = vfi_checkpoint_find(checkpoint, tensor->name);
        ck_assert_ptr_nonnull(info);
        if (info->n_elements == 0)
            continue;
        ck_assert(!vfi_checkpoint_read_f32(checkpoint, info, values, &error));
        ck_assert(g_error_matches(error, VFI_ERROR, VFI_ERROR_CORRUPT));
        ck_assert_msg(strstr(error->message, "CRC-32") != NULL &&
                          strstr(error->message, tensor->name) != NULL,
                      "%s: %s", tensor->name, error->message);
        damaged++;
    }
    ck_assert_uint_gt(damaged, 8);
}
END_TEST

static void assert_kind_refused(const char *path, const char *kind)
{
    g_autoptr(GError) error = NULL;

    ck_assert_ptr_null(vfi_checkpoint_open(path, &error));
    ck_assert_msg(g_error_matches(error, VFI_ERROR, VFI_ERROR_IO) &&
                      strstr(error->message, kind) != NULL &&
                      strstr(error->message, path) != NULL,
                  "%s: %s", kind, error->message);
}

START_TEST(what_is_no_file_is_refused_by_its_kind)
{
    g_autofree char *folder = g_dir_make_tmp("checkpoint-XXXXXX", NULL);
    g_autofree char *fifo = g_build_filename(folder, "fifo.pkl", NULL);
    g_autofree char *link = g_build_filename(folder, "link.pkl", NULL);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    g_snprintf(address.sun_path, sizeof address.sun_path, "%s/s.pkl", folder);
    ck_assert_int_eq(mkfifo(fifo, 0600), 0);
    ck_assert_int_eq(symlink(fifo, link), 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_kind_refused(folder, "a directory");
    assert_kind_refused(fifo, "a pipe (FIFO)");
    assert_kind_refused(link, "a pipe (FIFO)");
    assert_kind_refused(address.sun_path, "a socket");
    assert_kind_refused("/dev/zero", "a device");
    close(fd);
    g_unlink(address.sun_path);
    g_unlink(link);
    g_unlink(fifo);
    g_rmdir(folder);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("checkpoint source");
    TCase *tcase = tcase_create("source");
    tcase_add_loop_test(tcase, short_and_interrupted_reads_are_continued, 0, N_KINDS);
    tcase_add_loop_test(tcase, a_file_that_changes_while_it_is_read_is_refused, 0,
                        2 * N_KINDS);
    tcase_add_test(tcase, a_change_explains_damage);
    tcase_add_test(tcase, damage_in_a_fresh_file_may_be_a_writer);
    tcase_add_loop_test(tcase, opening_can_be_cancelled, 0, N_KINDS);
    tcase_add_test(tcase, damaged_tensors_of_archives_are_refused);
    tcase_add_test(tcase, what_is_no_file_is_refused_by_its_kind);
    suite_add_tcase(suite, tcase);
    return check_main(suite);
}
