/* Options once: parsing, --help and the parameters in a manifest come from one table.
 *
 *   const struct opt opts[] = {
 *       OPT_STR("out", &out, "FILE", "where the result goes"),
 *       OPT_F64("z-max", &z_max, "NUM", "largest |z| of a cell's total"),
 *       OPT_END,
 *   };
 * The variable's value before parsing is the default that --help shows. Names are long only:
 * --name value or --name=value; a flag is --name. `--` ends the options. */
#ifndef GC_BASE_OPT_H
#define GC_BASE_OPT_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/base/err.h"

enum opt_kind { OPT_KIND_END, OPT_KIND_STR, OPT_KIND_I64, OPT_KIND_U64, OPT_KIND_F64,
                OPT_KIND_FLAG, OPT_KIND_CHOICE, OPT_KIND_LIST };

/* Several values: --in a b c, or --in a --in b. Borrows from argv. */
struct opt_list {
    const char **item; /* owned array */
    int n;
};

struct opt {
    enum opt_kind kind;
    const char *name;
    void *at;
    const char *arg;  /* what --help calls the value; for a choice the words: "paper|official-code" */
    const char *help;
};

#define OPT_STR(name, at, arg, help) { OPT_KIND_STR, name, (const char **)(at), arg, help }
#define OPT_I64(name, at, arg, help) { OPT_KIND_I64, name, (int64_t *)(at), arg, help }
#define OPT_U64(name, at, arg, help) { OPT_KIND_U64, name, (uint64_t *)(at), arg, help }
#define OPT_F64(name, at, arg, help) { OPT_KIND_F64, name, (double *)(at), arg, help }
#define OPT_FLAG(name, at, help) { OPT_KIND_FLAG, name, (bool *)(at), NULL, help }
#define OPT_CHOICE(name, at, words, help) { OPT_KIND_CHOICE, name, (const char **)(at), words, help }
#define OPT_LIST(name, at, arg, help) { OPT_KIND_LIST, name, (struct opt_list *)(at), arg, help }
#define OPT_END { OPT_KIND_END, NULL, NULL, NULL, NULL }

/* tables: NULL-terminated list of option tables. Non-options are collected in *rest (borrowed from
 * argv; free rest->item). RC_USAGE names the option. */
enum rc opt_parse(const struct opt *const *tables, int argc, char **argv, struct opt_list *rest,
                  struct err *e);
/* The list of options with their defaults, for --help. */
void opt_help(const struct opt *table, FILE *f);
/* One line per option with its resolved value, "name<TAB>value", in table order. */
void opt_dump(const struct opt *table, FILE *f);

#endif
