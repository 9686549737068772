/* Numbers as people read them. Each writes into the caller's text and returns it. */
#ifndef GC_REPORT_FORMAT_H
#define GC_REPORT_FORMAT_H

enum { FORMAT_MAX = 48 };

/* "12,345"; "not known" for NaN. */
const char *format_count(char to[FORMAT_MAX], double n);
/* Three significant digits, never in powers of ten below a million: "0.712", "8.43", "132.6". */
const char *format_number(char to[FORMAT_MAX], double x);
/* "1.2 MB" */
const char *format_bytes(char to[FORMAT_MAX], double n);
/* "4.1 million", "960 thousand", "812" */
const char *format_large(char to[FORMAT_MAX], double n);
/* "37.5 %" of a share; "not known" for NaN. */
const char *format_share(char to[FORMAT_MAX], double part, double whole);

#endif
