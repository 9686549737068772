#define _DEFAULT_SOURCE /* pread; madvise: that of POSIX does nothing in glibc */
#include "lib/base/mapped.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum rc mapped_open(struct mapped *m, const char *path, enum mapped_how how, struct err *e)
{
    *m = (struct mapped){ 0 };
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) != 0) {
        enum rc rc = err_set(e, RC_INPUT, "cannot open '%s': %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return rc;
    }
    enum rc rc = RC_OK;
    if (!S_ISREG(st.st_mode) || st.st_size == 0)
        rc = err_set(e, RC_INPUT, "'%s' is %s", path,
                     S_ISREG(st.st_mode) ? "empty" : "not a plain file");
    void *at = rc ? MAP_FAILED
                  : mmap(NULL, (size_t)st.st_size, PROT_READ,
                         how == MAPPED_OWN ? MAP_PRIVATE : MAP_SHARED, fd, 0);
    if (!rc && at == MAP_FAILED)
        rc = err_set(e, RC_FAIL, "cannot map '%s': %s", path, strerror(errno));
    const bool keep = !rc && how == MAPPED_OWN;
    if (!keep)
        close(fd);
    if (!rc)
        *m = (struct mapped){ at, (size_t)st.st_size, keep ? fd + 1 : 0 };
    return rc;
}

static void close_file(struct mapped *m)
{
    if (m->file)
        close(m->file - 1);
    m->file = 0;
}

void mapped_close(struct mapped *m)
{
    close_file(m);
    if (m->at)
        munmap(m->at, m->bytes);
    *m = (struct mapped){ 0 };
}

void mapped_forget(const struct mapped *m)
{
    if (m->at)
        madvise(m->at, m->bytes, MADV_DONTNEED);
}

bool mapped_holds(const struct mapped *m, const void *x)
{
    const uintptr_t at = (uintptr_t)m->at, p = (uintptr_t)x;
    return m->at && p >= at && p - at < m->bytes;
}

void mapped_copy(const struct mapped *m, const void *from, size_t n, void *to)
{
    const size_t at = (size_t)((const char *)from - (const char *)m->at);
    size_t done = 0;
    while (m->file && done < n) {
        const ssize_t got = pread(m->file - 1, (char *)to + done, n - done, (off_t)(at + done));
        if (got <= 0)
            break; /* the mapping has the same bytes, or tells why not */
        done += (size_t)got;
    }
    memcpy((char *)to + done, (const char *)from + done, n - done);
}

enum rc mapped_write(struct mapped *m, struct err *e)
{
    if (!m->file)
        return RC_OK;
    if (mprotect(m->at, m->bytes, PROT_READ | PROT_WRITE) != 0)
        return err_set(e, RC_FAIL, "cannot make a mapping of %zu bytes one to write to: %s",
                       m->bytes, strerror(errno));
    close_file(m);
    return RC_OK;
}
