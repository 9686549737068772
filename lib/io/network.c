#include "lib/io/network.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/io/lines.h"

enum { MAX_FIELDS = 64 };

struct layout {
    char sep;
    size_t n_fields;
    int source, target, level, class; /* columns; -1: none */
    bool header, peca2;
};

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasecmp(text, *words) == 0)
            return true;
    return false;
}

/* The first of the words that is a column. */
static int find_column(char *const *field, size_t n, const char *const *words)
{
    for (; *words; words++)
        for (size_t i = 0; i < n; i++)
            if (strcasecmp(field[i], *words) == 0)
                return (int)i;
    return -1;
}

static enum rc find_layout(const char *path, const char *line, struct layout *l, struct err *e)
{
    static const char *const source[] = { "source", "tf", "regulator", "gene1", "tf_id", NULL };
    static const char *const target[] = { "target", "gene_symbol", "gene",    "tg",
                                          "gene2",  "target_id",   "gene_id", NULL };
    static const char *const level[] = { "confidence", NULL }, *const class[] = { "class", NULL };
    static const char *const tg[] = { "tg", NULL }, *const score[] = { "score", NULL };
    static const char *const trrust[] = { "Activation", "Repression", "Unknown", NULL };
    char *copy = strdup(line), *field[MAX_FIELDS] = { 0 };
    if (!copy)
        return err_set(e, RC_FAIL, "no memory for a line");
    l->sep = strchr(line, '\t') ? '\t' : strchr(line, ',') ? ',' : ' ';
    l->n_fields = fields_cut(copy, l->sep, field, MAX_FIELDS);
    const size_t n = l->n_fields < MAX_FIELDS ? l->n_fields : MAX_FIELDS;
    l->source = find_column(field, n, source);
    l->target = find_column(field, n, target);
    l->level = find_column(field, n, level);
    l->class = find_column(field, n, class);
    l->header = l->source >= 0 && l->target >= 0;
    l->peca2 =
        l->source >= 0 && find_column(field, n, tg) >= 0 && find_column(field, n, score) >= 0;
    const bool bare = n == 2 || (n > 2 && is_one_of(field[2], trrust));
    free(copy);
    if (l->n_fields > MAX_FIELDS)
        return err_set(e, RC_INPUT, "'%s': %zu columns", path, l->n_fields);
    if (!l->header && !bare)
        return err_set(e, RC_INPUT, "'%s': no columns of a regulator and its target in line 1",
                       path);
    if (!l->header)
        l->source = 0, l->target = 1, l->level = l->class = -1;
    return RC_OK;
}

static enum rc keep_row(struct network_rows *r, size_t *room, const char *from, const char *to,
                        const char *class, struct err *e)
{
    if (r->n == *room) {
        const size_t more = *room ? 2 * *room : 1024;
        struct network_row *at = realloc(r->at, more * sizeof *at);
        if (!at)
            return err_set(e, RC_FAIL, "no memory for %zu pairs", more);
        r->at = at;
        *room = more;
    }
    struct network_row *o = &r->at[r->n];
    enum rc rc = names_add(&r->gene, from, &o->from, e);
    if (!rc)
        rc = names_add(&r->gene, to, &o->to, e);
    if (!rc)
        rc = names_add(&r->class, class, &o->class, e);
    r->n += !rc;
    return rc;
}

static enum rc read_row(struct network_rows *r, size_t *room, const struct lines *l,
                        const struct layout *a, const char *levels, struct err *e)
{
    char *field[MAX_FIELDS];
    const size_t k = fields_cut(l->text, a->sep, field, MAX_FIELDS);
    if (k != a->n_fields)
        return err_set(e, RC_INPUT, "'%s': line %zu: %zu fields instead of %zu", l->path, l->number,
                       k, a->n_fields);
    const char *from = field[a->source], *to = field[a->target];
    if (!*from || !*to)
        return err_set(e, RC_INPUT, "'%s': line %zu: a gene without a name", l->path, l->number);
    if (a->level >= 0) {
        const char *level = field[a->level];
        if (strlen(level) != 1)
            return err_set(e, RC_INPUT, "'%s': line %zu: confidence '%s' is no letter", l->path,
                           l->number, level);
        if (levels && !strchr(levels, *level)) {
            r->n_left++;
            return RC_OK;
        }
    }
    return keep_row(r, room, from, to, a->class >= 0 ? field[a->class] : "", e);
}

static enum rc read_lines(struct network_rows *r, struct lines *l, const char *levels,
                          struct err *e)
{
    struct layout a = { 0 };
    size_t room = 0;
    bool more = false;
    enum rc rc = lines_next(l, &more, e);
    if (!rc && !more)
        rc = err_set(e, RC_INPUT, "'%s' is empty", l->path);
    if (!rc)
        rc = find_layout(l->path, l->text, &a, e);
    r->peca2 = a.peca2;
    if (!rc && !a.header)
        rc = read_row(r, &room, l, &a, levels, e);
    while (!rc && !(rc = lines_next(l, &more, e)) && more)
        if (l->n_bytes)
            rc = read_row(r, &room, l, &a, levels, e);
    if (!rc && !r->n)
        rc = err_set(e, RC_INPUT, "'%s' holds no pairs%s", l->path,
                     r->n_left ? " of these levels" : "");
    return rc;
}

static int compare(const void *x, const void *y)
{
    const struct network_edge *p = x, *q = y;
    if (p->from != q->from)
        return p->from < q->from ? -1 : 1;
    return (p->to > q->to) - (p->to < q->to);
}

enum rc network_rows_read(const char *path, const char *levels, struct network_rows *r,
                          struct err *e)
{
    struct lines l;
    *r = (struct network_rows){ 0 };
    enum rc rc = lines_open(&l, path, e);
    if (rc)
        return rc;
    names_init(&r->gene);
    names_init(&r->class);
    rc = read_lines(r, &l, levels, e);
    lines_close(&l);
    if (rc)
        network_rows_release(r);
    return rc;
}

void network_rows_release(struct network_rows *r)
{
    names_release(&r->gene);
    names_release(&r->class);
    free(r->at);
    *r = (struct network_rows){ 0 };
}

/* Distinct edges of the rows, whatever their class. */
static enum rc take_edges(struct network *n, const struct network_rows *r, struct err *e)
{
    enum rc rc = RC_OK;
    n->edge = malloc(r->n * sizeof *n->edge);
    if (!n->edge)
        return err_set(e, RC_FAIL, "no memory for %zu pairs", r->n);
    for (size_t i = 0; i < r->n; i++)
        n->edge[i] = (struct network_edge){ r->at[i].from, r->at[i].to };
    qsort(n->edge, r->n, sizeof *n->edge, compare);
    for (size_t i = 0; !rc && i < r->n; i++) {
        if (n->n_directed && compare(&n->edge[n->n_directed - 1], &n->edge[i]) == 0)
            continue;
        n->edge[n->n_directed++] = n->edge[i];
        n->n_self += n->edge[i].from == n->edge[i].to;
        rc = pairs_add(&n->pairs, n->edge[i].from, n->edge[i].to, e);
    }
    pairs_distinct(&n->pairs);
    return rc;
}

enum rc network_read(const char *path, const char *levels, struct network *n, struct err *e)
{
    struct network_rows r;
    *n = (struct network){ 0 };
    enum rc rc = network_rows_read(path, levels, &r, e);
    if (rc)
        return rc;
    n->n_rows = r.n;
    n->n_left = r.n_left;
    n->peca2 = r.peca2;
    rc = take_edges(n, &r, e);
    n->gene = r.gene; /* moves */
    r.gene = (struct names){ 0 };
    network_rows_release(&r);
    if (rc)
        network_release(n);
    return rc;
}

void network_release(struct network *n)
{
    names_release(&n->gene);
    pairs_release(&n->pairs);
    free(n->edge);
    *n = (struct network){ 0 };
}
