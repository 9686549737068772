/* attest: signs a results folder, and looks whether it is the one that was signed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/base/file.h"
#include "lib/base/log.h"
#include "lib/base/tool.h"
#include "lib/manifest/attest.h"
#include "lib/manifest/audit.h"

static const char *key, *verify, *pub;

static const struct opt opts[] = {
    OPT_STR("key", &key, "FILE", "private Ed25519 key (PEM); without it nothing is signed"),
    OPT_STR("verify", &verify, "DIR",
            "compare RESULTS with what lies there, from an earlier --out"),
    OPT_STR("pub", &pub, "FILE", "public key of --verify (PEM), from someone you trust"),
    OPT_END,
};

static const struct tool tool = {
    "attest",
    "RESULTS",
    "Sign a results folder, or check a signature and every file under it",
    "--out DIR gets\n"
    "  SHA256SUMS           for `cd RESULTS && sha256sum -c DIR/SHA256SUMS`\n"
    "  statement.json       in-toto statement: files, stages, raw inputs\n"
    "and with --key also\n"
    "  statement.dsse.json  the same in a signed envelope (DSSE, Ed25519)\n"
    "  key.pub.pem          the public half of the key\n\n"
    "  openssl genpkey -algorithm ed25519 -out key.pem\n"
    "  attest results/demo --key key.pem --out demo.signed\n"
    "  attest results/demo --verify demo.signed --pub key.pub.pem\n\n"
    "Only a folder without a fault in its chain of manifests is signed. --verify names\n"
    "on stdout what was changed, is missing or extra; status 4 then, or when the\n"
    "signature is not right. A key that came with the results proves nothing.",
    opts,
    1,
    1
};

static enum rc faultless(const struct chain *c, struct err *e)
{
    struct audit a;
    audit_init(&a);
    enum rc rc = audit_stages(&a, c, e);
    for (size_t i = 0; !rc && i < a.n; i++)
        if (a.item[i].verdict == AUDIT_FAILS)
            rc = err_set(e, RC_CHECK, "'%s' is not signed, it has %zu fault%s: %s '%s' %s", c->root,
                         a.n_fails, a.n_fails == 1 ? "" : "s", a.item[i].check, a.item[i].subject,
                         a.item[i].text);
    audit_release(&a);
    return rc;
}

static enum rc save(const char *path, const char *text, size_t n, struct err *e)
{
    struct outfile o;
    if (outfile_open(&o, path, e))
        return e->rc;
    fwrite(text, 1, n, o.f);
    return outfile_commit(&o, e);
}

static enum rc sign(const struct chain *c, const char *out, struct err *e)
{
    char *path[4] = { text_new("%s/SHA256SUMS", out), text_new("%s/statement.json", out),
                      text_new("%s/statement.dsse.json", out), text_new("%s/key.pub.pem", out) };
    char *text = NULL;
    size_t n = 0;
    enum rc rc = path[0] && path[1] && path[2] && path[3]
                     ? faultless(c, e)
                     : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc)
        rc = attest_statement(c, &text, &n, e);
    if (!rc && key)
        rc = dsse_sign(text, n, key, path[2], path[3], e);
    if (!rc)
        rc = attest_sums(c, path[0], e);
    if (!rc)
        rc = save(path[1], text, n, e);
    if (!rc)
        log_say("'%s': %s in '%s'", c->root, key ? "signed" : "sums and statement", out);
    free(text);
    for (int i = 0; i < 4; i++)
        free(path[i]);
    return rc;
}

static void tell(void *ctx, const char *what, const char *path)
{
    (void)ctx;
    printf("%s\t%s\n", what, path);
}

static enum rc check(const struct chain *c, struct err *e)
{
    char *path = text_new("%s/statement.dsse.json", verify), *text = NULL, *statement = NULL;
    size_t n = 0, n_statement = 0, n_files = 0, n_bad = 0;
    enum rc rc = path ? file_read(path, (size_t)1 << 30, &text, &n, e)
                      : err_set(e, RC_FAIL, "no memory for a path");
    if (!rc && dsse_open(text, n, pub, &statement, &n_statement, e))
        rc = err_wrap(e, "'%s'", path);
    if (!rc)
        rc = attest_compare(c, statement, n_statement, tell, NULL, &n_files, &n_bad, e);
    if (!rc && n_bad)
        rc = err_set(e, RC_CHECK, "'%s' is not what was signed: %zu of %zu files", c->root, n_bad,
                     n_files);
    else if (!rc)
        log_say("'%s': the signature is right, and so are %zu files", c->root, n_files);
    free(statement);
    free(text);
    free(path);
    return rc;
}

static enum rc run(const struct tool_args *a, struct err *e)
{
    struct chain c;
    if (!!verify != !!pub || (verify && (key || a->out)))
        return err_set(e, RC_USAGE, "--verify DIR goes with --pub FILE, and with nothing else");
    if (a->report)
        return err_set(e, RC_USAGE, "attest writes no --report");
    if (!verify && tool_need_out(a, e))
        return e->rc;
    if (chain_read(&c, a->arg.item[0], e))
        return e->rc;
    enum rc rc = chain_hash(&c, e);
    if (!rc)
        rc = verify ? check(&c, e) : sign(&c, a->out, e);
    chain_release(&c);
    return rc;
}

int main(int argc, char **argv)
{
    return tool_main(&tool, run, argc, argv);
}
