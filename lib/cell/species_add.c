#include "lib/cell/species_add.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cell/knowledge.h"
#include "lib/cell/vocab_build.h"

static const char *const tier_name[] = { "one2one", "one2many", "many2many", "none" };

const char *homology_tier_name(enum homology_tier t)
{
    return tier_name[t];
}

bool homology_tier_parse(const char *text, enum homology_tier *t)
{
    if (strncmp(text, "ortholog_", 9) == 0)
        text += 9;
    for (int i = TIER_ONE2ONE; i < TIER_NONE; i++)
        if (strcmp(text, tier_name[i]) == 0) {
            *t = (enum homology_tier)i;
            return true;
        }
    return false;
}

/* ---- tokens ---- */

static int by_id(const void *a, const void *b)
{
    return strcmp((*(struct gene *const *)a)->id, (*(struct gene *const *)b)->id);
}

/* Tokens for the core genes of the species, behind those of old. */
static enum rc give_tokens(struct gene_tables *t, const struct vocab *old, enum species s,
                           struct err *e)
{
    struct gene **new = calloc(t->n + 1, sizeof *new);
    size_t n = 0;
    if (!new)
        return err_set(e, RC_FAIL, "no memory for %zu genes", t->n);
    for (size_t i = 0; i < t->n; i++) {
        t->gene[i].token = -1;
        if (t->gene[i].species == s && t->gene[i].core)
            new[n++] = &t->gene[i];
    }
    gene_tables_fill_tokens(t, old);
    if (n)
        qsort(new, n, sizeof *new, by_id);
    for (size_t i = 0; i < n; i++)
        new[i]->token = (int32_t)(old->n + i);
    free(new);
    return n ? RC_OK : err_set(e, RC_INPUT, "the tables have no core gene of %s", species_name(s));
}

enum rc species_vocab(struct gene_tables *t, const struct vocab *old, enum species s,
                      struct vocab *now, struct err *e)
{
    struct vocab_report report;
    vocab_init(now);
    for (size_t i = TOKEN_FIRST_GENE; i < old->n; i++) {
        if (old->entry[i].species == s)
            return err_set(e, RC_INPUT, "token %zu, '%s', is of %s already", i, old->entry[i].id,
                           species_name(s));
        if (gene_tables_find_id(t, old->entry[i].id) == GENE_NONE)
            return err_set(e, RC_INPUT, "the tables lack '%s', token %zu", old->entry[i].id, i);
    }
    enum rc rc = give_tokens(t, old, s, e);
    if (!rc)
        rc = vocab_build(t, now, &report, e);
    for (size_t i = 0; !rc && i < old->n; i++)
        if (strcmp(now->entry[i].id, old->entry[i].id) != 0)
            rc = err_set(e, RC_INPUT, "token %zu would be '%s', not '%s'", i, now->entry[i].id,
                         old->entry[i].id);
    if (rc)
        vocab_release(now);
    return rc;
}

/* ---- sources ---- */

void species_links_release(struct species_links *l)
{
    free(l->tier);
    free(l->first);
    free(l->source);
    *l = (struct species_links){ 0 };
}

/* A pair of two tokens. */
struct link {
    uint32_t gene, source; /* gene: number among the new tokens */
    enum homology_tier tier;
    bool sure;
};

/* By gene, then the better tier, then confidence, then source. */
static int by_worth(const void *a, const void *b)
{
    const struct link *x = a, *y = b;
    if (x->gene != y->gene)
        return x->gene < y->gene ? -1 : 1;
    if (x->tier != y->tier)
        return x->tier < y->tier ? -1 : 1;
    if (x->sure != y->sure)
        return x->sure ? -1 : 1;
    return (x->source > y->source) - (x->source < y->source);
}

static size_t find_links(const struct vocab *now, size_t first_token, const struct homology_pair *p,
                         size_t n, enum homology_tier worst, struct link *to)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        const int32_t gene = vocab_token(now, p[i].gene), from = vocab_token(now, p[i].homolog);
        if (p[i].tier > worst || gene < (int32_t)first_token || from < TOKEN_FIRST_GENE ||
            from >= (int32_t)first_token)
            continue;
        to[k++] = (struct link){ (uint32_t)((size_t)gene - first_token), (uint32_t)from, p[i].tier,
                                 p[i].sure };
    }
    if (k)
        qsort(to, k, sizeof *to, by_worth);
    return k;
}

enum rc species_links_make(const struct vocab *now, size_t first_token,
                           const struct homology_pair *p, size_t n, enum homology_tier worst,
                           struct species_links *l, struct err *e)
{
    struct link *link = calloc(n + 1, sizeof *link);
    *l = (struct species_links){ .first_token = first_token, .n = now->n - first_token };
    l->tier = malloc((l->n + 1) * sizeof *l->tier);
    l->first = calloc(l->n + 2, sizeof *l->first);
    l->source = calloc(n + 1, sizeof *l->source);
    if (!link || !l->tier || !l->first || !l->source) {
        free(link);
        species_links_release(l);
        return err_set(e, RC_FAIL, "no memory for %zu pairs of homologs", n);
    }
    const size_t k = find_links(now, first_token, p, n, worst, link);
    size_t at = 0, used = 0;
    for (size_t g = 0; g < l->n; g++) {
        const struct link *best = at < k && link[at].gene == g ? &link[at] : NULL;
        l->tier[g] = best ? best->tier : TIER_NONE;
        l->n_genes[l->tier[g]]++;
        l->first[g] = used;
        for (; at < k && link[at].gene == g; at++)
            if (link[at].tier == best->tier && link[at].sure == best->sure &&
                !(used > l->first[g] && l->source[used - 1] == link[at].source))
                l->source[used++] = link[at].source;
    }
    l->first[l->n] = used;
    free(link);
    return RC_OK;
}

/* ---- rows ---- */

static double length(const float *x, size_t d)
{
    double sum = 0;
    for (size_t i = 0; i < d; i++)
        sum += (double)x[i] * (double)x[i];
    return sqrt(sum);
}

void species_mix(const float *x, size_t d, const uint32_t *from, size_t n, float *to)
{
    double wanted = 0;
    for (size_t k = 0; k < n; k++)
        wanted += length(x + from[k] * d, d) / (double)n;
    for (size_t i = 0; i < d; i++) {
        double sum = 0;
        for (size_t k = 0; k < n; k++)
            sum += (double)x[from[k] * d + i];
        to[i] = (float)(sum / (double)n);
    }
    const double is = n > 1 ? length(to, d) : 0;
    for (size_t i = 0; is > 0 && i < d; i++)
        to[i] = (float)((double)to[i] * wanted / is);
}

/* Mean length of present rows first..end. */
static double mean_length(const struct knowledge_table *k, size_t first, size_t end)
{
    double sum = 0;
    size_t n = 0;
    for (size_t t = first; t < end; t++) {
        n += k->present[t];
        sum += k->present[t] ? length(k->vector + t * k->dim, k->dim) : 0;
    }
    return n ? sum / (double)n : 0;
}

static void take_own(const struct knowledge_table *own, size_t first, double norm_old,
                     struct knowledge_table *to, struct species_rows *r)
{
    const double norm = mean_length(own, first, own->n_tokens);
    r->scale = norm > 0 && norm_old > 0 ? norm_old / norm : 1;
    for (size_t t = first; t < own->n_tokens; t++) {
        if (!own->present[t])
            continue;
        for (size_t i = 0; i < own->dim; i++)
            to->vector[t * to->dim + i] = (float)((double)own->vector[t * own->dim + i] * r->scale);
        to->present[t] = 1;
    }
}

/* Rows through homologs; room: as many numbers as the longest list of sources. */
static void take_homologs(const struct knowledge_table *old, const struct species_links *l,
                          uint32_t *room, struct knowledge_table *to)
{
    for (size_t g = 0; g < l->n; g++) {
        const size_t t = l->first_token + g;
        size_t n = 0;
        for (size_t k = l->first[g]; k < l->first[g + 1]; k++)
            if (old->present[l->source[k]])
                room[n++] = l->source[k];
        if (!n)
            continue;
        species_mix(old->vector, old->dim, room, n, to->vector + t * to->dim);
        to->present[t] = 1;
    }
}

/* Mean over components of the standard deviation over all rows of genes. */
static double spread(const struct knowledge_table *k)
{
    const double n = (double)(k->n_tokens - TOKEN_FIRST_GENE);
    double sum = 0;
    for (size_t i = 0; n > 1 && i < k->dim; i++) {
        double mean = 0, square = 0;
        for (size_t t = TOKEN_FIRST_GENE; t < k->n_tokens; t++)
            mean += (double)k->vector[t * k->dim + i] / n;
        for (size_t t = TOKEN_FIRST_GENE; t < k->n_tokens; t++) {
            const double x = (double)k->vector[t * k->dim + i] - mean;
            square += x * x;
        }
        sum += sqrt(square / (n - 1));
    }
    return sum / (double)k->dim;
}

/* Random rows for new tokens. Where no row is present the old ones, all random, tell the spread; a
 * table of zeros keeps zeros. */
static enum rc fill_rest(const struct knowledge_table *old, const struct vocab *now, uint64_t seed,
                         struct knowledge_table *to, struct err *e)
{
    struct knowledge_counts c;
    double spare[2] = { 0, 0 };
    bool any = false;
    for (size_t t = 0; t < to->n_tokens; t++)
        any = any || to->present[t];
    if (!any)
        spare[0] = spare[1] = spread(old);
    enum rc rc = any || spare[0] > 0 ? knowledge_fill(to, now, seed, spare, &c, e) : RC_OK;
    /* Random rows of the old species were drawn when old was made. */
    if (!rc)
        memcpy(to->vector, old->vector, old->n_tokens * old->dim * sizeof *old->vector);
    return rc;
}

enum rc species_table(const struct knowledge_table *old, const struct vocab *now,
                      const struct species_links *l, const struct knowledge_table *own,
                      uint64_t seed, struct knowledge_table *to, struct species_rows *r,
                      struct err *e)
{
    const size_t first = l->first_token;
    *to = (struct knowledge_table){ 0 };
    *r = (struct species_rows){ .scale = 1 };
    if (old->n_tokens != first)
        return err_set(e, RC_INPUT, "the table has %zu rows for %zu tokens", old->n_tokens, first);
    if (own && (own->n_tokens != now->n || own->dim != old->dim || own->kind != old->kind))
        return err_set(e, RC_INPUT,
                       "the species' own table is of another kind, width or vocabulary");
    uint32_t *room = calloc(l->first[l->n] + 1, sizeof *room);
    enum rc rc = room ? knowledge_table_alloc(to, old->kind, now->n, old->dim, e)
                      : err_set(e, RC_FAIL, "no memory for %zu homologs", l->first[l->n]);
    if (!rc) {
        memcpy(to->vector, old->vector, first * old->dim * sizeof *old->vector);
        memcpy(to->present, old->present, first);
        take_homologs(old, l, room, to);
        r->norm_old = mean_length(to, 0, first);
        if (own)
            take_own(own, first, r->norm_old, to, r);
        for (size_t g = 0; g < l->n; g++)
            ++*(to->present[first + g] ? &r->through[l->tier[g]] : &r->random);
        r->norm_new = mean_length(to, first, now->n);
        rc = fill_rest(old, now, seed, to, e);
    }
    if (rc)
        knowledge_table_release(to);
    free(room);
    return rc;
}
