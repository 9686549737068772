#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/grn_parts.h"
#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/io/network.h"
#include "lib/io/number.h"
#include "lib/io/sheet.h"
#include "lib/io/tables.h"

/* ---- genes ---- */

enum rc grn_genes_read(struct grn_genes *g, const char *vocab, struct err *e)
{
    struct vocab v;
    names_init(&g->id);
    map_init(&g->by_name);
    arena_init(&g->text, 1 << 14);
    g->symbol = NULL;
    enum rc rc = vocab_read(vocab, &v, e);
    if (rc)
        return rc;
    g->symbol = calloc(v.n + 1, sizeof *g->symbol);
    if (!g->symbol)
        rc = err_set(e, RC_FAIL, "no memory for %zu genes", v.n);
    /* Human genes stand first, so a symbol that both species have is the human gene's. */
    for (size_t t = TOKEN_FIRST_GENE; !rc && t < v.n; t++) {
        uint32_t k;
        rc = names_add(&g->id, v.entry[t].id, &k, e);
        if (!rc)
            rc = map_add(&g->by_name, v.entry[t].id, k, NULL, e);
        if (!rc && v.entry[t].name && *v.entry[t].name)
            rc = map_add(&g->by_name, v.entry[t].name, k, NULL, e);
        if (!rc &&
            !(g->symbol[k] = arena_text(
                  &g->text, v.entry[t].name && *v.entry[t].name ? v.entry[t].name : v.entry[t].id)))
            rc = err_set(e, RC_FAIL, "no memory for %zu genes", v.n);
    }
    vocab_release(&v);
    return rc;
}

void grn_genes_release(struct grn_genes *g)
{
    names_release(&g->id);
    map_release(&g->by_name);
    free(g->symbol);
    arena_release(&g->text);
}

uint32_t grn_gene(const struct grn_genes *g, const char *name)
{
    const uint64_t k = map_get(&g->by_name, name);
    return k == MAP_NONE ? UINT32_MAX : (uint32_t)k;
}

/* NAME=REST; *rest points into arg. */
static enum rc split_arg(const char *arg, const char *option, char **name, const char **rest,
                         struct err *e)
{
    const char *eq = strchr(arg, '=');
    if (!eq || eq == arg || !eq[1])
        return err_set(e, RC_USAGE, "%s wants NAME=PATH, not '%s'", option, arg);
    *name = text_new("%.*s", (int)(eq - arg), arg);
    *rest = eq + 1;
    return *name ? RC_OK : err_set(e, RC_FAIL, "no memory for a name");
}

/* ---- lists ---- */

static int by_link(const void *a, const void *b)
{
    const struct grn_link *x = a, *y = b;
    if (x->regulator != y->regulator)
        return x->regulator < y->regulator ? -1 : 1;
    if (x->target != y->target)
        return x->target < y->target ? -1 : 1;
    return (x->class > y->class) - (x->class < y->class);
}

static enum rc add_link(struct grn_list *l, size_t *room, struct grn_link x, struct err *e)
{
    if (l->n == *room) {
        const size_t more = 2 * *room + 256;
        struct grn_link *link = realloc(l->link, more * sizeof *link);
        if (!link)
            return err_set(e, RC_FAIL, "no memory for %zu links", more);
        l->link = link;
        *room = more;
    }
    l->link[l->n++] = x;
    return RC_OK;
}

static enum rc read_links(struct grn_list *l, const char *path, const char *levels,
                          const struct grn_genes *g, size_t *n_left, struct err *e)
{
    struct network_rows r;
    size_t room = 0;
    enum rc rc = network_rows_read(path, levels, &r, e);
    if (rc)
        return rc;
    for (size_t i = 0; !rc && i < r.n; i++) {
        const char *class = r.class.at[r.at[i].class];
        struct grn_link x = { grn_gene(g, r.gene.at[r.at[i].from]),
                              grn_gene(g, r.gene.at[r.at[i].to]), 0 };
        if (x.regulator == UINT32_MAX || x.target == UINT32_MAX) {
            ++*n_left;
            continue;
        }
        rc = names_add(&l->class, *class ? class : "targets", &x.class, e);
        if (!rc && x.regulator != x.target)
            rc = add_link(l, &room, x, e);
    }
    network_rows_release(&r);
    return rc;
}

static enum rc read_genes(struct grn_list *l, const char *path, const struct grn_genes *g,
                          size_t *n_left, struct err *e)
{
    struct lines f;
    bool more = true;
    size_t room = 0;
    struct grn_link x = { UINT32_MAX, 0, 0 };
    enum rc rc = lines_open(&f, path, e);
    if (rc)
        return rc;
    while (!rc && !(rc = lines_next(&f, &more, e)) && more) {
        if (!*f.text)
            continue;
        x.target = grn_gene(g, f.text);
        if (x.target == UINT32_MAX)
            ++*n_left;
        else
            rc = add_link(l, &room, x, e);
    }
    lines_close(&f);
    return rc;
}

enum rc grn_list_read(struct grn_list *l, const char *arg, bool links, const char *levels,
                      const struct grn_genes *g, size_t *n_left, struct err *e)
{
    const char *path;
    *l = (struct grn_list){ 0 };
    names_init(&l->class);
    *n_left = 0;
    enum rc rc = split_arg(arg, links ? "--targets" : "--against", &l->name, &path, e);
    if (!rc)
        rc = links ? read_links(l, path, levels, g, n_left, e) : read_genes(l, path, g, n_left, e);
    if (!rc && !l->n)
        rc = err_set(e, RC_INPUT, "'%s' names no gene of the vocabulary", path);
    if (rc)
        return rc;
    qsort(l->link, l->n, sizeof *l->link, by_link);
    size_t n = 1;
    for (size_t i = 1; i < l->n; i++)
        if (by_link(&l->link[n - 1], &l->link[i]) != 0)
            l->link[n++] = l->link[i];
    l->n = n;
    return RC_OK;
}

void grn_list_release(struct grn_list *l)
{
    free(l->name);
    free(l->link);
    names_release(&l->class);
    *l = (struct grn_list){ 0 };
}

/* ---- effects ---- */

void grn_method_release(struct grn_method *m)
{
    for (size_t i = 0; i < m->n; i++) {
        free(m->of[i].gene);
        free(m->of[i].score);
    }
    free(m->of);
    free(m->name);
    *m = (struct grn_method){ 0 };
}

/* "X", or with `pairs` "X+Y", to numbers of genes. */
static bool regulators_of(const char *ids, bool pairs, const struct grn_genes *g,
                          struct grn_scores *s)
{
    const char *plus = strchr(ids, '+');
    s->partner = UINT32_MAX;
    if (!plus || !pairs) {
        s->regulator = grn_gene(g, ids);
        return !plus && !pairs && s->regulator != UINT32_MAX;
    }
    char first[64];
    if ((size_t)(plus - ids) >= sizeof first)
        return false;
    snprintf(first, sizeof first, "%.*s", (int)(plus - ids), ids);
    s->regulator = grn_gene(g, first);
    s->partner = grn_gene(g, plus + 1); /* a third gene makes it no name */
    return s->regulator != UINT32_MAX && s->partner != UINT32_MAX;
}

/* Names of perturbations to places in m->of: those of one gene, or of two. */
static enum rc read_regulators(struct grn_method m[2], const char *folder, bool pairs,
                               const struct grn_genes *g, struct map *place, struct err *e)
{
    struct table t;
    char *path = text_new("%s/predictions.tsv", folder);
    enum rc rc = path ? tsv_read_need(path, "perturbation,genes", &t, e)
                      : err_set(e, RC_FAIL, "no memory for a path");
    free(path);
    if (rc)
        return rc;
    const struct column *name = table_find(&t, "perturbation"), *id = table_find(&t, "genes");
    for (int k = 0; k < 2; k++)
        m[k].of = calloc(t.n_rows + 1, sizeof *m[k].of);
    if (!m[0].of || !m[1].of)
        rc = err_set(e, RC_FAIL, "no memory for %zu regulators", t.n_rows);
    for (size_t i = 0; !rc && i < t.n_rows; i++) {
        struct grn_scores x = { 0 };
        if (!regulators_of(id->text[i], pairs, g, &x))
            continue;
        rc = map_add(place, name->text[i], m[0].n, NULL, e);
        m[0].of[m[0].n++] = x;
        m[1].of[m[1].n++] = x;
    }
    table_release(&t);
    return rc;
}

static enum rc add_score(struct grn_scores *s, size_t *room, uint32_t gene, double score,
                         struct err *e)
{
    if (s->n == *room) {
        const size_t more = 2 * *room + 256;
        uint32_t *to = realloc(s->gene, more * sizeof *to);
        if (to)
            s->gene = to;
        double *x = realloc(s->score, more * sizeof *x);
        if (x)
            s->score = x;
        if (!to || !x)
            return err_set(e, RC_FAIL, "no memory for %zu scores", more);
        *room = more;
    }
    s->gene[s->n] = gene;
    s->score[s->n++] = score;
    return RC_OK;
}

enum { COL_NAME, COL_GENE, COL_SHIFT, COL_Z, N_COLS };

static enum rc read_scores(struct grn_method m[2], const char *path, const struct grn_genes *g,
                           const struct map *place, struct err *e)
{
    static const char *const want[N_COLS] = { "perturbation", "gene", "shift", "z" };
    size_t col[N_COLS], last = SIZE_MAX, room[2] = { 0, 0 };
    struct sheet s;
    bool more = true;
    enum rc rc = sheet_open(&s, path, e);
    if (rc)
        return rc;
    for (int k = 0; !rc && k < N_COLS; k++) {
        for (col[k] = 0; col[k] < s.n_head && strcmp(s.head[col[k]], want[k]) != 0; col[k]++)
            ;
        if (col[k] == s.n_head || s.r_style)
            rc = err_set(e, RC_INPUT, "'%s' has no column '%s'", path, want[k]);
    }
    while (!rc && !(rc = sheet_next(&s, &more, e)) && more) {
        const uint64_t at = map_get(place, s.field[col[COL_NAME]]);
        const uint32_t gene = grn_gene(g, s.field[col[COL_GENE]]);
        double shift, z;
        if (at == MAP_NONE || gene == UINT32_MAX)
            continue;
        if (!number_parse(s.field[col[COL_SHIFT]], &shift)) {
            rc = err_set(e, RC_INPUT, "'%s' line %zu: '%s' is no shift", path, s.l.number,
                         s.field[col[COL_SHIFT]]);
            break;
        }
        if (at != last)
            room[0] = room[1] = 0;
        if (at != last && m[0].of[at].n)
            rc = err_set(e, RC_INPUT, "'%s' line %zu: '%s' comes in two pieces", path, s.l.number,
                         s.field[col[COL_NAME]]);
        last = (size_t)at;
        if (!rc)
            rc = add_score(&m[0].of[at], &room[0], gene, shift, e);
        if (!rc && number_parse(s.field[col[COL_Z]], &z))
            rc = add_score(&m[1].of[at], &room[1], gene, z, e);
    }
    sheet_close(&s);
    return rc;
}

/* What the run says of itself in metrics.tsv. */
static const char *variant_of(const char *folder)
{
    const char *variant = "clean";
    struct table t;
    char *path = text_new("%s/metrics.tsv", folder);
    if (path && !tsv_read(path, 0, &t, NULL)) {
        const struct column *c = table_find(&t, "variant");
        if (c && t.n_rows && strcmp(c->text[0], "as-released") == 0)
            variant = "as-released";
        table_release(&t);
    }
    free(path);
    return variant;
}

static enum rc read_effects(struct grn_method m[2], const char *arg, bool pairs,
                            const struct grn_genes *g, struct err *e)
{
    const char *folder = NULL;
    struct map place;
    m[0] = m[1] = (struct grn_method){ 0 };
    map_init(&place);
    enum rc rc = split_arg(arg, "--effects", &m[0].name, &folder, e);
    if (!rc && !(m[1].name = text_new("%s-z", m[0].name)))
        rc = err_set(e, RC_FAIL, "no memory for a name");
    if (!rc)
        rc = read_regulators(m, folder, pairs, g, &place, e);
    char *path = rc ? NULL : text_new("%s/effects.tsv", folder);
    if (!rc)
        rc =
            path ? read_scores(m, path, g, &place, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        m[0].variant = m[1].variant = variant_of(folder);
    free(path);
    map_release(&place);
    return rc;
}

enum rc grn_effects_read(struct grn_method m[2], const char *arg, const struct grn_genes *g,
                         struct err *e)
{
    return read_effects(m, arg, false, g, e);
}

enum rc grn_pairs_read(struct grn_method *m, const char *arg, const struct grn_genes *g,
                       struct err *e)
{
    struct grn_method both[2];
    const enum rc rc = read_effects(both, arg, true, g, e);
    *m = both[0];
    grn_method_release(&both[1]);
    return rc;
}
