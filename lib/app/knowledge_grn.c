/* grn: networks of regulators and their targets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/knowledge_source.h"
#include "lib/base/log.h"
#include "lib/io/network.h"

/* Cell Research 2024, Methods, "GRN": networks that PECA2 made from ENCODE's paired samples. */
static const int in_the_paper[2] = { 76, 84 };

int32_t knowledge_token(const struct knowledge_source *s, enum species sp, const char *name)
{
    const uint32_t row = gene_tables_find(s->tables, sp, name);
    const int32_t t = vocab_token(s->v, row == GENE_NONE ? name : s->tables->gene[row].id);
    return t >= 0 && s->v->entry[t].species == sp ? t : -1;
}

static void tokens_of(const struct knowledge_source *s, enum species sp, const struct network *n,
                      int32_t *to, size_t *found)
{
    *found = 0;
    for (size_t i = 0; i < n->gene.n; i++) {
        to[i] = knowledge_token(s, sp, n->gene.at[i]);
        *found += to[i] >= 0;
    }
}

/* A file is of the species that knows more of its names. */
static enum rc network_tokens(const struct knowledge_source *s, const struct network *n,
                              const char *path, int32_t *to, enum species *sp, size_t *found,
                              struct err *e)
{
    size_t human, mouse;
    tokens_of(s, SPECIES_MOUSE, n, to, &mouse);
    tokens_of(s, SPECIES_HUMAN, n, to, &human);
    if (human == mouse)
        return err_set(e, RC_INPUT,
                       "'%s': %zu of its %zu genes are known in human and as many in mouse", path,
                       human, n->gene.n);
    *sp = human > mouse ? SPECIES_HUMAN : SPECIES_MOUSE;
    tokens_of(s, *sp, n, to, found);
    return RC_OK;
}

/* Names that no gene of the vocabulary has, in order of the file. */
static json_t *unknown_names(const struct network *n, const int32_t *to)
{
    json_t *list = json_array();
    for (size_t i = 0; list && i < n->gene.n; i++)
        if (to[i] < 0)
            json_array_append_new(list, json_string(n->gene.at[i]));
    return list;
}

enum rc knowledge_add_network(struct knowledge_source *s, const char *path, const char *levels,
                              struct err *e)
{
    struct network n;
    struct pairs p = { 0 };
    enum species sp = SPECIES_UNKNOWN;
    size_t found = 0;
    enum rc rc = network_read(path, levels, &n, e);
    if (rc)
        return rc;
    int32_t *to = calloc(n.gene.n + 1, sizeof *to);
    rc = to ? network_tokens(s, &n, path, to, &sp, &found, e)
            : err_set(e, RC_FAIL, "no memory for %zu genes", n.gene.n);
    for (size_t i = 0; !rc && i < n.pairs.n; i++)
        if (to[n.pairs.at[i].a] >= 0 && to[n.pairs.at[i].b] >= 0)
            rc = pairs_add(&p, (uint32_t)to[n.pairs.at[i].a], (uint32_t)to[n.pairs.at[i].b], e);
    pairs_distinct(&p); /* two names of a gene make one pair */
    if (!rc)
        rc = pairs_append(&s->pairs, &p, e);
    if (!rc) {
        const char *slash = strrchr(path, '/');
        log_say("%s: %zu pairs, %s", path, p.n, species_name(sp));
        s->networks[sp]++;
        s->peca2[sp] += n.peca2;
        json_array_append_new(
            s->list, json_pack("{s:s, s:b, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}",
                               "file", slash ? slash + 1 : path, "peca2", (int)n.peca2, "species",
                               species_name(sp), "rows", (json_int_t)n.n_rows, "left_for_level",
                               (json_int_t)n.n_left, "directed", (json_int_t)n.n_directed, "self",
                               (json_int_t)n.n_self, "undirected", (json_int_t)n.pairs.n, "genes",
                               (json_int_t)n.gene.n, "genes_in_vocab", (json_int_t)found, "pairs",
                               (json_int_t)p.n, "unknown", unknown_names(&n, to)));
    }
    free(to);
    pairs_release(&p);
    network_release(&n);
    return rc;
}

void knowledge_tell_networks(struct knowledge_source *s)
{
    for (int sp = 0; sp < 2; sp++) {
        char why[320];
        const size_t other = s->networks[sp] - s->peca2[sp];
        snprintf(why, sizeof why,
                 "the paper's %d networks are published nowhere that is known here; %zu curated "
                 "lists of regulators and targets stand in for them%s",
                 in_the_paper[sp], other,
                 s->peca2[sp] ? ", beside PECA2 networks of the paired samples at hand"
                              : ", and no paired sample is at hand to make some");
        json_array_append_new(s->list,
                              json_pack("{s:s, s:I, s:I, s:i, s:s}", "species",
                                        species_name((enum species)sp), "networks",
                                        (json_int_t)s->networks[sp], "networks_of_peca2",
                                        (json_int_t)s->peca2[sp], "networks_of_peca2_in_the_paper",
                                        in_the_paper[sp], "why_not_the_paper_s_count", why));
    }
}
