#include "lib/cell/rank_list.h"

#include <stdlib.h>

static int falling(const void *a, const void *b)
{
    const struct ranked_token *x = a, *y = b;
    if (x->value < y->value || x->value > y->value)
        return x->value > y->value ? -1 : 1;
    return (x->token > y->token) - (x->token < y->token);
}

size_t rank_list(const uint32_t *column, const uint32_t *count, size_t n, const uint32_t *token,
                 const double *median, struct ranked_token *list)
{
    double total = 0;
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        total += count[i];
    for (size_t i = 0; i < n; i++) {
        const uint32_t j = column[i];
        if (!count[i] || token[j] == UINT32_MAX || !(median[j] > 0))
            continue;
        /* From left to right, as the original's numpy does it. */
        list[kept++] = (struct ranked_token){ count[i] / total * 10000 / median[j], token[j] };
    }
    qsort(list, kept, sizeof *list, falling);
    return kept;
}
