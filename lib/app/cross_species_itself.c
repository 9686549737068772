/* A check of the way itself: cells of one species against themselves. The query is half of the
 * cells of each class; its genes go under their homologs' names, and a share of them is taken away.
 * No cell is on both sides. What is right here says nothing about two species. */
#include <stdlib.h>
#include <string.h>

#include "lib/app/cross_species_parts.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/nn/split.h"

/* name[column]: what the query calls it, NULL: it has no homolog, or is hidden. The first homolog
 * that is not taken yet. */
static enum rc new_names(const struct cross_job *j, const char **name, size_t *n_kept,
                         struct err *e)
{
    const struct cells *c = &j->cells[CAME_REFERENCE];
    struct map column, taken;
    enum rc rc = RC_OK;
    map_init(&column);
    map_init(&taken);
    for (size_t k = 0; !rc && k < c->count.n_cols; k++)
        rc = map_add(&column, c->gene[k], k, NULL, e);
    for (size_t i = 0; !rc && i < j->pairs.n; i++) {
        const uint64_t k = map_get(&column, j->pairs.reference[i]);
        const char *homolog = j->pairs.query[i];
        uint64_t old;
        if (k == MAP_NONE || name[k] || map_get(&taken, homolog) != MAP_NONE)
            continue;
        rc = map_add(&taken, homolog, k, &old, e);
        name[k] = homolog;
    }
    for (size_t k = 0; !rc && k < c->count.n_cols; k++) {
        if (name[k] && rng_unit(j->o->seed, RNG_SAMPLE, hash_text(name[k]), 0) < j->o->hidden)
            name[k] = NULL;
        *n_kept += name[k] != NULL;
    }
    map_release(&column);
    map_release(&taken);
    return rc;
}

static enum rc class_numbers(const struct cells *c, const char *label, uint32_t *class_of,
                             size_t *n_classes, struct err *e)
{
    const struct column *k = table_find(&c->obs, label);
    struct map class;
    enum rc rc = RC_OK;
    map_init(&class);
    for (size_t i = 0; !rc && i < c->obs.n_rows; i++) {
        rc = map_add(&class, k->text[i], class.n, NULL, e);
        class_of[i] = rc ? 0 : (uint32_t)map_get(&class, k->text[i]);
    }
    *n_classes = class.n;
    map_release(&class);
    return rc;
}

static enum rc cut(struct cross_job *j, unsigned char *held, const char *const *name, struct err *e)
{
    struct cells *c = &j->cells[CAME_REFERENCE], rest;
    const size_t n = c->obs.n_rows;
    unsigned char *keep_gene = calloc(c->count.n_cols + 1, 1);
    if (!keep_gene)
        return err_set(e, RC_FAIL, "no memory for %zu genes", c->count.n_cols);
    for (size_t k = 0; k < c->count.n_cols; k++)
        keep_gene[k] = name[k] != NULL;
    enum rc rc = cells_select(c, held, keep_gene, &j->cells[CAME_QUERY], e);
    for (size_t k = 0, to = 0; !rc && k < c->count.n_cols; k++)
        if (name[k])
            j->cells[CAME_QUERY].gene[to++] = name[k];
    for (size_t i = 0; i < n; i++)
        held[i] = !held[i];
    if (!rc)
        rc = cells_select(c, held, NULL, &rest, e);
    if (!rc) {
        cells_release(c);
        *c = rest;
    }
    free(keep_gene);
    return rc;
}

enum rc cross_itself(struct cross_job *j, struct err *e)
{
    const struct cells *c = &j->cells[CAME_REFERENCE];
    const size_t n = c->obs.n_rows, n_genes = c->count.n_cols;
    size_t n_classes = 0, n_kept = 0;
    const struct column *id = table_find(&c->obs, "cell_id");
    uint32_t *class_of = malloc((n + 1) * sizeof *class_of);
    uint64_t *key = malloc((n + 1) * sizeof *key);
    unsigned char *held = calloc(n + 1, 1);
    const char **name = calloc(n_genes + 1, sizeof *name);
    enum rc rc = class_of && key && held && name
                     ? class_numbers(c, j->o->label, class_of, &n_classes, e)
                     : err_set(e, RC_FAIL, "no memory for %zu cells", n);
    for (size_t i = 0; !rc && i < n; i++)
        key[i] = id && id->kind == COLUMN_I64 ? (uint64_t)id->i64[i] : i;
    if (!rc)
        rc = split_held_out(class_of, key, n, n_classes, 0.5, j->o->seed, held, e);
    if (!rc)
        rc = new_names(j, name, &n_kept, e);
    if (!rc)
        rc = cut(j, held, name, e);
    if (!rc)
        log_say("against itself: %zu cells to learn from, %zu to name, which keep %zu of %zu genes",
                j->cells[CAME_REFERENCE].obs.n_rows, j->cells[CAME_QUERY].obs.n_rows, n_kept,
                n_genes);
    free(class_of);
    free(key);
    free(held);
    free(name);
    return rc;
}
