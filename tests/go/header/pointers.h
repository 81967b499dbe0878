/* cbindgen --config cbindgen.toml pointers.rs -o pointers.h */

#ifndef POINTERS_H
#define POINTERS_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

/**
 * Gives a number of a state.
 */
typedef uint64_t (*Next)(void *state);

/**
 * Makes one number of two.
 */
typedef uint64_t (*Fold)(uint64_t a, uint64_t b);

/**
 * What the library calls.
 */
typedef struct Vtable {
  /**
   * Given to `next` and `drop`.
   */
  void *state;
  /**
   * The next number; 0 ends it.
   */
  Next next;
  /**
   * Makes one of two.
   */
  Fold fold;
  /**
   * Called at the end; it has no name of its own.
   */
  void (*drop)(void *state);
} Vtable;

/**
 * Several of them, and more.
 */
typedef struct Table {
  /**
   * By value.
   */
  struct Vtable one;
  /**
   * In an array.
   */
  Fold folds[2];
} Table;

/**
 * Hears of a number.
 */
typedef void (*Heard)(uint64_t value, void *user);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Folds what a vtable gives.
 *
 * # Safety
 * The functions are there.
 */
uint64_t pointers_run(struct Vtable table);

/**
 * The same of a table, whose functions fold the sum with 10 and 20.
 *
 * # Safety
 * The table and the functions are there.
 */
uint64_t pointers_run_all(const struct Table *table);

/**
 * Keeps a vtable behind a pointer, none for null.
 *
 * # Safety
 * It is there.
 */
void pointers_keep(const struct Vtable *table);

/**
 * Runs the vtable that is kept; 0 if there is none.
 *
 * # Safety
 * Its functions are there.
 */
uint64_t pointers_run_kept(void);

/**
 * Keeps what folds, without user data.
 */
void pointers_on_fold(Fold fold);

/**
 * Folds two numbers; 0 if there is nothing that does.
 */
uint64_t pointers_fold_two(uint64_t a, uint64_t b);

/**
 * Keeps who hears of even numbers, and who of odd ones.
 */
void pointers_on_both(Heard even, void *even_user, Heard odd, void *odd_user);

/**
 * Keeps who hears of all numbers.
 */
void pointers_on_any(Heard heard, void *user);

/**
 * Tells of a number.
 */
void pointers_tell(uint64_t value);

/**
 * Calls a function now.
 */
void pointers_now(Heard heard, void *user);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* POINTERS_H */
