/* SPDX-License-Identifier: MIT
 *
 * Writes trees as XML so that parse(write(x)) == x: & < > " ' are escaped everywhere, TAB, LF and CR in
 * attributes and CR in text as character references. Elements carry no prefix: an element whose namespace
 * differs from its parent's gets xmlns='...'. Attributes of a namespace other than XML's get a declared
 * prefix.
 */
#ifndef XMPP_WRITER_H
#define XMPP_WRITER_H

#include "base/buf.h"
#include "xmpp/element.h"

void writer_text(struct buf *out, const char *text, size_t len);          /* character data */
void writer_value(struct buf *out, const char *value);                    /* inside single quotes */
void writer_attr(struct buf *out, const char *name, const char *value);   /* " name='value'"; NULL: nothing */
/* One of element's attributes, in whatever namespace it is; where it needs a prefix, the first of that
 * namespace declares it, so all of them are written, in their order, into one tag. */
void writer_own_attr(struct buf *out, const struct element *element, const struct attr *attr);

/* The element, standing where the default namespace is scope (NULL: none; then xmlns is always written). */
void writer_element(struct buf *out, const struct element *element, const char *scope);
/* Only what is inside it: children and text, standing in element's own namespace. */
void writer_content(struct buf *out, const struct element *element);

#endif
