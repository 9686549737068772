#include "lib/app/audit_sample.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/audit_vectors.h"
#include "lib/base/file.h"
#include "lib/base/rng.h"
#include "lib/io/h5ad.h"

struct drawn {
    uint64_t hash;
    size_t file, row;
};

struct draw {
    struct drawn *item; /* owned; of all cells */
    size_t n;
};

static int by_hash(const void *a, const void *b)
{
    const struct drawn *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash < y->hash ? -1 : 1;
    if (x->file != y->file)
        return x->file < y->file ? -1 : 1;
    return (x->row > y->row) - (x->row < y->row);
}

static enum rc add_cells(struct draw *d, const struct cells *c, size_t file, const char *word,
                         const char *path, struct err *e)
{
    const struct column *id = table_find(&c->obs, "cell_id");
    if (!id || id->kind != COLUMN_I64)
        return err_set(e, RC_INPUT, "'%s' has no column cell_id", path);
    struct drawn *more = realloc(d->item, (d->n + c->obs.n_rows + 1) * sizeof *more);
    if (!more)
        return err_set(e, RC_FAIL, "no memory to draw cells");
    d->item = more;
    for (size_t i = 0; i < c->obs.n_rows; i++) {
        char *text = text_new("%s %016jx", word, (uintmax_t)(uint64_t)id->i64[i]);
        if (!text)
            return err_set(e, RC_FAIL, "no memory to draw cells");
        d->item[d->n++] = (struct drawn){ hash_text(text), file, i };
        free(text);
    }
    return RC_OK;
}

/* The first n of the draw that are of this file, as a file of their own. */
static enum rc write_file(const struct draw *d, size_t n, size_t file, const char *from,
                          const char *to, bool *any, struct err *e)
{
    struct cells all, some;
    if (h5ad_read(from, &all, e))
        return e->rc;
    unsigned char *keep = calloc(all.count.n_rows + 1, 1);
    enum rc rc = keep ? RC_OK : err_set(e, RC_FAIL, "no memory to draw cells");
    *any = false;
    for (size_t i = 0; !rc && i < n; i++)
        if (d->item[i].file == file) {
            keep[d->item[i].row] = 1;
            *any = true;
        }
    if (!rc && *any && !(rc = cells_select(&all, keep, NULL, &some, e))) {
        rc = h5ad_write(to, &some, &(struct h5ad_extra){ 0 }, e);
        cells_release(&some);
    }
    free(keep);
    cells_release(&all);
    return rc;
}

enum rc audit_sample(const struct chain *c, const struct audit_repeat *how, struct audit_words *w,
                     struct audit_draw *draw, struct err *e)
{
    struct audit_words files;
    struct draw d = { 0 };
    enum rc rc = RC_OK;
    *draw = (struct audit_draw){ 0 };
    words_init(&files);
    vectors_kept(c, how->cells ? &files : w);
    for (size_t i = 0; !rc && i < files.n; i++) {
        struct cells cells;
        rc = h5ad_read(files.item[i], &cells, e);
        if (!rc) {
            rc = add_cells(&d, &cells, i, how->draw, files.item[i], e);
            cells_release(&cells);
        }
    }
    if (!rc && d.n)
        qsort(d.item, d.n, sizeof *d.item, by_hash);
    draw->of = d.n;
    draw->n = d.n < (size_t)how->cells ? d.n : (size_t)how->cells;
    for (size_t i = 0; !rc && i < files.n; i++) {
        bool any = false;
        char *to = text_new("%s/drawn/%zu.h5ad", how->scratch, i);
        rc = to ? write_file(&d, draw->n, i, files.item[i], to, &any, e)
                : err_set(e, RC_FAIL, "no memory for a path");
        if (!rc && any)
            words_add(w, "%s", to);
        free(to);
    }
    w->failed |= files.failed;
    words_release(&files);
    free(d.item);
    return rc;
}

void audit_sample_remove(const struct audit_repeat *how)
{
    char *path = text_new("%s/drawn", how->scratch);
    if (path && folder_exists(path))
        folder_remove(path);
    free(path);
}
