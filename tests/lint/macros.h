/* macros.h: loops and lists made by macros, in a form that cppcheck can follow. */
#define TAILQ_HEAD(name, type)      \
	struct name {               \
		struct type *first; \
	}
#define TAILQ_ENTRY(type)          \
	struct {                   \
		struct type *next; \
	}
#define LIST_HEAD(name, type)       \
	struct name {               \
		struct type *first; \
	}
#define LIST_ENTRY(type)           \
	struct {                   \
		struct type *next; \
	}
#define STAILQ_HEAD(name, type)     \
	struct name {               \
		struct type *first; \
	}
#define STAILQ_ENTRY(type)         \
	struct {                   \
		struct type *next; \
	}
#define SLIST_HEAD(name, type)      \
	struct name {               \
		struct type *first; \
	}
#define SLIST_ENTRY(type)          \
	struct {                   \
		struct type *next; \
	}
#define TAILQ_FOREACH(v, h, f)   for ((v) = (h)->first; (v); (v) = (v)->f.next)
#define LIST_FOREACH(v, h, f)    for ((v) = (h)->first; (v); (v) = (v)->f.next)
#define STAILQ_FOREACH(v, h, f)  for ((v) = (h)->first; (v); (v) = (v)->f.next)
#define SLIST_FOREACH(v, h, f)   for ((v) = (h)->first; (v); (v) = (v)->f.next)
#define LL_FOREACH(h, v)         for ((v) = (h); (v); (v) = (v)->next)
#define LL_FOREACH_SAFE(h, v, t) for ((v) = (h); (v) && ((t) = (v)->next, 1); (v) = (t))
#define DL_FOREACH(h, v)         for ((v) = (h); (v); (v) = (v)->next)
#define DL_FOREACH_SAFE(h, v, t) for ((v) = (h); (v) && ((t) = (v)->next, 1); (v) = (t))
#define HASH_ITER(hh, h, v, t)   for ((v) = (h); (v) && ((t) = (v)->hh.next, 1); (v) = (t))
