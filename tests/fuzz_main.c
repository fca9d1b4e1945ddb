/* fuzz_main.c: a main for fuzz targets where no fuzzing engine is linked.
 *
 *	x_fuzz FILE...	run each file once: how a found input is looked at again
 *	x_fuzz		a short run, the same each time: the empty input, the files of the
 *			corpus (DIR/corpus and DIR/x_corpus in the source tree, DIR being the
 *			target's folder), changed copies of them, and bytes from a seeded generator
 *
 * FUZZ_SECONDS bounds the short run (default 1), FUZZ_SEED picks another sequence. The input
 * handed to a target is a heap block of exactly its size, so that a read past the end shows. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define INPUT_MAX     65536
#define CORPUS_MAX    512
#define RUNS_MAX      200000
#define RANDOM_LENGTH 1200

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	uint8_t *data;
	size_t size;
};

static struct input corpus[CORPUS_MAX];
static size_t corpus_count;
static uint64_t random_state = 0x9e3779b97f4a7c15u;

/* xorshift64*: quick, seeded, the same everywhere. */
static uint32_t
random_u32(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (uint32_t)((random_state * 0x2545f4914f6cdd1du) >> 32);
}

static uint32_t
random_below(uint32_t limit)
{
	return limit == 0 ? 0 : random_u32() % limit;
}

static void
run_once(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size == 0 ? 1 : size);

	if (copy == NULL)
		exit(1);
	if (size != 0)
		memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

/* The file's first INPUT_MAX bytes; the caller frees out->data. */
static int
input_read(const char *path, struct input *out)
{
	FILE *file = fopen(path, "rb");

	if (file == NULL)
		return -1;
	out->data = malloc(INPUT_MAX);
	if (out->data == NULL) {
		fclose(file);
		return -1;
	}
	out->size = fread(out->data, 1, INPUT_MAX, file);
	fclose(file);
	return 0;
}

static void
corpus_read_folder(const char *folder)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, NULL, alphasort);

	for (int i = 0; i < count; i++) {
		char path[4096];
		int length = snprintf(path, sizeof(path), "%s/%s", folder, entries[i]->d_name);

		if (entries[i]->d_name[0] != '.' && length > 0 && (size_t)length < sizeof(path) &&
		    corpus_count < CORPUS_MAX && input_read(path, &corpus[corpus_count]) == 0)
			corpus_count++;
		free(entries[i]);
	}
	free(entries);
}

/* "./abuse/mail/mail_fuzz" is looked for as SRCDIR/abuse/mail/{corpus,mail_corpus}. */
static void
corpus_find(const char *program)
{
	char target[1024];
	char folder[4096];
	int length = snprintf(target, sizeof(target), "%s", program);
	char *slash, *suffix;

	if (length < 0 || (size_t)length >= sizeof(target) || program[0] == '/')
		return;
	slash = strrchr(target, '/');
	suffix = strstr(slash == NULL ? target : slash, "_fuzz");
	if (slash == NULL || suffix == NULL)
		return;
	*suffix = '\0';
	snprintf(folder, sizeof(folder), "%s/%s_corpus", EXITGATE_SRCDIR, target);
	corpus_read_folder(folder);
	*slash = '\0';
	snprintf(folder, sizeof(folder), "%s/%s/corpus", EXITGATE_SRCDIR, target);
	corpus_read_folder(folder);
}

static void
change_one_place(uint8_t *data, size_t *size)
{
	static const uint8_t edges[] = { 0, 1, 0x7f, 0x80, 0xfe, 0xff, '\n', ' ', '"' };
	uint32_t at = random_below((uint32_t)*size);
	uint32_t span = 1 + random_below(16);

	switch (*size == 0 ? 3 : random_below(6)) {
	case 0:
		data[at] ^= (uint8_t)(1u << random_below(8));
		break;
	case 1:
		data[at] = edges[random_below(sizeof(edges))];
		break;
	case 2: /* cut the end off */
		*size = at;
		break;
	case 3: /* put bytes in */
		if (*size + span > INPUT_MAX)
			break;
		memmove(data + at + span, data + at, *size - at);
		for (uint32_t i = 0; i < span; i++)
			data[at + i] = (uint8_t)random_u32();
		*size += span;
		break;
	case 4: /* take bytes out */
		if (span > *size - at)
			span = (uint32_t)(*size - at);
		memmove(data + at, data + at + span, *size - at - span);
		*size -= span;
		break;
	default: /* say something twice */
		if (at + span > *size || *size + span > INPUT_MAX)
			break;
		memmove(data + at + span, data + at, *size - at);
		*size += span;
		break;
	}
}

static void
run_changed(void)
{
	static uint8_t data[INPUT_MAX];
	const struct input *from = &corpus[random_below((uint32_t)corpus_count)];
	size_t size = from->size;

	memcpy(data, from->data, size);
	for (uint32_t i = 1 + random_below(8); i > 0; i--)
		change_one_place(data, &size);
	run_once(data, size);
}

static void
run_random(void)
{
	uint8_t data[RANDOM_LENGTH];
	size_t size = random_below(sizeof(data));
	uint8_t mask = random_below(2) != 0 ? 0xff : 0x07;

	for (size_t i = 0; i < size; i++)
		data[i] = (uint8_t)random_u32() & mask;
	run_once(data, size);
}

static double
seconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) + 1e-9 * (double)(now.tv_nsec - start->tv_nsec);
}

static void
run_short(double seconds)
{
	struct timespec start;
	unsigned runs = 0;

	clock_gettime(CLOCK_MONOTONIC, &start);
	run_once(NULL, 0);
	for (size_t i = 0; i < corpus_count; i++)
		run_once(corpus[i].data, corpus[i].size);
	while (runs < RUNS_MAX && seconds_since(&start) < seconds) {
		if (corpus_count != 0 && random_below(4) != 0)
			run_changed();
		else
			run_random();
		runs++;
	}
	printf("%zu corpus files, %u further inputs\n", corpus_count, runs);
}

int
main(int argc, char **argv)
{
	const char *seconds = getenv("FUZZ_SECONDS");
	const char *seed = getenv("FUZZ_SEED");

	if (seed != NULL)
		random_state += strtoull(seed, NULL, 10) * 2;
	for (int i = 1; i < argc; i++) {
		struct input input;

		if (input_read(argv[i], &input) != 0) {
			fprintf(stderr, "%s: cannot be read\n", argv[i]);
			return 1;
		}
		run_once(input.data, input.size);
		free(input.data);
	}
	if (argc == 1) {
		corpus_find(argv[0]);
		run_short(seconds == NULL ? 1.0 : strtod(seconds, NULL));
	}
	for (size_t i = 0; i < corpus_count; i++)
		free(corpus[i].data);
	return 0;
}
