/* Genes, homologs, families and the list of cells. The network is in simulate_network.c, the counts
 * are in simulate_count.c, the files in simulate_table.c and simulate_truth.c.
 *
 * Worked example, 2000 genes a species: 13 mitochondrial; of the other 1987, 68 % in 1:1 groups,
 * 4 % + 8 % in 1:2 and 2:1 groups (and the reverse), 4 % in 2:2 groups, 16 % alone. */
#include "lib/cell/simulate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"
#include "lib/cell/simulate_draw.h"

enum { FAMILY_SIZE = 12, MAX_GENES = 1000000, MAX_CELLS = 10000000 };

struct sim_options sim_options_default(void)
{
    return (struct sim_options){
        .n_cells = 1000, .n_types = 5, .n_genes = 2000, .n_tfs = 48, .bad = 0.08
    };
}

const char *sim_biotype_name(enum sim_biotype b)
{
    /* Mitochondrial genes here are the 13 that code for proteins: real tables call them so too. */
    static const char *const name[] = { "protein_coding", "lncRNA", "miRNA", "processed_pseudogene",
                                        "protein_coding" };
    return name[b];
}

const char *sim_homology_name(enum sim_homology h)
{
    static const char *const name[] = { "", "ortholog_one2one", "ortholog_one2many",
                                        "ortholog_one2many", "ortholog_many2many" };
    return name[h];
}

const char *sim_state_name(enum sim_state t)
{
    static const char *const name[] = { "good",    "low_genes",  "high_mito",
                                        "doublet", "high_total", "empty" };
    return name[t];
}

void sim_type_name(size_t type, char name[SIM_TEXT])
{
    snprintf(name, SIM_TEXT, "type_%zu", type + 1);
}

/* Three TFs for each type, in turn. */
int sim_master_type(const struct sim *s, size_t tf)
{
    return tf < 3 * s->opt.n_types ? (int)(tf % s->opt.n_types) : -1;
}

uint32_t sim_partner(const struct sim *s, enum species sp, uint32_t gene)
{
    const struct sim_gene *g = &s->of[sp].gene[gene];
    const struct sim_group *q = &s->group[g->group];
    uint32_t n_both = q->n[0] < q->n[1] ? q->n[0] : q->n[1];
    return g->copy < n_both ? q->first[1 - sp] + g->copy : UINT32_MAX;
}

/* ---- groups ---- */

static enum rc check_options(const struct sim_options *o, struct err *e)
{
    if (o->n_types < 2 || o->n_types > SIM_MAX_TYPES)
        return err_set(e, RC_USAGE, "--types is 2 to %d, not %zu", SIM_MAX_TYPES, o->n_types);
    if (o->n_genes < 300 || o->n_genes > MAX_GENES)
        return err_set(e, RC_USAGE, "--genes is 300 to %d, not %zu", MAX_GENES, o->n_genes);
    if (o->n_cells < 40 || o->n_cells > MAX_CELLS)
        return err_set(e, RC_USAGE, "--cells is 40 to %d, not %zu", MAX_CELLS, o->n_cells);
    if (o->n_tfs < 4 * o->n_types || o->n_tfs > o->n_genes / 5)
        return err_set(e, RC_USAGE,
                       "--tfs is 4 a type to a fifth of the genes: %zu to %zu, not %zu",
                       4 * o->n_types, o->n_genes / 5, o->n_tfs);
    if (!(o->bad >= 0 && o->bad <= 0.5))
        return err_set(e, RC_USAGE, "--bad is 0 to 0.5, not %g", o->bad);
    return RC_OK;
}

/* Groups by homology, in an order that puts the TFs first: shared TFs, then the rest of the 1:1
 * groups, the many-to-many, mitochondrial genes, genes of one species. */
struct shape {
    enum sim_homology homology;
    size_t n;
    uint32_t human, mouse;
    bool mito;
};

enum { N_SHAPES = 7 };

static void shapes(const struct sim_options *o, struct shape at[N_SHAPES])
{
    size_t n = o->n_genes - SIM_N_MITO, twelve = n / 25, two = n / 50;
    size_t one = n * 68 / 100;
    size_t alone = n - one - 3 * twelve - 2 * two;
    const struct shape all[N_SHAPES] = {
        { SIM_ONE2ONE, one, 1, 1, false },       { SIM_ONE2MANY, twelve, 1, 2, false },
        { SIM_MANY2ONE, twelve, 2, 1, false },   { SIM_MANY2MANY, two, 2, 2, false },
        { SIM_ONE2ONE, SIM_N_MITO, 1, 1, true }, { SIM_ALONE, alone, 1, 0, false },
        { SIM_ALONE, alone, 0, 1, false },
    };
    memcpy(at, all, sizeof all);
}

/* Genes without a homolog are more often not protein-coding, as in real tables. */
static enum sim_biotype draw_biotype(const struct sim *s, size_t group, const struct shape *a)
{
    double u = sim_unit(s, DRAW_GROUP, group, 0);
    if (a->mito)
        return SIM_MITO;
    if (a->homology == SIM_ALONE)
        return u < 0.5 ? SIM_PROTEIN : u < 0.8 ? SIM_LNCRNA : u < 0.83 ? SIM_MIRNA : SIM_PSEUDO;
    return u < 0.92 ? SIM_PROTEIN : u < 0.97 ? SIM_LNCRNA : u < 0.98 ? SIM_MIRNA : SIM_PSEUDO;
}

/* log2 of the base level: broad, lower for RNA genes; TFs high enough to be seen. The 13
 * mitochondrial levels only matter relative to each other (sim_mean sets their sum). */
static double draw_base(const struct sim *s, size_t group, enum sim_biotype b, bool tf)
{
    static const double shift[] = { 0, -1.5, -3, -2, 2 };
    double eps = sim_normal(s, DRAW_GROUP, group, 1);
    return tf ? exp2(1 + 0.6 * eps) : exp2(shift[b] + (b == SIM_MITO ? 0.7 : 1.6) * eps);
}

static enum rc make_groups(struct sim *s, struct err *e)
{
    struct shape shape[N_SHAPES];
    shapes(&s->opt, shape);
    for (int k = 0; k < N_SHAPES; k++)
        s->n_groups += shape[k].n;
    s->group = calloc(s->n_groups, sizeof *s->group);
    if (!s->group)
        return err_set(e, RC_FAIL, "no memory for %zu groups of genes", s->n_groups);
    size_t shared = sim_n_shared_tfs(&s->opt), own = s->opt.n_tfs - shared, g = 0;
    uint32_t n[2] = { 0, 0 };
    s->n_families = s->opt.n_genes / (4 * FAMILY_SIZE);
    for (int k = 0; k < N_SHAPES; k++)
        for (size_t i = 0; i < shape[k].n; i++, g++) {
            const struct shape *a = &shape[k];
            bool tf = (k == 0 && i < shared) || (a->homology == SIM_ALONE && i < own);
            struct sim_group *q = &s->group[g];
            *q = (struct sim_group){ .homology = a->homology,
                                     .family = -1,
                                     .number = (uint32_t)(a->mito ? i : g) + 1,
                                     .first = { n[0], n[1] },
                                     .n = { a->human, a->mouse } };
            q->biotype = tf ? SIM_PROTEIN : draw_biotype(s, g, a);
            q->base = draw_base(s, g, q->biotype, tf);
            /* A quarter of the protein-coding groups belong to a family. */
            if (!tf && q->biotype == SIM_PROTEIN && sim_unit(s, DRAW_GROUP, g, 2) < 0.25)
                q->family = (int)sim_below(s, DRAW_GROUP, g, 3, s->n_families);
            n[0] += a->human;
            n[1] += a->mouse;
        }
    s->of[0].n_genes = n[0];
    s->of[1].n_genes = n[1];
    return RC_OK;
}

/* ---- genes ---- */

/* SIMG0042 and Simg0042, with A and B for copies; SIMTF07 for a TF, -AS1 for a long RNA, MT-SIM3
 * and mt-Sim3. Real names never begin so. */
static void name_gene(const struct sim *s, enum species sp, struct sim_gene *g)
{
    const struct sim_group *q = &s->group[g->group];
    static const char copy[] = { 'A', 'B' };
    const bool many = q->n[sp] > 1;
    char stem[SIM_TEXT];
    if (q->biotype == SIM_MITO)
        snprintf(stem, sizeof stem, "%s%u", sp == SPECIES_HUMAN ? "MT-SIM" : "mt-Sim", q->number);
    else if (g->tf >= 0)
        snprintf(stem, sizeof stem, "%s%02d%s", sp == SPECIES_HUMAN ? "SIMTF" : "Simtf", g->tf + 1,
                 q->homology == SIM_ALONE ? (sp == SPECIES_HUMAN ? "H" : "m") : "");
    else
        snprintf(stem, sizeof stem, "%s%04u", sp == SPECIES_HUMAN ? "SIMG" : "Simg", q->number);
    snprintf(g->name, sizeof g->name, "%.16s%.*s%s", stem, many, &copy[g->copy],
             q->biotype != SIM_LNCRNA ? ""
             : sp == SPECIES_HUMAN    ? "-AS1"
                                      : "-os");
}

/* Ids rise in another order than names, as in real tables, and differently in each species. */
static enum rc draw_ids(const struct sim *s, enum species sp, struct err *e)
{
    struct sim_species *a = (struct sim_species *)&s->of[sp];
    uint32_t *order = calloc(a->n_genes, sizeof *order);
    if (!order)
        return err_set(e, RC_FAIL, "no memory for %zu genes", a->n_genes);
    for (uint32_t i = 0; i < a->n_genes; i++)
        order[i] = i;
    rng_shuffle(s->opt.seed, RNG_SIM_GENE, sim_key(DRAW_ID, (uint64_t)sp), order, a->n_genes);
    for (size_t i = 0; i < a->n_genes; i++)
        snprintf(a->gene[i].id, SIM_TEXT, "%s9%010u", sp == SPECIES_HUMAN ? "ENSG" : "ENSMUSG",
                 3 * order[i] + 1);
    free(order);
    return RC_OK;
}

/* Two pseudogenes of each species carry the name of another gene: real tables have such pairs. */
static void share_names(const struct sim *s, enum species sp)
{
    struct sim_species *a = (struct sim_species *)&s->of[sp];
    struct sim_gene *owner = NULL;
    int left = 2;
    for (size_t i = 0; i < a->n_genes && left; i++) {
        struct sim_gene *g = &a->gene[i];
        const struct sim_group *q = &s->group[g->group];
        if (q->homology != SIM_ALONE || g->tf >= 0)
            continue;
        if (q->biotype == SIM_PROTEIN) {
            owner = g;
        } else if (q->biotype == SIM_PSEUDO && owner) {
            memcpy(g->name, owner->name, SIM_TEXT);
            owner = NULL;
            left--;
        }
    }
}

static enum rc make_genes(struct sim *s, enum species sp, struct err *e)
{
    struct sim_species *a = &s->of[sp];
    size_t shared = sim_n_shared_tfs(&s->opt), own = 0;
    a->n_tfs = s->opt.n_tfs;
    a->gene = calloc(a->n_genes, sizeof *a->gene);
    a->tf_gene = calloc(a->n_tfs, sizeof *a->tf_gene);
    if (!a->gene || !a->tf_gene)
        return err_set(e, RC_FAIL, "no memory for %zu genes", a->n_genes);
    for (uint32_t q = 0; q < s->n_groups; q++)
        for (uint32_t k = 0; k < s->group[q].n[sp]; k++) {
            uint32_t i = s->group[q].first[sp] + k;
            struct sim_gene *g = &a->gene[i];
            *g = (struct sim_gene){ .group = q, .copy = k, .tf = -1 };
            if (q < shared)
                g->tf = (int32_t)q;
            else if (s->group[q].homology == SIM_ALONE && shared + own < a->n_tfs)
                g->tf = (int32_t)(shared + own++);
            if (g->tf >= 0)
                a->tf_gene[g->tf] = i;
            /* Species and copies drift apart; a second copy is weaker and further away. */
            double eps = sim_normal(s, DRAW_GENE + (unsigned)sp, i, 0);
            g->base = s->group[q].base * exp(k ? 0.8 * eps - 1 : 0.25 * eps);
            g->dispersion = 0.08 + 0.3 * sim_unit(s, DRAW_GENE + (unsigned)sp, i, 1);
            name_gene(s, sp, g);
        }
    share_names(s, sp);
    return draw_ids(s, sp, e);
}

/* ---- cells ---- */

static void make_samples(struct sim *s)
{
    const size_t n = s->opt.n_cells, human = n * 3 / 5, h1 = human * 3 / 5;
    const size_t mouse = n - human, m1 = mouse * 3 / 5;
    const struct sim_sample all[SIM_N_SAMPLES] = {
        { "sim_h1", SPECIES_HUMAN, SIM_MTX_3, 0, h1, 6000 },
        { "sim_h2", SPECIES_HUMAN, SIM_H5_3, h1, human - h1, 4500 },
        { "sim_m1", SPECIES_MOUSE, SIM_MTX_2, human, m1, 5000 },
        { "sim_m2", SPECIES_MOUSE, SIM_CSV, human + m1, mouse - m1, 7000 },
    };
    memcpy(s->sample, all, sizeof all);
}

/* Shares fall from the first type to the last in human, the other way in mouse: a model that only
 * learns shares is found out across species. */
static uint32_t draw_type(const struct sim *s, enum species sp, size_t cell, uint64_t pos)
{
    const size_t n = s->opt.n_types;
    double sum = 0, u = sim_cell_unit(s, cell, pos);
    for (size_t c = 0; c < n; c++)
        sum += 1 / (2.0 + (double)c);
    u *= sum;
    for (size_t c = 0; c < n; c++) {
        u -= 1 / (2.0 + (double)c);
        if (u < 0)
            return (uint32_t)(sp == SPECIES_HUMAN ? c : n - 1 - c);
    }
    return (uint32_t)(sp == SPECIES_HUMAN ? n - 1 : 0);
}

static enum sim_state draw_state(const struct sim *s, size_t cell)
{
    double u = sim_cell_unit(s, cell, 0) / (s->opt.bad > 0 ? s->opt.bad : 1);
    if (s->opt.bad <= 0 || u >= 1)
        return SIM_GOOD;
    return u < 0.3    ? SIM_LOW_GENES
           : u < 0.6  ? SIM_HIGH_MITO
           : u < 0.85 ? SIM_DOUBLET
           : u < 0.95 ? SIM_HIGH_TOTAL
                      : SIM_EMPTY;
}

static void make_cell(struct sim *s, uint32_t sample, size_t i)
{
    const struct sim_sample *a = &s->sample[sample];
    struct sim_cell *c = &s->cell[i];
    static const char base[] = "ACGT";
    *c = (struct sim_cell){ .sample = sample };
    /* 16 bases as Cell Ranger has them: 4 from the cell's number keep them unique in a sample. */
    size_t left = i;
    for (int k = 0; k < 16; k++, left /= 4)
        c->barcode[k] = base[k < 12 ? left % 4 : sim_cell_below(s, i, 16 + (uint64_t)k, 4)];
    strcpy(c->barcode + 16, "-1");
    c->type = draw_type(s, a->species, i, 1);
    c->state = draw_state(s, i);
    c->type_2 = c->type;
    if (c->state == SIM_DOUBLET)
        c->type_2 = (uint32_t)((c->type + 1 + sim_cell_below(s, i, 2, s->opt.n_types - 1)) %
                               s->opt.n_types);
    c->library = a->depth * exp(0.3 * sim_cell_normal(s, i, 3));
    c->mito = 0.045 * exp(0.3 * sim_cell_normal(s, i, 4));
    double u = sim_cell_unit(s, i, 5);
    switch (c->state) {
    case SIM_LOW_GENES:
        c->library = 60 + 80 * u;
        break;
    case SIM_HIGH_MITO:
        c->library *= 0.5;
        c->mito = 0.3 + 0.35 * u;
        break;
    case SIM_DOUBLET:
        c->library *= 2;
        break;
    case SIM_HIGH_TOTAL:
        c->library *= 7 + 3 * u;
        break;
    case SIM_EMPTY:
        c->library = 0;
        break;
    case SIM_GOOD:
        break;
    }
}

enum rc sim_init(struct sim *s, const struct sim_options *opt, struct err *e)
{
    *s = (struct sim){ .opt = *opt };
    if (check_options(opt, e))
        return e->rc;
    enum rc rc = make_groups(s, e);
    for (int sp = 0; sp < 2 && !rc; sp++) {
        rc = make_genes(s, sp, e);
        if (!rc)
            rc = sim_make_activity(s, sp, e);
    }
    if (!rc)
        rc = sim_make_network(s, e);
    if (!rc && !(s->cell = calloc(opt->n_cells, sizeof *s->cell)))
        rc = err_set(e, RC_FAIL, "no memory for %zu cells", opt->n_cells);
    if (rc) {
        sim_release(s);
        return rc;
    }
    make_samples(s);
    for (uint32_t k = 0; k < SIM_N_SAMPLES; k++)
        for (size_t i = 0; i < s->sample[k].n; i++)
            make_cell(s, k, s->sample[k].first + i);
    return RC_OK;
}

void sim_release(struct sim *s)
{
    for (int sp = 0; sp < 2; sp++) {
        free(s->of[sp].gene);
        free(s->of[sp].tf_gene);
        free(s->of[sp].edge);
        free(s->of[sp].edge_at);
        free(s->of[sp].activity);
    }
    free(s->group);
    free(s->cell);
    *s = (struct sim){ 0 };
}
