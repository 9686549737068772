/* The verdicts of an audit as files: for programs and for people. */
#ifndef GC_REPORT_AUDIT_H
#define GC_REPORT_AUDIT_H

#include "lib/manifest/audit.h"

/* DIR/audit.tsv (check, subject, verdict, detail), DIR/audit.json and DIR/audit.html. The page
 * needs nothing beside it; neither it nor the tables hold a time or the path of RESULTS. */
enum rc audit_write(const struct audit *a, const char *dir, struct err *e);
/* The counts, and the findings that do not hold. */
enum rc audit_json(const struct audit *a, const char *path, struct err *e);

#endif
