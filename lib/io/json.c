#include "lib/io/json.h"

#include <stdio.h>

#include "lib/base/file.h"

enum rc json_write(const char *path, json_t *j, struct err *e)
{
    struct outfile o = { 0 };
    if (!j)
        return err_set(e, RC_FAIL, "no memory for '%s'", path);
    enum rc rc = outfile_open(&o, path, e);
    if (!rc && (json_dumpf(j, o.f, JSON_INDENT(2) | JSON_PRESERVE_ORDER) || fputc('\n', o.f) < 0))
        rc = err_set(e, RC_FAIL, "cannot write '%s'", path);
    json_decref(j);
    return outfile_close(&o, rc, e);
}
