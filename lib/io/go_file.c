#include "lib/io/go_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/io/lines.h"
#include "lib/io/number.h"

void go_file_release(struct go_file *g)
{
    names_release(&g->gene);
    free(g->first);
    free(g->term);
    free(g->from);
    free(g->to);
    free(g->weight);
    *g = (struct go_file){ 0 };
}

static int by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* A gene's terms, each once, behind those of the genes before it. */
static enum rc take_terms(struct go_file *g, const char *text, struct names *term, size_t *room,
                          struct err *e)
{
    const size_t from = g->first[g->gene.n - 1];
    size_t n = from;
    for (const char *at = text; at && *at;) {
        const size_t length = strcspn(at, ",;");
        char word[256];
        if (length >= sizeof word)
            return err_set(e, RC_INPUT, "a term of gene '%s' has %zu letters",
                           g->gene.at[g->gene.n - 1], length);
        memcpy(word, at, length);
        word[length] = '\0';
        at += length + (at[length] != '\0');
        if (!length)
            continue;
        if (n == *room) {
            const size_t more = 2 * *room + 1024;
            uint32_t *to = realloc(g->term, more * sizeof *to);
            if (!to)
                return err_set(e, RC_FAIL, "no memory for %zu terms", n);
            g->term = to;
            *room = more;
        }
        if (names_add(term, word, &g->term[n++], e))
            return RC_FAIL;
    }
    qsort(g->term + from, n - from, sizeof *g->term, by_number);
    size_t kept = from;
    for (size_t k = from; k < n; k++)
        if (kept == from || g->term[k] != g->term[kept - 1])
            g->term[kept++] = g->term[k];
    g->first[g->gene.n] = kept;
    return RC_OK;
}

static enum rc read_terms(struct go_file *g, const struct table *t, struct err *e)
{
    const struct column *gene = table_find(t, "gene"), *terms = table_find(t, "terms");
    struct names term;
    size_t room = 0;
    enum rc rc = RC_OK;
    names_init(&term);
    g->first = calloc(t->n_rows + 2, sizeof *g->first);
    g->term = calloc(1, sizeof *g->term);
    if (!g->first || !g->term)
        rc = err_set(e, RC_FAIL, "no memory for %zu genes", t->n_rows);
    for (size_t i = 0; !rc && i < t->n_rows; i++) {
        uint32_t number;
        const size_t before = g->gene.n;
        if (!gene->text[i] || !*gene->text[i])
            rc = err_set(e, RC_INPUT, "row %zu has no gene", i + 1);
        if (!rc)
            rc = names_add(&g->gene, gene->text[i], &number, e);
        if (!rc && g->gene.n == before)
            rc = err_set(e, RC_INPUT, "gene '%s' stands there twice", gene->text[i]);
        if (!rc)
            rc = take_terms(g, terms->text[i], &term, &room, e);
    }
    g->n_terms = term.n;
    names_release(&term);
    return rc;
}

struct edge {
    uint32_t from, to;
};

static int by_ends(const void *a, const void *b)
{
    const struct edge *x = a, *y = b;
    if (x->from != y->from)
        return x->from < y->from ? -1 : 1;
    return (x->to > y->to) - (x->to < y->to);
}

static enum rc refuse_twice(const struct go_file *g, struct err *e)
{
    struct edge *all = malloc((g->n_edges + 1) * sizeof *all);
    enum rc rc = all ? RC_OK : err_set(e, RC_FAIL, "no memory for %zu edges", g->n_edges);
    for (size_t k = 0; !rc && k < g->n_edges; k++)
        all[k] = (struct edge){ g->from[k], g->to[k] };
    if (!rc)
        qsort(all, g->n_edges, sizeof *all, by_ends);
    for (size_t k = 1; !rc && k < g->n_edges; k++)
        if (by_ends(&all[k - 1], &all[k]) == 0)
            rc = err_set(e, RC_INPUT, "the edge from '%s' to '%s' stands there twice",
                         g->gene.at[all[k].from], g->gene.at[all[k].to]);
    free(all);
    return rc;
}

static enum rc read_edges(struct go_file *g, const struct table *t, struct err *e)
{
    const struct column *from = table_find(t, "source"), *to = table_find(t, "target"),
                        *weight = table_find(t, "importance");
    g->edges = true;
    g->from = calloc(t->n_rows + 1, sizeof *g->from);
    g->to = calloc(t->n_rows + 1, sizeof *g->to);
    g->weight = calloc(t->n_rows + 1, sizeof *g->weight);
    enum rc rc = g->from && g->to && g->weight
                     ? RC_OK
                     : err_set(e, RC_FAIL, "no memory for %zu edges", t->n_rows);
    for (size_t i = 0; !rc && i < t->n_rows; i++) {
        if (!from->text[i] || !to->text[i] || !*from->text[i] || !*to->text[i])
            rc = err_set(e, RC_INPUT, "row %zu lacks an end", i + 1);
        if (!rc)
            rc = names_add(&g->gene, from->text[i], &g->from[i], e);
        if (!rc)
            rc = names_add(&g->gene, to->text[i], &g->to[i], e);
        if (!rc && (!weight->text[i] || !number_parse(weight->text[i], &g->weight[i]) ||
                    !(g->weight[i] > 0) || isinf(g->weight[i])))
            rc = err_set(e, RC_INPUT, "row %zu: importance '%.40s' is no number above 0", i + 1,
                         weight->text[i] ? weight->text[i] : "");
        g->n_edges = i + 1;
    }
    return rc ? rc : refuse_twice(g, e);
}

enum rc go_file_read(struct go_file *g, const char *path, struct err *e)
{
    struct table t;
    *g = (struct go_file){ 0 };
    names_init(&g->gene);
    if (tsv_read(path, 0, &t, e)) {
        go_file_release(g);
        return e ? e->rc : RC_INPUT;
    }
    enum rc rc;
    if (table_find(&t, "gene") && table_find(&t, "terms"))
        rc = read_terms(g, &t, e);
    else if (table_find(&t, "source") && table_find(&t, "target") && table_find(&t, "importance"))
        rc = read_edges(g, &t, e);
    else
        rc = err_set(e, RC_INPUT, "has neither columns gene, terms nor source, target, importance");
    if (!rc && !g->gene.n)
        rc = err_set(e, RC_INPUT, "has no gene");
    table_release(&t);
    if (!rc)
        return RC_OK;
    go_file_release(g);
    return err_wrap(e, "'%s'", path);
}
