/* Gene tables (genes.tsv, aliases.tsv) from public ones. Pure: lib/io/gene_source.h reads.
 *
 * A species' *reference* is the one table whose ids become its genes; every other table only adds
 * names. Rules, in the order in which gene_build_finish applies them:
 *
 * 1. ids lose their version and _PAR_Y (lib/data/genename.h); an id given twice is one gene.
 *
 * 2. biotype: protein_coding, lncRNA (and what older releases called lincRNA, antisense, ...),
 *    miRNA, Mt (Mt_rRNA, Mt_tRNA) or other. Without biotypes in the reference they are guessed
 *    from names (gene_guess_biotype), because HGNC and MGI name by kind.
 *
 * 3. one name, two ids: it stays with the gene of the better biotype (protein_coding, lncRNA,
 *    miRNA, Mt, other), then of the lower id; the other gene is called by its id.
 *
 * 4. an alias is a name of another table that is not the name of a gene now. It belongs to the
 *    gene that the best table with this name gives; if that table gives two, to the one of the
 *    better biotype, and to none if they are alike.
 *
 * 5. an id that only other tables know was retired: it becomes an alias of the gene that has its
 *    name now (or as an alias), else it is left out.
 *
 * 6. a name as R's make.names mangles it (H2-K1 becomes H2.K1) is an alias, by the rules of 4:
 *    names of now before aliases.
 *
 * 7. core: protein_coding, lncRNA or miRNA; and, where the species has a list of names, its name
 *    or an alias by rule 4 is in the list.
 *
 * 8. homologs are cut to one-to-one pairs of core genes: pairs in order of type (one2one,
 *    one2many, many2many), confidence, same name but for case, gene-order score, human id, mouse
 *    id; each is taken if both genes are still free. Pairs that are not one2one, of low
 *    confidence and of different names are left out: what greed leaves over would be paired
 *    (Zfy2 with ZNF586). Where nothing tells confidence (symbols only), it counts as high. */
#ifndef GC_CELL_GENE_BUILD_H
#define GC_CELL_GENE_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/map.h"
#include "lib/data/cells.h"
#include "lib/data/table.h"

enum gene_biotype { GENE_PROTEIN, GENE_LNCRNA, GENE_MIRNA, GENE_MT, GENE_OTHER, GENE_N_BIOTYPES };
enum { GENE_MAX_RANKS = 128 };
enum pair_type { PAIR_ONE2ONE, PAIR_ONE2MANY, PAIR_MANY2MANY, PAIR_N_TYPES };

struct gene {
    const char *id, *name; /* name: of the reference */
    const char *shown;     /* name, or id when another gene has it */
    enum gene_biotype biotype;
    bool core, listed;
    uint32_t partner; /* gene of the other species, or UINT32_MAX */
};

struct gene_pair {
    uint32_t human, mouse;
    enum pair_type type;
    int confidence; /* 1 high, 0 low or not known */
    bool same_name;
    int score; /* gene order, 0 to 100 */
};

struct gene_name { /* a further name of a gene or of an id that the reference lacks */
    const char *name;
    const char *id; /* cleaned; NULL when gene is set */
    uint32_t gene;
    int rank;                  /* of the table; lower is better */
    enum gene_biotype biotype; /* of the gene */
};

/* What happened, for the report. */
struct gene_counts {
    size_t n_genes, n_core, by_biotype[GENE_N_BIOTYPES];
    size_t repeated_ids, shared_names; /* genes called by their id for rule 3 */
    size_t alias_names, alias_ids, alias_mangled;
    size_t ambiguous_names, retired_lost;
    size_t from_rank[GENE_MAX_RANKS]; /* aliases of rules 4 and 5 */
    bool guessed;                     /* biotypes come from names */
    size_t n_listed;
};

struct gene_side {
    struct gene *gene; /* owned, as are the next two; by rising id after finish */
    size_t n, room;
    struct gene_name *name;
    size_t n_names, room_names;
    struct map ids; /* id -> gene */
    struct map list;
    bool has_biotypes;
    struct gene_counts counts;
};

struct gene_build {
    struct gene_side of[2]; /* by enum species */
    struct gene_pair *pair;
    size_t n_pairs, room_pairs;
    struct arena text;
    size_t pairs_given[PAIR_N_TYPES], pairs_taken[PAIR_N_TYPES], pairs_unknown, pairs_not_core,
        pairs_doubtful;
};

void gene_build_init(struct gene_build *b);
void gene_build_release(struct gene_build *b);

/* A row of the reference; biotype NULL or empty: not known. */
enum rc gene_build_gene(struct gene_build *b, enum species sp, const char *id, const char *name,
                        const char *biotype, struct err *e);
/* A row of another table. Call when the reference is complete. rank: 0 to GENE_MAX_RANKS - 1. */
enum rc gene_build_name(struct gene_build *b, enum species sp, const char *id, const char *name,
                        int rank, struct err *e);
enum rc gene_build_listed(struct gene_build *b, enum species sp, const char *name, struct err *e);
/* A homolog pair by ids. Unknown ids are counted and left out. */
enum rc gene_build_pair(struct gene_build *b, const char *human, const char *mouse,
                        enum pair_type type, int confidence, int score, struct err *e);

/* genes: id name species biotype core token median homolog (species 0 or 1, token -1, median -); by
 * species, then id. aliases: name id species; by species, then name. The caller releases both. */
enum rc gene_build_finish(struct gene_build *b, struct table *genes, struct table *aliases,
                          struct err *e);

/* ---- parts, for tests ---- */

const char *gene_biotype_name(enum gene_biotype b);
enum gene_biotype gene_biotype_parse(const char *gencode);
/* By the name alone. is_name(ctx, text, n): is this text the name of a gene? It tells processed
 * pseudogenes (RPL21P28, because RPL21 is a gene) from genes that merely end in P and digits. */
enum gene_biotype gene_guess_biotype(const char *id, const char *name,
                                     bool (*is_name)(const void *ctx, const char *text, size_t n),
                                     const void *ctx);
/* Rule 8 over pairs whose genes are core; sorts pair, sets partner of both sides. */
void gene_pairs_choose(struct gene_build *b);
/* Rules 4 to 6 for one species: rows name, id in byte order of the name. */
enum rc gene_aliases(struct gene_build *b, enum species sp, struct gene_name **alias, size_t *n,
                     struct err *e);

#endif
