#include "lib/cell/simulate_table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cell/simulate_draw.h"
#include "lib/cell/simulate_fill.h"

#define REF "mirror/gene_reference/"
#define GRN "mirror/prior_knowledge/grn/"
#define PRO "mirror/prior_knowledge/promoter/"

#define PAIRED(name, which)                                                                         \
    {                                                                                               \
        "mirror/paired/" name "/expression.tsv", SIM_T_PAIRED_EXPRESSION, which, '\t', true, false  \
    },                                                                                              \
        { "mirror/paired/" name "/elements.tsv", SIM_T_PAIRED_ELEMENTS, which, '\t', true, false }, \
        { "mirror/paired/" name "/binding.tsv", SIM_T_PAIRED_BINDING, which, '\t', true, false },   \
        { "mirror/paired/" name "/links.tsv", SIM_T_PAIRED_LINKS, which, '\t', true, false },       \
        { "mirror/paired/" name "/correlation.tsv",                                                 \
          SIM_T_PAIRED_CORRELATION,                                                                 \
          which,                                                                                    \
          '\t',                                                                                     \
          true,                                                                                     \
          false },                                                                                  \
    {                                                                                               \
        "mirror/paired/" name "/background.tsv", SIM_T_PAIRED_BACKGROUND, which, '\t', true, false  \
    }

const struct sim_file sim_files[] = {
    { REF "celltypist/GENCODEv44_Gene_id2name.csv", SIM_T_GENCODE_NAMES, 0, ',', false, false },
    { REF "cellxgene_gencode/genes_homo_sapiens.csv.gz", SIM_T_CELLXGENE, 0, ',', false, false },
    { REF "cellxgene_gencode/genes_mus_musculus.csv.gz", SIM_T_CELLXGENE, 1, ',', false, false },
    { REF "sclucid_biotypes/human_ensembl_latest.csv.gz", SIM_T_SCLUCID, 0, ',', true, false },
    { REF "sclucid_biotypes/mouse_ensembl_latest.csv.gz", SIM_T_SCLUCID, 1, ',', true, false },
    { REF "annotables/grch38.tsv.gz", SIM_T_ANNOTABLES, 0, '\t', true, false },
    { REF "annotables/grcm38.tsv.gz", SIM_T_ANNOTABLES, 1, '\t', true, false },
    { REF "biomart/mart_export_human.txt", SIM_T_MART_NAMES, 0, '\t', true, false },
    { REF "biomart/mart_export_mouse.txt", SIM_T_MART_NAMES, 1, '\t', true, false },
    { REF "genecompass/human_gene_names.txt", SIM_T_NAME_LIST, 0, '\t', false, false },
    { REF "genecompass/mouse_gene_names.txt", SIM_T_NAME_LIST, 1, '\t', false, false },
    { REF "tf_lists/lambert2018.txt", SIM_T_TF_LIST, 0, '\t', false, false },
    { REF "tf_lists/mm_mgi_tfs.txt", SIM_T_TF_LIST, 1, '\t', false, false },
    { REF "homologs/biomart_human_to_mouse.csv", SIM_T_MART_HOMOLOGS, 0, ',', true, false },
    { REF "homologs/biomart_mouse_to_human.csv", SIM_T_MART_HOMOLOGS, 1, ',', true, false },
    { REF "homologs/Ensembl105_Human2Mouse_Genes.csv", SIM_T_SYMBOL_PAIRS, 0, ',', false, false },
    { REF "hgnc/HGNC.json.gz", SIM_T_HGNC, 0, 0, false, false },
    { GRN "trrust_rawdata.human.tsv", SIM_T_TRRUST, 0, '\t', true, false },
    { GRN "trrust_rawdata.mouse.tsv", SIM_T_TRRUST, 1, '\t', true, false },
    { GRN "collectri_human.csv", SIM_T_COLLECTRI, 0, ',', true, true },
    { GRN "dorothea_hs_ABCD.tsv", SIM_T_DOROTHEA, 0, '\t', true, false },
    { GRN "dorothea_mm_ABCD.tsv", SIM_T_DOROTHEA, 1, '\t', true, false },
    { "mirror/genome/human.fa.gz", SIM_T_GENOME, 0, '\t', false, false },
    { "mirror/genome/mouse.fa.gz", SIM_T_GENOME, 1, '\t', false, false },
    { "mirror/genome/human.sites.tsv", SIM_T_SITES, 0, '\t', true, false },
    { "mirror/genome/mouse.sites.tsv", SIM_T_SITES, 1, '\t', true, false },
    { PRO "hs_pos_TATA.txt", SIM_T_PROMOTERS, 0, '\t', false, false },
    { PRO "mm_pos_TATA.txt", SIM_T_PROMOTERS, 1, '\t', false, false },
    PAIRED("human_0", 0),
    PAIRED("human_1", 1),
    PAIRED("mouse_0", 2),
    PAIRED("mouse_1", 3),
    { "truth/genes.tsv", SIM_T_GENES, 0, '\t', true, false },
    { "truth/homologs.tsv", SIM_T_HOMOLOGS, 0, '\t', true, false },
    { "truth/network.tsv", SIM_T_NETWORK, 0, '\t', true, false },
    { "truth/types.tsv", SIM_T_TYPES, 0, '\t', true, false },
    { "truth/cells.tsv", SIM_T_CELLS, 0, '\t', true, false },
    { "truth/doses.tsv.gz", SIM_T_DOSES, 0, '\t', true, false },
    { "truth/effects.tsv.gz", SIM_T_EFFECTS, 0, '\t', true, false },
    { "mirror/sc_human/sim_h1/labels.tsv", SIM_T_LABELS, 0, '\t', true, false },
    { "mirror/sc_human/sim_h2/labels.tsv", SIM_T_LABELS, 1, '\t', true, false },
    { "mirror/sc_mouse/sim_m1/labels.tsv", SIM_T_LABELS, 2, '\t', true, false },
    { "mirror/sc_mouse/sim_m2/labels.tsv", SIM_T_LABELS, 3, '\t', true, false },
};
const size_t sim_n_files = sizeof sim_files / sizeof sim_files[0];

/* Positions 8.. of a gene's own stream (0 and 1 are its base and dispersion). */
static double gene_unit(const struct sim *s, enum species sp, uint32_t gene, uint64_t pos)
{
    return sim_unit(s, DRAW_GENE + (unsigned)sp, gene, 8 + pos);
}

void sim_old_name(const struct sim *s, enum species sp, uint32_t gene, char name[SIM_TEXT])
{
    const struct sim_gene *g = &s->of[sp].gene[gene];
    if (gene_unit(s, sp, gene, 0) < 0.04)
        snprintf(name, SIM_TEXT, "%s%05u", sp == SPECIES_HUMAN ? "OLDSIM" : "Oldsim", gene + 1);
    else
        memcpy(name, g->name, SIM_TEXT);
}

bool sim_is_core(const struct sim *s, enum species sp, uint32_t gene)
{
    enum sim_biotype b = s->group[s->of[sp].gene[gene].group].biotype;
    return b != SIM_PSEUDO && b != SIM_MITO && gene_unit(s, sp, gene, 1) >= 0.02;
}

/* ---- gene tables ---- */

static enum rc gene_names(const struct sim *s, enum sim_table k, enum species sp, struct table *t,
                          struct err *e)
{
    const struct sim_species *a = &s->of[sp];
    struct fill f = fill_start(t, a->n_genes, "tt",
                               k == SIM_T_GENCODE_NAMES ? "id|name"
                               : sp == SPECIES_HUMAN    ? "Ensembl gene ID|Approved symbol"
                                                        : "Gene stable ID|Gene name",
                               e);
    for (uint32_t g = 0; g < a->n_genes; g++) {
        fill_text(&f, g, 0, "%s", a->gene[g].id);
        fill_text(&f, g, 1, "%s", a->gene[g].name);
    }
    return f.rc;
}

static void place(const struct sim *s, enum species sp, uint32_t gene, char chr[8], int64_t *start)
{
    const struct sim_group *q = &s->group[s->of[sp].gene[gene].group];
    const bool mito = q->biotype == SIM_MITO;
    snprintf(chr, 8, "%s", mito ? "MT" : "");
    if (!mito)
        snprintf(chr, 8, "%u", gene % 19 + 1);
    *start = mito ? 1000 * (int64_t)q->number : 100000 + 50000 * (int64_t)(gene / 19);
}

static enum rc gene_biotypes(const struct sim *s, enum sim_table k, enum species sp,
                             struct table *t, struct err *e)
{
    const struct sim_species *a = &s->of[sp];
    struct fill f =
        k == SIM_T_CELLXGENE
            ? fill_start(t, a->n_genes, "ttiit", "id|name|version|length|biotype", e)
        : k == SIM_T_SCLUCID
            ? fill_start(t, a->n_genes, "ttttii", "gene_id|gene_name|biotype|chromosome|start|end",
                         e)
            : fill_start(t, a->n_genes, "tittiiitt",
                         "ensgene|entrez|symbol|chr|start|end|strand|biotype|description", e);
    for (uint32_t g = 0; g < a->n_genes; g++) {
        const struct sim_gene *x = &a->gene[g];
        const char *biotype = sim_biotype_name(s->group[x->group].biotype);
        const int version = 1 + (int)(g % 7);
        char chr[8], old[SIM_TEXT];
        int64_t start = 0;
        place(s, sp, g, chr, &start);
        sim_old_name(s, sp, g, old);
        if (k == SIM_T_CELLXGENE) {
            fill_text(&f, g, 0, "%s", x->id);
            fill_text(&f, g, 1, "%s", x->name);
            fill_i64(&f, g, 2, version);
            fill_i64(&f, g, 3, 1000 + (int64_t)(g % 40) * 100);
            fill_text(&f, g, 4, "%s", biotype);
        } else if (k == SIM_T_SCLUCID) {
            fill_text(&f, g, 0, "%s.%d", x->id, version);
            fill_text(&f, g, 1, "%s", x->name);
            fill_text(&f, g, 2, "%s", biotype);
            fill_text(&f, g, 3, "chr%s", chr[0] == 'M' ? "M" : chr);
            fill_i64(&f, g, 4, start);
            fill_i64(&f, g, 5, start + 20000);
        } else {
            fill_text(&f, g, 0, "%s", x->id);
            fill_i64(&f, g, 1, 900000000 + (int64_t)g);
            fill_text(&f, g, 2, "%s", old);
            fill_text(&f, g, 3, "%s", chr);
            fill_i64(&f, g, 4, start);
            fill_i64(&f, g, 5, start + 20000);
            fill_i64(&f, g, 6, g % 2 ? -1 : 1);
            fill_text(&f, g, 7, "%s", biotype);
            fill_text(&f, g, 8, "simulated gene %u", g + 1);
        }
    }
    return f.rc;
}

static enum rc gene_list(const struct sim *s, enum sim_table k, enum species sp, struct table *t,
                         struct err *e)
{
    const struct sim_species *a = &s->of[sp];
    size_t n = 0;
    for (uint32_t g = 0; g < a->n_genes; g++)
        n += k == SIM_T_TF_LIST ? a->gene[g].tf >= 0 : sim_is_core(s, sp, g);
    struct fill f = fill_start(t, n, "t", "name", e);
    n = 0;
    for (uint32_t g = 0; g < a->n_genes; g++)
        if (k == SIM_T_TF_LIST ? a->gene[g].tf >= 0 : sim_is_core(s, sp, g))
            fill_text(&f, n++, 0, "%s", a->gene[g].name);
    return f.rc;
}

static enum rc hgnc(const struct sim *s, struct table *t, struct err *e)
{
    const struct sim_species *a = &s->of[SPECIES_HUMAN];
    size_t n = 0;
    for (uint32_t g = 0; g < a->n_genes; g++)
        n += s->group[a->gene[g].group].biotype == SIM_PROTEIN;
    struct fill f = fill_start(t, n, "ttit", "symbol|ensembl_gene_id|family|old", e);
    n = 0;
    for (uint32_t g = 0; g < a->n_genes; g++) {
        const struct sim_group *q = &s->group[a->gene[g].group];
        char old[SIM_TEXT];
        if (q->biotype != SIM_PROTEIN)
            continue;
        sim_old_name(s, SPECIES_HUMAN, g, old);
        fill_text(&f, n, 0, "%s", a->gene[g].name);
        fill_text(&f, n, 1, "%s", a->gene[g].id);
        fill_i64(&f, n, 2, q->family);
        fill_text(&f, n++, 3, "%s", strcmp(old, a->gene[g].name) != 0 ? old : "");
    }
    return f.rc;
}

/* ---- homologs ---- */

/* Calls fn for every pair, by human gene (from = human) or mouse gene; other is UINT32_MAX for a
 * gene alone. Returns the number of calls. */
static size_t each_pair(const struct sim *s, enum species from,
                        void (*fn)(const struct sim *, enum species, uint32_t, uint32_t, size_t,
                                   struct fill *),
                        struct fill *f)
{
    size_t n = 0;
    for (uint32_t g = 0; g < s->of[from].n_genes; g++) {
        const struct sim_group *q = &s->group[s->of[from].gene[g].group];
        uint32_t n_other = q->n[1 - from];
        for (uint32_t k = 0; k < (n_other ? n_other : 1); k++, n++)
            if (fn)
                fn(s, from, g, n_other ? q->first[1 - from] + k : UINT32_MAX, n, f);
    }
    return n;
}

static void put_mart(const struct sim *s, enum species from, uint32_t gene, uint32_t other,
                     size_t row, struct fill *f)
{
    const struct sim_gene *g = &s->of[from].gene[gene];
    fill_text(f, row, 0, "%s", g->id);
    fill_text(f, row, 1, "%s", g->name);
    for (size_t c = 2; c < 7; c++)
        fill_text(f, row, c, "%s", "");
    if (other == UINT32_MAX)
        return;
    const struct sim_gene *o = &s->of[1 - from].gene[other];
    const bool same = g->copy == o->copy;
    fill_text(f, row, 2, "%s", o->name);
    fill_text(f, row, 3, "%s", o->id);
    fill_text(f, row, 4, "%s", sim_homology_name(s->group[g->group].homology));
    fill_text(f, row, 5, "%d", same);
    fill_text(f, row, 6, "%d", same ? 100 : 25);
}

static void put_symbols(const struct sim *s, enum species from, uint32_t gene, uint32_t other,
                        size_t row, struct fill *f)
{
    fill_text(f, row, 0, "%s", s->of[from].gene[gene].name);
    fill_text(f, row, 1, "%s", other == UINT32_MAX ? "" : s->of[1 - from].gene[other].name);
}

static void put_homolog(const struct sim *s, enum species from, uint32_t gene, uint32_t other,
                        size_t row, struct fill *f)
{
    const struct sim_gene *g = &s->of[from].gene[gene];
    const struct sim_gene *o = other == UINT32_MAX ? NULL : &s->of[1 - from].gene[other];
    fill_text(f, row, 0, "%s", g->id);
    fill_text(f, row, 1, "%s", g->name);
    fill_text(f, row, 2, "%s", o ? o->id : "-");
    fill_text(f, row, 3, "%s", o ? o->name : "-");
    fill_text(f, row, 4, "%s", o ? sim_homology_name(s->group[g->group].homology) : "-");
    fill_i64(f, row, 5, o && sim_partner(s, from, gene) == other);
}

static enum rc homologs(const struct sim *s, enum sim_table k, enum species from, struct table *t,
                        struct err *e)
{
    static const char *const mart[] = {
        "Gene stable ID|Gene name|Mouse gene name|Mouse gene stable ID|Mouse homology type|"
        "Mouse orthology confidence [0 low, 1 high]|Mouse Gene-order conservation score",
        "Gene stable ID|Gene name|Human gene name|Human gene stable ID|Human homology type|"
        "Human orthology confidence [0 low, 1 high]|Human Gene-order conservation score"
    };
    size_t n = each_pair(s, from, NULL, NULL);
    struct fill f = k == SIM_T_MART_HOMOLOGS  ? fill_start(t, n, "ttttttt", mart[from], e)
                    : k == SIM_T_SYMBOL_PAIRS ? fill_start(t, n, "tt", "human|mouse", e)
                                              : fill_start(t, n, "ttttti",
                                                           "human_id|human_name|mouse_id|"
                                                           "mouse_name|type|pair",
                                                           e);
    each_pair(s, from,
              k == SIM_T_MART_HOMOLOGS  ? put_mart
              : k == SIM_T_SYMBOL_PAIRS ? put_symbols
                                        : put_homolog,
              &f);
    return f.rc;
}

enum rc sim_table_make(const struct sim *s, enum sim_table table, int which, struct table *t,
                       struct err *e)
{
    const enum species sp = which;
    *t = (struct table){ 0 };
    table_init(t, 0);
    enum rc rc = RC_OK;
    switch (table) {
    case SIM_T_GENCODE_NAMES:
    case SIM_T_MART_NAMES:
        rc = gene_names(s, table, sp, t, e);
        break;
    case SIM_T_CELLXGENE:
    case SIM_T_SCLUCID:
    case SIM_T_ANNOTABLES:
        rc = gene_biotypes(s, table, sp, t, e);
        break;
    case SIM_T_NAME_LIST:
    case SIM_T_TF_LIST:
        rc = gene_list(s, table, sp, t, e);
        break;
    case SIM_T_MART_HOMOLOGS:
    case SIM_T_SYMBOL_PAIRS:
    case SIM_T_HOMOLOGS:
        rc = homologs(s, table, sp, t, e);
        break;
    case SIM_T_HGNC:
        rc = hgnc(s, t, e);
        break;
    case SIM_T_TRRUST:
    case SIM_T_COLLECTRI:
    case SIM_T_DOROTHEA:
        rc = sim_published(s, table, sp, t, e);
        break;
    case SIM_T_GENOME:
        rc = sim_genome(s, sp, t, e);
        break;
    case SIM_T_SITES:
        rc = sim_sites(s, sp, t, e);
        break;
    case SIM_T_PROMOTERS:
        rc = sim_promoters(s, sp, t, e);
        break;
    case SIM_T_PAIRED_EXPRESSION:
    case SIM_T_PAIRED_ELEMENTS:
    case SIM_T_PAIRED_BINDING:
    case SIM_T_PAIRED_LINKS:
    case SIM_T_PAIRED_CORRELATION:
    case SIM_T_PAIRED_BACKGROUND:
        rc = sim_paired(s, table, which, t, e);
        break;
    case SIM_T_GENES:
        rc = sim_truth_genes(s, t, e);
        break;
    case SIM_T_NETWORK:
        rc = sim_truth_network(s, t, e);
        break;
    case SIM_T_TYPES:
        rc = sim_truth_types(s, t, e);
        break;
    case SIM_T_CELLS:
        rc = sim_truth_cells(s, t, e);
        break;
    case SIM_T_DOSES:
        rc = sim_truth_doses(s, t, e);
        break;
    case SIM_T_EFFECTS:
        rc = sim_truth_effects(s, t, e);
        break;
    case SIM_T_LABELS:
        rc = sim_truth_labels(s, (size_t)which, t, e);
        break;
    }
    if (rc)
        table_release(t);
    return rc;
}
