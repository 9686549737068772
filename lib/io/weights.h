/* A file of named tensors, whichever of the two forms it has: safetensors, or what torch.save wrote
 * of a state dict (a dict of names to tensors). Both are seen as one list of tensors by name. */
#ifndef GC_IO_WEIGHTS_H
#define GC_IO_WEIGHTS_H

#include "lib/io/torch.h"

struct weights {
    struct st_file st; /* st_find, st_get_* */
    struct torch_file torch;
    void **copy; /* numbers of views that do not lie row by row; owned */
    size_t n_copies;
};

/* A name that ends in .safetensors is read as such, anything else by lib/io/torch. RC_INPUT names
 * the file, and the entry that is no tensor. On failure *w is empty. */
enum rc weights_open(struct weights *w, const char *path, struct err *e);
/* A torch file's bytes in memory, borrowed until weights_close. */
enum rc weights_view_torch(struct weights *w, const void *bytes, size_t n_bytes, struct err *e);
void weights_close(struct weights *w); /* may be called twice */
bool weights_is_safetensors(const char *path);

#endif
