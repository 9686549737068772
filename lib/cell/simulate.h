/* The simulator: two species whose types, network, homologs and bad cells are known.
 *
 * For profile `test` and for questions that need a known truth; its numbers never stand in for real
 * ones. Every number is a pure function of the options (lib/base/rng.h), so any thread count gives
 * the same cells. How a count comes about:
 *
 *   dose of TF j in a cell    x_j = activity(j, type) * exp(0.35 eps) * product of the folds of the
 *                                   TFs that regulate j (a TF regulates only later ones: no cycle)
 *   fold of one regulator     h = x^2 / (1 + x^2);  activator 1 + w h,  repressor 1 / (1 + w h)
 *   level of gene g           base_g * exp(0.2 eps(g's group, type)) * product of the folds
 *   of a TF's own message     base * dose
 *   mean count                level / sum of levels * library size * batch factor of (sample, gene)
 *   count                     negative binomial with that mean, variance mean + dispersion * mean^2
 *
 * A deleted TF has dose 0, all its folds become 1, and that is its true effect (sim_effect).
 * Homologs form groups: 1 human gene to 1 mouse gene, 1 to 2, 2 to 1, 2 to 2, or a gene of one
 * species alone. A group's base level, type response and regulators are shared by its genes, with
 * noise per gene; a share of the edges exists in one species only. */
#ifndef GC_CELL_SIMULATE_H
#define GC_CELL_SIMULATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/data/cells.h"
#include "lib/data/table.h"

struct sim_options {
    uint64_t seed;
    size_t n_cells; /* of both species; three fifths are human */
    size_t n_types;
    size_t n_genes; /* per species, mitochondrial ones included */
    size_t n_tfs;   /* per species; one in twelve has no homolog */
    double bad;     /* share of cells of low quality */
};

/* 1000 cells, 5 types, 2000 genes, 48 TFs, 8 % bad. */
struct sim_options sim_options_default(void);

enum sim_biotype { SIM_PROTEIN, SIM_LNCRNA, SIM_MIRNA, SIM_PSEUDO, SIM_MITO };
enum sim_homology { SIM_ALONE, SIM_ONE2ONE, SIM_ONE2MANY, SIM_MANY2ONE, SIM_MANY2MANY };
enum sim_state { SIM_GOOD, SIM_LOW_GENES, SIM_HIGH_MITO, SIM_DOUBLET, SIM_HIGH_TOTAL, SIM_EMPTY };

enum { SIM_TEXT = 24, SIM_MAX_TYPES = 64, SIM_MAX_REGULATORS = 6, SIM_N_MITO = 13 };

/* Genes that descend from one; the first copy of each species is the one with high confidence. */
struct sim_group {
    enum sim_homology homology;
    enum sim_biotype biotype;
    int family;        /* -1: none */
    uint32_t number;   /* in names; from 1, mitochondrial genes apart */
    uint32_t first[2]; /* first gene, by species */
    uint32_t n[2];     /* genes, by species */
    double base;       /* before the noise of species and copy */
};

struct sim_gene {
    char id[SIM_TEXT], name[SIM_TEXT];
    uint32_t group, copy;
    int32_t tf; /* number among the species' TFs, or -1 */
    double base, dispersion;
};

struct sim_edge {
    uint32_t tf;     /* number of the TF */
    uint32_t target; /* gene */
    int sign;        /* 1 or -1 */
    double weight;
    bool shared; /* the other species has it too */
};

/* One species. Edges by rising target, then TF; edge_at[g] .. edge_at[g + 1] are gene g's. */
struct sim_species {
    size_t n_genes, n_tfs, n_edges;
    struct sim_gene *gene;
    uint32_t *tf_gene; /* [n_tfs] */
    struct sim_edge *edge;
    size_t *edge_at;
    double *activity; /* [n_tfs x n_types] */
};

struct sim_cell {
    char barcode[SIM_TEXT];
    uint32_t sample, type, type_2; /* type_2: of a doublet's second cell, else = type */
    enum sim_state state;
    double library, mito; /* expected total, expected share of mitochondrial genes */
};

/* How a sample's file looks, one of each kind that import must read. */
enum sim_layout { SIM_MTX_3, SIM_MTX_2, SIM_H5_3, SIM_CSV };

struct sim_sample {
    const char *name; /* static */
    enum species species;
    enum sim_layout layout;
    size_t first, n; /* cells */
    double depth;    /* mean library size */
};

enum { SIM_N_SAMPLES = 4 };

struct sim {
    struct sim_options opt;
    size_t n_groups, n_families;
    struct sim_group *group;
    struct sim_species of[2]; /* by enum species */
    struct sim_sample sample[SIM_N_SAMPLES];
    struct sim_cell *cell; /* [opt.n_cells], by sample */
};

/* RC_USAGE for options that make no sense. On failure *s is empty. */
enum rc sim_init(struct sim *s, const struct sim_options *opt, struct err *e);
void sim_release(struct sim *s);

const char *sim_biotype_name(enum sim_biotype b);   /* as GENCODE writes it */
const char *sim_homology_name(enum sim_homology h); /* as BioMart writes it, from either side */
const char *sim_state_name(enum sim_state t);
void sim_type_name(size_t type, char name[SIM_TEXT]);
/* A TF that makes its type what it is, or -1. */
int sim_master_type(const struct sim *s, size_t tf);
/* The gene's partner when homologs are cut to one-to-one pairs (first copies), or UINT32_MAX. */
uint32_t sim_partner(const struct sim *s, enum species sp, uint32_t gene);

/* Doses [n_tfs] of a cell of that type; cell = its number, or SIZE_MAX for the type's typical cell
 * (no noise). deleted: a TF, or -1. */
void sim_doses(const struct sim *s, enum species sp, size_t type, size_t cell, int deleted,
               double *dose);
/* Level [n_genes] at these doses. deleted: a TF whose own message is gone too, or -1. */
void sim_levels(const struct sim *s, enum species sp, size_t type, const double *dose,
                double *level);
/* log2(level without the TF / level with it) [n_genes], in the typical cell; the TF itself gets 0.
 */
enum rc sim_effect(const struct sim *s, enum species sp, size_t type, size_t tf, double *log2_fold,
                   struct err *e);
/* Expected counts [n_genes] of a cell, batch and quality included; scratch has n_genes + n_tfs. */
void sim_mean(const struct sim *s, size_t cell, double *mean, double *scratch);
/* The counts of a sample, cells x genes. */
enum rc sim_counts(const struct sim *s, size_t sample, struct csr *out, struct err *e);
/* One negative binomial number; var = mean + dispersion * mean^2. Poisson when dispersion is 0. */
uint32_t sim_negative_binomial(uint64_t seed, uint64_t id, uint64_t pos, double mean,
                               double dispersion);

#endif
