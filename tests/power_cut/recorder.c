/*
 * Preloaded into a program, writes down in order what the program asks of the files under one place, and what it says to the
 * world (terminals, sockets), so that a power cut between any two of these can be replayed. The record is described in
 * operations.py; a call that the replay could not follow is written down as unmodelled, never left out.
 *
 * It can also let the disk fail: see fails().
 *
 * One lock is held from a call until it is written down, so the order of the record is the order of the calls, whatever
 * thread made them. What leaves the program is written down before it leaves, or its reader might be earlier in the record.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { CREATE = 1, WRITE, TRUNCATE, EXTEND, SYNC, SYNC_DIRECTORY, RENAME, LINK, UNLINK, SAID, UNMODELLED, MARK_OF_A_TEST, FAILED, SYNC_FAILED };

struct head {
    uint32_t size, kind;
    int32_t pid, fd;
    uint64_t inode;
    int64_t offset;
    uint32_t name_size, other_size;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int record = -1, hears = 0;
static char places[4][PATH_MAX];
static int place_count = 0;

/* POWER_CUT_FAIL = "K ERRNO LASTS PART": the K-th write, truncation or sync of a file whose path has PART in it fails. */
static long fail_at = 0, asked = 0;
static int fail_errno = 0, fail_lasts = 0;
static char fail_part[PATH_MAX];

static volatile sig_atomic_t dying = 0;

static void begin(void) { pthread_mutex_lock(&lock); }
static void end(void) {
    int kept = errno;
    if (dying) kill(getpid(), SIGKILL);
    pthread_mutex_unlock(&lock);
    errno = kept;
}

/* A kill of a recorded program comes as SIGUSR2: death waits until what was done is written down as well. */
static void die(int number) {
    (void)number;
    dying = 1;
    if (!pthread_mutex_trylock(&lock)) kill(getpid(), SIGKILL);
}
static void in_child(void) { pthread_mutex_init(&lock, NULL); }

/* From here on this process is recorded. Called again by a process that was forked off and is to have a record of its own. */
void power_cut_begin(const char *file, const char *under, int with_ears, const char *fail) {
    char copy[4 * PATH_MAX];
    snprintf(copy, sizeof copy, "%s", under);
    place_count = 0;
    for (char *part = strtok(copy, ":"); part && place_count < 4; part = strtok(NULL, ":"))
        snprintf(places[place_count++], PATH_MAX, "%s", part);
    hears = with_ears;
    asked = fail_at = 0;
    if (fail) sscanf(fail, "%ld %d %d %4095s", &fail_at, &fail_errno, &fail_lasts, fail_part);
    record = syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    pthread_atfork(begin, end, in_child);
    signal(SIGUSR2, die);
}

__attribute__((constructor)) static void start(void) {
    const char *file = getenv("POWER_CUT_RECORD"), *under = getenv("POWER_CUT_PLACES");
    if (file && under) power_cut_begin(file, under, getenv("POWER_CUT_HEARS") != NULL, getenv("POWER_CUT_FAIL"));
}

static void note(int kind, int fd, uint64_t inode, int64_t offset, const char *name, const char *other,
                 const struct iovec *data, int pieces, size_t size) {
    struct head head = {0, kind, (int32_t)getpid(), fd, inode, offset, name ? strlen(name) : 0, other ? strlen(other) : 0};
    head.size = sizeof head + head.name_size + head.other_size + size;
    char *line = malloc(head.size), *at = line;
    if (!line) abort();
    memcpy(at, &head, sizeof head), at += sizeof head;
    if (name) memcpy(at, name, head.name_size), at += head.name_size;
    if (other) memcpy(at, other, head.other_size), at += head.other_size;
    for (int i = 0; i < pieces && size; i++) {
        size_t part = data[i].iov_len < size ? data[i].iov_len : size;
        memcpy(at, data[i].iov_base, part), at += part, size -= part;
    }
    if (syscall(SYS_write, record, line, head.size) != (long)head.size) abort(); /* a record with holes proves nothing */
    free(line);
}

/* Whether a file matters. SQLite's shared memory is rebuilt at every first opening and never read after a cut. */
static int matters(const char *path) {
    size_t size = strlen(path);
    if (record < 0 || (size > 4 && !strcmp(path + size - 4, "-shm"))) return 0;
    for (int i = 0; i < place_count; i++)
        if (!strncmp(path, places[i], strlen(places[i]))) return 1;
    return 0;
}

static int full_path(int directory, const char *path, char *out) {
    char base[PATH_MAX] = "", link[64];
    if (path[0] != '/') {
        if (directory == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) return 0;
        } else {
            snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
            ssize_t size = readlink(link, base, sizeof base - 1);
            if (size < 0) return 0;
            base[size] = 0;
        }
        strncat(base, "/", sizeof base - strlen(base) - 1);
    }
    snprintf(out, 2 * PATH_MAX, "%s%s", base, path);
    return matters(out);
}

static void name_of(int fd, char *out) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, out, PATH_MAX - 1);
    out[size < 0 ? 0 : size] = 0;
}

/* The inode of a regular file that matters, else 0. */
static uint64_t inode_of(int fd, struct stat *is, char *name) {
    int kept = errno;
    uint64_t inode = 0;
    if (record >= 0 && fd != record && !fstat(fd, is) && S_ISREG(is->st_mode)) {
        name_of(fd, name);
        char *gone = strstr(name, " (deleted)");
        if (gone) *gone = 0;
        if (matters(name)) inode = is->st_ino;
    }
    errno = kept;
    return inode;
}

/* Whether this call is to fail: with the lock held, for a file that matters. */
static int fails(const char *name, const char *call, int fd, uint64_t inode, int kind) {
    if (!fail_at || !strstr(name, fail_part)) return 0;
    asked++;
    if (asked < fail_at || (asked > fail_at && !fail_lasts)) return 0;
    note(kind, fd, inode, fail_errno, call, name, NULL, 0, 0);
    return 1;
}

#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* --- opening ------------------------------------------------------------------------------------------------- */

static int opened(int directory, const char *path, int flags, mode_t mode) {
    char full[2 * PATH_MAX];
    struct stat before, after;
    if (!full_path(directory, path, full) || !(flags & (O_CREAT | O_TRUNC)))
        return syscall(SYS_openat, directory, path, flags, mode);
    begin();
    int was_there = !lstat(full, &before);
    int fd = syscall(SYS_openat, directory, path, flags, mode);
    if (fd >= 0 && !fstat(fd, &after)) {
        if ((flags & O_TMPFILE) == O_TMPFILE) note(UNMODELLED, fd, 0, 0, "O_TMPFILE", NULL, NULL, 0, 0);
        else if (!was_there) note(CREATE, fd, after.st_ino, 0, full, NULL, NULL, 0, 0);
        else if ((flags & O_TRUNC) && S_ISREG(after.st_mode)) note(TRUNCATE, fd, after.st_ino, 0, NULL, NULL, NULL, 0, 0);
    }
    end();
    return fd;
}

#define MODE(flags) mode_t mode = 0; \
    if (flags & (O_CREAT | __O_TMPFILE)) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }

int open(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int open64(const char *path, int flags, ...) { MODE(flags) return opened(AT_FDCWD, path, flags, mode); }
int openat(int at, const char *path, int flags, ...) { MODE(flags) return opened(at, path, flags, mode); }
int openat64(int at, const char *path, int flags, ...) { MODE(flags) return opened(at, path, flags, mode); }
int __open_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int __open64_2(const char *path, int flags) { return opened(AT_FDCWD, path, flags, 0); }
int creat(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }
int creat64(const char *path, mode_t mode) { return opened(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

/* --- writing ------------------------------------------------------------------------------------------------- */

static int speaks(int fd, const struct stat *is) {
    return hears && fd > 2 && (S_ISSOCK(is->st_mode) || (S_ISCHR(is->st_mode) && isatty(fd)));
}

static void say(int fd, const struct iovec *data, int pieces) {
    struct stat is;
    int kept = errno;
    if (record >= 0 && hears && !fstat(fd, &is) && speaks(fd, &is)) {
        char name[PATH_MAX];
        size_t size = 0;
        for (int i = 0; i < pieces; i++) size += data[i].iov_len;
        name_of(fd, name);
        begin();
        note(SAID, fd, is.st_ino, 0, name, NULL, data, pieces, size);
        end();
    }
    errno = kept;
}

static ssize_t written(int fd, const struct iovec *data, int pieces, off_t offset) {
    struct stat is;
    char name[PATH_MAX];
    uint64_t inode = inode_of(fd, &is, name);
    if (inode) begin();
    else say(fd, data, pieces);
    int failing = inode && fails(name, "write", fd, inode, FAILED);
    struct iovec half = {data[0].iov_base, data[0].iov_len / 2};
    if (failing && asked % 2) data = &half, pieces = 1; /* every other time a half of it has been written before */
    ssize_t size = failing && data != &half ? 0
                   : offset < 0 ? syscall(SYS_writev, fd, data, pieces)
                                : syscall(SYS_pwritev, fd, data, pieces, (long)offset, 0L);
    if (inode) {
        int kept = errno;
        off_t at = offset < 0 ? lseek(fd, 0, SEEK_CUR) - size : offset;
        if (size > 0) note(WRITE, fd, inode, at, NULL, NULL, data, pieces, size);
        errno = failing ? fail_errno : kept;
        end();
    }
    return failing ? -1 : size;
}

ssize_t write(int fd, const void *data, size_t size) {
    struct iovec one = {(void *)data, size};
    return written(fd, &one, 1, -1);
}
ssize_t writev(int fd, const struct iovec *data, int pieces) { return written(fd, data, pieces, -1); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t offset) {
    struct iovec one = {(void *)data, size};
    return written(fd, &one, 1, offset);
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t offset) { return pwrite(fd, data, size, offset); }
ssize_t pwritev(int fd, const struct iovec *data, int pieces, off_t offset) { return written(fd, data, pieces, offset); }
ssize_t pwritev64(int fd, const struct iovec *data, int pieces, off64_t offset) { return written(fd, data, pieces, offset); }

ssize_t send(int fd, const void *data, size_t size, int flags) {
    REAL(send);
    struct iovec one = {(void *)data, size};
    say(fd, &one, 1);
    return real(fd, data, size, flags);
}
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    REAL(sendmsg);
    say(fd, message->msg_iov, message->msg_iovlen);
    return real(fd, message, flags);
}

static void cannot_follow(int fd, const char *call) {
    struct stat is;
    char name[PATH_MAX];
    if (!inode_of(fd, &is, name)) return;
    begin();
    note(UNMODELLED, fd, is.st_ino, 0, call, name, NULL, 0, 0);
    end();
}

ssize_t sendfile(int out, int in, off_t *offset, size_t size) {
    REAL(sendfile);
    cannot_follow(out, "sendfile");
    return real(out, in, offset, size);
}
ssize_t copy_file_range(int in, off64_t *from, int out, off64_t *to, size_t size, unsigned flags) {
    REAL(copy_file_range);
    cannot_follow(out, "copy_file_range");
    return real(in, from, out, to, size, flags);
}
void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset) {
    if (fd >= 0 && (flags & MAP_SHARED) && (protection & PROT_WRITE)) cannot_follow(fd, "mmap");
    return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}
void *mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t offset) {
    return mmap(at, size, protection, flags, fd, offset);
}

/* --- size and syncing ---------------------------------------------------------------------------------------- */

static int changed(int result, int kind, int fd, uint64_t inode, off_t offset) {
    if (inode && !result) note(kind, fd, inode, offset, NULL, NULL, NULL, 0, 0);
    if (inode) end();
    return result;
}

int ftruncate(int fd, off_t size) {
    struct stat is;
    char name[PATH_MAX];
    uint64_t inode = inode_of(fd, &is, name);
    if (inode) begin();
    if (inode && fails(name, "ftruncate", fd, inode, FAILED)) {
        errno = fail_errno;
        end();
        return -1;
    }
    return changed(syscall(SYS_ftruncate, fd, size), TRUNCATE, fd, inode, size);
}
int ftruncate64(int fd, off64_t size) { return ftruncate(fd, size); }
int truncate(const char *path, off_t size) {
    int fd = open(path, O_WRONLY | O_CLOEXEC), result = fd < 0 ? -1 : ftruncate(fd, size);
    if (fd >= 0) close(fd);
    return result;
}
int truncate64(const char *path, off64_t size) { return truncate(path, size); }

int posix_fallocate(int fd, off_t offset, off_t size) {
    REAL(posix_fallocate);
    struct stat is;
    char name[PATH_MAX];
    uint64_t inode = inode_of(fd, &is, name);
    if (inode) begin();
    return changed(real(fd, offset, size), EXTEND, fd, inode, offset + size);
}
int posix_fallocate64(int fd, off64_t offset, off64_t size) { return posix_fallocate(fd, offset, size); }
int fallocate(int fd, int mode, off_t offset, off_t size) {
    REAL(fallocate);
    cannot_follow(fd, "fallocate");
    return real(fd, mode, offset, size);
}
int fallocate64(int fd, int mode, off64_t offset, off64_t size) { return fallocate(fd, mode, offset, size); }

static int synced(int fd, long call) {
    struct stat is;
    char name[PATH_MAX];
    if (record < 0 || fstat(fd, &is)) return syscall(call, fd);
    name_of(fd, name);
    if (!matters(name) && !inode_of(fd, &is, name)) return syscall(call, fd);
    begin();
    if (fails(name, "sync", fd, is.st_ino, S_ISDIR(is.st_mode) ? FAILED : SYNC_FAILED)) {
        errno = fail_errno;
        end();
        return -1;
    }
    int result = syscall(call, fd);
    if (!result) note(S_ISDIR(is.st_mode) ? SYNC_DIRECTORY : SYNC, fd, is.st_ino, 0, name, NULL, NULL, 0, 0);
    end();
    return result;
}
int fsync(int fd) { return synced(fd, SYS_fsync); }
int fdatasync(int fd) { return synced(fd, SYS_fdatasync); }

/* --- names --------------------------------------------------------------------------------------------------- */

static int two_names(int kind, int from_at, const char *from, int to_at, const char *to, unsigned flags) {
    char first[2 * PATH_MAX], second[2 * PATH_MAX];
    struct stat is;
    int heard = full_path(from_at, from, first) | full_path(to_at, to, second);
    if (heard) begin();
    int regular = heard && !lstat(first, &is) && S_ISREG(is.st_mode);
    int result = kind == LINK ? syscall(SYS_linkat, from_at, from, to_at, to, flags)
                              : syscall(SYS_renameat2, from_at, from, to_at, to, flags);
    if (regular && !result) note(kind, -1, is.st_ino, 0, first, second, NULL, 0, 0);
    if (heard) end();
    return result;
}
int rename(const char *from, const char *to) { return two_names(RENAME, AT_FDCWD, from, AT_FDCWD, to, 0); }
int renameat(int a, const char *from, int b, const char *to) { return two_names(RENAME, a, from, b, to, 0); }
int link(const char *from, const char *to) { return two_names(LINK, AT_FDCWD, from, AT_FDCWD, to, 0); }
int linkat(int a, const char *from, int b, const char *to, int flags) { return two_names(LINK, a, from, b, to, flags); }

int unlinkat(int at, const char *path, int flags) {
    char full[2 * PATH_MAX];
    struct stat is;
    int heard = full_path(at, path, full);
    if (heard) begin();
    int regular = heard && !lstat(full, &is) && S_ISREG(is.st_mode);
    int result = syscall(SYS_unlinkat, at, path, flags);
    if (regular && !result) note(UNLINK, -1, is.st_ino, 0, full, NULL, NULL, 0, 0);
    if (heard) end();
    return result;
}
int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
