/* Quality control: each rule at its edge, both presets, samples apart. */
#include <stdlib.h>
#include <string.h>

#include "lib/cell/qc.h"
#include "tests/tap.h"

/* Genes 0..299 are core and protein-coding with a token, 300..399 core lncRNA with a token,
 * 400..499 mitochondrial, 500..509 core protein-coding without a token, 510 neither. */
enum { N_GENES = 511, MITO = 400, NO_TOKEN = 500, OTHER = 510 };

static struct gene_tables tables;
static uint32_t gene[N_GENES];

static void make_tables(void)
{
    struct err e = { 0 };
    gene_tables_init(&tables);
    for (int i = 0; i < N_GENES; i++) {
        char id[16];
        snprintf(id, sizeof id, "ENSG%03d", i);
        struct gene g = { .id = id,
                          .name = "",
                          .biotype = i < 300 || (i >= NO_TOKEN && i < OTHER) ? BIOTYPE_PROTEIN
                                     : i < MITO                              ? BIOTYPE_LNCRNA
                                     : i < NO_TOKEN                          ? BIOTYPE_MT
                                                                             : BIOTYPE_OTHER,
                          .core = i < MITO || (i >= NO_TOKEN && i < OTHER),
                          .token = i < MITO ? i + 2 : -1,
                          .median = NAN };
        if (gene_tables_add(&tables, &g, &e))
            exit(1);
        gene[i] = (uint32_t)i;
    }
}

/* A matrix built cell by cell. */
static struct csr m;
static size_t n_entries;

static void begin(void)
{
    struct err e = { 0 };
    csr_release(&m);
    if (csr_alloc(&m, 0, N_GENES, 1 << 20, &e))
        exit(1);
    m.indptr = realloc(m.indptr, 4096 * sizeof *m.indptr);
    if (!m.indptr)
        exit(1);
    n_entries = 0;
}

static void genes(uint32_t first, uint32_t n, uint32_t count)
{
    for (uint32_t j = first; j < first + n; j++) {
        m.index[n_entries] = j;
        m.value[n_entries++] = count;
    }
}

static void end_cell(void)
{
    m.indptr[++m.n_rows] = n_entries;
}

static struct qc_cell q[4096];

static void run_samples(enum qc_preset preset, const uint32_t *sample, size_t n_samples)
{
    struct qc_rules rules = qc_rules_of(preset);
    struct err e = { 0 };
    if (qc_run(&m, gene, &tables, sample, n_samples, &rules, q, &e))
        exit(1);
}

static void run(enum qc_preset preset)
{
    static const uint32_t zero[4096];
    run_samples(preset, zero, 1);
}

static const char *verdict(size_t r)
{
    return qc_verdict_name(q[r].verdict);
}

static void test_genes_edge(void)
{
    begin();
    for (int i = 0; i < 5; i++) {
        genes(0, 200, 1);
        end_cell();
    }
    genes(0, 199, 50);
    end_cell();
    run(QC_PAPER);
    ok(q[0].verdict == QC_KEPT && q[5].verdict == QC_P1, "200 genes stay, 199 go (%s, %s)",
       verdict(0), verdict(5));
    ok(isnan(q[5].z_total) && q[0].z_total == 0,
       "a cell that P1 dropped has no z and does not move that of the others");
    run(QC_OFFICIAL_CODE);
    ok(q[5].verdict != QC_P1, "the script has no such rule (%s)", verdict(5));
}

static void test_cells_edge(void)
{
    static const uint32_t sample[8] = { 0, 1, 0, 1, 0, 1, 1, 0 };
    begin();
    for (int i = 0; i < 7; i++) {
        genes(0, 200, 1);
        end_cell();
    }
    genes(0, 10, 1);
    end_cell();
    run_samples(QC_PAPER, sample, 2);
    ok(q[1].verdict == QC_KEPT && q[6].verdict == QC_KEPT, "a sample of 4 cells stays");
    ok(q[0].verdict == QC_P2 && q[4].verdict == QC_P2, "one of 3 that P1 left goes");
    ok(q[7].verdict == QC_P1, "and its fourth cell was dropped before");
}

/* n equal cells and one outlier in the total: its z is sqrt(n). */
static bool outlier_stays(int n)
{
    begin();
    for (int i = 0; i < n; i++) {
        genes(0, 200, 1);
        end_cell();
    }
    genes(0, 200, 9);
    end_cell();
    run(QC_PAPER);
    size_t r = (size_t)n;
    ok(near(q[r].z_total, sqrt(n), 1e-12, 0) && q[r].z_genes == 0,
       "one outlier among %d equal cells has z = %.6g", n + 1, q[r].z_total);
    return q[r].verdict == QC_KEPT;
}

static void test_z(void)
{
    ok(outlier_stays(8), "z = 2.83 stays");
    ok(!outlier_stays(10), "z = 3.16 goes");
    ok(!outlier_stays(11), "z = 3.32 goes");
    ok(q[11].verdict == QC_Z_TOTAL && q[0].verdict == QC_KEPT, "by the rule of the total (%s)",
       verdict(11));
    begin();
    for (int i = 0; i < 11; i++) {
        genes(0, 200, 2);
        end_cell();
    }
    genes(0, 400, 1);
    end_cell();
    run(QC_PAPER);
    ok(q[11].verdict == QC_Z_GENES && q[11].z_total == 0,
       "an outlier in the number of genes goes (%s)", verdict(11));
    run(QC_OFFICIAL_CODE);
    ok(q[11].verdict != QC_Z_GENES, "which the script does not look at (%s)", verdict(11));
}

static void test_mito(void)
{
    begin();
    for (int i = 0; i < 12; i++) {
        /* 850 counts, then 150 of 1000 mitochondrial; the last two cells one more. */
        genes(0, 200, 4);
        genes(200, 1, i < 10 ? 50 : 49);
        genes(MITO, 1, i < 10 ? 150 : 151);
        end_cell();
    }
    run(QC_PAPER);
    ok(q[0].total == 1000 && q[0].mito == 150 && q[0].verdict == QC_KEPT, "15 %% stays exactly");
    ok(q[11].verdict == QC_P4, "15.1 %% goes (%s)", verdict(11));
    run(QC_OFFICIAL_CODE);
    ok(q[11].verdict != QC_P4, "the script has no bound of the share (%s)", verdict(11));
    begin();
    for (int i = 0; i < 12; i++) {
        genes(0, 200, 4);
        genes(200, 1, i < 11 ? 200 : 150);
        if (i == 11)
            genes(MITO, 1, 50);
        end_cell();
    }
    run(QC_PAPER);
    ok(q[11].verdict == QC_Z_GENES, "the first rule that applies is named (%s)", verdict(11));
    struct qc_rules rules = qc_rules_of(QC_PAPER);
    static const uint32_t zero[16];
    rules.z_of_genes = false;
    qc_run(&m, gene, &tables, zero, 1, &rules, q, NULL);
    ok(q[11].verdict == QC_Z_MITO, "an outlier in the share goes (%s)", verdict(11));
}

static void test_coding(void)
{
    begin();
    for (int i = 0; i < 8; i++) {
        /* 6 or 7 coding genes; lncRNA and mitochondrial ones count as genes only. */
        genes(0, i < 4 ? 7 : 6, 1);
        genes(300, 100, 1);
        genes(MITO, 100, 1);
        end_cell();
    }
    struct qc_rules rules = qc_rules_of(QC_PAPER);
    static const uint32_t zero[16];
    rules.mito_max = 1;
    qc_run(&m, gene, &tables, zero, 1, &rules, q, NULL);
    ok(q[0].verdict == QC_KEPT && q[0].n_coding == 7, "7 protein-coding genes stay (%s)",
       verdict(0));
    ok(q[4].verdict == QC_P3 && q[4].n_coding == 6 && q[4].n_genes == 206, "6 go (%s)", verdict(4));
    begin();
    for (int i = 0; i < 4; i++) {
        genes(NO_TOKEN, 10, 20);
        genes(OTHER, 1, 1);
        end_cell();
    }
    rules.min_genes = 0;
    qc_run(&m, gene, &tables, zero, 1, &rules, q, NULL);
    ok(q[0].verdict == QC_EMPTY && q[0].n_coding == 10 && q[0].n_tokens == 0,
       "P3 comes before the token filter; without any token the cell is empty (%s)", verdict(0));
    run(QC_OFFICIAL_CODE);
    ok(q[0].n_coding == 10, "the script counts the same");
}

static void test_official(void)
{
    begin();
    for (int i = 0; i < 5; i++) {
        genes(0, 10, (uint32_t)(10 + i));
        end_cell();
    }
    end_cell(); /* no counts */
    run(QC_OFFICIAL_CODE);
    ok(q[5].verdict == QC_NO_COUNTS, "a cell without counts goes (%s)", verdict(5));
    ok(q[0].verdict == QC_Z_MITO && isnan(q[0].z_mito) && q[4].verdict == QC_Z_MITO,
       "without any mitochondrial count every cell is lost (%s)", verdict(0));
    struct qc_rules rules = qc_rules_of(QC_OFFICIAL_CODE);
    static const uint32_t zero[16];
    rules.constant_is_nan = false;
    qc_run(&m, gene, &tables, zero, 1, &rules, q, NULL);
    ok(q[0].verdict == QC_KEPT && q[0].z_mito == 0, "unless z of a constant vector is 0 (%s)",
       verdict(0));
}

static void test_samples(void)
{
    static const char *const name[] = { "b", "a", "b", NULL, "" };
    static const uint32_t want[] = { 0, 1, 0, 2, 2 };
    struct cells c;
    struct err e = { 0 };
    uint32_t sample[5];
    const char **names;
    size_t n;
    cells_init(&c);
    c.count.n_rows = 5;
    table_init(&c.obs, 5);
    struct column *col = table_add(&c.obs, "sample", COLUMN_TEXT);
    for (size_t r = 0; r < 5; r++)
        table_set_text(&c.obs, col, r, name[r], &e);
    ok(!qc_samples(&c, sample, &names, &n, &e) && n == 3 &&
           memcmp(sample, want, sizeof want) == 0 && strcmp(names[1], "a") == 0,
       "samples are numbered as they come; a missing one is the sample without a name");
    free(names);
    cells_release(&c);
}

int main(void)
{
    make_tables();
    test_genes_edge();
    test_cells_edge();
    test_z();
    test_mito();
    test_coding();
    test_official();
    test_samples();
    csr_release(&m);
    gene_tables_release(&tables);
    return tap_end();
}
