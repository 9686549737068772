/* A genome for each species in which every gene has a slot with its promoter. A promoter begins as
 * random bases, rich in C and G near the start site; genes of one group descend from the same bases
 * with a few changed; each regulator of the gene has two copies of its motif upstream. So genes
 * with a common regulator share words, and homologs look alike.
 *
 *   slot, in the gene's direction:  [0 .. START) upstream   [START .. SLOT) transcribed
 * A gene on the reverse strand has its slot written as the reverse complement. */
#include <string.h>

#include "lib/cell/simulate_draw.h"
#include "lib/cell/simulate_fill.h"
#include "lib/data/kmer.h"

enum { SLOT = 640, START = 400, LINE = 80, MOTIF = 8, NEAR = 100, N_CHROMOSOMES = 3 };
/* Streams of DRAW_DNA beside the groups'. */
#define DNA_MOTIF ((uint64_t)1 << 40)
#define DNA_GENE ((uint64_t)1 << 41) /* human; mouse one further */

static uint64_t gene_stream(enum species sp, uint32_t gene)
{
    return (DNA_GENE << (int)sp) | gene;
}

static char base_of(double u, double gc)
{
    return u < gc / 2 ? 'C' : u < gc ? 'G' : u < gc + (1 - gc) / 2 ? 'A' : 'T';
}

static void put_motif(const struct sim *s, uint32_t tf, char *to)
{
    for (int i = 0; i < MOTIF; i++)
        to[i] = base_of(sim_unit(s, DRAW_DNA, DNA_MOTIF | tf, (uint64_t)i), 0.5);
}

static bool is_reverse(const struct sim *s, enum species sp, uint32_t gene)
{
    return sim_unit(s, DRAW_DNA, gene_stream(sp, gene), 0) < 0.5;
}

/* slot[SLOT + 1] as the gene reads it. */
static void make_slot(const struct sim *s, enum species sp, uint32_t gene, char *slot)
{
    const struct sim_species *a = &s->of[sp];
    const uint64_t own = gene_stream(sp, gene);
    for (uint64_t i = 0; i < SLOT; i++) {
        const double gc = i + NEAR >= START && i < START + NEAR ? 0.62 : 0.44;
        const bool changed = sim_unit(s, DRAW_DNA, own, 2 * i + 8) < 0.15;
        slot[i] = base_of(changed ? sim_unit(s, DRAW_DNA, own, 2 * i + 9)
                                  : sim_unit(s, DRAW_DNA, a->gene[gene].group, i),
                          gc);
    }
    slot[SLOT] = '\0';
    for (size_t k = a->edge_at[gene]; k < a->edge_at[gene + 1]; k++)
        for (uint64_t copy = 0; copy < 2; copy++) {
            const uint64_t at =
                sim_below(s, DRAW_DNA, own, 4096 + 2 * a->edge[k].tf + copy, NEAR - MOTIF);
            put_motif(s, a->edge[k].tf, slot + START - NEAR + at);
        }
}

/* Genes of a chromosome: numbers c, c + N_CHROMOSOMES, .. */
static size_t slots_of(const struct sim_species *a, size_t c)
{
    return (a->n_genes - c + N_CHROMOSOMES - 1) / N_CHROMOSOMES;
}

enum rc sim_genome(const struct sim *s, enum species sp, struct table *t, struct err *e)
{
    const struct sim_species *a = &s->of[sp];
    char slot[SLOT + 1];
    size_t row = 0;
    struct fill f = fill_start(t, N_CHROMOSOMES + a->n_genes * (SLOT / LINE), "t", "fasta", e);
    for (size_t c = 0; c < N_CHROMOSOMES; c++) {
        fill_text(&f, row++, 0, ">chr%zu", c + 1);
        for (size_t k = 0; k < slots_of(a, c); k++) {
            const uint32_t gene = (uint32_t)(c + k * N_CHROMOSOMES);
            make_slot(s, sp, gene, slot);
            if (is_reverse(s, sp, gene))
                dna_reverse(slot, SLOT);
            for (int i = 0; i < SLOT; i += LINE)
                fill_text(&f, row++, 0, "%.*s", (int)LINE, slot + i);
        }
    }
    return f.rc;
}

/* One gene in twenty is missing, as in real tables. */
static bool has_site(const struct sim *s, enum species sp, uint32_t gene)
{
    return sim_unit(s, DRAW_DNA, gene_stream(sp, gene), 1) >= 0.05;
}

enum rc sim_sites(const struct sim *s, enum species sp, struct table *t, struct err *e)
{
    const struct sim_species *a = &s->of[sp];
    size_t n = 0, row = 0;
    for (uint32_t g = 0; g < a->n_genes; g++)
        n += has_site(s, sp, g);
    struct fill f = fill_start(t, n, "tiititt", "#chr|start|end|name|score|strand|Ensembl_ID", e);
    for (uint32_t g = 0; g < a->n_genes; g++) {
        if (!has_site(s, sp, g))
            continue;
        const int64_t at = (int64_t)(g / N_CHROMOSOMES) * SLOT;
        const bool reverse = is_reverse(s, sp, g);
        fill_text(&f, row, 0, "chr%u", g % N_CHROMOSOMES + 1);
        fill_i64(&f, row, 1, reverse ? at : at + START);
        fill_i64(&f, row, 2, reverse ? at + SLOT - START : at + SLOT);
        fill_text(&f, row, 3, "%s", a->gene[g].name);
        fill_i64(&f, row, 4, 0);
        fill_text(&f, row, 5, "%c", reverse ? '-' : '+');
        fill_text(&f, row++, 6, "%s", a->gene[g].id);
    }
    return f.rc;
}

/* Bare promoters, as a collection without names has them: every fourth gene, -199 to +50. */
enum rc sim_promoters(const struct sim *s, enum species sp, struct table *t, struct err *e)
{
    const struct sim_species *a = &s->of[sp];
    char slot[SLOT + 1];
    struct fill f = fill_start(t, (a->n_genes + 3) / 4, "t", "bases", e);
    for (uint32_t g = 0; g < a->n_genes; g += 4) {
        make_slot(s, sp, g, slot);
        fill_text(&f, g / 4, 0, "%.250s", slot + START - 199);
    }
    return f.rc;
}
