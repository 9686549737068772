#include "lib/io/metrics_tsv.h"

#include <inttypes.h>
#include <math.h>

enum rc metrics_tsv_open(struct outfile *o, const char *path, struct err *e)
{
    if (outfile_open(o, path, e))
        return e ? e->rc : RC_FAIL;
    fputs("task\tdataset\tmethod\tvariant\tsplit\tseed\tmetric\tvalue\tn\n", o->f);
    return RC_OK;
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
