/* The server-sent events of one answer, as their bytes come. */
#ifndef EVENTS_H
#define EVENTS_H

#include "histogram.h"

#include <stdbool.h>
#include <stddef.h>

/* How far an answer has been read. All zero but `began`, when it was asked for, at its beginning. */
struct events {
    uint64_t began, last; /* last: when the last event came */
    size_t column;        /* in the `data:` of a line, or past it */
    size_t matched;       /* bytes of the text that the last event has */
    size_t count;
    bool ended; /* that text was there */
};

/* `first` counts from the beginning, `gap` from the event before, and `delay` from when the upstream
   sent it: it wrote `@` and the microseconds of the clock. */
struct event_times {
    struct histogram first, gap, delay;
};

void events_read(struct events *events, const char *bytes, size_t length, const char *end_text,
                 struct event_times *times);

#endif
