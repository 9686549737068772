#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/perturb_parts.h"
#include "lib/base/log.h"
#include "lib/io/lines.h"

enum { NAME_MAX_BYTES = 512, POOL = 20 /* times the controls of one */ };

/* While perturbations are made. */
struct maker {
    struct perturbations *p;
    const struct embedder *m;
    const struct held_cells *c;
    const struct perturb_options *o;
};

/* ---- names to tokens ---- */

/* The token of a gene of the tables; a mouse gene with a human homolog has that one's. -1: none. */
static int32_t token_of(const struct embedder *m, uint32_t row)
{
    const struct gene *g = &m->tables.gene[row];
    if (g->species == SPECIES_MOUSE && g->homolog != GENE_NONE)
        g = &m->tables.gene[g->homolog];
    const int32_t t = vocab_token(&m->vocab, g->id);
    return t < TOKEN_FIRST_GENE ? -1 : t;
}

/* What a gene of the other species is called in species s, NULL where that is not known. */
static const char *homolog_name(const struct embedder *m, uint32_t row, enum species s)
{
    const struct gene_tables *t = &m->tables;
    if (s == SPECIES_HUMAN)
        return t->gene[row].homolog == GENE_NONE ? NULL : t->gene[t->gene[row].homolog].name;
    for (size_t i = 0; i < t->n; i++)
        if (t->gene[i].species == s && t->gene[i].homolog == row)
            return t->gene[i].name;
    return NULL;
}

static enum rc other_species(const struct maker *k, const char *name, enum species s, uint32_t row,
                             struct err *e)
{
    const char *here = homolog_name(k->m, row, s);
    if (here && *here)
        return err_set(e, RC_INPUT,
                       "'%s' is a %s gene and all cells are %s; its homolog there is '%s'", name,
                       species_name(1 - s), species_name(s), here);
    return err_set(e, RC_INPUT, "'%s' is a %s gene without a known homolog, and all cells are %s",
                   name, species_name(1 - s), species_name(s));
}

static enum rc find_token(const struct maker *k, const char *name, uint16_t *token, struct err *e)
{
    bool known = false;
    for (int s = 0; s < 2; s++) {
        const uint32_t row =
            k->c->has[s] ? gene_tables_find(&k->m->tables, (enum species)s, name) : GENE_NONE;
        if (row == GENE_NONE || k->m->tables.gene[row].species != (enum species)s)
            continue;
        known = true;
        const int32_t t = token_of(k->m, row);
        if (t >= 0) {
            *token = (uint16_t)t;
            return RC_OK;
        }
    }
    if (known)
        return err_set(e, RC_INPUT, "gene '%s' is not in the model's vocabulary", name);
    for (int s = 0; s < 2; s++) {
        const uint32_t row =
            k->c->has[s] ? GENE_NONE : gene_tables_find(&k->m->tables, (enum species)s, name);
        if (row != GENE_NONE)
            return other_species(k, name, (enum species)(1 - s), row, e);
    }
    return err_set(e, RC_INPUT,
                   "'%s' is no gene that the model's tables know, by symbol, alias or Ensembl id",
                   name);
}

/* ---- the list ---- */

static int by_token(const void *a, const void *b)
{
    return *(const uint16_t *)a - *(const uint16_t *)b;
}

static void key_of(const uint16_t *token, uint32_t n, char key[NAME_MAX_BYTES])
{
    uint16_t sorted[CHANGE_MAX_GENES];
    size_t at = 0;
    memcpy(sorted, token, n * sizeof *token);
    qsort(sorted, n, sizeof *sorted, by_token);
    key[0] = '\0';
    for (uint32_t i = 0; i < n; i++)
        at += (size_t)snprintf(key + at, NAME_MAX_BYTES - at, "%d ", sorted[i]);
}

static enum rc append(struct perturbations *p, const char *name, const uint16_t *token, uint32_t n,
                      struct err *e)
{
    if (p->n == p->room) {
        const size_t room = 2 * p->room + 64;
        struct perturbation *item = realloc(p->item, room * sizeof *item);
        if (!item)
            return err_set(e, RC_FAIL, "no memory for %zu perturbations", room);
        p->item = item;
        p->room = room;
    }
    struct perturbation x = { .name = arena_text(&p->memory, name), .n_tokens = n };
    if (!x.name)
        return err_set(e, RC_FAIL, "no memory for a name");
    memcpy(x.token, token, n * sizeof *token);
    p->item[p->n++] = x;
    return RC_OK;
}

/* A named one: each set of genes once. */
static enum rc add_named(struct maker *k, const char *name, const uint16_t *token, uint32_t n,
                         struct err *e)
{
    char key[NAME_MAX_BYTES];
    uint64_t old;
    key_of(token, n, key);
    if (map_add(&k->p->by_tokens, key, k->p->n, &old, e))
        return e->rc;
    if (old != MAP_NONE)
        return err_set(e, RC_INPUT, "'%s' is named twice%s%s%s", name,
                       strcmp(k->p->item[old].name, name) == 0 ? "" : ": it is '",
                       strcmp(k->p->item[old].name, name) == 0 ? "" : k->p->item[old].name,
                       strcmp(k->p->item[old].name, name) == 0 ? "" : "'");
    enum rc rc = append(k->p, name, token, n, e);
    k->p->n_named = k->p->n;
    return rc;
}

/* "A+B+C" or one name. */
static enum rc add_text(struct maker *k, const char *text, struct err *e)
{
    uint16_t token[CHANGE_MAX_GENES];
    char name[NAME_MAX_BYTES];
    uint32_t n = 0;
    for (const char *at = text;; at++) {
        const size_t len = strcspn(at, "+");
        if (!len)
            return err_set(e, RC_INPUT, "'%s' lacks a gene's name", text);
        if (n == CHANGE_MAX_GENES || strlen(text) >= NAME_MAX_BYTES)
            return err_set(e, RC_INPUT, "'%.40s...' has more than %d genes", text,
                           CHANGE_MAX_GENES);
        memcpy(name, at, len);
        name[len] = '\0';
        if (find_token(k, name, &token[n], e))
            return e->rc;
        for (uint32_t i = 0; i < n; i++)
            if (token[i] == token[n])
                return err_set(e, RC_INPUT, "'%s' names gene '%s' twice", text, name);
        n++;
        at += len;
        if (!*at)
            break;
    }
    return add_named(k, text, token, n, e);
}

static enum rc add_file(struct maker *k, const char *path, struct err *e)
{
    struct lines l;
    bool more = true;
    const size_t before = k->p->n;
    enum rc rc = lines_open(&l, path, e);
    if (rc)
        return rc;
    while (!rc && !(rc = lines_next(&l, &more, e)) && more) {
        if (!*l.text || *l.text == '#')
            continue;
        rc = add_text(k, l.text, e);
        if (rc)
            err_wrap(e, "'%s': line %zu", path, (size_t)l.number);
    }
    lines_close(&l);
    if (!rc && k->p->n == before)
        rc = err_set(e, RC_INPUT, "'%s' names no gene", path);
    return rc;
}

static enum rc add_pairs(struct maker *k, struct err *e)
{
    const size_t n = k->p->n;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++) {
            const struct perturbation *a = &k->p->item[i], *b = &k->p->item[j];
            char name[NAME_MAX_BYTES];
            const uint16_t token[2] = { a->token[0], b->token[0] };
            if (a->n_tokens > 1 || b->n_tokens > 1)
                continue;
            snprintf(name, sizeof name, "%s+%s", a->name, b->name);
            if (add_named(k, name, token, 2, e))
                return err_wrap(e, "--pairs");
        }
    return RC_OK;
}

/* By id, since two genes of the two species may have one name. */
static enum rc add_all(struct maker *k, struct err *e)
{
    for (size_t i = 0; i < k->p->n_genes; i++) {
        const struct matched_gene *g = &k->p->gene[i];
        if (g->n_cells < (uint32_t)k->o->least_cells)
            continue;
        if (add_named(k, k->m->vocab.entry[g->token].id, &g->token, 1, e))
            return e->rc;
    }
    return k->p->n ? RC_OK
                   : err_set(e, RC_INPUT, "no gene is selected: none is seen in %lld of %zu cells",
                             (long long)k->o->least_cells, k->c->n);
}

/* ---- what the cells show ---- */

static enum rc survey(struct maker *k, struct err *e)
{
    struct perturbations *p = k->p;
    const size_t V = k->m->vocab.n;
    const uint32_t max = k->m->model.config.max_genes;
    struct matched_gene *of = calloc(V, sizeof *of);
    p->gene_of = malloc(V * sizeof *p->gene_of);
    p->gene = calloc(V, sizeof *p->gene);
    if (!of || !p->gene_of || !p->gene) {
        free(of);
        return err_set(e, RC_FAIL, "no memory for %zu genes", V);
    }
    for (size_t i = 0; i < k->c->n; i++) {
        const struct ranked_cell *g = &k->c->cell[i].genes;
        const uint32_t n = g->n < max ? g->n : max;
        for (uint32_t j = 0; j < n; j++) {
            struct matched_gene *x = &of[g->token[j]];
            x->n_cells++;
            x->mean_rank += (j + 0.5) / n;
            x->mean_value += log2(1 + g->x[j]);
        }
    }
    for (size_t t = 0; t < V; t++) {
        p->gene_of[t] = UINT32_MAX;
        if (!of[t].n_cells)
            continue;
        p->gene_of[t] = (uint32_t)p->n_genes;
        p->gene[p->n_genes++] =
            (struct matched_gene){ (uint16_t)t, of[t].n_cells, of[t].mean_rank / of[t].n_cells,
                                   of[t].mean_value / of[t].n_cells };
    }
    free(of);
    return RC_OK;
}

/* Genes named that no cell shows: last in rank, without a value, for matching. */
static void survey_named(struct perturbations *p)
{
    for (size_t i = 0; i < p->n; i++)
        for (uint32_t j = 0; j < p->item[i].n_tokens; j++) {
            const uint16_t t = p->item[i].token[j];
            if (p->gene_of[t] != UINT32_MAX)
                continue;
            p->gene_of[t] = (uint32_t)p->n_genes;
            p->gene[p->n_genes++] = (struct matched_gene){ t, 0, 1, 0 };
        }
}

/* ---- controls ---- */

/* The gene at this place of the list by rank, for a pool that has genes of every rank. */
struct ranked_gene {
    double rank;
    uint32_t at;
};

static int by_rank(const void *a, const void *b)
{
    const struct ranked_gene *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return (x->at > y->at) - (x->at < y->at);
}

/* Only a pool of genes, spread evenly over the ranks, may serve: else a screen would cost as many
 * times more as it has controls. */
static enum rc make_pool(struct maker *k, bool *skip, struct err *e)
{
    const size_t n = k->p->n_genes, want = POOL * (size_t)k->o->n_controls;
    struct ranked_gene *r = malloc((n + 1) * sizeof *r);
    if (!r)
        return err_set(e, RC_FAIL, "no memory for %zu genes", n);
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        const bool rare = k->o->all_genes && k->p->gene[i].n_cells < (uint32_t)k->o->least_cells;
        const bool may = !skip[i] && !rare;
        skip[i] = true;
        if (may)
            r[m++] = (struct ranked_gene){ k->p->gene[i].mean_rank, (uint32_t)i };
    }
    qsort(r, m, sizeof *r, by_rank);
    for (size_t i = 0; i < m && i < want; i++)
        skip[r[m <= want ? i : i * m / want].at] = false;
    free(r);
    return RC_OK;
}

static enum rc add_control(struct maker *k, const uint16_t *token, uint32_t n, uint32_t *to,
                           struct err *e)
{
    char key[NAME_MAX_BYTES + 1], name[NAME_MAX_BYTES];
    uint64_t old;
    size_t at = 0;
    /* A key of its own: a control is run beside a named one of the same genes. */
    key[0] = 'c';
    key_of(token, n, key + 1);
    if (map_add(&k->p->by_tokens, key, k->p->n, &old, e))
        return e->rc;
    if (old != MAP_NONE) {
        *to = (uint32_t)old;
        return RC_OK;
    }
    *to = (uint32_t)k->p->n;
    for (uint32_t i = 0; i < n; i++)
        at += (size_t)snprintf(name + at, sizeof name - at, "%s%s", i ? "+" : "",
                               k->m->vocab.entry[token[i]].id);
    return append(k->p, name, token, n, e);
}

/* Control number j of a set is made of the members' j-th controls; where two members have the same,
 * the later one takes its next. */
static enum rc match_set(struct maker *k, size_t which, const bool *skip, uint32_t *found,
                         struct err *e)
{
    const size_t want = (size_t)k->o->n_controls, each = want + CHANGE_MAX_GENES;
    const struct perturbation x = k->p->item[which];
    size_t n_found[CHANGE_MAX_GENES], least = want;
    uint32_t *control = arena_get(&k->p->memory, (want + 1) * sizeof *control);
    if (!control)
        return err_set(e, RC_FAIL, "no memory for %zu controls", want);
    for (uint32_t i = 0; i < x.n_tokens; i++) {
        if (match_controls(k->p->gene, k->p->n_genes, k->p->gene_of[x.token[i]], skip, each,
                           k->o->seed, found + i * each, &n_found[i], e))
            return e->rc;
        if (n_found[i] < least + i)
            least = n_found[i] < i ? 0 : n_found[i] - i;
    }
    size_t n = 0;
    for (size_t j = 0; j < least; j++) {
        uint16_t token[CHANGE_MAX_GENES];
        for (uint32_t i = 0; i < x.n_tokens; i++) {
            bool taken = true;
            for (size_t step = j; taken && step < n_found[i]; step++) {
                token[i] = k->p->gene[found[i * each + step]].token;
                taken = false;
                for (uint32_t o = 0; o < i; o++)
                    taken = taken || token[o] == token[i];
            }
        }
        if (add_control(k, token, x.n_tokens, &control[n++], e))
            return e->rc;
    }
    k->p->item[which].control = control;
    k->p->item[which].n_controls = n;
    return RC_OK;
}

static enum rc add_controls(struct maker *k, struct err *e)
{
    struct perturbations *p = k->p;
    const size_t each = (size_t)k->o->n_controls + CHANGE_MAX_GENES;
    bool *skip = calloc(p->n_genes + 1, sizeof *skip);
    uint32_t *found = malloc(CHANGE_MAX_GENES * each * sizeof *found);
    enum rc rc = skip && found ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu controls", each);
    for (size_t i = 0; !rc && i < p->n_genes; i++)
        skip[i] = !p->gene[i].n_cells;
    for (size_t i = 0; !rc && !k->o->all_genes && i < p->n_named; i++)
        for (uint32_t j = 0; j < p->item[i].n_tokens; j++)
            skip[p->gene_of[p->item[i].token[j]]] = true;
    if (!rc && p->n_named > POOL)
        rc = make_pool(k, skip, e);
    for (size_t i = 0; !rc && i < p->n_named; i++)
        rc = match_set(k, i, skip, found, e);
    free(skip);
    free(found);
    return rc;
}

/* ---- the whole ---- */

static void warn_unseen(const struct maker *k)
{
    if (k->o->how.kind != CHANGE_FACTOR)
        return;
    for (size_t i = 0; i < k->p->n_named; i++) {
        const struct perturbation *x = &k->p->item[i];
        size_t seen = 0;
        for (uint32_t j = 0; j < x->n_tokens; j++)
            seen += k->p->gene[k->p->gene_of[x->token[j]]].n_cells > 0;
        if (!seen)
            log_warn("'%s' is in no cell, as far as the model reads: there is nothing to %s",
                     x->name,
                     k->o->how.factor > 1   ? "raise"
                     : k->o->how.factor > 0 ? "lower"
                                            : "delete");
    }
}

enum rc perturbations_make(struct perturbations *p, const struct embedder *m,
                           const struct held_cells *c, const struct perturb_options *o,
                           struct err *e)
{
    struct maker k = { p, m, c, o };
    *p = (struct perturbations){ 0 };
    map_init(&p->by_tokens);
    arena_init(&p->memory, 1 << 16);
    enum rc rc = survey(&k, e);
    for (int i = 0; !rc && i < o->genes.n; i++)
        rc = add_text(&k, o->genes.item[i], e);
    for (int i = 0; !rc && i < o->sets.n; i++)
        rc = add_text(&k, o->sets.item[i], e);
    if (!rc && o->genes_file)
        rc = add_file(&k, o->genes_file, e);
    if (!rc && o->all_genes)
        rc = add_all(&k, e);
    if (!rc && o->pairs)
        rc = add_pairs(&k, e);
    if (!rc)
        survey_named(p);
    if (!rc && o->n_controls)
        rc = add_controls(&k, e);
    if (!rc)
        warn_unseen(&k);
    if (rc)
        perturbations_release(p);
    return rc;
}

void perturbations_release(struct perturbations *p)
{
    free(p->item);
    free(p->gene);
    free(p->gene_of);
    map_release(&p->by_tokens);
    arena_release(&p->memory);
    *p = (struct perturbations){ 0 };
}
