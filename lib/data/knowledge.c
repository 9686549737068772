#include "lib/data/knowledge.h"

#include <stdlib.h>

enum rc knowledge_table_alloc(struct knowledge_table *k, enum knowledge_kind kind, size_t n_tokens,
                              size_t dim, struct err *e)
{
    *k = (struct knowledge_table){ .kind = kind, .n_tokens = n_tokens, .dim = dim };
    if (!n_tokens || !dim || dim > 65536 || n_tokens > VOCAB_MAX) {
        *k = (struct knowledge_table){ 0 };
        return err_set(e, RC_INPUT, "%zu rows of %zu numbers cannot be made", n_tokens, dim);
    }
    k->vector = calloc(n_tokens * dim, sizeof *k->vector);
    k->present = calloc(n_tokens, 1);
    if (k->vector && k->present)
        return RC_OK;
    knowledge_table_release(k);
    return err_set(e, RC_FAIL, "no memory for %zu rows of %zu numbers", n_tokens, dim);
}

void knowledge_table_release(struct knowledge_table *k)
{
    free(k->vector);
    free(k->present);
    *k = (struct knowledge_table){ 0 };
}

const char *knowledge_kind_name(enum knowledge_kind kind)
{
    static const char *const name[] = { "promoter", "coexpression", "family", "grn" };
    return name[kind];
}
