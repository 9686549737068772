/* Import: any source of single-cell counts to one form.
 *
 * Kinds, told by what a file holds (its name only helps with the sentence when it is damaged):
 *   h5ad     AnnData of every generation; counts in X, raw/X or a layer
 *   10x_h5   Cell Ranger 2 (a group per genome) and 3
 *   10x_mtx  Cell Ranger folders, v2 and v3, plain or gzip; a path to the matrix file will do
 *   loom     genes x cells, counts in the main matrix or a layer
 *   csv tsv  dense tables, genes or cells in rows, R headers
 * What is done: values are checked for being raw counts (lib/io/counts.h); features that are not
 * gene expression are dropped; Ensembl versions are cut off; genes of one name, and entries of one
 * place, are summed; barcodes that repeat get a suffix; matrices with all droplets are cut to cells
 * (lib/io/droplets.h). All of it is counted in the report, nothing is silent. */
#ifndef GC_IO_IMPORT_H
#define GC_IO_IMPORT_H

#include <jansson.h>

#include "lib/base/sha256.h"
#include "lib/data/cells.h"

struct import_options {
    enum species species;     /* SPECIES_UNKNOWN: told from the names of the genes */
    const char *sample;       /* NULL: the name of the file without its endings */
    const char *layer;        /* NULL: found; else "X", "raw", a layer, a genome */
    const char *labels;       /* a table of barcodes and labels, NULL: labels of the source */
    const char *label_column; /* NULL: the usual names */
    bool all_droplets;        /* keep droplets without a cell */
    size_t spool_from;        /* entries from which on a matrix goes through a file; 0: the usual */
};

enum { IMPORT_MAX_TYPES = 16, IMPORT_MAX_NOTES = 16 };

struct import_report {
    char main[512]; /* the file that messages name */
    char kind[16], sha256[SHA256_HEX], where[256], sample[256], label_column[128];
    uint64_t n_bytes; /* of the main file, whose checksum is sha256 */
    size_t n_source_cells, n_source_features;
    size_t n_cells, n_genes;
    uint64_t nnz, total;
    enum species species; /* SPECIES_UNKNOWN for a mixture */
    enum species told;    /* by the names of the genes alone; SPECIES_UNKNOWN: by none of them */
    bool mixture;
    uint64_t n_rounded; /* values that were whole only within COUNTS_TOLERANCE */
    /* mended */
    uint64_t n_genes_merged, n_entries_merged;
    /* dropped and changed */
    size_t n_features_dropped, n_types;
    struct {
        char name[64];
        size_t n;
    } type[IMPORT_MAX_TYPES];
    size_t n_versions_cut, n_prefixes_cut, n_barcodes_renamed;
    size_t n_droplets_dropped;
    uint64_t droplet_threshold; /* least total of a cell; 0: not applied */
    size_t n_cells_unclear;     /* of a mixture, without a species */
    size_t n_labelled, n_label_rows_unused, n_columns_left_out;
    char note[IMPORT_MAX_NOTES][256];
    size_t n_notes;
};

/* Reads path (a file or a Cell Ranger folder). out gets obs cell_id, sample, species, label (where
 * there are labels) and what else the source knows; var gene_name and, in a mixture, species.
 * On failure *out is empty. RC_INPUT names file, place and trouble; *rep is filled as far as the
 * import came. */
enum rc import_any(const char *path, const struct import_options *o, struct cells *out,
                   struct import_report *rep, struct err *e);
/* The same to an .h5ad file, block by block: counts take no more memory the more cells there are, in
 * whatever order the file has them; what is known of the cells (names, obs) does, about 56 bytes a
 * cell and its name. Rows wait in a temporary file beside the output until it is known which are
 * cells; counts that lie by gene, or in disorder, pass through another one (turn.h). */
enum rc import_file(const char *path, const struct import_options *o, const char *to,
                    struct import_report *rep, struct err *e);

/* The same in blocks, for who wants each cell once: `head` (names, obs, var; of its counts only the
 * sizes) is known when this returns, since the whole source was read by then: into memory, or, when
 * large, into a temporary file in the folder of `beside`. So its values are known to be counts. */
struct import_stream;
/* On failure *head is empty and *t NULL. */
enum rc import_open(const char *path, const struct import_options *o, const char *beside,
                    struct cells *head, struct import_stream **t, struct err *e);
/* The next cells (a block may have none), for the caller to release; *more is false behind the last. */
enum rc import_rows(struct import_stream *t, struct csr *rows, bool *more, struct err *e);
/* Whole when all rows were taken. */
const struct import_report *import_stream_report(const struct import_stream *t);
void import_close(struct import_stream *t); /* harmless on NULL */

/* The report as JSON; NULL when memory is short. */
json_t *import_report_json(const struct import_report *rep);

#endif
