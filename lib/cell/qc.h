/* Quality control, sample by sample. Spec 01 sections 3 and 4.
 *
 * Two presets over one procedure:
 *   paper          the rules P1..P6 of the paper, made consistent with the authors' script
 *   official-code  what the authors' script does with decimal counts (C1..C8), defects included:
 *                  no P1, P2, P4, no z of the gene number, and a sample whose totals or mitochondrial
 *                  shares are all equal loses every cell (its z is NaN, which is within no bound)
 * Order of the rules:
 *   P1       fewer than min_genes genes with a count
 *   no_counts  (official-code) total of 0
 *   P2       a sample with fewer than min_cells cells left loses them all
 *            -- total, n_genes and share = mito / total of the cells left; their mean and
 *               population SD; z = (x - mean) / SD. Not recomputed later.
 *   z_total  |z| not below z_max;   z_genes the same (paper);   P4 share above mito_max;
 *   z_mito   |z| not below z_max
 *   P3       fewer than min_coding genes with a count that are core and protein-coding or miRNA
 *   empty    (paper) no gene with a count that is core and has a token */
#ifndef GC_CELL_QC_H
#define GC_CELL_QC_H

#include "lib/data/cells.h"
#include "lib/data/gene_tables.h"

enum qc_preset { QC_PAPER, QC_OFFICIAL_CODE };

struct qc_rules {
    bool drop_no_counts, z_of_genes, drop_empty;
    bool constant_is_nan; /* z of a constant vector: NaN (keeps nothing), else 0 */
    uint32_t min_genes, min_cells, min_coding;
    double z_max, mito_max; /* mito_max >= 1: no such rule */
};

enum qc_verdict {
    QC_KEPT,
    QC_P1,
    QC_NO_COUNTS,
    QC_P2,
    QC_Z_TOTAL,
    QC_Z_GENES,
    QC_P4,
    QC_Z_MITO,
    QC_P3,
    QC_EMPTY,
    QC_N_VERDICTS
};

struct qc_cell {
    uint64_t total, mito; /* sums of counts over all columns that have a gene */
    uint32_t n_genes;     /* of these, with a count */
    uint32_t n_coding;    /* core and protein-coding or miRNA */
    uint32_t n_tokens;    /* core and with a token */
    enum qc_verdict verdict;
    double z_total, z_genes, z_mito; /* NaN for cells that P1..P2 dropped */
};

struct qc_rules qc_rules_of(enum qc_preset preset);
const char *qc_verdict_name(enum qc_verdict v);

/* gene[j]: row of the tables for column j, or GENE_NONE (the column counts nowhere). sample[r] in
 * [0, n_samples): the sample of each cell. Where no gene of the tables has a token, every core gene
 * counts as having one. out [n_rows]. */
enum rc qc_run(const struct csr *count, const uint32_t *gene, const struct gene_tables *t,
               const uint32_t *sample, size_t n_samples, const struct qc_rules *rules,
               struct qc_cell *out, struct err *e);

/* The same in steps, for cells that come in blocks: what each column counts for, the numbers of
 * each cell, and, when all cells have been seen, the verdicts. */
enum { QC_COUNTED = 1, QC_MITO = 2, QC_CODING = 4, QC_TOKEN = 8 };
/* flag [n_cols], the caller's. */
void qc_flags(const uint32_t *gene, size_t n_cols, const struct gene_tables *t,
              unsigned char *flag);
void qc_count(const struct csr *count, const unsigned char *flag, struct qc_cell *out);
enum rc qc_judge(size_t n_rows, const uint32_t *sample, size_t n_samples,
                 const struct qc_rules *rules, struct qc_cell *q, struct err *e);

/* Numbers the samples of obs column `sample` in order of first appearance (no such column, or a
 * missing text: the sample ""). sample [n_rows] is the caller's; *name [*n] borrows from obs and is
 * freed by the caller. */
enum rc qc_samples(const struct cells *c, uint32_t *sample, const char ***name, size_t *n,
                   struct err *e);

#endif
