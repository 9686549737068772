/* The value encoder that some published checkpoints have (lib/nn/model.h, enum value_encoder). Only
 * its structure is known, not the names of its tensors; so its parts are told by their shapes. */
#ifndef GC_APP_VALUE_BLOCK_H
#define GC_APP_VALUE_BLOCK_H

#include "lib/io/safetensors.h"
#include "lib/nn/model.h"

enum { BLOCK_FIRST, BLOCK_NORM, BLOCK_SECOND, N_BLOCK_PARTS };

struct value_block {
    enum value_encoder kind;
    /* Names in the file up to .weight and .bias; borrowed from it, n_stem bytes. */
    const char *stem[N_BLOCK_PARTS];
    int n_stem[N_BLOCK_PARTS];
};

/* VALUE_PLAIN when the file has no tensors of such a block, or others than it can have: those stay
 * unknown, and whoever looks for unknown tensors refuses them by name. */
void value_block_find(struct value_block *b, const struct model_config *c, const struct st_file *f);
/* The tensor of a parameter of ours: by its own name, or by that of its part in the file. */
const struct st_tensor *value_block_tensor(const struct value_block *b, const struct st_file *f,
                                           const char *param);
bool value_block_has(const struct value_block *b, const char *tensor);

#endif
