/* What each opcode does (Lib/pickletools.py of Python lists them). */
#include "lib/io/pickle_parts.h"

static uint64_t little(const unsigned char *b, size_t n)
{
    uint64_t x = 0;
    while (n--)
        x = x << 8 | b[n];
    return x;
}

/* A length of n bytes. */
static bool take_count(struct pickle_reader *r, size_t n, uint64_t *count)
{
    const unsigned char *b = pickle_take(r, n);
    if (b)
        *count = little(b, n);
    return b != NULL;
}

static bool push_kind(struct pickle_reader *r, enum pickle_kind kind, int64_t whole)
{
    return pickle_push(r, (struct pickle_value){ .kind = kind, .whole = whole });
}

static bool push_list(struct pickle_reader *r, enum pickle_kind kind, size_t n_top)
{
    struct pickle_list *l;
    if ((n_top && !pickle_top(r, n_top - 1)) || !(l = pickle_list_new(r, n_top)))
        return false;
    if (n_top && !pickle_list_add(r, l, r->stack + r->n_stack - n_top, n_top))
        return false;
    pickle_drop(r, n_top);
    return pickle_push(r, (struct pickle_value){ .kind = kind, .list = l });
}

static bool set_mark(struct pickle_reader *r)
{
    void *at = r->mark;
    if (!pickle_grow(&at, &r->marks_room, r->n_marks + 1, sizeof *r->mark))
        return pickle_no_memory(r);
    r->mark = at;
    r->mark[r->n_marks++] = r->n_stack;
    return true;
}

/* Takes the last mark away; *n is the number of values above it. */
static bool take_mark(struct pickle_reader *r, size_t *n)
{
    *n = 0;
    if (!r->n_marks)
        return pickle_fail(r, "an opcode wants a mark where none is");
    *n = r->n_stack - r->mark[--r->n_marks];
    return true;
}

static bool push_marked(struct pickle_reader *r, enum pickle_kind kind)
{
    size_t n;
    if (!take_mark(r, &n))
        return false;
    if (kind == PICKLE_DICT && n % 2)
        return pickle_fail(r, "a key without a value");
    return push_list(r, kind, n);
}

/* The top n values go into the container below them. */
static bool add_top(struct pickle_reader *r, enum pickle_kind kind, size_t n)
{
    struct pickle_value *c = pickle_top(r, n);
    if (!c)
        return false;
    if (c->kind != kind)
        return pickle_fail(r, "adds to %s as to %s", pickle_kind_name(c->kind),
                           pickle_kind_name(kind));
    if (kind == PICKLE_DICT && n % 2)
        return pickle_fail(r, "a key without a value");
    if (!pickle_list_add(r, c->list, r->stack + r->n_stack - n, n))
        return false;
    pickle_drop(r, n);
    return true;
}

static bool add_marked(struct pickle_reader *r, enum pickle_kind kind)
{
    size_t n;
    return take_mark(r, &n) && add_top(r, kind, n);
}

/* The index of PUT and GET. */
static bool line_index(struct pickle_reader *r, uint64_t *i)
{
    size_t n;
    const char *s = pickle_take_line(r, &n);
    struct pickle_value v;
    if (!s || !pickle_whole_text(r, s, n, &v))
        return false;
    if (v.kind != PICKLE_INT || v.whole < 0)
        return pickle_fail(r, "a memo index that is no count");
    *i = (uint64_t)v.whole;
    return true;
}

/* A text with a length of n bytes in front. */
static bool push_text(struct pickle_reader *r, enum pickle_kind kind, size_t n_length)
{
    uint64_t n;
    const unsigned char *b;
    if (!take_count(r, n_length, &n) || !(b = pickle_take(r, n)))
        return false;
    if (n > UINT32_MAX - 1)
        return pickle_fail(r, "a text of %llu bytes", (unsigned long long)n);
    if (kind == PICKLE_TEXT && !pickle_is_utf8((const char *)b, (size_t)n))
        return pickle_fail(r, "a text that is not UTF-8");
    return pickle_push(
        r, (struct pickle_value){ .kind = kind, .n_bytes = (uint32_t)n, .text = (const char *)b });
}

/* str of Python 2: text where it is plain ASCII, else bytes. */
static bool push_old_text(struct pickle_reader *r, size_t n_length)
{
    if (!push_text(r, PICKLE_BYTES, n_length))
        return false;
    struct pickle_value *v = &r->stack[r->n_stack - 1];
    v->kind = PICKLE_TEXT;
    for (uint32_t i = 0; i < v->n_bytes; i++)
        if (v->text[i] & 0x80)
            v->kind = PICKLE_BYTES;
    return true;
}

static bool push_whole(struct pickle_reader *r, size_t n, bool is_signed)
{
    const unsigned char *b = pickle_take(r, n);
    if (!b)
        return false;
    const uint64_t x = little(b, n);
    return push_kind(r, PICKLE_INT, is_signed ? (int32_t)(uint32_t)x : (int64_t)x);
}

static bool push_long(struct pickle_reader *r, size_t n_length)
{
    uint64_t n;
    const unsigned char *b;
    struct pickle_value v;
    return take_count(r, n_length, &n) && (b = pickle_take(r, n)) &&
           pickle_whole(r, b, (size_t)n, &v) && pickle_push(r, v);
}

/* Opcodes of protocol 0 whose argument is a line. */
static bool push_line(struct pickle_reader *r, unsigned char op)
{
    size_t n;
    const char *s = pickle_take_line(r, &n);
    struct pickle_value v;
    if (!s)
        return false;
    if (op == 'I' && n == 2 && s[0] == '0' && (s[1] == '0' || s[1] == '1'))
        return push_kind(r, PICKLE_BOOL, s[1] - '0');
    if (op == 'L' && n && s[n - 1] == 'L')
        n--;
    return (op == 'I' || op == 'L' ? pickle_whole_text(r, s, n, &v)
            : op == 'F'            ? pickle_real_text(r, s, n, &v)
            : op == 'S'            ? pickle_quoted(r, s, n, &v)
                                   : pickle_escaped(r, s, n, &v)) &&
           pickle_push(r, v);
}

static bool push_real(struct pickle_reader *r)
{
    const unsigned char *b = pickle_take(r, 8);
    return b &&
           pickle_push(r, (struct pickle_value){ .kind = PICKLE_FLOAT, .real = pickle_real(b) });
}

static bool push_global(struct pickle_reader *r, const char *module, size_t n_module,
                        const char *name, size_t n_name)
{
    struct pickle_value v;
    return pickle_global(r, module, n_module, name, n_name, &v) && pickle_push(r, v);
}

/* The names are two lines. INST, too, has them, and is always refused by them or by what it does.
 */
static bool line_global(struct pickle_reader *r, bool instance)
{
    size_t n, m;
    const char *module = pickle_take_line(r, &n);
    const char *name = module ? pickle_take_line(r, &m) : NULL;
    if (!name || !push_global(r, module, n, name, m))
        return false;
    return !instance ||
           pickle_fail(r, "makes an instance of '%.*s.%.*s'", (int)n, module, (int)m, name);
}

static bool stack_global(struct pickle_reader *r)
{
    const struct pickle_value *name = pickle_top(r, 0), *module = name ? pickle_top(r, 1) : NULL;
    if (!module)
        return false;
    if (name->kind != PICKLE_TEXT || module->kind != PICKLE_TEXT)
        return pickle_fail(r, "a global whose name is no text");
    const struct pickle_value m = *module, n = *name;
    pickle_drop(r, 2);
    return push_global(r, m.text, m.n_bytes, n.text, n.n_bytes);
}

static bool persistent(struct pickle_reader *r)
{
    const struct pickle_value *id = pickle_top(r, 0);
    const struct array_store *store;
    if (!id)
        return false;
    if (!r->find)
        return pickle_fail(r, "a persistent id outside of a torch file");
    if (r->find(r->ctx, r->p, id, &store, r->e))
        return false;
    pickle_drop(r, 1);
    return pickle_push(r, (struct pickle_value){ .kind = PICKLE_STORAGE, .store = store });
}

static bool protocol(struct pickle_reader *r)
{
    const unsigned char *b = pickle_take(r, 1);
    if (!b)
        return false;
    return *b <= 5 || pickle_fail(r, "protocol %d, not 0 to 5", *b);
}

static bool frame(struct pickle_reader *r)
{
    uint64_t n;
    if (!take_count(r, 8, &n))
        return false;
    return n <= (uint64_t)(r->end - r->at) ||
           pickle_fail(r, "the file ends within a frame of %llu bytes", (unsigned long long)n);
}

static bool duplicate(struct pickle_reader *r)
{
    const struct pickle_value *v = pickle_top(r, 0);
    return v && pickle_push(r, *v);
}

static bool pop(struct pickle_reader *r)
{
    size_t n;
    if (r->n_marks && r->mark[r->n_marks - 1] == r->n_stack) /* POP takes a mark away, too */
        return take_mark(r, &n);
    if (!pickle_top(r, 0))
        return false;
    pickle_drop(r, 1);
    return true;
}

static bool pop_marked(struct pickle_reader *r)
{
    size_t n;
    if (!take_mark(r, &n))
        return false;
    pickle_drop(r, n);
    return true;
}

static bool put_counted(struct pickle_reader *r, size_t n_length)
{
    uint64_t i;
    return (n_length ? take_count(r, n_length, &i) : line_index(r, &i)) && pickle_put(r, i);
}

static bool get_counted(struct pickle_reader *r, size_t n_length)
{
    uint64_t i;
    return (n_length ? take_count(r, n_length, &i) : line_index(r, &i)) && pickle_get_memo(r, i);
}

static bool refuse_op(struct pickle_reader *r, unsigned char op)
{
    static const struct {
        unsigned char op;
        const char *what;
    } known[] = { { 0x81, "makes an object (NEWOBJ)" }, { 0x92, "makes an object (NEWOBJ_EX)" },
                  { 'o', "makes an object (OBJ)" },     { 0x82, "an extension code (EXT1)" },
                  { 0x83, "an extension code (EXT2)" }, { 0x84, "an extension code (EXT4)" },
                  { 0x8f, "a set (EMPTY_SET)" },        { 0x90, "a set (ADDITEMS)" },
                  { 0x91, "a set (FROZENSET)" },        { 0x97, "an outside buffer (NEXT_BUFFER)" },
                  { 'P', "a persistent id in a line" } };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].op == op)
            return pickle_fail(r, "refuses %s", known[i].what);
    return pickle_fail(r, "byte 0x%02x is no opcode", op);
}

/* A table, an opcode a line. */
/* clang-format off */
bool pickle_step(struct pickle_reader *r, unsigned char op)
{
    switch (op) {
    case 0x80: return protocol(r);
    case 0x95: return frame(r);
    case '.': r->stopped = true; return pickle_top(r, 0) != NULL;
    case '(': return set_mark(r);
    case '0': return pop(r);
    case '1': return pop_marked(r);
    case '2': return duplicate(r);
    case 'N': return push_kind(r, PICKLE_NONE, 0);
    case 0x88: return push_kind(r, PICKLE_BOOL, 1);
    case 0x89: return push_kind(r, PICKLE_BOOL, 0);
    case 'I': case 'L': case 'F': case 'S': case 'V': return push_line(r, op);
    case 'K': return push_whole(r, 1, false);
    case 'M': return push_whole(r, 2, false);
    case 'J': return push_whole(r, 4, true);
    case 0x8a: return push_long(r, 1);
    case 0x8b: return push_long(r, 4);
    case 'G': return push_real(r);
    case 'U': return push_old_text(r, 1);
    case 'T': return push_old_text(r, 4);
    case 0x8c: return push_text(r, PICKLE_TEXT, 1);
    case 'X': return push_text(r, PICKLE_TEXT, 4);
    case 0x8d: return push_text(r, PICKLE_TEXT, 8);
    case 'C': return push_text(r, PICKLE_BYTES, 1);
    case 'B': return push_text(r, PICKLE_BYTES, 4);
    case 0x8e: case 0x96: return push_text(r, PICKLE_BYTES, 8); /* bytes, bytearray */
    case 0x98: return pickle_top(r, 0) != NULL;                 /* READONLY_BUFFER */
    case ']': return push_list(r, PICKLE_LIST, 0);
    case '}': return push_list(r, PICKLE_DICT, 0);
    case ')': return push_list(r, PICKLE_TUPLE, 0);
    case 0x85: return push_list(r, PICKLE_TUPLE, 1);
    case 0x86: return push_list(r, PICKLE_TUPLE, 2);
    case 0x87: return push_list(r, PICKLE_TUPLE, 3);
    case 't': return push_marked(r, PICKLE_TUPLE);
    case 'l': return push_marked(r, PICKLE_LIST);
    case 'd': return push_marked(r, PICKLE_DICT);
    case 'a': return add_top(r, PICKLE_LIST, 1);
    case 's': return add_top(r, PICKLE_DICT, 2);
    case 'e': return add_marked(r, PICKLE_LIST);
    case 'u': return add_marked(r, PICKLE_DICT);
    case 'p': return put_counted(r, 0);
    case 'q': return put_counted(r, 1);
    case 'r': return put_counted(r, 4);
    case 0x94: return pickle_put(r, r->n_memo); /* MEMOIZE */
    case 'g': return get_counted(r, 0);
    case 'h': return get_counted(r, 1);
    case 'j': return get_counted(r, 4);
    case 'c': return line_global(r, false);
    case 'i': return line_global(r, true);
    case 0x93: return stack_global(r);
    case 'R': return pickle_reduce(r);
    case 'b': return pickle_set_state(r);
    case 'Q': return persistent(r);
    default: return refuse_op(r, op);
    }
}
/* clang-format on */
