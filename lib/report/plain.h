/* A page of one kind of table, that needs nothing beside it and no JavaScript; well-formed XML too.
 * Choices above the table (by a style sheet alone) show the rows of one kind. */
#ifndef GC_REPORT_PLAIN_H
#define GC_REPORT_PLAIN_H

#include "lib/io/markup.h"

/* Everything up to the body's heading. title is escaped. */
void plain_open(struct markup *m, const char *title);
void plain_close(struct markup *m);
/* Radio buttons for the words of one property: rows with class "PROPERTY-NUMBER" are shown when the
 * word of that number is picked, all rows at first. The tables follow as siblings. */
void plain_choice(struct markup *m, const char *property, const char *label,
                  const char *const *word, size_t n);
/* of: the head of its column, our own word. In a narrow window the rows of a table of class "cards"
 * stand as paragraphs, and a cell begins with it. */
void plain_cell(struct markup *m, const char *of, const char *text);

#endif
