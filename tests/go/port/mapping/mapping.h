#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_LEN 42
#define NEGATIVE -7
#define SHIFTED (1u << 31)
#define BIG 0xffffffffffffffffULL
#define LETTER 'x'
#define RATIO 2.5
#define TEXT "a \"quoted\" text\n"
#define JOINED "one" " two"
#define SUM (variable + 1)
#define ALIAS add

typedef struct opaque opaque;
typedef int number;
typedef number number_too;
typedef unsigned char byte_t;
typedef void *handle;
typedef const char *text_t;
typedef int (*operation)(int, int);
typedef void callback(void *);

enum color { RED, GREEN = 5, BLUE };
enum signed_color { COLD = -1, WARM = 1 };
typedef enum { SMALL = 1, LARGE = 0x7fffffff } size_kind;
enum wide { WIDE = 0x100000000 };

struct point { int x, y; };
typedef struct point point_t;
typedef struct { double re, im; } complex_pair;
typedef struct named { char name[16]; struct point at; struct named *next; } named;

union value { int64_t i; double d; char text[12]; };
typedef union { float f; uint32_t bits; } pun;

struct keywords { int type; int _type; int func; int range; int ok; };
struct bits { unsigned a : 3; unsigned b : 5; int after; unsigned c : 1; char last; };
struct padded { char a; int64_t b; char c; };
struct __attribute__((packed)) packed { char a; int b; short c; };
struct flexible { int n; int rest[]; };
struct nested {
	struct { int inside; } named_inside;
	union { int a; char b; };
	struct { short s; };
	enum color color;
	union value v;
	operation op;
	callback *cb;
	void *any;
	const char *const text;
	volatile int changes;
	int grid[2][3];
	struct point points[2];
	bool yes;
};

extern int variable;
extern struct point origin;
extern const char *const words[3];
extern int table[4];

int add(int a, int b);
point_t swap(point_t p);
struct nested *null_nested(void);
double mean(const double *v, size_t n);
bool both(bool a, bool b);
int fails(int code);
void sets_errno(int code);
int64_t of_union(union value v);
pun as_pun(float f);
enum color next_color(enum color c);
int apply(operation op, int a, int b);
uint8_t first(const uint8_t text[4]);
float half(float f);
named make_named(int x);
signed char tiny(signed char c);
