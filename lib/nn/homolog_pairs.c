#include "lib/nn/homolog_pairs.h"

#include <stdlib.h>

static enum rc no_memory(struct err *e)
{
    return err_set(e, RC_FAIL, "no memory for pairs of homologs");
}

/* How often each name stands on its side of the table: n by the name's first place. */
static enum rc count_names(struct map *times, uint32_t **n, const char *const *name, size_t n_names,
                           struct err *e)
{
    map_init(times);
    *n = calloc(n_names + 1, sizeof **n);
    if (!*n)
        return no_memory(e);
    for (size_t i = 0; i < n_names; i++) {
        uint64_t old;
        if (map_add(times, name[i], i, &old, e))
            return RC_FAIL;
        (*n)[old == MAP_NONE ? i : old]++;
    }
    return RC_OK;
}

enum rc homolog_pairs_find(const struct came_homologs *h, const struct map column[2],
                           struct homolog_pair **pair, size_t *n_pairs, struct err *e)
{
    struct map times[2];
    uint32_t *n[2] = { NULL, NULL };
    *n_pairs = 0;
    *pair = malloc((h->n + 1) * sizeof **pair);
    enum rc rc = count_names(&times[0], &n[0], h->reference, h->n, e);
    const enum rc second = count_names(&times[1], &n[1], h->query, h->n, rc ? NULL : e);
    rc = rc ? rc : second ? second : *pair ? RC_OK : no_memory(e);
    for (size_t i = 0; !rc && i < h->n; i++) {
        const uint64_t a = map_get(&column[0], h->reference[i]),
                       b = map_get(&column[1], h->query[i]);
        if (a != MAP_NONE && b != MAP_NONE)
            (*pair)[(*n_pairs)++] =
                (struct homolog_pair){ { (uint32_t)a, (uint32_t)b },
                                       n[0][map_get(&times[0], h->reference[i])] == 1 &&
                                           n[1][map_get(&times[1], h->query[i])] == 1 };
    }
    for (int s = 0; s < 2; s++) {
        map_release(&times[s]);
        free(n[s]);
    }
    if (rc) {
        free(*pair);
        *pair = NULL;
    }
    return rc;
}

static enum rc number_columns(struct map *m, const char *const *gene, size_t n, struct err *e)
{
    map_init(m);
    for (size_t j = 0; j < n; j++) {
        uint64_t old;
        if (map_add(m, gene[j], j, &old, e))
            return RC_FAIL;
        if (old != MAP_NONE)
            return err_set(e, RC_INPUT, "two genes are called '%s'", gene[j]);
    }
    return RC_OK;
}

enum rc homolog_pairs_cut(const struct csr *const count[2], const char *const *const gene[2],
                          const struct came_homologs *h, struct csr out[2], const char ***name,
                          struct err *e)
{
    struct map column[2];
    struct homolog_pair *pair = NULL;
    size_t n_pairs = 0, n = 0;
    uint32_t *to[2], *partner = malloc((count[0]->n_cols + 1) * sizeof *partner);
    enum rc rc = RC_OK;
    *name = malloc((count[0]->n_cols + 1) * sizeof **name);
    for (int s = 0; s < 2; s++) {
        out[s] = (struct csr){ 0 };
        to[s] = malloc((count[s]->n_cols + 1) * sizeof *to[s]);
        const enum rc numbered =
            number_columns(&column[s], gene[s], count[s]->n_cols, rc ? NULL : e);
        rc = rc ? rc : numbered;
    }
    if (!rc && (!*name || !partner || !to[0] || !to[1]))
        rc = no_memory(e);
    if (!rc)
        rc = homolog_pairs_find(h, column, &pair, &n_pairs, e);
    for (int s = 0; !rc && s < 2; s++)
        for (size_t j = 0; j < count[s]->n_cols; j++)
            to[s][j] = UINT32_MAX;
    for (size_t j = 0; !rc && j < count[0]->n_cols; j++)
        partner[j] = UINT32_MAX;
    for (size_t i = 0; !rc && i < n_pairs; i++)
        if (pair[i].one_to_one)
            partner[pair[i].column[0]] = pair[i].column[1];
    for (size_t j = 0; !rc && j < count[0]->n_cols; j++)
        if (partner[j] != UINT32_MAX) {
            to[0][j] = to[1][partner[j]] = (uint32_t)n;
            (*name)[n++] = gene[0][j];
        }
    if (!rc && !n)
        rc = err_set(e, RC_INPUT, "no 1-to-1 homologs were measured in both sets");
    for (int s = 0; !rc && s < 2; s++)
        rc = csr_select(count[s], NULL, to[s], n, &out[s], e);
    for (int s = 0; s < 2; s++) {
        map_release(&column[s]);
        free(to[s]);
        if (rc)
            csr_release(&out[s]);
    }
    free(pair);
    free(partner);
    if (rc) {
        free(*name);
        *name = NULL;
    }
    return rc;
}
