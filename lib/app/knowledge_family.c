/* family: genes of one HGNC group; mouse genes by their homologs. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "lib/app/knowledge_source.h"
#include "lib/base/log.h"
#include "lib/base/map.h"
#include "lib/io/hgnc.h"

/* Cell Research 2024, Methods, "Gene family": families that the authors took from HGNC's download,
 * and what was left of them in mouse. */
static const int in_the_paper[2] = { 1645, 1539 };

/* The members of one species as {family, token}; m has room for all. Returns how many. */
static size_t members_of(const struct knowledge_source *s, const struct hgnc *h,
                         const int32_t *human, enum species sp, struct member *m)
{
    size_t n = 0;
    for (size_t i = 0; i < h->n_members; i++) {
        const int32_t t = human[h->member[i].item];
        const int32_t to = t < 0 || sp == SPECIES_HUMAN ? t : s->v->entry[t].homolog;
        if (to >= 0)
            m[n++] = (struct member){ h->member[i].group, (uint32_t)to };
    }
    return n;
}

static enum rc add_families(struct knowledge_source *s, const struct hgnc *h, const int32_t *human,
                            enum species sp, struct err *e)
{
    struct member *m = calloc(h->n_members + 1, sizeof *m);
    const size_t before = s->pairs.n;
    if (!m)
        return err_set(e, RC_FAIL, "no memory for %zu members of families", h->n_members);
    size_t n = members_of(s, h, human, sp, m);
    enum rc rc = pairs_of_groups(&s->pairs, m, &n, e);
    size_t families = 0, of_two = 0;
    for (size_t i = 0; i < n; i++) {
        const bool begins = i == 0 || m[i].group != m[i - 1].group;
        families += begins;
        of_two += begins && i + 1 < n && m[i + 1].group == m[i].group;
    }
    free(m);
    if (rc)
        return rc;
    log_say("%s: %zu families, %zu pairs", species_name(sp), families, s->pairs.n - before);
    json_array_append_new(
        s->list, json_pack("{s:s, s:I, s:I, s:i, s:I, s:I}", "species", species_name(sp),
                           "families", (json_int_t)families, "families_of_two_or_more",
                           (json_int_t)of_two, "families_in_the_paper", in_the_paper[sp], "members",
                           (json_int_t)n, "pairs", (json_int_t)(s->pairs.n - before)));
    return RC_OK;
}

/* Genes with a group that the vocabulary has not, and why the counts differ from the paper's. */
static void tell_file(struct knowledge_source *s, const struct hgnc *h, const int32_t *human)
{
    char why[256];
    json_t *list = json_array();
    size_t families = 0;
    struct map seen;
    map_init(&seen);
    for (size_t i = 0; i < h->n_members; i++) {
        char group[32];
        uint64_t old = 0;
        snprintf(group, sizeof group, "%llu", (unsigned long long)h->member[i].group);
        families += !map_add(&seen, group, 0, &old, NULL) && old == MAP_NONE;
    }
    map_release(&seen);
    for (size_t g = 0; list && g < h->n_genes; g++)
        if (human[g] < 0)
            json_array_append_new(list, json_string(h->symbol[g]));
    snprintf(why, sizeof why,
             "%zu of the %zu genes in this file are protein-coding: groups of RNA genes, "
             "pseudogenes and other loci are counted only as far as the rest goes; a mouse family "
             "has only genes with a one-to-one homolog",
             h->n_protein, h->n_docs);
    json_array_append_new(s->list,
                          json_pack("{s:I, s:I, s:I, s:I, s:s, s:o}", "families_in_file",
                                    (json_int_t)families, "genes_in_file", (json_int_t)h->n_docs,
                                    "genes_protein_coding", (json_int_t)h->n_protein,
                                    "genes_with_group", (json_int_t)h->n_genes,
                                    "why_not_the_paper_s_count", why, "unknown", list));
}

enum rc knowledge_add_families(struct knowledge_source *s, const char *hgnc_path, struct err *e)
{
    struct hgnc h;
    enum rc rc = hgnc_read(hgnc_path, &h, e);
    if (rc)
        return rc;
    int32_t *human = calloc(h.n_genes + 1, sizeof *human);
    if (!human)
        rc = err_set(e, RC_FAIL, "no memory for %zu genes", h.n_genes);
    for (size_t g = 0; !rc && g < h.n_genes; g++) {
        human[g] = h.ensembl[g] ? knowledge_token(s, SPECIES_HUMAN, h.ensembl[g]) : -1;
        if (human[g] < 0)
            human[g] = knowledge_token(s, SPECIES_HUMAN, h.symbol[g]);
    }
    for (int sp = 0; !rc && sp < 2; sp++)
        rc = add_families(s, &h, human, (enum species)sp, e);
    if (!rc)
        tell_file(s, &h, human);
    free(human);
    hgnc_release(&h);
    return rc;
}
