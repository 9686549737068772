/* What the readers of the two forms share. */
#ifndef GC_IO_TORCH_PARTS_H
#define GC_IO_TORCH_PARTS_H

#include "lib/io/torch.h"

/* 0x1950a86a20f9469cfc6c, with which the legacy form begins. */
#define TORCH_MAGIC "119547037146038801333356"

/* A persistent id. */
struct store_id {
    enum st_type type;
    const char *key; /* in the pickle */
    uint32_t n_key;
    uint64_t n_items;
};
enum rc torch_store_id(const struct pickle_value *id, struct store_id *s, struct err *e);

enum rc torch_view_zip(struct torch_file *f, const void *bytes, size_t n_bytes, struct err *e);
enum rc torch_view_legacy(struct torch_file *f, const void *bytes, size_t n_bytes, struct err *e);

#endif
