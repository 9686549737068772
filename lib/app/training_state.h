/* The whole state of a training that may be broken off, as one safetensors file: weights, moments,
 * the weights that were best so far, a few numbers, a row for each part that was done. The same
 * call goes on from it, to the same bytes. */
#ifndef GC_APP_TRAINING_STATE_H
#define GC_APP_TRAINING_STATE_H

#include "lib/base/sha256.h"
#include "lib/tensor/params.h"

enum { TRAINING_NUMBERS = 8 };

struct training_state {
    struct params *params;
    void *kept; /* a block of weights */
    double number[TRAINING_NUMBERS];
    size_t n_numbers;
    double *row; /* [n_rows, row_width]; loading: room for most_rows */
    size_t n_rows, row_width, most_rows;
};

/* What a training leaves in its folder; while it runs, the state is there and the others are not.
 */
struct training_files {
    char *state, *model, *table; /* owned */
};
/* On failure, too, to be released. */
enum rc training_files_name(struct training_files *f, const char *folder, struct err *e);
void training_files_release(struct training_files *f);

/* Sums of the n files that a run reads, and last of its gene vectors; empty where one is NULL. sum
 * [n + 1]. */
enum rc training_sums(const char *const *file, size_t n, const char *vectors,
                      char (*sum)[SHA256_HEX], struct err *e);
/* Sum of a text that says all that the bytes of a result depend on; the text is freed, and NULL is
 * RC_FAIL. */
enum rc training_print(char *text, char hex[SHA256_HEX], struct err *e);

/* print: says what run it is of. */
enum rc training_state_save(const struct training_state *s, const char *path, const char *print,
                            struct err *e);
/* Fills what s points to, number and n_rows; n_rows 0 where there is no such file. RC_INPUT: of
 * another run, damaged. */
enum rc training_state_load(struct training_state *s, const char *path, const char *print,
                            struct err *e);

/* training.tsv of a folder: lines epoch (from 1), loss, validation (the name of that column) and
 * whether the epoch was chosen. row [n, 2]: loss, validation. */
enum rc training_table_write(const char *path, const char *validation, const double *row, size_t n,
                             size_t best, struct err *e);

#endif
