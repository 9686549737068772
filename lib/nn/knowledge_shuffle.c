#include "lib/nn/knowledge_shuffle.h"

#include <stdlib.h>
#include <string.h>

#include "lib/base/rng.h"

/* Row first + i := row first + from[i], cycle by cycle, so that one spare row is enough. */
static void move_rows(float *table, size_t d, const uint32_t *from, size_t n, unsigned char *done,
                      float *spare)
{
    memset(done, 0, n);
    for (size_t start = 0; start < n; start++) {
        if (done[start])
            continue;
        memcpy(spare, table + start * d, d * sizeof *table);
        size_t i = start;
        for (; from[i] != start; i = from[i]) {
            memcpy(table + i * d, table + from[i] * d, d * sizeof *table);
            done[i] = 1;
        }
        memcpy(table + i * d, spare, d * sizeof *table);
        done[i] = 1;
    }
}

enum rc knowledge_shuffle(struct model *m, uint32_t first, uint64_t seed, struct err *e)
{
    const struct model_config *c = &m->config;
    const size_t n = c->n_tokens > first ? c->n_tokens - first : 0, d = c->knowledge_dim;
    uint32_t *from = malloc((n + 1) * sizeof *from);
    unsigned char *done = malloc(n + 1);
    float *spare = malloc((d + 1) * sizeof *spare);
    const bool good = from && done && spare;
    enum rc rc = good ? model_tables_write(&m->tables, e)
                      : err_set(e, RC_FAIL, "no memory for %zu genes", n);
    for (size_t i = 0; !rc && i < n; i++)
        from[i] = (uint32_t)i;
    if (!rc && n)
        rng_shuffle(seed, RNG_SHUFFLE, 0, from, n);
    for (int k = 0; !rc && k < N_KNOWLEDGE; k++)
        if (m->tables.knowledge[k])
            move_rows(m->tables.knowledge[k] + first * d, d, from, n, done, spare);
    free(from);
    free(done);
    free(spare);
    return rc;
}

enum rc knowledge_forget(struct model *m, struct err *e)
{
    enum rc rc = model_tables_write(&m->tables, e);
    for (int k = 0; !rc && k < N_KNOWLEDGE; k++)
        if (m->tables.knowledge[k])
            memset(m->tables.knowledge[k], 0,
                   (size_t)m->config.n_tokens * m->config.knowledge_dim * sizeof(float));
    return rc;
}

bool knowledge_any(const struct model *m)
{
    for (int k = 0; k < N_KNOWLEDGE; k++)
        if (m->tables.knowledge[k])
            return true;
    return false;
}
