/* What the parts of the pickle reader share.
 *   pickle.c         the loop, the stack, the memo, the tree
 *   pickle_ops.c     what each opcode does
 *   pickle_number.c  whole and broken numbers, in bytes and in decimal
 *   pickle_text.c    texts of protocol 0, UTF-8
 *   pickle_build.c   the few names that are known, and what calling them means
 *   pickle_check.c   the finished tree: no cycle, not too deep or wide, keys of dicts */
#ifndef GC_IO_PICKLE_PARTS_H
#define GC_IO_PICKLE_PARTS_H

#include "lib/io/pickle.h"

struct pickle_dtype {
    enum st_type type;
    bool big_endian;
};

struct pickle_reader {
    struct pickle *p;
    const unsigned char *begin, *at, *end;
    struct pickle_value *stack, *memo;
    size_t n_stack, stack_room, memo_room;
    size_t *mark; /* heights of the stack */
    size_t n_marks, marks_room;
    uint64_t n_ops, n_memo; /* opcodes run; places of the memo in use */
    uint64_t n_spent;       /* bytes of texts that were written anew */
    uint64_t n_surplus;     /* numbers of views beyond those that their stores hold */
    bool stopped;
    pickle_find_store *find;
    void *ctx;
    struct err *e;
};

/* Each sets an error and returns false when it fails. */
bool pickle_fail(struct pickle_reader *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
bool pickle_no_memory(struct pickle_reader *r);
/* Room for `need` items of that many bytes; false when memory is short. */
bool pickle_grow(void **at, size_t *room, size_t need, size_t bytes);
/* The next n bytes; NULL with an error when there are fewer. */
const unsigned char *pickle_take(struct pickle_reader *r, uint64_t n);
/* A line without its end. */
const char *pickle_take_line(struct pickle_reader *r, size_t *n);
bool pickle_push(struct pickle_reader *r, struct pickle_value v);
/* The value that is i below the top; NULL with an error when there is none above the last mark. */
struct pickle_value *pickle_top(struct pickle_reader *r, size_t i);
void pickle_drop(struct pickle_reader *r, size_t n);
bool pickle_put(struct pickle_reader *r, uint64_t i); /* the top into place i of the memo */
bool pickle_get_memo(struct pickle_reader *r, uint64_t i);
bool pickle_step(struct pickle_reader *r, unsigned char op);
struct pickle_list *pickle_list_new(struct pickle_reader *r, size_t n);
bool pickle_list_add(struct pickle_reader *r, struct pickle_list *l, const struct pickle_value *v,
                     size_t n);
/* Room for a text of ours; at most a few times the file in all. */
char *pickle_room(struct pickle_reader *r, size_t n);

/* n bytes, little-endian, two's complement. */
bool pickle_whole(struct pickle_reader *r, const unsigned char *b, size_t n,
                  struct pickle_value *v);
bool pickle_whole_text(struct pickle_reader *r, const char *s, size_t n, struct pickle_value *v);
bool pickle_real_text(struct pickle_reader *r, const char *s, size_t n, struct pickle_value *v);
double pickle_real(const unsigned char *b); /* 8 bytes, big-endian */

bool pickle_is_utf8(const char *s, size_t n);
/* Protocol 0: 'quoted' with escapes, and raw-unicode-escape. */
bool pickle_quoted(struct pickle_reader *r, const char *s, size_t n, struct pickle_value *v);
bool pickle_escaped(struct pickle_reader *r, const char *s, size_t n, struct pickle_value *v);
/* UTF-8 to Latin-1. */
bool pickle_latin1(struct pickle_reader *r, const struct pickle_value *text,
                   struct pickle_value *v);

bool pickle_global(struct pickle_reader *r, const char *module, size_t n_module, const char *name,
                   size_t n_name, struct pickle_value *v);
/* The top two values become one: what calling the first with the second makes. */
bool pickle_reduce(struct pickle_reader *r);
/* The top value is the state of the one below. */
bool pickle_set_state(struct pickle_reader *r);

bool pickle_check(struct pickle_reader *r, const struct pickle_value *root);

#endif
