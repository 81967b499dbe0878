/* cbindgen --config cbindgen.toml contract.rs -o contract.h */

#ifndef CONTRACT_H
#define CONTRACT_H

/* Written by cbindgen 0.29.4; do not change it by hand. */

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/**
 * The corners of a shape.
 */
#define SHAPE_CORNERS 4

/**
 * How fast to go.
 *
 * Nobody goes faster than [`Mode::Fast`].
 */
typedef enum Mode {
  /**
   * Takes its time.
   */
  Slow,
  Fast = 5,
  /**
   * Uses `unsafe` tricks:
   *
   * * one
   * * two
   */
  VeryFast,
} Mode;

/**
 * One byte wide.
 */
enum Level
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  Low = 1,
  High = 200,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum Level Level;
#else
typedef uint8_t Level;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

enum Shift
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int16_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  Down = -300,
  /**
   * Up it goes.
   */
  Up = 300,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum Shift Shift;
#else
typedef int16_t Shift;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

typedef enum Signed {
  Minus = -1,
  Plus = 1,
} Signed;

/**
 * What Rust alone knows.
 */
typedef struct Store Store;

typedef uint64_t Handle;

/**
 * A point in the plane.
 */
typedef struct Point {
  /**
   * To the right.
   */
  double x;
  /**
   * Up.
   */
  double y;
} Point;

typedef struct Rgb {
  uint8_t _0;
  uint8_t _1;
  uint8_t _2;
} Rgb;

/**
 * Everything at once, with holes.
 */
typedef struct Shape {
  uint8_t id;
  /**
   * Its corners.
   */
  struct Point corners[SHAPE_CORNERS];
  int16_t grid[3][2];
  enum Mode mode;
  Level level;
  bool flag;
  const char *name;
  struct Shape *next;
  void *user_data;
  uintptr_t size;
  struct Rgb color;
} Shape;

typedef struct Pair_u8 {
  uint8_t left;
  uint8_t right;
} Pair_u8;

typedef union Bits {
  uint32_t whole;
  float real;
} Bits;

/**
 * Holds a union.
 */
typedef struct WithUnion {
  uint8_t kind;
  union Bits bits;
} WithUnion;

typedef struct Foreign {
  uint8_t _private[0];
} Foreign;

/**
 * One byte tells which.
 */
enum Little_Tag
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : uint8_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
  Half = 1,
  Both = 5,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum Little_Tag Little_Tag;
#else
typedef uint8_t Little_Tag;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

typedef struct Both_Body {
  Little_Tag tag;
  uint8_t _0;
  uint32_t _1;
} Both_Body;

typedef union Little {
  Little_Tag tag;
  struct {
    Little_Tag half_tag;
    uint16_t half;
  };
  Both_Body both;
} Little;

/**
 * What comes back.
 */
typedef enum Reply_Tag {
  /**
   * A number.
   */
  Number,
  Flag,
  /**
   * Nothing at all.
   */
  Silence,
} Reply_Tag;

typedef struct Flag_Body {
  bool set;
  uint16_t times;
} Flag_Body;

typedef struct Reply {
  Reply_Tag tag;
  union {
    struct {
      double number;
    };
    Flag_Body flag;
  };
} Reply;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Adds all kinds of integers.
 *
 * # Examples
 *
 * ```c
 * contract_integers(1, 2, 3, 4, 5, 6, 7, 8, 9, 10);
 * ```
 */
int64_t contract_integers(uint8_t a,
                          uint16_t b,
                          uint32_t c,
                          uint64_t d,
                          int8_t e,
                          int16_t f,
                          int32_t g,
                          int64_t h,
                          uintptr_t i,
                          intptr_t j);

/**
 * C's own names.
 */
long contract_c_integers(int a, long b, unsigned long c, unsigned char d);

double contract_floats(float a, double b, bool c);

bool contract_is_even(Handle n);

enum Mode contract_enums(enum Mode mode, Level level, Shift shift, enum Signed signed_);

/**
 * Moves a point.
 */
struct Point contract_move(struct Point point, const struct Point *by);

struct Shape contract_grow(struct Shape shape);

struct Pair_u8 contract_swap(struct Pair_u8 pair, struct Rgb color);

/**
 * # Safety
 *
 * The shape must live.
 */
const char *contract_pointers(const struct Shape *a,
                              uint32_t *b,
                              const uint8_t *const *c,
                              void *d,
                              float (*e)[3],
                              const union Bits *f,
                              const struct WithUnion *g,
                              struct Foreign *h);

uint32_t contract_optional(uint32_t a);

/**
 * Makes a store.
 */
struct Store *contract_store_new(void);

/**
 * Keeps numbers.
 *
 * # Safety
 *
 * Pointer and length must fit.
 */
void contract_store_add(struct Store *store, const uint64_t *items, uintptr_t items_len);

uint64_t contract_store_sum(const struct Store *store);

/**
 * # Safety
 *
 * Once.
 */
void contract_store_free(struct Store *store);

/**
 * Fills a buffer. Its pointer takes the last register of C's, its length goes to the stack.
 *
 * # Safety
 *
 * Pointer and length must fit.
 */
uint64_t contract_fill(uint64_t a,
                       uint64_t b,
                       uint64_t c,
                       uint64_t d,
                       uint64_t e,
                       uint8_t *out_ptr,
                       uintptr_t out_len,
                       uint64_t last);

/**
 * Other names and other integers that count: C's own, bytes, and a string.
 *
 * # Safety
 *
 * Pointers and lengths must fit.
 */
uint64_t contract_counts(const uint8_t *bytes,
                         uint16_t bytes_size,
                         const uint64_t *values,
                         int values_count,
                         const char *name,
                         uintptr_t name_len,
                         const int16_t *shorts,
                         uint32_t len);

/**
 * Writes a whole number to both.
 *
 * # Safety
 *
 * Both must have room.
 */
void contract_set(struct WithUnion *with, union Bits *bits, uint32_t whole);

/**
 * The number that was written.
 */
uint32_t contract_get(const struct WithUnion *with);

/**
 * A pointer to one value, and names that do not fit are no pairs.
 *
 * # Safety
 *
 * Any pointers will do.
 */
uintptr_t contract_no_pairs(const uint16_t *a,
                            uint32_t a_size,
                            const uint8_t *b,
                            uintptr_t c_len,
                            const struct Store *d,
                            uintptr_t d_len,
                            const void *e,
                            uintptr_t e_len);

/**
 * Turns one into the other.
 */
union Little contract_turn(struct Reply reply, union Bits bits);

void contract_nothing(void);

/**
 * Calls `visit` with 0, 1, ... below `n` until it says no; `done`, if there is one, at the end.
 */
uint32_t contract_each(uint32_t n,
                       bool (*visit)(uint32_t index, void *user),
                       void *user,
                       void (*done)(const struct Shape*));

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* CONTRACT_H */
