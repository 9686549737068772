/* Cell Ranger's HDF5: version 3 has one group `matrix` with `features`; version 2 has one group per
 * genome with `genes` and `gene_names`. Both store one compressed row per barcode. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io/genes.h"
#include "lib/io/sparse.h"

static enum rc read_texts(hid_t at, const char *name, struct arena *a, size_t n_want,
                          const char ***text, size_t *n, struct err *e)
{
    struct h5_data d;
    size_t got = 0;
    if (h5_data_open(at, name, &d, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = h5_data_want_1d(&d, n_want == SIZE_MAX ? UINT64_MAX : n_want, e);
    if (!rc)
        rc = h5_read_texts(&d, a, text, &got, e);
    h5_data_close(&d);
    if (n)
        *n = got;
    return rc;
}

/* Only where it is there. */
static enum rc read_optional(hid_t at, const char *name, struct arena *a, size_t n,
                             const char ***text, struct err *e)
{
    *text = NULL;
    return h5_kind_of(at, name, NULL) == H5_ABSENT ? RC_OK
                                                   : read_texts(at, name, a, n, text, NULL, e);
}

/* shape: features, cells. */
static enum rc read_shape(hid_t group, size_t n_features, size_t n_cells, struct err *e)
{
    struct h5_data d;
    int64_t shape[2];
    if (h5_data_open(group, "shape", &d, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = h5_data_want_1d(&d, 2, e);
    if (!rc)
        rc = h5_read_i64(&d, 0, 2, shape, e);
    h5_data_close(&d);
    if (!rc && (shape[0] < 0 || shape[1] < 0 || (uint64_t)shape[0] != n_features ||
                (uint64_t)shape[1] != n_cells))
        rc = err_set(e, RC_INPUT,
                     "shape is %lld x %lld, but there are %zu features and %zu barcodes",
                     (long long)shape[0], (long long)shape[1], n_features, n_cells);
    return rc;
}

static enum rc read_v3_features(hid_t group, struct source *s, size_t *n, struct err *e)
{
    hid_t f;
    if (h5_group_open(group, "features", &f, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = read_texts(f, "id", &s->text, SIZE_MAX, &s->id, n, e);
    if (!rc)
        rc = read_optional(f, "name", &s->text, *n, &s->name, e);
    if (!rc)
        rc = read_optional(f, "feature_type", &s->text, *n, &s->type, e);
    H5Gclose(f);
    return rc ? err_wrap(e, "features") : RC_OK;
}

static enum rc read_one(hid_t file, const char *name, bool v3, struct source *s, struct err *e)
{
    hid_t group;
    size_t n_cells = 0, n_features = 0;
    if (h5_group_open(file, name, &group, e))
        return e ? e->rc : RC_INPUT;
    enum rc rc = read_texts(group, "barcodes", &s->text, SIZE_MAX, &s->cell, &n_cells, e);
    if (!rc && v3)
        rc = read_v3_features(group, s, &n_features, e);
    if (!rc && !v3)
        rc = read_texts(group, "genes", &s->text, SIZE_MAX, &s->id, &n_features, e);
    if (!rc && !v3)
        rc = read_optional(group, "gene_names", &s->text, n_features, &s->name, e);
    if (!rc)
        rc = read_shape(group, n_features, n_cells, e);
    if (!rc)
        rc = sparse_rows_to_source(group, n_cells, n_features, s, e);
    snprintf(s->where, sizeof s->where, "%s", name);
    H5Gclose(group);
    return rc ? err_wrap(e, "'%s'", name) : RC_OK;
}

static bool is_matrix(hid_t file, const char *name)
{
    hid_t group;
    if (h5_kind_of(file, name, NULL) != H5_GROUP || h5_group_open(file, name, &group, NULL))
        return false;
    bool yes = h5_kind_of(group, "barcodes", NULL) != H5_ABSENT ||
               h5_kind_of(group, "indptr", NULL) != H5_ABSENT;
    H5Gclose(group);
    return yes;
}

/* ---- two genomes ---- */

/* Copies names with the genome in front. References built of two genomes have it there already. */
static enum rc prefix_names(const char **text, size_t n, const char *genome, struct arena *a,
                            struct err *e)
{
    const size_t head = strlen(genome) + 1;
    for (size_t i = 0; text && i < n; i++) {
        const size_t len = strlen(text[i]);
        const bool has = strncmp(text[i], genome, head - 1) == 0 && text[i][head - 1] == '_';
        const size_t at = has ? 0 : head;
        char *to = arena_get(a, at + len + 1);
        if (!to)
            return err_set(e, RC_FAIL, "no memory for %zu names", n);
        if (!has) {
            memcpy(to, genome, head - 1);
            to[head - 1] = '_';
        }
        memcpy(to + at, text[i], len + 1);
        text[i] = to;
    }
    return RC_OK;
}

static enum rc join_names(const char ***a, size_t n_a, const char **b, size_t n_b,
                          struct arena *arena, struct err *e)
{
    if (!*a || !b) {
        *a = NULL;
        return RC_OK;
    }
    const char **to = arena_get(arena, (n_a + n_b + 1) * sizeof *to);
    if (!to)
        return err_set(e, RC_FAIL, "no memory for %zu names", n_a + n_b);
    memcpy(to, *a, n_a * sizeof *to);
    memcpy(to + n_a, b, n_b * sizeof *to);
    *a = to;
    return RC_OK;
}

/* Columns of b behind those of a, row by row. */
static enum rc join_counts(struct csr *a, const struct csr *b, struct err *e)
{
    struct csr out;
    if (csr_alloc(&out, a->n_rows, a->n_cols + b->n_cols, (size_t)(csr_nnz(a) + csr_nnz(b)), e))
        return RC_FAIL;
    const struct csr *part[2] = { a, b };
    uint64_t to = 0;
    for (size_t r = 0; r < a->n_rows; r++) {
        for (int p = 0; p < 2; p++)
            for (uint64_t k = part[p]->indptr[r]; k < part[p]->indptr[r + 1]; k++) {
                out.index[to] = part[p]->index[k] + (p ? (uint32_t)a->n_cols : 0);
                out.value[to++] = part[p]->value[k];
            }
        out.indptr[r + 1] = to;
    }
    csr_release(a);
    *a = out;
    return RC_OK;
}

static bool same_cells(const struct source *a, const struct source *b)
{
    if (a->count.n_rows != b->count.n_rows)
        return false;
    for (size_t i = 0; i < a->count.n_rows; i++)
        if (strcmp(a->cell[i], b->cell[i]) != 0)
            return false;
    return true;
}

/* A mixture of human and mouse as version 2 writes it: two groups over the same barcodes. The
 * result is what version 3 writes: one matrix whose names start with the genome. */
static enum rc read_mixture(hid_t file, const char *const genome[2], struct source *s,
                            struct err *e)
{
    struct source b;
    source_init(&b);
    /* They are joined in memory. */
    s->spool_from = b.spool_from = SIZE_MAX;
    enum rc rc = read_one(file, genome[0], false, s, e);
    if (!rc)
        rc = read_one(file, genome[1], false, &b, e);
    if (!rc && !same_cells(s, &b))
        rc = err_set(e, RC_INPUT,
                     "the genomes '%s' and '%s' have different barcodes; choose one "
                     "with --layer",
                     genome[0], genome[1]);
    if (!rc && s->count.n_cols + b.count.n_cols >= UINT32_MAX)
        rc = err_set(e, RC_INPUT, "there are too many genes");
    struct source *part[2] = { s, &b };
    for (int i = 0; !rc && i < 2; i++) {
        rc = prefix_names(part[i]->id, part[i]->count.n_cols, genome[i], &s->text, e);
        if (!rc)
            rc = prefix_names(part[i]->name, part[i]->count.n_cols, genome[i], &s->text, e);
    }
    if (!rc)
        rc = join_names(&s->id, s->count.n_cols, b.id, b.count.n_cols, &s->text, e);
    if (!rc)
        rc = join_names(&s->name, s->count.n_cols, b.name, b.count.n_cols, &s->text, e);
    if (!rc && counts_bad(&b.check) && !counts_bad(&s->check))
        s->check = b.check;
    if (!rc)
        rc = join_counts(&s->count, &b.count, e);
    snprintf(s->where, sizeof s->where, "%.100s and %.100s", genome[0], genome[1]);
    source_release(&b);
    return rc;
}

static enum species genome_species(const char *genome)
{
    enum species s = SPECIES_UNKNOWN;
    char text[128];
    snprintf(text, sizeof text, "%.100s_", genome);
    gene_prefix(text, &s);
    return s;
}

/* The names of at most max groups that are matrices; *n counts all. */
static enum rc list_matrices(hid_t file, struct arena *a, const char *found[], size_t max,
                             size_t *n, struct err *e)
{
    const char **name;
    size_t n_names;
    *n = 0;
    if (h5_list(file, a, &name, &n_names, e))
        return e ? e->rc : RC_INPUT;
    for (size_t i = 0; i < n_names; i++)
        if (is_matrix(file, name[i])) {
            if (*n < max)
                found[*n] = name[i];
            ++*n;
        }
    return RC_OK;
}

enum rc tenx_read(int64_t file, const char *layer, struct source *s, struct err *e)
{
    const char *genome[2] = { NULL, NULL };
    size_t n = 0;
    if (h5_kind_of(file, "matrix", NULL) != H5_ABSENT)
        return layer && strcmp(layer, "matrix") != 0
                   ? err_set(e, RC_INPUT, "there is no layer '%s', only 'matrix'", layer)
                   : read_one(file, "matrix", true, s, e);
    if (layer)
        return read_one(file, layer, false, s, e);
    if (list_matrices(file, &s->text, genome, 2, &n, e))
        return e ? e->rc : RC_INPUT;
    if (n == 0)
        return err_set(e, RC_INPUT, "there is no matrix");
    if (n == 1)
        return read_one(file, genome[0], false, s, e);
    enum species a = genome_species(genome[0]), b = genome_species(genome[1]);
    if (n > 2 || a == SPECIES_UNKNOWN || b == SPECIES_UNKNOWN || a == b)
        return err_set(e, RC_INPUT,
                       "there are matrices for %zu genomes ('%s', '%s'%s); choose one with --layer",
                       n, genome[0], genome[1], n > 2 ? ", ..." : "");
    return read_mixture(file, genome, s, e);
}
