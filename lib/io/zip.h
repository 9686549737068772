/* Zip archives whose members are stored as they are, as torch writes them: the members' bytes are
 * found in the mapped file. Sizes come from the directory at the end; zip64 is read. */
#ifndef GC_IO_ZIP_H
#define GC_IO_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/base/err.h"

struct zip_member {
    const char *name; /* n_name bytes in the file */
    const unsigned char *data;
    uint64_t n_bytes;
    uint32_t crc;
    uint16_t n_name;
    bool checked; /* the sum was compared */
};

struct zip {
    struct zip_member *member; /* owned, by rising name */
    size_t n;
};

/* RC_INPUT: cut off, damaged, compressed, encrypted, a name twice. On failure *z is empty. */
enum rc zip_view(struct zip *z, const void *bytes, size_t n_bytes, struct err *e);
void zip_release(struct zip *z);
struct zip_member *zip_find(const struct zip *z, const char *name);
/* Compares the member's CRC-32, once. */
enum rc zip_verify(struct zip_member *m, struct err *e);

#endif
