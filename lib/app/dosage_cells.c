/* Cells drawn, the genes that both halves show, where they stand. */
#include <stdlib.h>
#include <string.h>

#include "lib/app/dosage_parts.h"
#include "lib/base/log.h"
#include "lib/base/rng.h"
#include "lib/nn/gene_tune.h"

struct drawn_cell {
    uint64_t key, id;
    const struct batch_cell *cell;
};

static int by_key(const void *a, const void *b)
{
    const struct drawn_cell *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

/* Cells that show a gene with a label, in an order that depends on their ids and the seed alone. */
static enum rc draw_cells(struct dosage_job *j, const int8_t *labelled, struct batch_cell **cell,
                          size_t *n, struct err *e)
{
    struct drawn_cell *all = malloc((j->tokens.n + 1) * sizeof *all);
    *cell = malloc((j->tokens.n + 1) * sizeof **cell);
    *n = 0;
    if (!all || !*cell) {
        free(all);
        return err_set(e, RC_FAIL, "no memory for %zu cells", j->tokens.n);
    }
    for (size_t i = 0; i < j->tokens.n; i++) {
        const struct batch_cell *c = &j->tokens.cell[i];
        if (gene_occurrences(&j->m.model, c, 1, labelled, NULL, NULL))
            all[(*n)++] = (struct drawn_cell){ rng_u64(j->o->seed, RNG_SAMPLE, c->cell_id, 0),
                                               c->cell_id, c };
    }
    qsort(all, *n, sizeof *all, by_key);
    for (size_t i = 0; i < *n; i++)
        (*cell)[i] = *all[i].cell;
    free(all);
    return RC_OK;
}

/* How many cells of each half show each gene with a label. */
static void count_genes(struct dosage_job *j)
{
    const struct model *m = &j->m.model;
    for (size_t g = 0; g < j->genes.n; g++) {
        struct dosage_gene *x = &j->genes.gene[g];
        for (int h = 0; x->token >= 0 && h < 2; h++)
            for (size_t i = 0; i < j->half[h].n; i++) {
                const struct batch_cell *c = &j->half[h].cell[i];
                for (uint32_t k = 0; k < c->n && k < m->config.max_genes; k++)
                    if (c->token[k] == (uint16_t)x->token) {
                        (*(h ? &x->n_test : &x->n_train))++;
                        break;
                    }
            }
    }
}

static enum rc put_in_play(struct dosage_job *j, struct err *e)
{
    struct dosage_play *p = &j->play;
    const size_t n = j->genes.n, v = j->m.vocab.n;
    p->row = malloc((n + 1) * sizeof *p->row);
    p->class_of = malloc((n + 1) * sizeof *p->class_of);
    p->id = malloc((n + 1) * sizeof *p->id);
    p->at = calloc(v + 1, sizeof *p->at);
    if (!p->row || !p->class_of || !p->id || !p->at)
        return err_set(e, RC_FAIL, "no memory for %zu genes", n);
    memset(p->every, GENE_NO_CLASS, v);
    for (size_t i = 0; i < n; i++) {
        const struct dosage_gene *g = &j->genes.gene[i];
        if (!g->n_train || !g->n_test)
            continue;
        p->every[g->token] = 0;
        p->at[g->token] = (uint32_t)p->n;
        p->row[p->n] = i;
        p->id[p->n] = hash_text(g->id);
        p->class_of[p->n++] = g->class_of;
        p->n_sensitive += g->class_of;
    }
    if (!p->n)
        return err_set(e, RC_INPUT,
                       "no gene with a label is in both halves of the cells (%zu and %zu cells)",
                       j->half[0].n, j->half[1].n);
    const size_t least = p->n_sensitive < p->n - p->n_sensitive ? p->n_sensitive
                                                                 : p->n - p->n_sensitive;
    if (least < 3)
        return err_set(e, RC_INPUT,
                       "%zu genes that the cells show are sensitive and %zu are not: two folds "
                       "with both need three of each",
                       p->n_sensitive, p->n - p->n_sensitive);
    j->n_folds = (size_t)j->o->n_folds;
    if (j->n_folds > least - 1) { /* as the protocol has it */
        j->n_folds = least - 1;
        log_warn("%zu folds in place of %lld: a class has %zu genes that the cells show", j->n_folds,
                 (long long)j->o->n_folds, least);
    }
    return RC_OK;
}

static enum rc find_occurrences(struct dosage_job *j, struct dosage_half *h, struct err *e)
{
    const size_t d = j->m.model.config.d;
    h->n_rows = gene_occurrences(&j->m.model, h->cell, h->n, j->play.every, NULL, NULL);
    uint16_t *token = malloc((h->n_rows + 1) * sizeof *token);
    h->cell_of = malloc((h->n_rows + 1) * sizeof *h->cell_of);
    h->gene_of = malloc((h->n_rows + 1) * sizeof *h->gene_of);
    h->x = malloc((h->n_rows * d + 1) * sizeof *h->x);
    if (!token || !h->cell_of || !h->gene_of || !h->x) {
        free(token);
        return err_set(e, RC_FAIL, "no memory for %zu vectors", h->n_rows);
    }
    gene_occurrences(&j->m.model, h->cell, h->n, j->play.every, h->cell_of, token);
    for (size_t i = 0; i < h->n_rows; i++)
        h->gene_of[i] = j->play.at[token[i]];
    free(token);
    return RC_OK;
}

enum rc dosage_halves(struct dosage_job *j, struct err *e)
{
    struct batch_cell *cell = NULL;
    size_t n = 0;
    if (!(j->play.every = malloc(j->m.vocab.n + 1)))
        return err_set(e, RC_FAIL, "no memory for %zu genes", j->m.vocab.n);
    memset(j->play.every, GENE_NO_CLASS, j->m.vocab.n);
    for (size_t i = 0; i < j->genes.n; i++)
        if (j->genes.gene[i].token >= 0)
            j->play.every[j->genes.gene[i].token] = 0;
    enum rc rc = draw_cells(j, j->play.every, &cell, &n, e);
    if (rc)
        return rc;
    j->cell = cell;
    if (n < 2)
        return err_set(e, RC_INPUT, "no gene with a label is in two cells or more");
    const size_t each = n / 2 < (size_t)j->o->n_cells ? n / 2 : (size_t)j->o->n_cells;
    for (int h = 0; h < 2; h++) {
        j->half[h].cell = cell + (size_t)h * each;
        j->half[h].n = each;
    }
    count_genes(j);
    rc = put_in_play(j, e);
    for (int h = 0; !rc && h < 2; h++)
        rc = find_occurrences(j, &j->half[h], e);
    if (!rc)
        log_say("%zu cells to learn from and as many to judge in (%zu show a gene with a label); %zu genes in both, %zu of "
                "them sensitive, %zu times in the second half",
                each, n, j->play.n, j->play.n_sensitive, j->half[1].n_rows);
    return rc;
}

void dosage_classes(const struct dosage_job *j, bool shuffled, uint64_t seed, uint32_t *class_of)
{
    memcpy(class_of, j->play.class_of, j->play.n * sizeof *class_of);
    if (shuffled)
        rng_shuffle(seed, RNG_SHUFFLE, 0, class_of, j->play.n);
}
