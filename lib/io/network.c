#include "lib/io/network.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/io/lines.h"

enum { MAX_FIELDS = 64 };

struct layout {
    char sep;
    size_t n_fields;
    int source, target, level; /* columns; level -1: none */
    bool header, peca2;
};

static bool is_one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcasecmp(text, *words) == 0)
            return true;
    return false;
}

static int find_column(char *const *field, size_t n, const char *const *words)
{
    for (size_t i = 0; i < n; i++)
        if (is_one_of(field[i], words))
            return (int)i;
    return -1;
}

static enum rc find_layout(const char *path, const char *line, struct layout *l, struct err *e)
{
    static const char *const source[] = { "source", "tf", "regulator", "gene1", NULL };
    static const char *const target[] = { "target", "gene_symbol", "gene", "tg", "gene2", NULL };
    static const char *const level[] = { "confidence", NULL };
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
        l->source = 0, l->target = 1, l->level = -1;
    return RC_OK;
}

struct reading {
    struct network_edge *at;
    size_t n, room;
};

static enum rc keep_row(struct network *n, struct reading *r, const char *from, const char *to,
                        struct err *e)
{
    if (r->n == r->room) {
        const size_t room = r->room ? 2 * r->room : 1024;
        struct network_edge *more = realloc(r->at, room * sizeof *more);
        if (!more)
            return err_set(e, RC_FAIL, "no memory for %zu pairs", room);
        r->at = more;
        r->room = room;
    }
    struct network_edge *o = &r->at[r->n];
    enum rc rc = names_add(&n->gene, from, &o->from, e);
    if (!rc)
        rc = names_add(&n->gene, to, &o->to, e);
    r->n += !rc;
    return rc;
}

static enum rc read_row(struct network *n, struct reading *r, const struct lines *l,
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
            n->n_left++;
            return RC_OK;
        }
    }
    n->n_rows++;
    return keep_row(n, r, from, to, e);
}

static enum rc read_lines(struct network *n, struct reading *r, struct lines *l, const char *levels,
                          struct err *e)
{
    struct layout a = { 0 };
    bool more = false;
    enum rc rc = lines_next(l, &more, e);
    if (!rc && !more)
        rc = err_set(e, RC_INPUT, "'%s' is empty", l->path);
    if (!rc)
        rc = find_layout(l->path, l->text, &a, e);
    n->peca2 = a.peca2;
    if (!rc && !a.header)
        rc = read_row(n, r, l, &a, levels, e);
    while (!rc && !(rc = lines_next(l, &more, e)) && more)
        if (l->n_bytes)
            rc = read_row(n, r, l, &a, levels, e);
    if (!rc && !n->n_rows)
        rc = err_set(e, RC_INPUT, "'%s' holds no pairs%s", l->path,
                     n->n_left ? " of these levels" : "");
    return rc;
}

static int compare(const void *x, const void *y)
{
    const struct network_edge *p = x, *q = y;
    if (p->from != q->from)
        return p->from < q->from ? -1 : 1;
    return (p->to > q->to) - (p->to < q->to);
}

static enum rc close_rows(struct network *n, struct reading *r, struct err *e)
{
    enum rc rc = RC_OK;
    qsort(r->at, r->n, sizeof *r->at, compare);
    for (size_t i = 0; !rc && i < r->n; i++) {
        if (n->n_directed && compare(&r->at[n->n_directed - 1], &r->at[i]) == 0)
            continue;
        r->at[n->n_directed++] = r->at[i];
        n->n_self += r->at[i].from == r->at[i].to;
        rc = pairs_add(&n->pairs, r->at[i].from, r->at[i].to, e);
    }
    pairs_distinct(&n->pairs);
    return rc;
}

enum rc network_read(const char *path, const char *levels, struct network *n, struct err *e)
{
    struct lines l;
    struct reading r = { 0 };
    *n = (struct network){ 0 };
    enum rc rc = lines_open(&l, path, e);
    if (rc)
        return rc;
    names_init(&n->gene);
    rc = read_lines(n, &r, &l, levels, e);
    lines_close(&l);
    if (!rc)
        rc = close_rows(n, &r, e);
    n->edge = r.at;
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
