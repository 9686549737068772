#include "lib/cell/vocab_build.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* By the token of the tables, then species, then id. Tables without tokens have -1 everywhere. */
static int by_token(const void *a, const void *b)
{
    const struct gene *x = *(const struct gene *const *)a, *y = *(const struct gene *const *)b;
    if (x->token != y->token)
        return x->token < y->token ? -1 : 1;
    if (x->species != y->species)
        return x->species < y->species ? -1 : 1;
    return strcmp(x->id, y->id);
}

/* The genes that get a token, in its order. */
static enum rc choose(const struct gene_tables *t, const struct gene ***gene, size_t *n,
                      struct vocab_report *report, struct err *e)
{
    bool given = gene_tables_have_tokens(t);
    *n = 0;
    *gene = malloc((t->n + 1) * sizeof **gene);
    if (!*gene)
        return err_set(e, RC_FAIL, "no memory for %zu genes", t->n);
    for (size_t i = 0; i < t->n; i++) {
        const struct gene *g = &t->gene[i];
        if (g->token >= 0 && !g->core)
            return err_set(e, RC_INPUT, "gene '%s' has token %d but is not core", g->id, g->token);
        if (g->core && (!given || g->token >= 0))
            (*gene)[(*n)++] = g;
        else
            report->n_left_out += g->core;
    }
    if (*n)
        qsort(*gene, *n, sizeof **gene, by_token);
    if (*n > VOCAB_MAX - TOKEN_FIRST_GENE)
        return err_set(e, RC_INPUT, "%zu core genes are more than 16-bit tokens can name", *n);
    for (size_t i = 0; given && i < *n; i++)
        if ((size_t)(*gene)[i]->token != i + TOKEN_FIRST_GENE)
            return err_set(e, RC_INPUT, "no gene of the tables has token %zu",
                           i + TOKEN_FIRST_GENE);
    return RC_OK;
}

/* Is mouse gene a a better partner of the human gene than mouse gene b? */
static bool closer(const struct gene *human, const struct gene *a, const struct gene *b)
{
    bool same_a = strcasecmp(a->name, human->name) == 0;
    bool same_b = strcasecmp(b->name, human->name) == 0;
    if (same_a != same_b)
        return same_a;
    return strcmp(a->id, b->id) < 0;
}

/* mouse_of[human row] = its one mouse gene. */
static void pair(const struct gene_tables *t, const struct vocab *v, const struct gene **mouse_of,
                 struct vocab_report *report)
{
    for (size_t i = 0; i < t->n; i++) {
        const struct gene *m = &t->gene[i];
        if (m->homolog == GENE_NONE || vocab_token(v, m->id) < 0)
            continue;
        const struct gene *h = &t->gene[m->homolog], **old = &mouse_of[m->homolog];
        if (vocab_token(v, h->id) < 0)
            continue;
        report->n_not_one_to_one += *old != NULL;
        if (!*old || closer(h, m, *old))
            *old = m;
    }
    for (size_t i = 0; i < t->n; i++)
        if (mouse_of[i]) {
            int32_t human = vocab_token(v, t->gene[i].id);
            int32_t mouse = vocab_token(v, mouse_of[i]->id);
            v->entry[human].homolog = mouse;
            v->entry[mouse].homolog = human;
            report->n_homologs++;
        }
}

static enum rc add_special(struct vocab *v, const char *id, struct err *e)
{
    return vocab_add(
        v,
        &(struct vocab_entry){
            .id = id, .name = id, .biotype = "-", .species = SPECIES_UNKNOWN, .homolog = -1 },
        e);
}

enum rc vocab_build(const struct gene_tables *t, struct vocab *v, struct vocab_report *report,
                    struct err *e)
{
    const struct gene **gene = NULL, **mouse_of = NULL;
    size_t n;
    *report = (struct vocab_report){ 0 };
    vocab_init(v);
    enum rc rc = choose(t, &gene, &n, report, e);
    if (!rc)
        rc = add_special(v, "<pad>", e);
    if (!rc)
        rc = add_special(v, "<mask>", e);
    for (size_t i = 0; !rc && i < n; i++) {
        const struct gene *g = gene[i];
        rc = vocab_add(v,
                       &(struct vocab_entry){ .id = g->id,
                                              .name = *g->name ? g->name : "-",
                                              .biotype = biotype_name(g->biotype),
                                              .species = g->species,
                                              .homolog = -1 },
                       e);
        report->n_human += g->species == SPECIES_HUMAN;
        report->n_mouse += g->species == SPECIES_MOUSE;
    }
    if (!rc) {
        mouse_of = calloc(t->n + 1, sizeof *mouse_of);
        if (mouse_of)
            pair(t, v, mouse_of, report);
        else
            rc = err_set(e, RC_FAIL, "no memory for %zu genes", t->n);
    }
    if (!rc)
        rc = vocab_check(v, e);
    free(mouse_of);
    free(gene);
    if (rc)
        vocab_release(v);
    return rc;
}
