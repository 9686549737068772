/* The authors' datasets on disk: a folder as `save_to_disk` of Hugging Face datasets writes it.
 *
 *   data-00000-of-00002.arrow, ...   Arrow streams (arrow.h): input_ids list<int32> and values
 *                                    list<float32>, filled up to `width` with 0 and 0.0; length and
 *                                    species list<int16> of one; cell_type text where there are labels
 *   dataset_info.json, state.json    the columns; the files in their order, a fingerprint
 *   sorted_length.pickle             a list of all lengths, rising, not in the order of the rows
 * Spec 01 section 8. Read are these, with other integer widths, scalar length and species, and the
 * label's column under either of the names `cell_type` and `celltype`. */
#ifndef GC_IO_DATASET_H
#define GC_IO_DATASET_H

#include <stdbool.h>

#include "lib/base/file.h"
#include "lib/io/arrow.h"
#include "lib/io/shard.h"

/* ---- writing ---- */

struct dataset_options {
    size_t width;         /* tokens of a row: 2048 */
    size_t n_cells;       /* that will come: the names of the files tell how many there are */
    size_t cells_per_file;
    bool labels;          /* with a column cell_type */
};

struct dataset_writer {
    struct dataset_options o;
    char *folder;
    struct outfile *file; /* [n_files], written ones closed but not renamed */
    size_t n_files, n_done;
    FILE *now;
    size_t n_cells, in_file;
    uint64_t *n_of_length; /* [width + 1] */
    struct dataset_batch *batch;
    bool made_folder;
};

/* On failure *w is empty. */
enum rc dataset_writer_open(struct dataset_writer *w, const char *folder,
                            const struct dataset_options *o, struct err *e);
/* label may be NULL: none. RC_INPUT: the cell has more tokens than the width. */
enum rc dataset_writer_add(struct dataset_writer *w, const struct token_cell *c, const char *label,
                           struct err *e);
/* RC_FAIL: another number of cells came than was said. */
enum rc dataset_writer_close(struct dataset_writer *w, struct err *e);
void dataset_writer_abort(struct dataset_writer *w);

/* The lengths as Python's pickle has them: n_of[k] times k, k up to max. */
enum rc dataset_write_lengths(const char *path, const uint64_t *n_of, size_t max, struct err *e);

/* ---- reading ---- */

struct dataset_cell {
    size_t row;
    struct token_cell cell; /* cell_id 0; borrowed, as is the label, until the call returns */
    const char *label;      /* NULL: there is no such column */
};

/* Calls take for every row of one Arrow stream; *row is the number of the first, and moves on. */
enum rc dataset_each(const struct arrow_file *f, size_t *row,
                     enum rc (*take)(void *ctx, const struct dataset_cell *c, struct err *e),
                     void *ctx, struct err *e);
/* The same for the whole folder. RC_INPUT: no dataset, or file, row and trouble. */
enum rc dataset_read(const char *folder,
                     enum rc (*take)(void *ctx, const struct dataset_cell *c, struct err *e),
                     void *ctx, struct err *e);

#endif
