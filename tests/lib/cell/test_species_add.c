/* lib/cell/species_add: tiers of homologs, which of several pairs count, rows and their lengths. */
#include <math.h>
#include <string.h>

#include "lib/cell/species_add.h"
#include "tests/tap.h"

enum { HUMAN = 5, MOUSE = 6, DIM = 4 };

/* Human h1..h5 (tokens 2..6), mouse m1..m6; m6 is not core. */
static void make_tables(struct gene_tables *t, struct vocab *old)
{
    char id[16];
    gene_tables_init(t);
    vocab_init(old);
    vocab_add(old, &(struct vocab_entry){ "<pad>", "-", "-", SPECIES_UNKNOWN, -1 }, NULL);
    vocab_add(old, &(struct vocab_entry){ "<mask>", "-", "-", SPECIES_UNKNOWN, -1 }, NULL);
    for (int i = 1; i <= HUMAN; i++) {
        snprintf(id, sizeof id, "h%d", i);
        gene_tables_add(t,
                        &(struct gene){ .id = id,
                                        .name = id,
                                        .core = true,
                                        .token = -1,
                                        .median = (double)NAN,
                                        .homolog = GENE_NONE },
                        NULL);
        vocab_add(old, &(struct vocab_entry){ id, id, "-", SPECIES_HUMAN, -1 }, NULL);
    }
    for (int i = MOUSE; i >= 1; i--) { /* not in the order of ids */
        snprintf(id, sizeof id, "m%d", i);
        gene_tables_add(t,
                        &(struct gene){ .id = id,
                                        .name = id,
                                        .species = SPECIES_MOUSE,
                                        .core = i != MOUSE,
                                        .token = -1,
                                        .median = (double)NAN,
                                        .homolog = GENE_NONE },
                        NULL);
    }
    t->gene[t->n - 1].homolog = 0; /* m1 is last, h1 first */
}

static const struct homology_pair pairs[] = {
    { "m1", "h1", TIER_ONE2ONE, true },    { "m1", "h2", TIER_MANY2MANY, true },
    { "m2", "h2", TIER_ONE2MANY, true },   { "m2", "h3", TIER_ONE2MANY, true },
    { "m2", "h3", TIER_ONE2MANY, true }, /* told twice, from either side */
    { "m2", "h4", TIER_ONE2MANY, false },  { "m3", "h4", TIER_MANY2MANY, false },
    { "m3", "h5", TIER_MANY2MANY, false }, { "m6", "h1", TIER_ONE2ONE, true },
    { "m4", "h9", TIER_ONE2ONE, true },    { "nobody", "h1", TIER_ONE2ONE, true },
};

static void links(const struct vocab *now)
{
    struct species_links l;
    struct err e = { 0 };
    ok(!species_links_make(now, 7, pairs, sizeof pairs / sizeof *pairs, TIER_MANY2MANY, &l, &e) &&
           l.n == 5,
       "a list for each new token %s", e.text);
    ok(l.tier[0] == TIER_ONE2ONE && l.first[1] - l.first[0] == 1 && l.source[l.first[0]] == 2,
       "only pairs of the best tier count");
    ok(l.tier[1] == TIER_ONE2MANY && l.first[2] - l.first[1] == 2 && l.source[l.first[1]] == 3 &&
           l.source[l.first[1] + 1] == 4,
       "of these only the ones of high confidence, each once");
    ok(l.tier[2] == TIER_MANY2MANY && l.first[3] - l.first[2] == 2,
       "all of them where confidence is low throughout");
    ok(l.tier[3] == TIER_NONE && l.tier[4] == TIER_NONE && l.n_genes[TIER_NONE] == 2,
       "a homolog without a token is none");
    species_links_release(&l);
    species_links_make(now, 7, pairs, sizeof pairs / sizeof *pairs, TIER_ONE2ONE, &l, &e);
    ok(l.n_genes[TIER_ONE2ONE] == 1 && l.n_genes[TIER_NONE] == 4, "a worse tier can be left out");
    species_links_release(&l);
}

static double norm(const float *x)
{
    double s = 0;
    for (int i = 0; i < DIM; i++)
        s += (double)x[i] * (double)x[i];
    return sqrt(s);
}

static void rows(const struct vocab *now)
{
    struct species_links l;
    struct species_rows r;
    struct knowledge_table old, to, own;
    struct err e = { 0 };
    species_links_make(now, 7, pairs, sizeof pairs / sizeof *pairs, TIER_MANY2MANY, &l, &e);
    knowledge_table_alloc(&old, KNOWLEDGE_GRN, 7, DIM, &e);
    for (size_t t = 2; t < 7; t++) {
        old.present[t] = t != 5; /* h4 is random */
        for (size_t i = 0; i < DIM; i++)
            old.vector[t * DIM + i] = (float)((t + 3 * i) % 5) - 1.5f;
    }
    ok(!species_table(&old, now, &l, NULL, 1, &to, &r, &e) && to.n_tokens == 12, "a table %s",
       e.text);
    ok(!memcmp(to.vector, old.vector, 7 * DIM * sizeof(float)) &&
           !memcmp(to.present, old.present, 7),
       "old rows stay to the bit, random ones too");
    ok(!memcmp(to.vector + 7 * DIM, old.vector + 2 * DIM, DIM * sizeof(float)) && to.present[7],
       "one to one is the homolog's row");
    const double want = (norm(old.vector + 3 * DIM) + norm(old.vector + 4 * DIM)) / 2;
    ok(fabs(norm(to.vector + 8 * DIM) - want) < 1e-5 * want && to.present[8],
       "a mean has the mean length of its parts");
    ok(fabsf(to.vector[8 * DIM] / to.vector[8 * DIM + 2] -
             (old.vector[3 * DIM] + old.vector[4 * DIM]) /
                 (old.vector[3 * DIM + 2] + old.vector[4 * DIM + 2])) < 1e-4f,
       "and their mean direction");
    ok(!memcmp(to.vector + 9 * DIM, old.vector + 6 * DIM, DIM * sizeof(float)),
       "a homolog that is random itself tells nothing");
    ok(!to.present[10] && norm(to.vector + 10 * DIM) > 0 && r.random == 2,
       "a gene without homolog has a random row");
    ok(r.through[TIER_ONE2ONE] == 1 && r.through[TIER_ONE2MANY] == 1 &&
           r.through[TIER_MANY2MANY] == 1,
       "genes are counted by tier");
    knowledge_table_release(&to);
    knowledge_table_alloc(&own, KNOWLEDGE_GRN, 12, DIM, &e);
    own.present[11] = own.present[7] = 1;
    own.vector[11 * DIM] = 6;
    own.vector[7 * DIM + 1] = 2;
    ok(!species_table(&old, now, &l, &own, 1, &to, &r, &e) && to.present[11] &&
           fabs((norm(to.vector + 11 * DIM) + norm(to.vector + 7 * DIM)) / 2 - r.norm_old) < 1e-5,
       "own rows come first, scaled to the mean length of the old ones");
    ok(fabs(r.scale - r.norm_old / 4) < 1e-6 && r.through[TIER_NONE] == 1, "and the scale is told");
    knowledge_table_release(&to);
    own.dim = 3;
    ok(species_table(&old, now, &l, &own, 1, &to, &r, &e) == RC_INPUT && !to.vector,
       "own rows of another width are refused: %s", e.text);
    own.dim = DIM;
    knowledge_table_release(&own);
    memset(old.present, 0, 7);
    ok(!species_table(&old, now, &l, NULL, 1, &to, &r, &e) && r.random == 5 && !to.present[7] &&
           norm(to.vector + 7 * DIM) > 0.1,
       "of a table without any present row all new rows are random, as wide as the old ones");
    knowledge_table_release(&to);
    memset(old.vector, 0, 7 * DIM * sizeof(float));
    ok(!species_table(&old, now, &l, NULL, 1, &to, &r, &e) && !(norm(to.vector + 7 * DIM) > 0),
       "of a table of zeros they are zeros");
    knowledge_table_release(&to);
    old.n_tokens = 6;
    ok(species_table(&old, now, &l, NULL, 1, &to, &r, &e) == RC_INPUT && !to.vector,
       "a table of another vocabulary is refused: %s", e.text);
    knowledge_table_release(&old);
    species_links_release(&l);
}

int main(void)
{
    struct gene_tables t;
    struct vocab old, now, again;
    struct err e = { 0 };
    enum homology_tier tier;
    make_tables(&t, &old);
    ok(!species_vocab(&t, &old, SPECIES_MOUSE, &now, &e) && now.n == 12 &&
           !strcmp(now.entry[2].id, "h1") && !strcmp(now.entry[7].id, "m1") &&
           !strcmp(now.entry[11].id, "m5"),
       "old tokens stay, core genes follow by rising id %s", e.text);
    ok(now.entry[2].homolog == 7 && now.entry[7].homolog == 2, "homologs point to each other");
    ok(species_vocab(&t, &now, SPECIES_MOUSE, &again, &e) == RC_INPUT && !again.entry,
       "a species that is there already is refused: %s", e.text);
    vocab_add(&old, &(struct vocab_entry){ "h77", "-", "-", SPECIES_HUMAN, -1 }, NULL);
    ok(species_vocab(&t, &old, SPECIES_MOUSE, &again, &e) == RC_INPUT && !again.entry,
       "so is a gene that the tables lack: %s", e.text);
    ok(homology_tier_parse("ortholog_one2many", &tier) && tier == TIER_ONE2MANY &&
           homology_tier_parse("many2many", &tier) && tier == TIER_MANY2MANY &&
           !homology_tier_parse("none", &tier) && !homology_tier_parse("", &tier),
       "tiers as BioMart writes them");
    links(&now);
    rows(&now);
    vocab_release(&old);
    vocab_release(&now);
    gene_tables_release(&t);
    return tap_end();
}
