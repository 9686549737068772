/* Pickles byte by byte: what each opcode means, what is refused, and that little bytes stay little.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/io/pickle.h"
#include "tests/tap.h"

static void show(FILE *f, const struct pickle_value *v)
{
    static const char open[] = "[({", close[] = "])}";
    switch (v->kind) {
    case PICKLE_NONE:
        fputs("None", f);
        break;
    case PICKLE_BOOL:
        fputs(v->whole ? "True" : "False", f);
        break;
    case PICKLE_INT:
        fprintf(f, "%lld", (long long)v->whole);
        break;
    case PICKLE_FLOAT:
        fprintf(f, "%.17g", v->real);
        break;
    case PICKLE_LONG:
    case PICKLE_TEXT:
    case PICKLE_BYTES:
        fprintf(f, "%s%.*s", v->kind == PICKLE_BYTES ? "b:" : "", (int)v->n_bytes, v->text);
        break;
    case PICKLE_ARRAY: {
        double x[64];
        struct st_tensor t;
        void *copy;
        if (v->array->n_items > 64 || array_tensor(v->array, &t, &copy, NULL) ||
            st_get_f64(&t, x, NULL))
            break;
        fprintf(f, "%s<", st_type_name(t.type));
        for (uint64_t i = 0; i < t.n_items; i++)
            fprintf(f, "%s%g", i ? " " : "", x[i]);
        fputc('>', f);
        free(copy);
        break;
    }
    default:
        fputc(open[v->kind - PICKLE_LIST], f);
        for (size_t i = 0; i < v->list->n; i++) {
            const char *sep = v->kind == PICKLE_DICT && i % 2 ? ":" : ",";
            fputs(i ? sep : "", f);
            show(f, &v->list->at[i]);
        }
        fputc(close[v->kind - PICKLE_LIST], f);
    }
}

static void reads_n(const char *bytes, size_t n, const char *want, const char *what)
{
    struct pickle p;
    struct err e = { 0 };
    char *got = NULL;
    size_t n_got;
    if (pickle_read(&p, bytes, n, NULL, NULL, NULL, &e)) {
        ok(false, "%s: %s", what, e.text);
        return;
    }
    FILE *f = open_memstream(&got, &n_got);
    show(f, &p.root);
    fclose(f);
    if (!ok(strcmp(got, want) == 0, "%s", what))
        note("got %s, want %s", got, want);
    free(got);
    pickle_release(&p);
}

static void refuses_n(const char *bytes, size_t n, const char *why, const char *what)
{
    struct pickle p;
    struct err e = { 0 };
    enum rc rc = pickle_read(&p, bytes, n, NULL, NULL, NULL, &e);
    if (!ok(rc == RC_INPUT && strstr(e.text, why) && !p.made && p.root.kind == PICKLE_NONE,
            "refuses %s", what))
        note("status %d, %s", rc, e.text);
    pickle_release(&p);
}

#define READS(bytes, want, what) reads_n(bytes, sizeof(bytes) - 1, want, what)
#define REFUSES(bytes, why, what) refuses_n(bytes, sizeof(bytes) - 1, why, what)

static void numbers(void)
{
    READS("(K\1M\1\2J\376\377\377\377\x8a\0\x8a\1\x80I7\nI-8\nL9L\nt.", "(1,513,-2,0,-128,7,-8,9)",
          "whole numbers of every opcode");
    READS("(I01\nI00\n\x88\x89Nt.", "(True,False,True,False,None)", "bools and None");
    READS("(\x8a\x8\0\0\0\0\0\0\0\x80\x8a\x9\0\0\0\0\0\0\0\x80\0t.",
          "(-9223372036854775808,9223372036854775808)", "both sides of 64 bits");
    READS("\x8a\x9\0\0\0\0\0\0\0\0\xff.", "-18446744073709551616", "a long negative number");
    READS("\x8a\xa\1\0\0\0\0\0\0\0\0\0.", "1", "a long form of a short number");
    READS("L-00123456789012345678901234567890L\n.", "-123456789012345678901234567890",
          "a long number in digits");
    READS("(G\x3f\xf8\0\0\0\0\0\0F-2.5\nFinf\nt.", "(1.5,-2.5,inf)", "broken numbers");
    REFUSES("\x8b\xff\xff\xff\x7f.", "ends within", "a number longer than the file");
    REFUSES("I1e3\n.", "no whole number", "a broken number as a whole one");
    REFUSES("F0x10\n.", "no number", "a number in hex");
    REFUSES("I\n.", "no whole number", "no digits");
}

static void texts(void)
{
    READS("(X\3\0\0\0abcU\2de\x8c\1fT\1\0\0\0gV\\u03b2\xe9\nS'h\\'\\x41\\n'\nt.",
          "(abc,de,f,g,\xce\xb2\xc3\xa9,h'A\n)", "texts of every opcode");
    READS("(U\1\xe9"
          "C\1\xff"
          "B\1\0\0\0a\x8e\1\0\0\0\0\0\0\0b\x96\1\0\0\0\0\0\0\0ct.",
          "(b:\xe9,b:\xff,b:a,b:b,b:c)", "bytes");
    READS("c_codecs\nencode\nX\3\0\0\0a\xc3\xbfX\6\0\0\0latin1\x86R.", "b:a\xff",
          "bytes that go through Latin-1");
    REFUSES("X\2\0\0\0\xc3\x28.", "not UTF-8", "a text that is not UTF-8");
    REFUSES("X\3\0\0\0\xed\xa0\x80.", "not UTF-8", "half a pair of UTF-16");
    REFUSES("V\\ud800\n.", "half a character", "it in protocol 0");
    REFUSES("V\\u12\n.", "without its digits", "an escape cut off");
    REFUSES("S'a\n.", "quotes", "a text without its end");
    REFUSES("\x8d\0\0\0\0\0\0\0\x40"
            "abc.",
            "ends within", "a text of 2^62 bytes");
    REFUSES("c_codecs\nencode\nX\2\0\0\0\xce\xb2X\6\0\0\0latin1\x86R.", "beyond Latin-1",
            "bytes that are none");
}

static void lists_and_dicts(void)
{
    READS("((K\1K\2l(K\1K\2d)K\1\x85K\1K\2\x86K\1K\2K\3\x87]K\4a}K\5K\6st.",
          "([1,2],{1:2},(),(1),(1,2),(1,2,3),[4],{5:6})", "containers of every opcode");
    READS("}(X\1\0\0\0aK\1X\1\0\0\0bK\2X\1\0\0\0aK\3u.", "{a:3,b:2}",
          "a key that comes again keeps its place and takes the last value");
    READS("(K\1(K\2K\3"
          "1K\4"
          "0t.",
          "(1)", "values thrown away");
    READS("K\1"
          "2\x86.",
          "(1,1)", "a value twice");
    READS("(X\1\0\0\0aq\5h\5p9\ng9\nr\1\0\0\0j\1\0\0\0t.", "(a,a,a,a)", "the memo");
    READS("(X\1\0\0\0a\x94X\1\0\0\0b\x94h\0h\1t.", "(a,b,a,b)", "the memo in order");
    READS("ccollections\nOrderedDict\n)RK\1K\2s}X\1\0\0\0_]sb.", "{1:2}",
          "an OrderedDict, whose attributes are no content");
    READS("ccollections\nOrderedDict\n(lK\1K\2\x86"
          "a\x85R.",
          "{1:2}", "an OrderedDict of pairs");
    REFUSES("]q\0h\0a.", "contains itself", "a list in itself");
    REFUSES("}q\0K\1h\0s.", "contains itself", "a dict in itself");
    REFUSES("](K\1K\2", "ends", "an end that is missing");
    REFUSES("}K\1\x85K\2s.", "a tuple as a key", "a tuple as a key");
    REFUSES("}\x88K\2s.", "a bool as a key", "a bool as a key");
    REFUSES("}(K\1u.", "without a value", "a key without a value");
    REFUSES("]K\1K\2s.", "as to a dict", "an item of a list by key");
    REFUSES("K\1"
            "0.",
            "more values", "nothing left");
    REFUSES("t.", "mark", "a mark that is not there");
    REFUSES("(K\1.", "ends with a mark", "a mark left over");
    REFUSES("h\0.", "memo 0 is empty", "an empty memo");
    REFUSES("Nr\xff\xff\xff\xff.", "memo 4294967295 after", "a memo index without end");
    REFUSES("\x80\6.", "protocol 6", "a protocol to come");
    REFUSES("\x95\xff\0\0\0\0\0\0\0N.", "frame", "a frame longer than the file");
    REFUSES("", "ends", "no bytes");
}

static void names(void)
{
    REFUSES("cos\nsystem\nX\2\0\0\0ls\x85R.", "refuses 'os.system'", "a call");
    REFUSES("\x8c\10builtins\x8c\4eval\x93N\x85R.", "refuses 'builtins.eval'", "eval");
    REFUSES("(X\2\0\0\0lsios\nsystem\n.", "refuses 'os.system'", "an instance");
    REFUSES("(icollections\nOrderedDict\n.", "instance of 'collections.OrderedDict'",
            "an instance of what may be called");
    REFUSES("ctorch\nload\n.", "refuses 'torch.load'", "a name beside those known");
    REFUSES("ccollections.OrderedDict\nclear\n.", "refuses", "a name within one known");
    REFUSES("ccollections\nOrderedDict\n.", "a name where a value belongs", "a class as a value");
    REFUSES("ctorch\nFloatStorage\n)R.", "refuses to call 'torch.FloatStorage'",
            "an empty storage");
    REFUSES("ccollections\nOrderedDict\n)\x81.", "NEWOBJ", "an object");
    REFUSES("\x82\1.", "EXT1", "an extension");
    REFUSES("\x8f.", "a set", "a set");
    REFUSES("K\1Q.", "persistent id", "a persistent id");
    REFUSES("\x97.", "NEXT_BUFFER", "a buffer from elsewhere");
    REFUSES("K\1)R.", "calls a whole number", "a call of a number");
    REFUSES("]}b.", "state of a list", "a list with a state");
    REFUSES("cnumpy\nndarray\n.", "where a value belongs", "the class of arrays");
    REFUSES("\xff.", "0xff is no opcode", "a byte that is no opcode");
}

#define DTYPE(name, order)                                                                         \
    "cnumpy\ndtype\nX\2\0\0\0" name "\x89\x88\x87R(K\3X\1\0\0\0" order                             \
    "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb"
#define RECONSTRUCT                                                                                \
    "cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85"                               \
    "C\1b\x87R"

#define FROM_BUFFER                                                                                \
    "cnumpy._core.numeric\n_frombuffer\n("                                                         \
    "C\4\1\2\3\4cnumpy\ndtype\nX\2\0\0\0u1\x89\x88\x87RK\2K\2\x86"

static void arrays(void)
{
    READS(RECONSTRUCT "(K\1K\2K\2\x86" DTYPE("i2", "<") "\x89"
                                                        "C\10\1\0\2\0\3\0\4\0tb.",
          "I16<1 2 3 4>", "an array row by row");
    READS(RECONSTRUCT "(K\1K\2K\2\x86" DTYPE("i2", "<") "\x88"
                                                        "C\10\1\0\2\0\3\0\4\0tb.",
          "I16<1 3 2 4>", "column by column");
    READS(RECONSTRUCT "(K\1K\2\x85" DTYPE("i2", ">") "\x89"
                                                     "C\4\0\1\0\2tb.",
          "I16<1 2>", "with the high byte first");
    READS("cnumpy._core.multiarray\nscalar\n" DTYPE("f4", "<") "C\4\0\0\xc0\x3f\x86R.", "F32<1.5>",
          "a number of numpy 2");
    READS(
        "cnumpy.core.numeric\n_frombuffer\n(\x96\4\0\0\0\0\0\0\0\1\2\3\4cnumpy\ndtype\nX\2\0\0\0u1"
        "\x89\x88\x87RK\4\x85X\1\0\0\0CtR.",
        "U8<1 2 3 4>", "an array of protocol 5");
    READS(FROM_BUFFER "X\1\0\0\0KK\1K\0\x86tR.", "U8<1 3 2 4>", "its axes in another order");
    READS(FROM_BUFFER "X\1\0\0\0FtR.", "U8<1 3 2 4>", "or column by column");
    REFUSES(FROM_BUFFER "X\1\0\0\0KK\1K\1\x86tR.", "order of axes", "an axis twice");
    REFUSES(FROM_BUFFER "X\1\0\0\0KK\1\x85tR.", "order of axes", "an axis too few");
    REFUSES(FROM_BUFFER "X\1\0\0\0KNtR.", "not known", "axes that are kept and not told");
    REFUSES(RECONSTRUCT ".", "without numbers", "an array that is never filled");
    REFUSES(RECONSTRUCT "(K\1K\3\x85" DTYPE("i2", "<") "\x89"
                                                       "C\4\0\1\0\2tb.",
            "beyond its storage", "more numbers than bytes");
    REFUSES(RECONSTRUCT "(K\1K\1\x85" DTYPE("i2", "<") "\x89"
                                                       "C\4\0\1\0\2tb.",
            "in 4 bytes", "more bytes than numbers");
    REFUSES(RECONSTRUCT "(K\1(J\xff\xff\xff\x7fJ\xff\xff\xff\x7fJ\xff\xff\xff\x7ft" DTYPE(
                "i2", "<") "\x89"
                           "C\4\0\1\0\2tb.",
            "more numbers than can be counted", "sizes whose product wraps");
    REFUSES(RECONSTRUCT "(K\1J\xff\xff\xff\xff\x85" DTYPE("i2", "<") "\x89"
                                                                     "C\0tb.",
            "no count", "a size below 0");
    REFUSES("cnumpy\ndtype\nX\2\0\0\0O8\x89\x88\x87R.", "arrays of type 'O8'", "arrays of objects");
    REFUSES("ctorch._utils\n_rebuild_tensor_v2\n(K\1K\0)))t\x85R.", "does not take",
            "a tensor without a storage");
}

/* n levels of lists, each with the one before in it `wide` times. */
static char *nested(int n, int wide, size_t *n_bytes)
{
    char *bytes = NULL;
    FILE *f = open_memstream(&bytes, n_bytes);
    fputs("K\1", f);
    fwrite("q\0", 1, 2, f);
    for (int i = 1; i <= n; i++) {
        fputs("](", f);
        for (int k = 0; k < wide; k++)
            fprintf(f, "h%c", i - 1);
        fprintf(f, "eq%c", i);
    }
    fputc('.', f);
    fclose(f);
    return bytes;
}

static void hostile(void)
{
    size_t n;
    char *b = nested(60, 1, &n);
    struct pickle p;
    ok(!pickle_read(&p, b, n, NULL, NULL, NULL, NULL), "lists 60 deep are read");
    pickle_release(&p);
    free(b);
    b = nested(100, 1, &n);
    refuses_n(b, n, "deeper than", "lists 100 deep, though the last is met first");
    free(b);
    b = nested(30, 10, &n);
    refuses_n(b, n, "unfold", "10^30 numbers in a few hundred bytes");
    free(b);
    n = 1 << 20; /* a stack that a recursive reader would not live through */
    b = malloc(n);
    memset(b, '(', n);
    refuses_n(b, n, "ends", "a million marks");
    for (size_t i = 0; i + 1 < n; i++)
        b[i] = i < n / 2 ? ']' : 'a';
    b[n - 1] = '.';
    refuses_n(b, n, "deeper than", "lists half a million deep");
    free(b);
    static const char head[] = "X\0\0\1", call[] = "h\2h\0h\1\x86R";
    static const char names[] = "q\0X\6\0\0\0latin1q\1c_codecs\nencode\nq\2(";
    char *latin = NULL; /* a text that is turned into bytes again and again */
    FILE *f = open_memstream(&latin, &n);
    fwrite(head, 1, sizeof head, f); /* with its zero: the fourth byte of the length */
    for (int i = 0; i < 65536; i++)
        fputc('a', f);
    fwrite(names, 1, sizeof names - 1, f);
    for (int i = 0; i < 10000; i++)
        fwrite(call, 1, sizeof call - 1, f);
    fwrite("t.", 1, 2, f);
    fclose(f);
    refuses_n(latin, n, "larger than the file", "600 MB of bytes from a file of 145 kB");
    free(latin);
}

int main(void)
{
    numbers();
    texts();
    lists_and_dicts();
    names();
    arrays();
    hostile();
    return tap_end();
}
