#include "lib/cell/simulate_table.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/cell/simulate_draw.h"

#define REF "mirror/gene_reference/"
#define GRN "mirror/prior_knowledge/grn/"

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

/* ---- what the lists know ---- */

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

static bool is_edge(const struct sim_species *a, uint32_t tf, uint32_t target)
{
    for (size_t i = a->edge_at[target]; i < a->edge_at[target + 1]; i++)
        if (a->edge[i].tf == tf)
            return true;
    return false;
}

static void draw_listed(const struct sim *s, enum species sp, struct sim_listed *x)
{
    const unsigned what = DRAW_LISTED + (unsigned)sp;
    const uint64_t at = (uint64_t)x->target * 8;
    if (x->real && sim_unit(s, what, x->tf, at) < 0.2)
        return; /* held out: a method may find it, a list does not tell it */
    x->trrust = sim_unit(s, what, x->tf, at + 1) < 0.7;
    x->collectri = sp == SPECIES_HUMAN && sim_unit(s, what, x->tf, at + 2) < 0.8;
    x->dorothea = sim_unit(s, what, x->tf, at + 3) < 0.6 || !(x->trrust || x->collectri);
}

static int by_tf(const void *pa, const void *pb)
{
    const struct sim_listed *a = pa, *b = pb;
    if (a->tf != b->tf)
        return a->tf < b->tf ? -1 : 1;
    return (a->target > b->target) - (a->target < b->target);
}

enum rc sim_listed_edges(const struct sim *s, enum species sp, struct sim_listed **edge, size_t *n,
                         struct err *e)
{
    const struct sim_species *a = &s->of[sp];
    const size_t n_false = a->n_edges * 15 / 100;
    *n = 0;
    *edge = calloc(a->n_edges + n_false + 1, sizeof **edge);
    if (!*edge)
        return err_set(e, RC_FAIL, "no memory for %zu edges", a->n_edges);
    for (size_t i = 0; i < a->n_edges; i++) {
        const struct sim_edge *x = &a->edge[i];
        (*edge)[(*n)++] = (struct sim_listed){ .tf = x->tf,
                                               .target = x->target,
                                               .sign = x->sign,
                                               .weight = x->weight,
                                               .real = true,
                                               .shared = x->shared };
    }
    /* False edges: any TF, any gene that it does not regulate. */
    for (uint64_t i = 0; i < n_false; i++) {
        const unsigned what = DRAW_LISTED + (unsigned)sp;
        const uint64_t at = (1ull << 40) + 4 * i;
        struct sim_listed x = { .tf = (uint32_t)sim_below(s, what, 0, at, a->n_tfs),
                                .target = (uint32_t)sim_below(s, what, 0, at + 1, a->n_genes),
                                .sign = sim_unit(s, what, 0, at + 2) < 0.75 ? 1 : -1 };
        if (x.target != a->tf_gene[x.tf] && !is_edge(a, x.tf, x.target))
            (*edge)[(*n)++] = x;
    }
    qsort(*edge, *n, sizeof **edge, by_tf);
    size_t kept = 0; /* the same false edge may be drawn twice */
    for (size_t i = 0; i < *n; i++)
        if (!kept || by_tf(&(*edge)[kept - 1], &(*edge)[i]) != 0)
            (*edge)[kept++] = (*edge)[i];
    *n = kept;
    for (size_t i = 0; i < *n; i++)
        draw_listed(s, sp, &(*edge)[i]);
    return RC_OK;
}

/* ---- filling tables ---- */

/* The first trouble stays; what follows does nothing. */
struct fill {
    struct table *t;
    struct err *e;
    enum rc rc;
};

/* kinds: one letter a column, t text, i whole number, f number; names: cut at each |. */
static struct fill fill_start(struct table *t, size_t n_rows, const char *kinds, const char *names,
                              struct err *e)
{
    struct fill f = { t, e, RC_OK };
    table_init(t, n_rows);
    char buf[512];
    snprintf(buf, sizeof buf, "%s", names);
    char *save = NULL, *name = strtok_r(buf, "|", &save);
    for (; *kinds && !f.rc; kinds++, name = strtok_r(NULL, "|", &save)) {
        enum column_kind k = *kinds == 't' ? COLUMN_TEXT : *kinds == 'i' ? COLUMN_I64 : COLUMN_F64;
        if (!table_add(t, name, k))
            f.rc = err_set(e, RC_FAIL, "no memory for a table of %zu rows", n_rows);
    }
    return f;
}

__attribute__((format(printf, 4, 5))) static void put(struct fill *f, size_t row, size_t col,
                                                      const char *fmt, ...)
{
    char text[256];
    va_list ap;
    if (f->rc)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    f->rc = table_set_text(f->t, &f->t->col[col], row, text, f->e);
}

static void put_i(struct fill *f, size_t row, size_t col, int64_t v)
{
    if (!f->rc)
        f->t->col[col].i64[row] = v;
}

static void put_f(struct fill *f, size_t row, size_t col, double v)
{
    if (!f->rc)
        f->t->col[col].f64[row] = v;
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
        put(&f, g, 0, "%s", a->gene[g].id);
        put(&f, g, 1, "%s", a->gene[g].name);
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
            put(&f, g, 0, "%s", x->id);
            put(&f, g, 1, "%s", x->name);
            put_i(&f, g, 2, version);
            put_i(&f, g, 3, 1000 + (int64_t)(g % 40) * 100);
            put(&f, g, 4, "%s", biotype);
        } else if (k == SIM_T_SCLUCID) {
            put(&f, g, 0, "%s.%d", x->id, version);
            put(&f, g, 1, "%s", x->name);
            put(&f, g, 2, "%s", biotype);
            put(&f, g, 3, "chr%s", chr[0] == 'M' ? "M" : chr);
            put_i(&f, g, 4, start);
            put_i(&f, g, 5, start + 20000);
        } else {
            put(&f, g, 0, "%s", x->id);
            put_i(&f, g, 1, 900000000 + (int64_t)g);
            put(&f, g, 2, "%s", old);
            put(&f, g, 3, "%s", chr);
            put_i(&f, g, 4, start);
            put_i(&f, g, 5, start + 20000);
            put_i(&f, g, 6, g % 2 ? -1 : 1);
            put(&f, g, 7, "%s", biotype);
            put(&f, g, 8, "simulated gene %u", g + 1);
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
            put(&f, n++, 0, "%s", a->gene[g].name);
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
        put(&f, n, 0, "%s", a->gene[g].name);
        put(&f, n, 1, "%s", a->gene[g].id);
        put_i(&f, n, 2, q->family);
        put(&f, n++, 3, "%s", strcmp(old, a->gene[g].name) != 0 ? old : "");
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
    put(f, row, 0, "%s", g->id);
    put(f, row, 1, "%s", g->name);
    for (size_t c = 2; c < 7; c++)
        put(f, row, c, "%s", "");
    if (other == UINT32_MAX)
        return;
    const struct sim_gene *o = &s->of[1 - from].gene[other];
    const bool same = g->copy == o->copy;
    put(f, row, 2, "%s", o->name);
    put(f, row, 3, "%s", o->id);
    put(f, row, 4, "%s", sim_homology_name(s->group[g->group].homology));
    put(f, row, 5, "%d", same);
    put(f, row, 6, "%d", same ? 100 : 25);
}

static void put_symbols(const struct sim *s, enum species from, uint32_t gene, uint32_t other,
                        size_t row, struct fill *f)
{
    put(f, row, 0, "%s", s->of[from].gene[gene].name);
    put(f, row, 1, "%s", other == UINT32_MAX ? "" : s->of[1 - from].gene[other].name);
}

static void put_homolog(const struct sim *s, enum species from, uint32_t gene, uint32_t other,
                        size_t row, struct fill *f)
{
    const struct sim_gene *g = &s->of[from].gene[gene];
    const struct sim_gene *o = other == UINT32_MAX ? NULL : &s->of[1 - from].gene[other];
    put(f, row, 0, "%s", g->id);
    put(f, row, 1, "%s", g->name);
    put(f, row, 2, "%s", o ? o->id : "-");
    put(f, row, 3, "%s", o ? o->name : "-");
    put(f, row, 4, "%s", o ? sim_homology_name(s->group[g->group].homology) : "-");
    put_i(f, row, 5, o && sim_partner(s, from, gene) == other);
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

/* ---- network ---- */

static bool in_list(const struct sim_listed *x, enum sim_table k)
{
    return k == SIM_T_TRRUST ? x->trrust : k == SIM_T_COLLECTRI ? x->collectri : x->dorothea;
}

/* An edge as the list k writes it. u: a draw of the edge's own. */
static void put_listed(struct fill *f, size_t row, enum sim_table k, const char *tf,
                       const char *target, const struct sim_listed *x, double u)
{
    put(f, row, 0, "%s", tf);
    put(f, row, k == SIM_T_DOROTHEA ? 2 : 1, "%s", target);
    if (k == SIM_T_TRRUST) {
        put(f, row, 2, "%s", u < 0.2 ? "Unknown" : x->sign > 0 ? "Activation" : "Repression");
        put_i(f, row, 3, 90000000 + (int64_t)row); /* where real lists have PubMed ids */
    } else if (k == SIM_T_COLLECTRI) {
        put_i(f, row, 2, x->sign);
    } else {
        put(f, row, 1, "%c", "ABCD"[(int)(4 * u)]);
        put_i(f, row, 3, x->sign);
    }
}

static enum rc published(const struct sim *s, enum sim_table k, enum species sp, struct table *t,
                         struct err *e)
{
    const struct sim_species *a = &s->of[sp];
    struct sim_listed *x = NULL;
    size_t n = 0, n_rows = 0, row = 0;
    if (sim_listed_edges(s, sp, &x, &n, e))
        return e->rc;
    for (size_t i = 0; i < n; i++)
        n_rows += in_list(&x[i], k);
    struct fill f =
        k == SIM_T_TRRUST ? fill_start(t, n_rows, "ttti", "TF|gene_symbol|interaction|position", e)
        : k == SIM_T_COLLECTRI ? fill_start(t, n_rows, "tti", "source|target|weight", e)
                               : fill_start(t, n_rows, "ttti", "tf|confidence|target|mor", e);
    for (size_t i = 0; i < n; i++)
        if (in_list(&x[i], k))
            put_listed(&f, row++, k, a->gene[a->tf_gene[x[i].tf]].name, a->gene[x[i].target].name,
                       &x[i],
                       sim_unit(s, DRAW_LISTED + (unsigned)sp, x[i].tf, 8ull * x[i].target + 4));
    free(x);
    return f.rc;
}

/* Which of the three lists have the edge. */
static const char *list_names(const struct sim_listed *x)
{
    static const char *const name[] = {
        "-",        "trrust",          "collectri",          "trrust,collectri",
        "dorothea", "trrust,dorothea", "collectri,dorothea", "trrust,collectri,dorothea"
    };
    return name[x->trrust + 2 * x->collectri + 4 * x->dorothea];
}

static enum rc network(const struct sim *s, struct table *t, struct err *e)
{
    struct sim_listed *x[2] = { NULL, NULL };
    size_t n[2] = { 0, 0 };
    if (sim_listed_edges(s, 0, &x[0], &n[0], e) || sim_listed_edges(s, 1, &x[1], &n[1], e)) {
        free(x[0]);
        return e->rc;
    }
    struct fill f = fill_start(t, n[0] + n[1], "tttttifiiit",
                               "species|tf_id|tf|target_id|target|sign|weight|real|shared|held_out"
                               "|listed",
                               e);
    size_t r = 0;
    for (int sp = 0; sp < 2; sp++)
        for (size_t i = 0; i < n[sp]; i++, r++) {
            const struct sim_species *a = &s->of[sp];
            const struct sim_listed *y = &x[sp][i];
            const struct sim_gene *tf = &a->gene[a->tf_gene[y->tf]], *to = &a->gene[y->target];
            put(&f, r, 0, "%s", species_name(sp));
            put(&f, r, 1, "%s", tf->id);
            put(&f, r, 2, "%s", tf->name);
            put(&f, r, 3, "%s", to->id);
            put(&f, r, 4, "%s", to->name);
            put_i(&f, r, 5, y->sign);
            put_f(&f, r, 6, y->weight);
            put_i(&f, r, 7, y->real);
            put_i(&f, r, 8, y->shared);
            put_i(&f, r, 9, !y->trrust && !y->collectri && !y->dorothea);
            put(&f, r, 10, "%s", list_names(y));
        }
    free(x[0]);
    free(x[1]);
    return f.rc;
}

/* ---- truth ---- */

static enum rc genes(const struct sim *s, struct table *t, struct err *e)
{
    struct fill f = fill_start(t, s->of[0].n_genes + s->of[1].n_genes, "tttitiiiffti",
                               "id|name|species|group|biotype|family|tf|core|base|dispersion|"
                               "partner|mito",
                               e);
    size_t r = 0;
    for (int sp = 0; sp < 2; sp++)
        for (uint32_t g = 0; g < s->of[sp].n_genes; g++, r++) {
            const struct sim_gene *x = &s->of[sp].gene[g];
            const struct sim_group *q = &s->group[x->group];
            const uint32_t o = sim_partner(s, sp, g);
            put(&f, r, 0, "%s", x->id);
            put(&f, r, 1, "%s", x->name);
            put(&f, r, 2, "%s", species_name(sp));
            put_i(&f, r, 3, (int64_t)x->group + 1);
            put(&f, r, 4, "%s", sim_biotype_name(q->biotype));
            put_i(&f, r, 5, q->family < 0 ? -1 : q->family + 1);
            put_i(&f, r, 6, x->tf < 0 ? -1 : x->tf + 1);
            put_i(&f, r, 7, sim_is_core(s, sp, g));
            put_f(&f, r, 8, x->base);
            put_f(&f, r, 9, x->dispersion);
            put(&f, r, 10, "%s", o == UINT32_MAX ? "-" : s->of[1 - sp].gene[o].id);
            put_i(&f, r, 11, q->biotype == SIM_MITO);
        }
    return f.rc;
}

static enum rc types(const struct sim *s, struct table *t, struct err *e)
{
    struct fill f = fill_start(t, s->opt.n_types, "tttii",
                               "type|human_masters|mouse_masters|"
                               "human_cells|mouse_cells",
                               e);
    for (size_t c = 0; c < s->opt.n_types; c++) {
        char name[SIM_TEXT], list[2][256] = { "", "" };
        int64_t n[2] = { 0, 0 };
        sim_type_name(c, name);
        for (int sp = 0; sp < 2; sp++)
            for (size_t j = 0, at = 0; j < s->of[sp].n_tfs; j++)
                if (sim_master_type(s, j) == (int)c)
                    at +=
                        (size_t)snprintf(list[sp] + at, sizeof list[sp] - at, "%s%s", at ? " " : "",
                                         s->of[sp].gene[s->of[sp].tf_gene[j]].name);
        for (size_t i = 0; i < s->opt.n_cells; i++)
            n[s->sample[s->cell[i].sample].species] += s->cell[i].type == c;
        put(&f, c, 0, "%s", name);
        put(&f, c, 1, "%s", list[0]);
        put(&f, c, 2, "%s", list[1]);
        put_i(&f, c, 3, n[0]);
        put_i(&f, c, 4, n[1]);
    }
    return f.rc;
}

static enum rc cells(const struct sim *s, struct table *t, struct err *e)
{
    struct fill f = fill_start(t, s->opt.n_cells, "ttttttff",
                               "sample|barcode|species|type|second_type|state|library|mito", e);
    for (size_t i = 0; i < s->opt.n_cells; i++) {
        const struct sim_cell *c = &s->cell[i];
        char name[SIM_TEXT], second[SIM_TEXT];
        sim_type_name(c->type, name);
        sim_type_name(c->type_2, second);
        put(&f, i, 0, "%s", s->sample[c->sample].name);
        put(&f, i, 1, "%s", c->barcode);
        put(&f, i, 2, "%s", species_name(s->sample[c->sample].species));
        put(&f, i, 3, "%s", name);
        put(&f, i, 4, "%s", c->state == SIM_DOUBLET ? second : "-");
        put(&f, i, 5, "%s", sim_state_name(c->state));
        put_f(&f, i, 6, c->library);
        put_f(&f, i, 7, c->mito);
    }
    return f.rc;
}

/* One line per cell: the dose of each TF number, so that a target can be compared with its cause
 * instead of with the cause's noisy message. */
static enum rc doses(const struct sim *s, struct table *t, struct err *e)
{
    struct fill f = fill_start(t, s->opt.n_cells, "tt", "sample|barcode", e);
    double *dose = calloc(s->opt.n_tfs, sizeof *dose);
    if (!f.rc && !dose)
        f.rc = err_set(e, RC_FAIL, "no memory for %zu doses", s->opt.n_tfs);
    for (size_t j = 0; j < s->opt.n_tfs && !f.rc; j++) {
        char name[SIM_TEXT];
        snprintf(name, sizeof name, "tf_%zu", j + 1);
        if (!table_add(t, name, COLUMN_F64))
            f.rc = err_set(e, RC_FAIL, "no memory for %zu doses", s->opt.n_tfs);
    }
    for (size_t i = 0; i < s->opt.n_cells && !f.rc; i++) {
        const struct sim_cell *c = &s->cell[i];
        put(&f, i, 0, "%s", s->sample[c->sample].name);
        put(&f, i, 1, "%s", c->barcode);
        sim_doses(s, s->sample[c->sample].species, c->type, i, -1, dose);
        for (size_t j = 0; j < s->opt.n_tfs; j++)
            put_f(&f, i, 2 + j, dose[j]);
    }
    free(dose);
    return f.rc;
}

/* Which genes does deleting each TF move, and how far? log2 fold in each type's typical cell; genes
 * that no type sees moved are left out. direct: an edge; else through another TF. */
static enum rc effects_of(const struct sim *s, enum species sp, size_t tf, double *fold,
                          unsigned char *moved, struct fill *f, size_t *row)
{
    const struct sim_species *a = &s->of[sp];
    const size_t n = a->n_genes;
    memset(moved, 0, n);
    for (size_t c = 0; c < s->opt.n_types; c++) {
        if (sim_effect(s, sp, c, tf, fold + c * n, f->e))
            return f->rc = f->e->rc;
        for (size_t g = 0; g < n; g++)
            moved[g] = moved[g] || fabs(fold[c * n + g]) > 1e-6;
    }
    for (uint32_t g = 0; g < n; g++) {
        if (!moved[g])
            continue;
        size_t r = (*row)++;
        if (f->t) {
            put(f, r, 0, "%s", species_name(sp));
            put(f, r, 1, "%s", a->gene[a->tf_gene[tf]].id);
            put(f, r, 2, "%s", a->gene[g].id);
            put_i(f, r, 3, is_edge(a, (uint32_t)tf, g));
            for (size_t c = 0; c < s->opt.n_types; c++)
                put_f(f, r, 4 + c, fold[c * n + g]);
        }
    }
    return f->rc;
}

static enum rc effects(const struct sim *s, struct table *t, struct err *e)
{
    const size_t n = s->of[0].n_genes > s->of[1].n_genes ? s->of[0].n_genes : s->of[1].n_genes;
    double *fold = calloc(n * s->opt.n_types, sizeof *fold);
    unsigned char *moved = calloc(n, 1);
    struct fill f = { NULL, e, RC_OK };
    size_t rows = 0;
    if (!fold || !moved)
        f.rc = err_set(e, RC_FAIL, "no memory for the effects of %zu TFs", s->opt.n_tfs);
    for (int pass = 0; pass < 2; pass++) { /* first count, then fill */
        if (pass && !f.rc)
            f = fill_start(t, rows, "ttti", "species|tf_id|gene_id|direct", e);
        for (size_t c = 0; c < s->opt.n_types && pass && !f.rc; c++) {
            char name[SIM_TEXT];
            sim_type_name(c, name);
            if (!table_add(t, name, COLUMN_F64))
                f.rc = err_set(e, RC_FAIL, "no memory for %zu effects", rows);
        }
        rows = 0;
        for (int sp = 0; sp < 2; sp++)
            for (size_t tf = 0; tf < s->of[sp].n_tfs && !f.rc; tf++)
                effects_of(s, sp, tf, fold, moved, &f, &rows);
    }
    free(fold);
    free(moved);
    return f.rc;
}

static enum rc labels(const struct sim *s, size_t sample, struct table *t, struct err *e)
{
    const struct sim_sample *a = &s->sample[sample];
    struct fill f = fill_start(t, a->n, "ttt", "barcode|celltype|sample", e);
    for (size_t i = 0; i < a->n; i++) {
        char name[SIM_TEXT];
        sim_type_name(s->cell[a->first + i].type, name);
        put(&f, i, 0, "%s", s->cell[a->first + i].barcode);
        put(&f, i, 1, "%s", name);
        put(&f, i, 2, "%s", a->name);
    }
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
        rc = published(s, table, sp, t, e);
        break;
    case SIM_T_GENES:
        rc = genes(s, t, e);
        break;
    case SIM_T_NETWORK:
        rc = network(s, t, e);
        break;
    case SIM_T_TYPES:
        rc = types(s, t, e);
        break;
    case SIM_T_CELLS:
        rc = cells(s, t, e);
        break;
    case SIM_T_DOSES:
        rc = doses(s, t, e);
        break;
    case SIM_T_EFFECTS:
        rc = effects(s, t, e);
        break;
    case SIM_T_LABELS:
        rc = labels(s, (size_t)which, t, e);
        break;
    }
    if (rc)
        table_release(t);
    return rc;
}
