#include "lib/nn/baseline.h"

#include <math.h>
#include <stdlib.h>

enum rc baseline_init(struct baseline *b, uint32_t n_tokens, struct err *e)
{
    *b = (struct baseline){ .n_tokens = n_tokens };
    b->log_p = calloc(n_tokens, sizeof *b->log_p);
    b->mean_value = calloc(n_tokens, sizeof *b->mean_value);
    if (b->log_p && b->mean_value)
        return RC_OK;
    baseline_release(b);
    return err_set(e, RC_FAIL, "no memory for %u tokens", n_tokens);
}

/* Until finish, log_p holds counts and mean_value sums. */
void baseline_add(struct baseline *b, const struct batch_cell *c, uint32_t max_genes)
{
    for (uint32_t j = 0; j < c->n && j < max_genes; j++) {
        const double x = (double)c->value[j];
        if (c->token[j] >= b->n_tokens)
            continue;
        b->log_p[c->token[j]]++;
        b->mean_value[c->token[j]] += x;
        b->value_squares += x * x;
        b->n_genes++;
    }
}

void baseline_finish(struct baseline *b)
{
    const double n = (double)b->n_genes;
    double sum = 0;
    for (uint32_t i = 0; i < b->n_tokens; i++) {
        const double count = b->log_p[i];
        sum += b->mean_value[i];
        if (count > 0)
            b->entropy -= count / n * log(count / n);
        if (count > b->log_p[b->commonest])
            b->commonest = i;
    }
    if (b->n_genes) {
        b->value_mean = sum / n;
        b->value_variance = fmax(0, b->value_squares / n - b->value_mean * b->value_mean);
    }
    for (uint32_t i = 0; i < b->n_tokens; i++) {
        const double count = b->log_p[i];
        b->mean_value[i] = count > 0 ? b->mean_value[i] / count : b->value_mean;
        b->log_p[i] = log((count + 1) / (n + b->n_tokens));
    }
}

void baseline_release(struct baseline *b)
{
    free(b->log_p);
    free(b->mean_value);
    *b = (struct baseline){ 0 };
}
