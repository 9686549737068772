/* Stratified splits. */
#ifndef GC_NN_SPLIT_H
#define GC_NN_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

enum part { PART_TRAIN, PART_VAL, PART_TEST };

const char *part_name(enum part p); /* "train", "val", "test" */

/* 60/20/20 within each class: of n cells round(n / 5) (half up) are for test, as many for val, the
 * rest for training, so a class of 2 stays in training. Which cells: by a random number keyed with
 * (seed, cell id), so neither the order of the cells nor other classes matter. */
enum rc split_stratified(const uint32_t *class_of, const uint64_t *cell_id, size_t n,
                         size_t n_classes, uint64_t seed, enum part *part, struct err *e);

/* The same draw: of each class's n cells round(n share) (half up) are held out, at least one when
 * there are two or more, never all. held [n]. */
enum rc split_held_out(const uint32_t *class_of, const uint64_t *cell_id, size_t n, size_t n_classes,
                       double share, uint64_t seed, unsigned char *held, struct err *e);

/* The same draw: cells, class after class, are dealt out to the folds in turn. fold [n]. */
enum rc split_folds(const uint32_t *class_of, const uint64_t *cell_id, size_t n, size_t n_folds,
                    uint64_t seed, uint32_t *fold, struct err *e);

#endif
