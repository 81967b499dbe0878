/* cbindgen --config cbindgen.toml -o results.h */

#ifndef RESULTS_H
#define RESULTS_H

/* Written by cbindgen 0.29.2; do not change it by hand. */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

typedef struct OwnedSlice_u8 {
  uint8_t *ptr;
  uintptr_t len;
  uintptr_t cap;
} OwnedSlice_u8;

typedef struct OwnedSlice_u8 OwnedBytes;

typedef struct Point {
  double x;
  uint8_t tag;
} Point;

typedef struct OwnedSlice_Point {
  struct Point *ptr;
  uintptr_t len;
  uintptr_t cap;
} OwnedSlice_Point;

typedef struct OwnedString {
  uint8_t *ptr;
  uintptr_t len;
  uintptr_t cap;
} OwnedString;

typedef struct FfiResult_u32 {
  uint32_t value;
  struct OwnedString error;
} FfiResult_u32;

typedef struct FfiResult_OwnedString {
  struct OwnedString value;
  struct OwnedString error;
} FfiResult_OwnedString;

typedef struct FfiResult_OwnedBytes {
  OwnedBytes value;
  struct OwnedString error;
} FfiResult_OwnedBytes;

typedef struct OwnedSlice_u64 {
  uint64_t *ptr;
  uintptr_t len;
  uintptr_t cap;
} OwnedSlice_u64;

typedef struct FfiResult_OwnedSlice_u64 {
  struct OwnedSlice_u64 value;
  struct OwnedString error;
} FfiResult_OwnedSlice_u64;

typedef struct FfiResult_Point {
  struct Point value;
  struct OwnedString error;
} FfiResult_Point;

typedef struct FfiStatus {
  struct OwnedString error;
} FfiStatus;

OwnedBytes results_doubled(const uint8_t *data, uintptr_t data_len);

struct OwnedSlice_Point results_points(uint8_t count);

struct OwnedString results_stars(uint8_t count);

struct FfiResult_u32 results_half(uint32_t number);

struct FfiResult_OwnedString results_text(const uint8_t *data, uintptr_t data_len);

struct FfiResult_OwnedBytes results_bytes(int32_t count);

struct FfiResult_OwnedSlice_u64 results_squares(int32_t count);

struct FfiResult_Point results_single(int32_t tag);

struct FfiStatus results_check(uint8_t number);

#endif  /* RESULTS_H */
