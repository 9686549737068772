/* What a large run would cost: rates, and formulas over them that are read from a table, worked out
 * in its order and shown as they stand there.
 *
 *   formula: numbers and names of rows above, joined by + - * / with a blank on both sides; * and /
 *            go first, equal ones from the left
 *   disk_bytes  B  source_bytes + cells_kept * shard_bytes_per_cell
 * A rate is a row whose formula is one number. */
#ifndef GC_REPORT_PLAN_H
#define GC_REPORT_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "lib/base/arena.h"
#include "lib/base/err.h"

struct plan_row {
    const char *name, *unit, *formula, *source; /* in the plan's arena */
    double value;
    bool rate;
};

struct plan {
    struct plan_row *row; /* [n], owned */
    size_t n, room;
    struct arena text;
};

void plan_init(struct plan *p);
void plan_release(struct plan *p);
/* A rate; one of that name that is there already takes the new value and source. RC_INPUT: not a
 * finite number above 0. */
enum rc plan_rate(struct plan *p, const char *name, double value, const char *unit,
                  const char *source, struct err *e);
/* Columns name, value, unit, source. */
enum rc plan_read_rates(struct plan *p, const char *path, struct err *e);
/* Columns name, unit, formula, source. RC_INPUT names the row: a name that is used before it is
 * there or stands twice, a division by 0, a result that is no finite number from 0 on. */
enum rc plan_read_formulas(struct plan *p, const char *path, struct err *e);
/* NULL: no such row. */
const struct plan_row *plan_find(const struct plan *p, const char *name);

/* As a table: kind (rate or result), name, value, unit, formula, source. */
enum rc plan_write(const struct plan *p, const char *path, struct err *e);
/* Only the rates, as plan_read_rates takes them. */
enum rc plan_write_rates(const struct plan *p, const char *path, struct err *e);
/* For people. */
void plan_print(const struct plan *p, FILE *f);

#endif
