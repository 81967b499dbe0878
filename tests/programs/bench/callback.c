#include <stdbool.h>
#include <stdint.h>

bool goVisit(uint64_t);

// As count_to of fixtures/callbacks.
uint64_t count_to(uint64_t n) {
    for (uint64_t i = 0; i < n; i++)
        if (!goVisit(i))
            return i + 1;
    return n;
}
