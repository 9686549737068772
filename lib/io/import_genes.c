/* From features to genes: types, prefixes, versions, equal names. */
#include <string.h>
#include <strings.h>

#include "lib/base/map.h"
#include "lib/io/genes.h"
#include "lib/io/import_parts.h"

/* ---- feature types ---- */

static bool is_expression(const char *type)
{
    return strcasecmp(type, "Gene Expression") == 0;
}

/* Types of Cell Ranger and its kin that are no genes, for files without any gene. */
static bool is_other_assay(const char *type)
{
    static const char *const word[] = { "antibody", "crispr",  "multiplexing", "peaks", "antigen",
                                        "custom",   "protein", "hashtag",      "adt",   "hto" };
    for (size_t i = 0; i < sizeof word / sizeof *word; i++)
        for (const char *s = type; *s; s++)
            if (strncasecmp(s, word[i], strlen(word[i])) == 0)
                return true;
    return false;
}

static void count_type(struct import_report *rep, const char *type)
{
    size_t i = 0;
    rep->n_features_dropped++;
    while (i < rep->n_types && strncmp(rep->type[i].name, type, sizeof rep->type[i].name - 1) != 0)
        i++;
    if (i == IMPORT_MAX_TYPES)
        return;
    if (i == rep->n_types) {
        strncpy(rep->type[i].name, type, sizeof rep->type[i].name - 1);
        rep->n_types++;
    }
    rep->type[i].n++;
}

/* Where features are typed, the genes are those called "Gene Expression"; where none is called so,
 * all that no other assay measured. */
static bool keeps(const struct source *s, bool typed, size_t i)
{
    if (!s->type || !s->type[i])
        return true;
    return typed ? is_expression(s->type[i]) : !is_other_assay(s->type[i]);
}

static bool has_expression(const struct source *s)
{
    for (size_t i = 0; s->type && i < s->count.n_cols; i++)
        if (s->type[i] && is_expression(s->type[i]))
            return true;
    return false;
}

/* ---- names ---- */

static bool any_prefix(const char *const *text, size_t n, size_t seen[2])
{
    seen[0] = seen[1] = 0;
    for (size_t i = 0; i < n; i++) {
        enum species sp;
        if (text[i] && gene_prefix(text[i], &sp))
            seen[sp]++;
    }
    return (seen[0] + seen[1]) * 2 > n;
}

/* The name of feature i in the result: its id, without version; without prefix when cut. */
static const char *key_of(const struct source *s, size_t i, bool cut_prefix, struct arena *a,
                          struct import_report *rep)
{
    enum species sp;
    const char *text = s->id[i] && *s->id[i] ? s->id[i] : s->name && s->name[i] ? s->name[i] : "";
    size_t head = gene_prefix(text, &sp), id = gene_ensembl(text + head);
    if (cut_prefix && head) {
        rep->n_prefixes_cut++;
        text += head;
        head = 0;
    }
    if (!id || !text[head + id])
        return text;
    rep->n_versions_cut++;
    char *to = arena_get(a, head + id + 1);
    if (to) {
        memcpy(to, text, head + id);
        to[head + id] = '\0';
    }
    return to;
}

static enum rc add_gene(const struct source *s, size_t i, const char *key, bool mixture,
                        struct map *seen, struct gene_list *g, struct import_report *rep,
                        struct err *e)
{
    uint64_t old;
    if (map_add(seen, key, g->n, &old, e))
        return RC_FAIL;
    if (old != MAP_NONE) {
        g->col_to[i] = (uint32_t)old;
        rep->n_genes_merged++;
        return RC_OK;
    }
    enum species sp = SPECIES_UNKNOWN;
    if (mixture && !gene_prefix(s->id[i], &sp) && s->name)
        gene_prefix(s->name[i], &sp);
    g->gene[g->n] = key;
    g->name[g->n] = s->name && s->name[i] && *s->name[i] ? s->name[i] : s->id[i];
    g->species[g->n] = sp;
    g->col_to[i] = (uint32_t)g->n++;
    return RC_OK;
}

/* Files of others name symbols first and ids second, or both alike. */
static void ids_first(struct source *s, size_t n)
{
    if (!s->name || genes_ensembl_share(s->id, n) > 0.5 || genes_ensembl_share(s->name, n) <= 0.5)
        return;
    const char **swap = s->id;
    s->id = s->name;
    s->name = swap;
}

enum rc genes_resolve(struct source *s, struct gene_list *g, struct import_report *rep,
                      struct err *e)
{
    size_t n = s->count.n_cols, seen[2];
    *g = (struct gene_list){ 0 };
    g->gene = arena_get(&s->text, (n + 1) * sizeof *g->gene);
    g->name = arena_get(&s->text, (n + 1) * sizeof *g->name);
    g->species = arena_get(&s->text, (n + 1) * sizeof *g->species);
    g->col_to = arena_get(&s->text, (n + 1) * sizeof *g->col_to);
    if (!g->gene || !g->name || !g->species || !g->col_to)
        return err_set(e, RC_FAIL, "no memory for %zu genes", n);
    ids_first(s, n);
    bool prefixed = any_prefix(s->id, n, seen) || (s->name && any_prefix(s->name, n, seen));
    rep->mixture = prefixed && seen[0] && seen[1];
    bool typed = has_expression(s);
    struct map map;
    map_init(&map);
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < n; i++) {
        g->col_to[i] = UINT32_MAX;
        if (!keeps(s, typed, i)) {
            count_type(rep, s->type[i]);
            continue;
        }
        const char *key = key_of(s, i, prefixed && !rep->mixture, &s->text, rep);
        if (!key)
            rc = err_set(e, RC_FAIL, "no memory for %zu genes", n);
        else if (!*key)
            rc = err_set(e, RC_INPUT, "feature %zu has no name", i + 1);
        else
            rc = add_gene(s, i, key, rep->mixture, &map, g, rep, e);
    }
    map_release(&map);
    if (!rc && g->n == 0)
        rc = err_set(e, RC_INPUT, n ? "none of the %zu features is a gene" : "there are %zu genes",
                     n);
    return rc;
}
