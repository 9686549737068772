#define _XOPEN_SOURCE 700 /* uselocale */
#include "lib/io/archive_member.h"

#include <archive.h>
#include <archive_entry.h>
#include <locale.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

enum { BLOCK = 1 << 18 };

static const char *why(struct archive *a)
{
    const char *s = archive_error_string(a);
    return s ? s : "unknown trouble";
}

static bool is_member(struct archive *a, struct archive_entry *t, const char *member)
{
    if (archive_format(a) == ARCHIVE_FORMAT_RAW)
        return true;
    const char *name = archive_entry_pathname_utf8(t);
    if (!name)
        name = archive_entry_pathname(t);
    if (!name)
        return false;
    while (strncmp(name, "./", 2) == 0)
        name += 2;
    return strcmp(name, member) == 0;
}

static enum rc pass_on(struct archive *a,
                       enum rc (*sink)(void *, const void *, size_t, struct err *), void *ctx,
                       struct err *e)
{
    const void *data;
    size_t n;
    la_int64_t at, done = 0;
    static const char zeros[4096];
    for (;;) {
        int got = archive_read_data_block(a, &data, &n, &at);
        if (got == ARCHIVE_EOF)
            return RC_OK;
        if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
            return err_set(e, RC_INPUT, "the archive is cut or damaged (%s)", why(a));
        while (done < at) { /* a hole of a sparse file */
            size_t hole = at - done < (la_int64_t)sizeof zeros ? (size_t)(at - done) : sizeof zeros;
            enum rc rc = sink(ctx, zeros, hole, e);
            if (rc)
                return rc;
            done += (la_int64_t)hole;
        }
        enum rc rc = n ? sink(ctx, data, n, e) : RC_OK;
        if (rc)
            return rc;
        done += (la_int64_t)n;
    }
}

static enum rc find(struct archive *a, const char *member,
                    enum rc (*sink)(void *, const void *, size_t, struct err *), void *ctx,
                    struct err *e)
{
    struct archive_entry *t;
    for (;;) {
        int got = archive_read_next_header(a, &t);
        if (got == ARCHIVE_EOF)
            return err_set(e, RC_INPUT, "no member '%s' in the archive", member);
        if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
            return err_set(e, RC_INPUT, "the archive is cut or damaged (%s)", why(a));
        if (!is_member(a, t, member))
            continue;
        if (archive_entry_hardlink(t) ||
            (archive_format(a) != ARCHIVE_FORMAT_RAW && archive_entry_filetype(t) != AE_IFREG))
            return err_set(e, RC_INPUT, "member '%s' is no plain file", member);
        return pass_on(a, sink, ctx, e);
    }
}

enum rc archive_member(const char *archive, const char *member,
                       enum rc (*sink)(void *ctx, const void *data, size_t n, struct err *e),
                       void *ctx, struct err *e)
{
    struct archive *a = archive_read_new();
    if (!a)
        return err_set(e, RC_FAIL, "no memory to open an archive");
    /* libarchive turns names into the locale's characters and gives up in the plain C locale. */
    locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
    archive_read_support_filter_all(a);
    archive_read_support_format_zip(a);
    archive_read_support_format_tar(a);
    archive_read_support_format_raw(a);
    archive_read_support_format_empty(a);
    enum rc rc = archive_read_open_filename(a, archive, BLOCK) == ARCHIVE_OK
                     ? find(a, member, sink, ctx, e)
                     : err_set(e, RC_INPUT, "cannot open the archive (%s)", why(a));
    archive_read_free(a);
    if (utf8) {
        uselocale(before);
        freelocale(utf8);
    }
    return rc;
}
