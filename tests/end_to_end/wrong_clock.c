/*
 * Preloaded into a program, gives it the wall clock of another moment, and a test's own files about the machine's clocks.
 *
 * MENTING_CLOCK names a folder. Its file `shift` holds one signed 64-bit number of milliseconds, which a test may change at
 * any time: the wall clock is ahead by that much. The monotonic clocks stay as they are, as they do on a real machine whose
 * wall clock jumps. Boot id, battery-backed clocks and timesyncd's word are read from below that folder.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const char *folder;
static volatile int64_t *shift_ms;

__attribute__((constructor)) static void begin(void)
{
    char path[PATH_MAX];
    folder = getenv("MENTING_CLOCK");
    if (!folder)
        return;
    snprintf(path, sizeof path, "%s/shift", folder);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    void *place = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *shift_ms, PROT_READ, MAP_SHARED, fd, 0);
    if (place == MAP_FAILED) {
        fprintf(stderr, "wrong_clock: %s: %s\n", path, strerror(errno));
        _exit(99);
    }
    close(fd);
    shift_ms = place;
}

static void *next(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        real = next("clock_gettime");
    int answer = real(clock, now);
    if (answer == 0 && shift_ms && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
        int64_t ms = *shift_ms;
        int64_t ns = now->tv_nsec + (ms % 1000) * 1000000;
        now->tv_sec += ms / 1000 + (ns < 0 ? -1 : ns >= 1000000000 ? 1 : 0);
        now->tv_nsec = ns < 0 ? ns + 1000000000 : ns >= 1000000000 ? ns - 1000000000 : ns;
    }
    return answer;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    now->tv_sec = exact.tv_sec;
    now->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *where)
{
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (where)
        *where = exact.tv_sec;
    return exact.tv_sec;
}

/* The file a program means, in the test's folder if it tells of the machine's clocks. */
static const char *instead(const char *path, char *place)
{
    static const char *ours[] = {"/sys/class/rtc", "/run/systemd/timesync", "/proc/sys/kernel/random/boot_id"};
    for (unsigned i = 0; folder && path && i < sizeof ours / sizeof *ours; i++)
        if (strncmp(path, ours[i], strlen(ours[i])) == 0) {
            snprintf(place, PATH_MAX, "%s%s", folder, path);
            return place;
        }
    return path;
}

#define OPENING(name)                                                          \
    int name(const char *path, int flags, ...)                                 \
    {                                                                          \
        char place[PATH_MAX];                                                  \
        va_list more;                                                          \
        va_start(more, flags);                                                 \
        mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0; \
        va_end(more);                                                          \
        int (*real)(const char *, int, ...) = next(#name);                     \
        return real(instead(path, place), flags, mode);                        \
    }
OPENING(open)
OPENING(open64)

DIR *opendir(const char *path)
{
    char place[PATH_MAX];
    DIR *(*real)(const char *) = next("opendir");
    return real(instead(path, place));
}

int stat64(const char *restrict path, struct stat64 *restrict told)
{
    char place[PATH_MAX];
    int (*real)(const char *, struct stat64 *) = next("stat64");
    return real(instead(path, place), told);
}

int stat(const char *restrict path, struct stat *restrict told)
{
    char place[PATH_MAX];
    int (*real)(const char *, struct stat *) = next("stat");
    return real(instead(path, place), told);
}
