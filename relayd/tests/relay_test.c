/* relay_test.c: a whole relayd on loopback, talked to by a peer that checks each byte. No root, no
 * namespace, no Tor network. With arguments: only the groups named. */
#include <stdio.h>
#include <string.h>

#include "relayd/tests/harness.h"

static const struct {
	const char *name;
	int (*run)(void);
} groups[] = {
	{ "circuits", run_circuits },
	{ "extends", run_extends },
	{ "hops", run_hops },
	{ "streams", run_streams },
	{ "windows", run_windows },
	{ "guard", run_guard },
	{ "life", run_life },
};

int
main(int argc, char **argv)
{
	int failed = 0;

	if (crypt_init() != RC_OK)
		return 1;
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
		bool wanted = argc == 1;

		for (int k = 1; k < argc; k++)
			wanted = wanted || strcmp(argv[k], groups[i].name) == 0;
		if (wanted)
			failed += groups[i].run();
	}
	return failed != 0;
}
