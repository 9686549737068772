/* Python pickles (protocols 0 to 5) as data. Nothing in a pickle is ever run: the reader builds
 * None, bools, numbers, text, bytes, lists, tuples, dicts (an OrderedDict is one) and arrays (numpy
 * arrays and scalars, torch tensors and Parameters). Anything else that a pickle asks for is
 * refused by its name: "refuses 'os.system'".
 *
 * The tree points into the bytes that were read; they must stay until pickle_release. */
#ifndef GC_IO_PICKLE_H
#define GC_IO_PICKLE_H

#include "lib/base/arena.h"
#include "lib/io/array.h"

enum pickle_kind {
    PICKLE_NONE,
    PICKLE_BOOL,  /* whole is 0 or 1 */
    PICKLE_INT,   /* whole */
    PICKLE_LONG,  /* text: the decimal digits of a whole number beyond 64 bits */
    PICKLE_FLOAT, /* real */
    PICKLE_TEXT,  /* text, in UTF-8; may hold zero bytes */
    PICKLE_BYTES, /* text */
    PICKLE_LIST,  /* list */
    PICKLE_TUPLE, /* list */
    PICKLE_DICT,  /* list: key, value, key, value, ... in file order; keys are TEXT, INT or LONG */
    PICKLE_ARRAY, /* array */
    /* Only while reading: */
    PICKLE_GLOBAL,
    PICKLE_DTYPE,
    PICKLE_STORAGE
};

struct pickle_list;
struct pickle_dtype;

struct pickle_value {
    enum pickle_kind kind;
    uint32_t n_bytes; /* of text */
    union {
        int64_t whole;
        double real;
        const char *text; /* no zero behind it */
        struct pickle_list *list;
        struct array *array;
        struct pickle_dtype *dtype;
        const struct array_store *store;
    };
};

struct pickle_list {
    struct pickle_value *at; /* owned */
    size_t n, room;          /* values: two for each entry of a dict */
    struct pickle_list *next_made;
    uint64_t n_nodes; /* values below, each as often as it is reached */
    uint8_t state, height;
};

/* A tree may not be deeper, and a value that stands in several places may not make it much larger
 * than the file: at most PICKLE_SPREAD nodes a byte. So whoever walks it by recursion is safe. */
enum { PICKLE_MAX_DEPTH = 64, PICKLE_SPREAD = 64 };

struct pickle {
    struct pickle_value root;
    struct arena arena;
    struct pickle_list *made; /* all lists, newest first */
};

/* What a persistent id stands for, in files that have such: id is the tuple or text of the file.
 * The store must live as long as the pickle. */
typedef enum rc pickle_find_store(void *ctx, struct pickle *p, const struct pickle_value *id,
                                  const struct array_store **store, struct err *e);

/* Reads one pickle from the front of the bytes; *n_used (may be NULL) is its length. find may be
 * NULL. RC_INPUT: cut off, no pickle, or not data; with the place. Memory is at most a small
 * multiple of n_bytes, whatever they claim. On failure *p is empty. */
enum rc pickle_read(struct pickle *p, const void *bytes, size_t n_bytes, pickle_find_store *find,
                    void *ctx, size_t *n_used, struct err *e);
void pickle_release(struct pickle *p); /* may be called twice */

bool pickle_is_text(const struct pickle_value *v, const char *text);
/* The value of a key in a dict; NULL when v is no dict or has none. Looks through all of it. */
const struct pickle_value *pickle_get(const struct pickle_value *v, const char *key);
/* "a list", "text", ... for messages. */
const char *pickle_kind_name(enum pickle_kind k);
/* The type of a torch storage class (torch.FloatStorage) within a persistent id, or ST_OTHER. */
enum st_type pickle_storage_type(const struct pickle_value *v);

#endif
