#include "lib/io/gmt.h"

#include <stdlib.h>
#include <string.h>

#include "lib/io/lines.h"

enum { BLOCK = 1 << 16 };

void gene_sets_release(struct gene_sets *s)
{
    free(s->set);
    arena_release(&s->memory);
    *s = (struct gene_sets){ 0 };
}

static bool has(const struct gene_set *s, uint32_t gene)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->gene[i] == gene)
            return true;
    return false;
}

static enum rc add_set(struct gene_sets *s, struct lines *l, char **field, size_t n_fields,
                       const struct map *genes, struct err *e)
{
    if (n_fields < 2 || !*field[0])
        return err_set(e, RC_INPUT, "'%s': line %zu is no gene set (name, description, genes)",
                       l->path, l->number);
    if (s->n == s->room) {
        const size_t more = s->room ? 2 * s->room : 64;
        struct gene_set *set = realloc(s->set, more * sizeof *set);
        if (!set)
            return err_set(e, RC_FAIL, "no memory for %zu gene sets", more);
        s->set = set;
        s->room = more;
    }
    struct gene_set x = { .name = arena_text(&s->memory, field[0]),
                          .gene = arena_get(&s->memory, n_fields * sizeof *x.gene) };
    if (!x.name || !x.gene)
        return err_set(e, RC_FAIL, "no memory for gene set %zu", s->n);
    for (size_t i = 2; i < n_fields; i++) {
        const uint64_t g = map_get(genes, field[i]);
        x.n_listed += *field[i] != '\0';
        if (g != MAP_NONE && !has(&x, (uint32_t)g))
            x.gene[x.n++] = (uint32_t)g;
    }
    s->set[s->n++] = x;
    return RC_OK;
}

enum rc gmt_read(const char *path, const struct map *genes, struct gene_sets *s, struct err *e)
{
    struct lines l;
    bool more = false;
    *s = (struct gene_sets){ 0 };
    arena_init(&s->memory, BLOCK);
    enum rc rc = lines_open(&l, path, e);
    if (rc) {
        gene_sets_release(s);
        return rc;
    }
    while (!rc && !(rc = lines_next(&l, &more, e)) && more) {
        size_t n_tabs = 0;
        for (const char *at = l.text; *at; at++)
            n_tabs += *at == '\t';
        char **field = malloc((n_tabs + 1) * sizeof *field);
        if (!*l.text || !field) {
            rc = field ? RC_OK : err_set(e, RC_FAIL, "no memory for a line");
            free(field);
            continue;
        }
        rc = add_set(s, &l, field, fields_cut(l.text, '\t', field, n_tabs + 1), genes, e);
        free(field);
    }
    lines_close(&l);
    if (!rc && !s->n)
        rc = err_set(e, RC_INPUT, "'%s' has no gene set", path);
    if (rc)
        gene_sets_release(s);
    return rc;
}
