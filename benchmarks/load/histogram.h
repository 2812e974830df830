/* How often each duration was seen, to within 1.6 %. */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>
#include <stdio.h>

struct histogram {
    uint64_t count;
    uint64_t longest;
    uint64_t buckets[4096]; /* 64 for each power of two of nanoseconds */
};

void histogram_add(struct histogram *histogram, uint64_t nanoseconds);

/* Return the duration, in milliseconds, that the share `part` of all does not exceed. */
double histogram_percentile(const struct histogram *histogram, double part);

/* Write the percentiles, in milliseconds, as a member `name` of a JSON object. */
void histogram_print(const struct histogram *histogram, const char *name, FILE *file);

/* Return the nanoseconds of the clock that all processes of this machine share. */
uint64_t now(void);

#endif
