/* The simulator's files as tables: the public gene tables and networks that a real run finds in its
 * mirror, in their own layouts, and the truth. Pure: bin-src/simulate.c writes them. */
#ifndef GC_CELL_SIMULATE_TABLE_H
#define GC_CELL_SIMULATE_TABLE_H

#include "lib/cell/simulate.h"

enum sim_table {
    SIM_T_GENCODE_NAMES, /* id, name */
    SIM_T_CELLXGENE,     /* id, name, version, length, biotype */
    SIM_T_SCLUCID,       /* ids with a version, biotype, place */
    SIM_T_ANNOTABLES,    /* an older release: some names are old ones */
    SIM_T_MART_NAMES,
    SIM_T_NAME_LIST, /* names of the core genes, not quite all */
    SIM_T_TF_LIST,
    SIM_T_MART_HOMOLOGS, /* every pair, with type and confidence */
    SIM_T_SYMBOL_PAIRS,  /* human name, mouse name or nothing */
    SIM_T_HGNC,          /* symbol, id, family, old name: becomes JSON */
    SIM_T_TRRUST,
    SIM_T_COLLECTRI,
    SIM_T_DOROTHEA,
    SIM_T_GENOME,
    SIM_T_SITES,
    SIM_T_PROMOTERS,
    SIM_T_PAIRED_EXPRESSION,
    SIM_T_PAIRED_ELEMENTS,
    SIM_T_PAIRED_BINDING,
    SIM_T_PAIRED_LINKS,
    SIM_T_PAIRED_CORRELATION,
    SIM_T_PAIRED_BACKGROUND,
    SIM_T_GENES, /* from here: truth */
    SIM_T_HOMOLOGS,
    SIM_T_NETWORK,
    SIM_T_TYPES,
    SIM_T_CELLS,
    SIM_T_DOSES,
    SIM_T_EFFECTS,
    SIM_T_LABELS /* of one sample */
};

struct sim_file {
    const char *path; /* below --out; .gz is compressed */
    enum sim_table table;
    int which; /* species, or sample for labels and paired; for the truth about both species 0 */
    char sep;
    bool header, quote;
};

extern const struct sim_file sim_files[];
extern const size_t sim_n_files;

/* Fills *t (fresh). */
enum rc sim_table_make(const struct sim *s, enum sim_table table, int which, struct table *t,
                       struct err *e);

/* An edge as prior knowledge may list it. Rising TF, then target. */
struct sim_listed {
    uint32_t tf, target;
    int sign;
    double weight; /* 0 for a false edge */
    bool real, shared;
    bool trrust, collectri, dorothea; /* none of them: held out */
};
/* The true edges of a species and the false ones that its lists hold; the caller frees *edge. */
enum rc sim_listed_edges(const struct sim *s, enum species sp, struct sim_listed **edge, size_t *n,
                         struct err *e);
/* The name of a gene in older tables: mostly its own. */
void sim_old_name(const struct sim *s, enum species sp, uint32_t gene, char name[SIM_TEXT]);
/* Core: protein-coding, long or micro RNA, not mitochondrial, and in the list of names. */
bool sim_is_core(const struct sim *s, enum species sp, uint32_t gene);

#endif
