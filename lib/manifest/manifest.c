#define _XOPEN_SOURCE 700 /* realpath */
#include "lib/manifest/manifest.h"

#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"

static const char *const kind_name[] = {
    "stage", "version", "param", "exclude", "input", "output"
};
enum { N_KINDS = sizeof kind_name / sizeof *kind_name };
static const char header[] = "kind\tname\tbytes\tsha256";

void manifest_init(struct manifest *m)
{
    *m = (struct manifest){ 0 };
    arena_init(&m->text, 1 << 14);
}

void manifest_release(struct manifest *m)
{
    free(m->row);
    arena_release(&m->text);
    *m = (struct manifest){ 0 };
}

static struct manifest_row *add_row(struct manifest *m, struct err *e)
{
    if (m->n == m->room) {
        size_t room = m->room ? 2 * m->room : 64;
        struct manifest_row *more = realloc(m->row, room * sizeof *more);
        if (!more) {
            err_set(e, RC_FAIL, "no memory for %zu rows of a manifest", room);
            return NULL;
        }
        m->row = more;
        m->room = room;
    }
    m->row[m->n] = (struct manifest_row){ 0 };
    return &m->row[m->n++];
}

enum rc manifest_add(struct manifest *m, enum manifest_kind kind, const char *name, struct err *e)
{
    struct manifest_row *r = add_row(m, e);
    if (!r)
        return RC_FAIL;
    r->kind = kind;
    r->name = arena_text(&m->text, name);
    if (r->name)
        return RC_OK;
    m->n--;
    return err_set(e, RC_FAIL, "no memory for a manifest");
}

const struct manifest_row *manifest_find(const struct manifest *m, enum manifest_kind kind,
                                         const char *name)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->row[i].kind == kind && (!name || strcmp(m->row[i].name, name) == 0))
            return &m->row[i];
    return NULL;
}

/* The rest of `path` below `base`, both resolved, or NULL; the caller frees. */
static char *below(const char *path, const char *base)
{
    char *real_base = realpath(base, NULL);
    char *real = realpath(path, NULL);
    char *name = NULL;
    if (real_base && real) {
        size_t n = strlen(real_base);
        if (n == 1) /* "/" */
            n = 0;
        if (strncmp(real, real_base, n) == 0 && real[n] == '/')
            name = text_new("%s", real + n + 1);
    }
    free(real_base);
    free(real);
    return name;
}

enum rc manifest_add_input(struct manifest *m, const char *path, const char *const *base, size_t n,
                           struct err *e)
{
    struct manifest_row row = { .kind = MANIFEST_INPUT };
    if (sha256_file(path, row.sha256, &row.bytes, e))
        return e ? e->rc : RC_INPUT;
    char *name = NULL;
    for (size_t i = 0; i < n && !name; i++)
        name = below(path, base[i]);
    if (!name)
        return err_set(e, RC_USAGE, "input '%s' does not lie below --base '%s'", path,
                       n ? base[0] : ".");
    enum rc rc = manifest_add(m, MANIFEST_INPUT, name, e);
    free(name);
    if (!rc) {
        m->row[m->n - 1].bytes = row.bytes;
        memcpy(m->row[m->n - 1].sha256, row.sha256, SHA256_HEX);
    }
    return rc;
}

enum rc manifest_add_outputs(struct manifest *m, const char *dir, struct err *e)
{
    struct manifest_row *row = NULL;
    size_t n = 0;
    enum rc rc = manifest_tree(m, dir, &m->text, &row, &n, e);
    if (!rc)
        rc = manifest_hash(row, n, dir, NULL, e);
    for (size_t i = 0; !rc && i < n; i++) {
        struct manifest_row *r = add_row(m, e);
        if (!r)
            rc = RC_FAIL;
        else
            *r = row[i];
    }
    free(row);
    return rc;
}

/* --- text --------------------------------------------------------------------------------- */

static void put_name(FILE *f, const char *s)
{
    static const char special[] = "\t\n\r\\", letter[] = "tnr\\";
    for (; *s; s++) {
        const char *at = strchr(special, *s);
        if (at)
            fprintf(f, "\\%c", letter[at - special]);
        else
            fputc(*s, f);
    }
}

/* Undoes put_name in place; false when a backslash stands before anything else. */
static bool unescape(char *s)
{
    char *to = s;
    for (; *s; s++) {
        if (*s != '\\') {
            *to++ = *s;
            continue;
        }
        switch (*++s) {
        case 't':
            *to++ = '\t';
            break;
        case 'n':
            *to++ = '\n';
            break;
        case 'r':
            *to++ = '\r';
            break;
        case '\\':
            *to++ = '\\';
            break;
        default:
            return false;
        }
    }
    *to = '\0';
    return true;
}

static bool has_sum(enum manifest_kind kind)
{
    return kind == MANIFEST_INPUT || kind == MANIFEST_OUTPUT;
}

static bool sum_is_good(const char *s)
{
    return strlen(s) == SHA256_HEX - 1 && strspn(s, "0123456789abcdef") == SHA256_HEX - 1;
}

static bool bytes_read(const char *s, uint64_t *n)
{
    size_t len = strlen(s);
    if (len == 0 || len > 18 || strspn(s, "0123456789") != len)
        return false;
    *n = strtoull(s, NULL, 10);
    return true;
}

/* A name that leads out of the folder would make --check read anywhere. */
static bool stays_inside(const char *name)
{
    if (*name == '/' || *name == '\0')
        return false;
    for (const char *s = name; *s; s += strcspn(s, "/"), s += *s == '/') {
        size_t n = strcspn(s, "/");
        if (n == 0 || (n == 1 && s[0] == '.') || (n == 2 && s[0] == '.' && s[1] == '.'))
            return false;
    }
    return name[strlen(name) - 1] != '/';
}

static enum rc parse_line(struct manifest *m, char *line, size_t number, const char *name,
                          struct err *e)
{
    char *field[4];
    size_t n = 0;
    for (char *s = line; s; n++) {
        char *tab = strchr(s, '\t');
        if (tab)
            *tab = '\0';
        if (n < 4)
            field[n] = s;
        s = tab ? tab + 1 : NULL;
    }
    if (n != 4)
        return err_set(e, RC_INPUT, "'%s': line %zu has %zu fields, not 4", name, number, n);
    int kind = 0;
    while (kind < N_KINDS && strcmp(field[0], kind_name[kind]) != 0)
        kind++;
    if (kind == N_KINDS)
        return err_set(e, RC_INPUT, "'%s': line %zu: no kind of row is called '%s'", name, number,
                       field[0]);
    if (!unescape(field[1]))
        return err_set(e, RC_INPUT, "'%s': line %zu: a lone backslash in a name", name, number);
    uint64_t bytes = 0;
    bool sum = has_sum((enum manifest_kind)kind);
    if (sum && (!bytes_read(field[2], &bytes) || !sum_is_good(field[3])))
        return err_set(e, RC_INPUT, "'%s': line %zu: no size and SHA-256", name, number);
    if (!sum && (strcmp(field[2], "-") != 0 || strcmp(field[3], "-") != 0))
        return err_set(e, RC_INPUT, "'%s': line %zu: a %s has no size", name, number, field[0]);
    if (sum && !stays_inside(field[1]))
        return err_set(e, RC_INPUT, "'%s': line %zu: '%s' leads out of the folder", name, number,
                       field[1]);
    if (manifest_add(m, (enum manifest_kind)kind, field[1], e))
        return RC_FAIL;
    m->row[m->n - 1].bytes = bytes;
    if (sum)
        memcpy(m->row[m->n - 1].sha256, field[3], SHA256_HEX);
    return RC_OK;
}

static enum rc parse(struct manifest *m, char *text, const char *name, struct err *e)
{
    size_t number = 0;
    for (char *s = text; *s;) {
        char *end = strchr(s, '\n');
        number++;
        if (!end)
            return err_set(e, RC_INPUT, "'%s': line %zu does not end: the file is cut", name,
                           number);
        *end = '\0';
        if (number == 1 && strcmp(s, header) != 0)
            return err_set(e, RC_INPUT, "'%s' is no manifest: its first line is not '%s'", name,
                           "kind name bytes sha256");
        if (number > 1 && parse_line(m, s, number, name, e))
            return e ? e->rc : RC_INPUT;
        s = end + 1;
    }
    if (number == 0)
        return err_set(e, RC_INPUT, "'%s' is empty", name);
    if (!manifest_find(m, MANIFEST_STAGE, NULL))
        return err_set(e, RC_INPUT, "'%s' names no stage", name);
    return RC_OK;
}

enum rc manifest_parse(struct manifest *m, const char *text, size_t n_bytes, const char *name,
                       struct err *e)
{
    manifest_init(m);
    if (n_bytes && memchr(text, '\0', n_bytes))
        return err_set(e, RC_INPUT, "'%s' holds a zero byte: not a text file", name);
    char *copy = n_bytes < MANIFEST_MAX_BYTES ? malloc(n_bytes + 1) : NULL;
    if (!copy)
        return err_set(e, RC_FAIL, "no memory to read '%s'", name);
    if (n_bytes)
        memcpy(copy, text, n_bytes);
    copy[n_bytes] = '\0';
    enum rc rc = parse(m, copy, name, e);
    free(copy);
    if (rc)
        manifest_release(m);
    return rc;
}

enum rc manifest_read(struct manifest *m, const char *path, struct err *e)
{
    char *text;
    size_t n;
    manifest_init(m);
    if (file_read(path, MANIFEST_MAX_BYTES - 1, &text, &n, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = manifest_parse(m, text, n, path, e);
    free(text);
    return rc;
}

/* Parameters keep the order in which they were given: it may mean something. */
static int by_kind_and_name(const void *a, const void *b)
{
    const struct manifest_row *x = a, *y = b;
    if (x->kind != y->kind)
        return x->kind < y->kind ? -1 : 1;
    return strcmp(x->name, y->name);
}

static enum rc sort_rows(struct manifest *m, struct err *e)
{
    struct manifest_row *to = malloc((m->n + 1) * sizeof *to);
    if (!to)
        return err_set(e, RC_FAIL, "no memory for a manifest");
    size_t n = 0;
    for (int kind = 0; kind < N_KINDS; kind++) {
        size_t first = n;
        for (size_t i = 0; i < m->n; i++)
            if (m->row[i].kind == (enum manifest_kind)kind)
                to[n++] = m->row[i];
        if (kind != MANIFEST_PARAM)
            qsort(to + first, n - first, sizeof *to, by_kind_and_name);
    }
    free(m->row);
    m->row = to;
    m->room = m->n + 1;
    return RC_OK;
}

enum rc manifest_write(struct manifest *m, const char *path, struct err *e)
{
    struct outfile o;
    if (sort_rows(m, e) || outfile_open(&o, path, e))
        return e ? e->rc : RC_FAIL;
    fprintf(o.f, "%s\n", header);
    for (size_t i = 0; i < m->n; i++) {
        const struct manifest_row *r = &m->row[i];
        fprintf(o.f, "%s\t", kind_name[r->kind]);
        put_name(o.f, r->name);
        if (has_sum(r->kind))
            fprintf(o.f, "\t%" PRIu64 "\t%s\n", r->bytes, r->sha256);
        else
            fputs("\t-\t-\n", o.f);
    }
    return outfile_commit(&o, e);
}
