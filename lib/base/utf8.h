/* UTF-8 (Unicode 15, table 3-7): texts from outside that go into JSON. */
#ifndef GC_BASE_UTF8_H
#define GC_BASE_UTF8_H

#include <stddef.h>

#include "lib/base/err.h"

/* Length in bytes of the character at s, of which n >= 1 bytes are there; 0: none (too long a form,
 * a surrogate, beyond U+10FFFF, cut off). */
size_t utf8_char(const char *s, size_t n);
/* RC_INPUT: the text is no UTF-8; the message shows it with ? in place of such bytes. */
enum rc utf8_need(const char *text, struct err *e);

#endif
