/* The whole state of a training that may be broken off, as one safetensors file: weights, moments,
 * the weights that were best so far, a few numbers, a row for each part that was done. The same
 * call goes on from it, to the same bytes. */
#ifndef GC_APP_TRAINING_STATE_H
#define GC_APP_TRAINING_STATE_H

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
