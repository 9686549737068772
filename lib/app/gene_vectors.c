#include "lib/app/gene_vectors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/io/expression.h"
#include "lib/io/h5ad.h"
#include "lib/io/lines.h"
#include "lib/io/npy.h"

static bool ends_in(const char *path, const char *end)
{
    const size_t n = strlen(path), m = strlen(end);
    return n >= m && strcmp(path + n - m, end) == 0;
}

static enum rc read_h5ad(const char *path, struct gene_vectors *v, struct err *e)
{
    struct cells c;
    enum rc rc = h5ad_read(path, &c, e);
    if (rc)
        return rc;
    const struct column *name = table_find(&c.var, "gene_name");
    rc = h5ad_read_varm(path, "X_genecompass", &v->x, &v->n, &v->d, e);
    if (!rc && (v->n != c.var.n_rows || !v->d))
        rc = err_set(e, RC_INPUT, "'%s': varm is %zu x %zu for %zu genes", path, v->n, v->d,
                     c.var.n_rows);
    for (size_t i = 0; !rc && i < v->n; i++) {
        if (name && name->kind == COLUMN_TEXT && name->text[i])
            rc = map_add(&v->row_of, name->text[i], i, NULL, e);
        if (!rc)
            rc = map_add(&v->row_of, c.gene[i], i, NULL, e);
    }
    cells_release(&c);
    return rc;
}

static enum rc read_names(const char *path, struct gene_vectors *v, struct err *e)
{
    struct lines f;
    bool more = true;
    size_t n = 0;
    enum rc rc = lines_open(&f, path, e);
    if (rc)
        return rc;
    while (!rc && !(rc = lines_next(&f, &more, e)) && more) {
        uint64_t old = MAP_NONE;
        rc = map_add(&v->row_of, f.text, n++, &old, e);
        if (!rc && old != MAP_NONE)
            rc = err_set(e, RC_INPUT, "'%s' line %zu: gene '%s' is there twice", path, f.number,
                         f.text);
    }
    lines_close(&f);
    if (!rc && n != v->n)
        rc = err_set(e, RC_INPUT, "'%s' names %zu genes for %zu vectors", path, n, v->n);
    return rc;
}

/* FILE of FILE or FILE.npy,GENES, to be freed; *genes NULL: not given. */
static char *cut(const char *arg, const char **genes)
{
    const char *end = strstr(arg, ".npy,");
    *genes = end ? end + 5 : NULL;
    return end ? text_new("%.*s", (int)(end + 4 - arg), arg) : text_new("%s", arg);
}

static enum rc read_npy(const char *arg, struct gene_vectors *v, struct err *e)
{
    const char *genes;
    char *path = cut(arg, &genes);
    enum rc rc =
        path ? npy_read(path, &v->x, &v->n, &v->d, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    return !rc && genes ? read_names(genes, v, e) : rc;
}

static enum rc read_text(const char *path, struct gene_vectors *v, struct err *e)
{
    struct expression t;
    enum rc rc = expression_read(path, false, &t, e);
    if (rc)
        return rc;
    v->n = t.gene.n;
    v->d = t.n_cells;
    v->x = malloc((v->n * v->d + 1) * sizeof *v->x);
    if (!v->x)
        rc = err_set(e, RC_FAIL, "no memory for %zu vectors", v->n);
    for (size_t i = 0; !rc && i < v->n; i++) {
        rc = map_add(&v->row_of, t.gene.at[i], i, NULL, e);
        for (size_t k = 0; k < v->d; k++)
            v->x[i * v->d + k] = (float)t.x[k * v->n + i];
    }
    expression_release(&t);
    return rc;
}

enum rc gene_vectors_read(const char *arg, struct gene_vectors *v, struct err *e)
{
    *v = (struct gene_vectors){ 0 };
    map_init(&v->row_of);
    enum rc rc = ends_in(arg, ".h5ad")                          ? read_h5ad(arg, v, e)
                 : ends_in(arg, ".npy") || strstr(arg, ".npy,") ? read_npy(arg, v, e)
                                                                : read_text(arg, v, e);
    for (size_t k = 0; !rc && k < v->n * v->d; k++)
        if (!isfinite(v->x[k]))
            rc = err_set(e, RC_INPUT, "'%s': the vector of row %zu holds no finite number", arg,
                         k / v->d + 1);
    if (rc)
        gene_vectors_release(v);
    return rc;
}

void gene_vectors_release(struct gene_vectors *v)
{
    free(v->x);
    map_release(&v->row_of);
    *v = (struct gene_vectors){ 0 };
}

enum rc gene_vectors_match(const struct gene_vectors *v, const char *const *gene, size_t n_genes,
                           struct mat *out, size_t *n_found, struct err *e)
{
    *n_found = 0;
    enum rc rc = mat_alloc(out, n_genes, v->d, e);
    for (size_t j = 0; !rc && j < n_genes; j++) {
        const uint64_t at = map_get(&v->row_of, gene[j]);
        if (at == MAP_NONE)
            continue;
        (*n_found)++;
        for (size_t k = 0; k < v->d; k++)
            mat_row(out, j)[k] = (double)v->x[at * v->d + k];
    }
    return rc;
}

enum rc gene_vectors_of(const char *arg, const char *const *gene, size_t n_genes, struct mat *out,
                        size_t *n_found, struct err *e)
{
    struct gene_vectors v;
    *out = (struct mat){ 0 };
    *n_found = 0;
    enum rc rc = gene_vectors_read(arg, &v, e);
    if (rc)
        return rc;
    rc = gene_vectors_match(&v, gene, n_genes, out, n_found, e);
    if (!rc && !*n_found)
        rc = err_set(e, RC_INPUT, "no measured gene has a vector in '%s'", arg);
    if (!rc)
        log_say("%zu of %zu genes have a vector of %zu numbers", *n_found, n_genes, v.d);
    gene_vectors_release(&v);
    return rc;
}

enum rc gene_vectors_sum(const char *arg, char hex[SHA256_HEX], struct err *e)
{
    const char *genes;
    char both[2 * SHA256_HEX], *path = cut(arg, &genes);
    enum rc rc =
        path ? sha256_file(path, hex, NULL, e) : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc || !genes)
        return rc;
    strcpy(both, hex);
    rc = sha256_file(genes, both + strlen(both), NULL, e);
    return rc ? rc : sha256_bytes(both, strlen(both), hex, e);
}
