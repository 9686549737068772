/* The second look: what is missing, changed or extra. Both lists are sorted by name, so one walk
 * along the two finds the difference. */
#include "lib/manifest/manifest.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"

void manifest_verdict_release(struct manifest_verdict *v)
{
    free(v->item);
    arena_release(&v->text);
    *v = (struct manifest_verdict){ 0 };
}

static enum rc blame(struct manifest_verdict *v, int what, const char *name, struct err *e)
{
    if (v->n == v->room) {
        size_t room = v->room ? 2 * v->room : 16;
        struct manifest_trouble *more = realloc(v->item, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for the verdict");
        v->item = more;
        v->room = room;
    }
    struct manifest_trouble *t = &v->item[v->n];
    t->name = arena_text(&v->text, name);
    if (!t->name)
        return err_set(e, RC_FAIL, "no memory for the verdict");
    t->what = what == MANIFEST_MISSING   ? MANIFEST_MISSING
              : what == MANIFEST_CHANGED ? MANIFEST_CHANGED
                                         : MANIFEST_EXTRA;
    v->n++;
    return RC_OK;
}

static enum rc compare(struct manifest_verdict *v, const struct manifest_row *was,
                       const struct manifest_row *is, struct err *e)
{
    v->n_checked++;
    v->n_bytes += is->bytes;
    if (was->bytes == is->bytes && strcmp(was->sha256, is->sha256) == 0)
        return RC_OK;
    return blame(v, MANIFEST_CHANGED, was->name, e);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct manifest_row *)a)->name, ((const struct manifest_row *)b)->name);
}

static enum rc check_outputs(struct manifest_verdict *v, const struct manifest *m, const char *dir,
                             struct err *e)
{
    struct manifest_row *is = NULL, *was = calloc(m->n + 1, sizeof *was);
    size_t n_is = 0, n_was = 0, i = 0, k = 0;
    if (!was)
        return err_set(e, RC_FAIL, "no memory to check '%s'", dir);
    for (size_t r = 0; r < m->n; r++)
        if (m->row[r].kind == MANIFEST_OUTPUT)
            was[n_was++] = m->row[r];
    qsort(was, n_was, sizeof *was, by_name); /* a file from outside need not be sorted */
    enum rc rc = manifest_tree(m, dir, &v->text, &is, &n_is, e);
    if (!rc)
        rc = manifest_hash(is, n_is, dir, NULL, e);
    while (!rc && (i < n_was || k < n_is)) {
        int order = i == n_was ? 1 : k == n_is ? -1 : strcmp(was[i].name, is[k].name);
        if (order < 0)
            rc = blame(v, MANIFEST_MISSING, was[i++].name, e);
        else if (order > 0)
            rc = blame(v, MANIFEST_EXTRA, is[k++].name, e);
        else
            rc = compare(v, &was[i++], &is[k++], e);
    }
    free(is);
    free(was);
    return rc;
}

static enum rc check_input(struct manifest_verdict *v, const struct manifest_row *was,
                           const char *const *base, size_t n, struct err *e)
{
    for (size_t i = 0; i < n; i++) {
        struct manifest_row is = *was;
        unsigned char missing = 0;
        if (manifest_hash(&is, 1, base[i], &missing, e))
            return e ? e->rc : RC_FAIL;
        if (!missing)
            return compare(v, was, &is, e);
    }
    return blame(v, MANIFEST_MISSING, was->name, e);
}

enum rc manifest_check(struct manifest_verdict *v, const char *dir, const char *const *base,
                       size_t n_bases, struct err *e)
{
    *v = (struct manifest_verdict){ 0 };
    arena_init(&v->text, 1 << 14);
    struct manifest m;
    char *path = text_new("%s/%s", dir, MANIFEST_NAME);
    enum rc rc = RC_OK;
    manifest_init(&m);
    if (!path)
        rc = err_set(e, RC_FAIL, "no memory for a path");
    else if (!file_exists(path))
        rc = err_set(e, RC_INPUT, "no manifest in '%s'", dir);
    else
        rc = manifest_read(&m, path, e);
    if (!rc)
        rc = check_outputs(v, &m, dir, e);
    for (size_t i = 0; !rc && n_bases && i < m.n; i++)
        if (m.row[i].kind == MANIFEST_INPUT)
            rc = check_input(v, &m.row[i], base, n_bases, e);
    manifest_release(&m);
    free(path);
    if (rc)
        manifest_verdict_release(v);
    return rc;
}
