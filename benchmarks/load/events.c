#include "events.h"

#include <string.h>

enum { FIELD = 5, STAMP = 16 };

static void count_event(struct events *events, uint64_t time, struct event_times *times)
{
    if (events->count++ == 0)
        histogram_add(&times->first, time - events->began);
    else
        histogram_add(&times->gap, time - events->last);
    events->last = time;
}

static void count_events(struct events *events, const char *bytes, size_t length, uint64_t time,
                         struct event_times *times)
{
    static const char field[] = "data:";
    for (const char *end = bytes + length, *newline; bytes < end; bytes = newline ? newline + 1 : end) {
        newline = memchr(bytes, '\n', (size_t)(end - bytes));
        const char *stop = newline ? newline : end;
        for (; bytes < stop && events->column < FIELD && *bytes == field[events->column]; bytes++)
            if (++events->column == FIELD)
                count_event(events, time, times);
        if (bytes < stop)
            events->column = FIELD; /* the line goes on, as data or as something else */
        if (newline)
            events->column = 0;
    }
}

/* No text that we look for has its first letter twice, so a match that fails need not go back. */
static void look_for_end(struct events *events, const char *bytes, size_t length, const char *text)
{
    for (const char *end = bytes + length; bytes < end && !events->ended; bytes++) {
        if (events->matched == 0) {
            bytes = memchr(bytes, text[0], (size_t)(end - bytes));
            if (!bytes)
                return;
            events->matched = 1;
        } else if (*bytes == text[events->matched]) {
            events->ended = !text[++events->matched];
        } else {
            events->matched = *bytes == text[0];
        }
    }
}

static void look_for_stamps(const char *bytes, size_t length, uint64_t time, struct histogram *delay)
{
    const char *end = bytes + length;
    while ((bytes = memchr(bytes, '@', (size_t)(end - bytes)))) {
        uint64_t microseconds = 0;
        const char *digit = bytes + 1;
        for (; digit < end && digit <= bytes + STAMP && *digit >= '0' && *digit <= '9'; digit++)
            microseconds = microseconds * 10 + (uint64_t)(*digit - '0');
        if (digit == bytes + 1 + STAMP && microseconds && time > microseconds * 1000)
            histogram_add(delay, time - microseconds * 1000);
        bytes = digit;
    }
}

void events_read(struct events *events, const char *bytes, size_t length, const char *end_text,
                 struct event_times *times)
{
    uint64_t time = now();
    look_for_end(events, bytes, length, end_text);
    count_events(events, bytes, length, time, times);
    look_for_stamps(bytes, length, time, &times->delay);
}
