/* What torch.save writes, as data: the zip form (torch 1.6 and later), the older form of five
 * pickles and raw numbers, and any plain pickle. Read by lib/io/pickle, so nothing in the file is
 * run. Numbers stay in the mapped file.
 *
 * zip:    PREFIX/data.pkl, PREFIX/data/KEY for each storage, PREFIX/byteorder (little without it)
 * legacy: magic number, protocol 1001, system information, the object, the list of storage keys;
 *         then for each key the number of elements (8 bytes) and the elements
 * In both a storage is the persistent id ('storage', type, key, device, number of elements). */
#ifndef GC_IO_TORCH_H
#define GC_IO_TORCH_H

#include "lib/io/pickle.h"
#include "lib/io/zip.h"

struct torch_file {
    struct pickle pickle; /* pickle.root is the object */
    struct zip zip;
    struct mapped map; /* empty after torch_view */
};

/* RC_INPUT with the file's name and the trouble; *f is empty then. */
enum rc torch_open(struct torch_file *f, const char *path, struct err *e);
/* The same on bytes in memory, borrowed until torch_close. */
enum rc torch_view(struct torch_file *f, const void *bytes, size_t n_bytes, struct err *e);
void torch_close(struct torch_file *f); /* may be called twice */

/* Writes the zip form: a dict of names to tensors in the given order. Tensors with the same data
 * (the same pointer) share a storage, as tied ones do in torch. RC_INPUT: a type that is not
 * written, or 4 GiB and more. */
enum rc torch_write(const char *path, const struct st_tensor *tensor, size_t n, struct err *e);

#endif
