#include "lib/app/embedding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/io/h5ad.h"

static enum rc read_embedding(struct embedding *m, const char *arg, const char *matrix,
                              struct err *e)
{
    struct cells c;
    size_t n = 0;
    const char *eq = strchr(arg, '=');
    if (!eq || eq == arg || !eq[1])
        return err_set(e, RC_USAGE, "--embedding wants NAME=FILE.h5ad, not '%s'", arg);
    m->name = text_new("%.*s", (int)(eq - arg), arg);
    m->path = eq + 1;
    if (!m->name)
        return err_set(e, RC_FAIL, "no memory for a name");
    if (h5ad_read(m->path, &c, e))
        return e->rc;
    enum rc rc = id_rows_init(&c.obs, &m->rows, e);
    cells_release(&c);
    if (!rc)
        rc = h5ad_read_obsm(m->path, matrix, &m->x, &n, &m->d, e);
    if (!rc && (n != m->rows.n || !m->d))
        rc = err_set(e, RC_INPUT, "obsm '%s' is %zu x %zu for %zu cells", matrix, n, m->d,
                     m->rows.n);
    for (size_t i = 0; !rc && i < n * m->d; i++)
        if (!isfinite(m->x[i]))
            rc = err_set(e, RC_INPUT, "obsm '%s': row %zu column %zu is not a finite number",
                         matrix, i / m->d + 1, i % m->d + 1);
    return rc ? err_wrap(e, "embedding '%s'", m->path) : RC_OK;
}

enum rc embeddings_read(const struct opt_list *args, const char *matrix, struct embedding **list,
                        size_t *n, struct err *e)
{
    *n = 0;
    *list = calloc((size_t)args->n + 1, sizeof **list);
    if (!*list)
        return err_set(e, RC_FAIL, "no memory for %d embeddings", args->n);
    for (int i = 0; i < args->n; i++) {
        ++*n;
        if (read_embedding(&(*list)[i], args->item[i], matrix, e))
            return e->rc;
    }
    return RC_OK;
}

void embeddings_release(struct embedding *list, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        free(list[i].name);
        free(list[i].x);
        id_rows_release(&list[i].rows);
    }
    free(list);
}
