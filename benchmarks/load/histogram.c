#include "histogram.h"

#include <time.h>

enum { FINE = 64, FINE_BITS = 6, BUCKETS = 4096 };

static unsigned bucket_of(uint64_t value)
{
    if (value < FINE)
        return (unsigned)value;
    unsigned exponent = 63 - (unsigned)__builtin_clzll(value);
    unsigned coarse = exponent - FINE_BITS + 1;
    return coarse * FINE + (unsigned)((value >> (exponent - FINE_BITS)) & (FINE - 1));
}

static double lowest_of(unsigned bucket)
{
    if (bucket < FINE)
        return bucket;
    unsigned shift = bucket / FINE - 1;
    return (double)((uint64_t)(FINE + bucket % FINE) << shift);
}

void histogram_add(struct histogram *histogram, uint64_t nanoseconds)
{
    histogram->count++;
    histogram->buckets[bucket_of(nanoseconds)]++;
    if (nanoseconds > histogram->longest)
        histogram->longest = nanoseconds;
}

double histogram_percentile(const struct histogram *histogram, double part)
{
    double wanted = part * (double)histogram->count;
    uint64_t seen = 0;
    for (unsigned bucket = 0; bucket < BUCKETS; bucket++) {
        seen += histogram->buckets[bucket];
        if (seen > 0 && (double)seen >= wanted)
            return lowest_of(bucket) / 1e6;
    }
    return 0;
}

void histogram_print(const struct histogram *histogram, const char *name, FILE *file)
{
    fprintf(file, "\"%s\": {\"count\": %llu, \"p50\": %.4f, \"p90\": %.4f, \"p99\": %.4f, \"p999\": %.4f, \"longest\": %.4f}",
            name, (unsigned long long)histogram->count, histogram_percentile(histogram, 0.5),
            histogram_percentile(histogram, 0.9), histogram_percentile(histogram, 0.99),
            histogram_percentile(histogram, 0.999), (double)histogram->longest / 1e6);
}

uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}
