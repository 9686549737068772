/* The rows of metrics.tsv that claims are held to. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/app/claims.h"
#include "lib/base/file.h"
#include "lib/io/lines.h"
#include "lib/io/number.h"

bool claims_simulated(const char *dataset)
{
    return strcmp(dataset, "simulated") == 0 || strcmp(dataset, "simulator") == 0;
}

bool claims_like(const char *pattern, const char *text)
{
    /* The last * and where it began: on a mismatch it takes one more letter. */
    const char *star = NULL, *from = NULL;
    while (*text) {
        if (*pattern == '*') {
            star = pattern++;
            from = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++from;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

/* Is it the stage, or with /... one below? */
static bool is_meant(const char *stage, const char *wanted)
{
    size_t n = strlen(wanted);
    return n > 4 && strcmp(wanted + n - 4, "/...") == 0 ? strncmp(stage, wanted, n - 3) == 0
                                                        : strcmp(stage, wanted) == 0;
}

static enum rc hand_over(const char *path,
                         enum rc (*take)(void *ctx, const struct claims_row *r, struct err *e),
                         void *ctx, struct err *e)
{
    static const char *const name[] = { "dataset", "method", "variant", "split",
                                        "seed",    "metric", "value" };
    struct table t;
    table_init(&t, 0);
    enum rc rc = tsv_read_need(path, "dataset,method,variant,split,seed,metric,value", &t, e);
    for (size_t i = 0; !rc && i < t.n_rows; i++) {
        const char *v[7];
        double value;
        for (int k = 0; k < 7; k++) {
            const char *s = table_find(&t, name[k])->text[i];
            v[k] = s ? s : "";
        }
        if (strcmp(v[2], "clean") != 0 || !number_parse(v[6], &value) || !isfinite(value))
            continue;
        const struct claims_row r = {
            .dataset = v[0],
            .method = v[1],
            .split = v[3],
            .metric = v[5],
            .value = value,
            .seed = strtoull(v[4], NULL, 10),
        };
        rc = take(ctx, &r, e);
    }
    table_release(&t);
    return rc;
}

enum rc claims_rows(const struct chain *results, const char *stage,
                    enum rc (*take)(void *ctx, const struct claims_row *r, struct err *e),
                    void *ctx, struct err *e)
{
    enum rc rc = RC_OK;
    for (size_t i = 0; !rc && i < results->n_stages; i++) {
        const struct chain_stage *s = &results->stage[i];
        if (!is_meant(s->name, stage) || !manifest_find(&s->m, MANIFEST_OUTPUT, "metrics.tsv"))
            continue;
        char *path = text_new("%s/%s/metrics.tsv", results->root, s->name);
        rc = path ? hand_over(path, take, ctx, e) : err_set(e, RC_FAIL, "no memory for a path");
        free(path);
    }
    return rc;
}
