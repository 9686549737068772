/* What an audit finds: a list of verdicts, and the checks that need nothing but a results folder.
 *
 *   manifest    the stage's MANIFEST.tsv can be read, names its folder, has the version of the
 * others outputs     all that it lists is there with these bytes, and nothing else is inputs what
 * it read is what is there now: nothing is missing, no stage is stale parameters  the file
 * `params`, where there is one, says what the manifest says strays      no file lies outside a
 * stage, none is left from a broken run order       no stage reads what is made from it sources
 * files of the checkout that stages read: the same for all stages, and as they lie there raw the
 * inputs of fetch/inputs.tsv: sums as the checkout states them, bytes where at hand
 */
#ifndef GC_MANIFEST_AUDIT_H
#define GC_MANIFEST_AUDIT_H

#include "lib/manifest/chain.h"

enum audit_verdict {
    AUDIT_HOLDS,
    AUDIT_FAILS,
    AUDIT_OPEN /* could not be looked at here; the text says why */
};

struct audit_finding {
    const char *check;   /* a word, static */
    const char *subject; /* a file or a stage, by its path below the root */
    enum audit_verdict verdict;
    const char *text; /* what was looked at, or what is wrong */
};

struct audit {
    struct audit_finding *item; /* owned; in the order of the checks */
    size_t n, room, n_fails, n_open;
    size_t n_files;   /* hashed */
    uint64_t n_bytes; /* of them */
    struct arena text;
};

void audit_init(struct audit *a);
void audit_release(struct audit *a);
/* text is printf's. */
enum rc audit_add(struct audit *a, enum audit_verdict v, const char *check, const char *subject,
                  struct err *e, const char *fmt, ...) __attribute__((format(printf, 6, 7)));
const char *audit_word(enum audit_verdict v); /* "holds", "fails", "open" */

/* Where the files lie that the results folder does not hold; each may be NULL. */
struct audit_places {
    const char *source; /* the checkout that the stages were made with */
    const char *cache;  /* of fetch: CACHE/view/PATH */
};

/* All of the above on a hashed chain. RC_OK whatever is found. */
enum rc audit_chain(struct audit *a, const struct chain *c, const struct audit_places *p,
                    struct err *e);
/* Its two parts. */
enum rc audit_stages(struct audit *a, const struct chain *c, struct err *e);
enum rc audit_sources(struct audit *a, const struct chain *c, const struct audit_places *p,
                      struct err *e);

#endif
