#include "lib/data/gene_tables.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const biotypes[] = { "protein_coding", "lncRNA", "miRNA", "Mt", "other" };

const char *biotype_name(enum biotype b)
{
    return biotypes[b];
}

bool biotype_parse(const char *text, enum biotype *b)
{
    for (size_t i = 0; i < sizeof biotypes / sizeof *biotypes; i++)
        if (strcmp(text, biotypes[i]) == 0) {
            *b = (enum biotype)i;
            return true;
        }
    return false;
}

void gene_tables_init(struct gene_tables *t)
{
    *t = (struct gene_tables){ 0 };
    map_init(&t->by_id);
    for (int s = 0; s < 2; s++) {
        map_init(&t->by_name[s]);
        map_init(&t->alias[s]);
    }
    arena_init(&t->text, 1 << 20);
}

void gene_tables_release(struct gene_tables *t)
{
    free(t->gene);
    map_release(&t->by_id);
    for (int s = 0; s < 2; s++) {
        map_release(&t->by_name[s]);
        map_release(&t->alias[s]);
    }
    arena_release(&t->text);
    *t = (struct gene_tables){ 0 };
}

static enum rc grow(struct gene_tables *t, struct err *e)
{
    if ((t->n & (t->n - 1)) != 0) /* room is the next power of two */
        return RC_OK;
    if (t->n >= GENE_NONE / 2)
        return err_set(e, RC_INPUT, "more than %zu genes", t->n);
    struct gene *more = realloc(t->gene, (t->n ? 2 * t->n : 1) * sizeof *more);
    if (!more)
        return err_set(e, RC_FAIL, "no memory for %zu genes", t->n);
    t->gene = more;
    return RC_OK;
}

enum rc gene_tables_add(struct gene_tables *t, const struct gene *g, struct err *e)
{
    assert(g->species == SPECIES_HUMAN || g->species == SPECIES_MOUSE);
    uint64_t old;
    enum rc rc = grow(t, e);
    if (rc)
        return rc;
    if (map_add(&t->by_id, g->id, t->n, &old, e))
        return RC_FAIL;
    if (old != MAP_NONE)
        return err_set(e, RC_INPUT, "gene '%s' is there twice", g->id);
    if (*g->name) {
        if (map_add(&t->by_name[g->species], g->name, t->n, &old, e))
            return RC_FAIL;
        if (old != MAP_NONE)
            return err_set(e, RC_INPUT, "two %s genes are called '%s': '%s' and '%s'",
                           species_name(g->species), g->name, t->gene[old].id, g->id);
    }
    struct gene *to = &t->gene[t->n];
    *to = *g;
    to->homolog = GENE_NONE;
    to->mito = g->biotype == BIOTYPE_MT || strncasecmp(g->name, "MT-", 3) == 0;
    to->id = arena_text(&t->text, g->id);
    to->name = arena_text(&t->text, g->name);
    if (!to->id || !to->name)
        return err_set(e, RC_FAIL, "no memory for %zu genes", t->n);
    t->n++;
    return RC_OK;
}

enum rc gene_tables_add_alias(struct gene_tables *t, enum species species, const char *name,
                              const char *id, struct err *e)
{
    uint32_t row = gene_tables_find_id(t, id);
    if (row == GENE_NONE)
        return err_set(e, RC_INPUT, "alias '%s' is of gene '%s', which there is not", name, id);
    if (t->gene[row].species != species)
        return err_set(e, RC_INPUT, "alias '%s' is of gene '%s', which is of the other species",
                       name, id);
    return map_add(&t->alias[species], name, row, NULL, e);
}

uint32_t gene_tables_find_id(const struct gene_tables *t, const char *id)
{
    uint64_t row = map_get(&t->by_id, id);
    return row == MAP_NONE ? GENE_NONE : (uint32_t)row;
}

/* Bytes in front of a version suffix (a dot and digits at the end), or 0 when there is none. */
static size_t bare_bytes(const char *name)
{
    const char *dot = strrchr(name, '.');
    if (!dot || dot[1] == '\0' || dot[1 + strspn(dot + 1, "0123456789")] != '\0')
        return 0;
    return (size_t)(dot - name);
}

uint32_t gene_tables_find(const struct gene_tables *t, enum species species, const char *name)
{
    assert(species == SPECIES_HUMAN || species == SPECIES_MOUSE);
    uint64_t row = map_get(&t->by_name[species], name);
    if (row == MAP_NONE)
        row = map_get(&t->alias[species], name);
    if (row != MAP_NONE)
        return (uint32_t)row;
    row = map_get(&t->by_id, name);
    size_t n = bare_bytes(name);
    if (row == MAP_NONE && n)
        row = map_get_n(&t->by_id, name, n);
    if (row == MAP_NONE || t->gene[row].species != species)
        return GENE_NONE;
    return (uint32_t)row;
}

bool gene_tables_have_tokens(const struct gene_tables *t)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->gene[i].token >= 0)
            return true;
    return false;
}

void gene_tables_fill_tokens(struct gene_tables *t, const struct vocab *v)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->gene[i].token < 0)
            t->gene[i].token = vocab_token(v, t->gene[i].id);
}

void gene_tables_fill_medians(struct gene_tables *t, const struct medians *m)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct median *x = medians_find(m, t->gene[i].id);
        if (isnan(t->gene[i].median) && x)
            t->gene[i].median = x->median;
    }
}
