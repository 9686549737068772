/* metrics.tsv, the table that every task writes and the report reads:
 *   task dataset method variant split seed metric value n
 * variant is clean or as-released; method names a model or a baseline; value is %.9g, `nan` where a
 * metric is undefined; n counts the cells (genes, conditions) behind it. Lines keep the order of
 * the calls. */
#ifndef GC_IO_METRICS_TSV_H
#define GC_IO_METRICS_TSV_H

#include <stddef.h>
#include <stdint.h>

#include "lib/base/file.h"

struct metric_row {
    const char *task, *dataset, *method, *variant, *split;
    uint64_t seed;
    const char *metric;
    double value;
    size_t n;
};

/* Opens PATH and writes the header line. */
enum rc metrics_tsv_open(struct outfile *o, const char *path, struct err *e);
/* FOLDER/predictions.tsv, whose header is the caller's, and FOLDER/metrics.tsv beside it. */
enum rc metrics_tsv_open_beside(struct outfile *predictions, struct outfile *metrics,
                                const char *folder, struct err *e);
/* Trouble with the disk shows when the file is committed. */
void metrics_tsv_add(struct outfile *o, const struct metric_row *r);
/* A number as the table has it, "nan" without a sign. */
void metric_text(double value, char text[32]);
/* A name as a field: tabs and line ends become blanks. */
void field_put(const char *text, FILE *f);

#endif
