#include "lib/io/metrics_tsv.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

enum rc metrics_tsv_open(struct outfile *o, const char *path, struct err *e)
{
    if (outfile_open(o, path, e))
        return e ? e->rc : RC_FAIL;
    fputs("task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n", o->f);
    return RC_OK;
}

enum rc metrics_tsv_open_beside(struct outfile *predictions, struct outfile *metrics,
                                const char *folder, struct err *e)
{
    char *a = text_new("%s/predictions.tsv", folder), *b = text_new("%s/metrics.tsv", folder);
    enum rc rc =
        a && b ? outfile_open(predictions, a, e) : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = metrics_tsv_open(metrics, b, e);
    free(a);
    free(b);
    return rc;
}

void metric_text(double value, char text[32])
{
    if (isnan(value))
        snprintf(text, 32, "nan");
    else
        snprintf(text, 32, "%.9g", value == 0 ? 0 : value); /* no -0 */
}

void field_put(const char *text, FILE *f)
{
    for (; *text; text++)
        fputc(*text == '\t' || *text == '\n' || *text == '\r' ? ' ' : *text, f);
}

void metrics_tsv_add(struct outfile *o, const struct metric_row *r)
{
    const char *names[] = { r->task, r->dataset, r->method, r->variant, r->split };
    char value[32];
    for (int i = 0; i < 5; i++) {
        field_put(names[i], o->f);
        fputc('\t', o->f);
    }
    metric_text(r->value, value);
    fprintf(o->f, "%" PRIu64 "\t%s\t%s\t%zu\n", r->seed, r->metric, value, r->n);
}
