#include "lib/app/value_block.h"

#include <stdio.h>
#include <string.h>

#define EMB "bert.embeddings."

/* What the embedding block of every model has; the rest is the value block. */
static bool is_plain(const char *name)
{
    static const char *const begin[] = {
        "word_embeddings.", "position_embeddings.", "token_type_embeddings.", "concat_embeddings.",
        "LayerNorm.",       "position_ids",         "homologous_index"
    };
    const char *s = name + strlen(EMB);
    for (size_t i = 0; i < sizeof begin / sizeof *begin; i++)
        if (strncmp(s, begin[i], strlen(begin[i])) == 0)
            return true;
    for (int k = 0; k < N_KNOWLEDGE; k++)
        if (strncmp(s, knowledge_name[k], strlen(knowledge_name[k])) == 0 &&
            s[strlen(knowledge_name[k])] == '_')
            return true;
    return false;
}

static bool ends_with(const char *s, const char *end)
{
    const size_t n = strlen(s), m = strlen(end);
    return n > m && strcmp(s + n - m, end) == 0;
}

/* Which part a weight is, and of which kind of block; -1: none. */
static int part_of(const struct st_tensor *t, uint64_t d, enum value_encoder *kind)
{
    *kind = VALUE_PLAIN;
    if (t->n_dims == 1 && t->dim[0] == d)
        return BLOCK_NORM;
    if (t->n_dims != 2 || t->dim[0] != d)
        return -1;
    if (t->dim[1] == d)
        return BLOCK_SECOND;
    *kind = t->dim[1] == d + 1 ? VALUE_JOINT : t->dim[1] == 1 ? VALUE_OWN : VALUE_PLAIN;
    return *kind == VALUE_PLAIN ? -1 : BLOCK_FIRST;
}

void value_block_find(struct value_block *b, const struct model_config *c, const struct st_file *f)
{
    struct value_block found = { 0 };
    size_t n = 0;
    *b = (struct value_block){ .kind = VALUE_PLAIN };
    for (size_t i = 0; i < f->n; i++) {
        const struct st_tensor *t = &f->tensor[i];
        if (strncmp(t->name, EMB, strlen(EMB)) != 0 || is_plain(t->name))
            continue;
        n++;
        if (!ends_with(t->name, ".weight"))
            continue; /* biases are looked for by name */
        enum value_encoder kind;
        const int part = part_of(t, c->d, &kind);
        if (part < 0 || found.stem[part])
            return;
        found.stem[part] = t->name;
        found.n_stem[part] = (int)(strlen(t->name) - strlen(".weight"));
        found.kind = kind == VALUE_PLAIN ? found.kind : kind;
    }
    if (n == 2 * N_BLOCK_PARTS && found.stem[BLOCK_FIRST] && found.stem[BLOCK_NORM] &&
        found.stem[BLOCK_SECOND] && c->use_values)
        *b = found;
}

const struct st_tensor *value_block_tensor(const struct value_block *b, const struct st_file *f,
                                           const char *param)
{
    static const char *const part[] = { VALUE_BLOCK ".first.", VALUE_BLOCK ".norm.",
                                        VALUE_BLOCK ".second." };
    char name[512];
    for (int i = 0; b->kind != VALUE_PLAIN && i < N_BLOCK_PARTS; i++)
        if (strncmp(param, part[i], strlen(part[i])) == 0) {
            const int n = snprintf(name, sizeof name, "%.*s.%s", b->n_stem[i], b->stem[i],
                                   param + strlen(part[i]));
            return n < (int)sizeof name ? st_find(f, name) : NULL;
        }
    return st_find(f, param);
}

bool value_block_has(const struct value_block *b, const char *tensor)
{
    for (int i = 0; b->kind != VALUE_PLAIN && i < N_BLOCK_PARTS; i++)
        if (strncmp(tensor, b->stem[i], (size_t)b->n_stem[i]) == 0 &&
            (strcmp(tensor + b->n_stem[i], ".weight") == 0 ||
             strcmp(tensor + b->n_stem[i], ".bias") == 0))
            return true;
    return false;
}
