/* keys_stock_test.c: a DataDirectory that goes back and forth between us and a stock tor: both see
 * the same identities, and each keeps the other out while it runs. Skipped where there is no tor. */
#include "relayd/keys/testing.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#define OUTPUT_MAX 65536

static const char *
tor_path(void)
{
	static const char *const paths[] = { "/usr/bin/tor", "/usr/sbin/tor",
		"/usr/local/bin/tor" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (access(paths[i], X_OK) == 0)
			return paths[i];
	return NULL;
}

/* A relay without network; its output goes to the file "output". */
static pid_t
tor_start(struct place *p, const char *first, const char *second)
{
	char torrc[96], output[96], data[96];

	(void)snprintf(torrc, sizeof(torrc), "%s/torrc", p->dir);
	(void)snprintf(output, sizeof(output), "%s/output", p->dir);
	(void)snprintf(data, sizeof(data), "%s/data", p->dir);
	place_write(p, "torrc", "", 0);
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(126);
	execl(tor_path(), "tor", first, second, "-f", torrc, "--defaults-torrc", torrc,
	    "--DataDirectory", data, "--Nickname", "unnamed", "--ORPort", "127.0.0.1:9001",
	    "--Address", "127.0.0.1", "--SocksPort", "0", "--DisableNetwork", "1", (char *)NULL);
	_exit(127);
}

static int
tor_wait(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool
tor_said(struct place *p, const char *what)
{
	static char text[OUTPUT_MAX];

	if (!place_has(p, "output"))
		return false;
	text[place_read(p, "output", text, sizeof(text) - 1)] = '\0';
	return strstr(text, what) != NULL;
}

/* Both fingerprints as stock tor sees them are in its output. */
static void
assert_tor_sees(struct place *p, const struct relay_keys *keys)
{
	static char output[OUTPUT_MAX];
	char rsa[41], ed[48], quoted[64];

	assert_int_equal(tor_wait(tor_start(p, "--quiet", "--list-fingerprint")), 0);
	assert_int_equal(hex_encode(span_of(keys->rsa_id_digest, 20), rsa, sizeof(rsa)), RC_OK);
	assert_int_equal(base64_encode(span_of(keys->ed_id, 32), false, ed, sizeof(ed)), RC_OK);
	assert_int_equal(tor_wait(tor_start(p, "--hush", "--list-fingerprint")), 0);
	output[place_read(p, "data/fingerprint", output, sizeof(output) - 1)] = '\0';
	(void)snprintf(quoted, sizeof(quoted), "unnamed %s\n", rsa);
	assert_string_equal(output, quoted);
	output[place_read(p, "data/fingerprint-ed25519", output, sizeof(output) - 1)] = '\0';
	(void)snprintf(quoted, sizeof(quoted), "unnamed %s\n", ed);
	assert_string_equal(output, quoted);
}

static struct keystore *
open_data(struct place *p)
{
	struct keystore *ks;

	if (keystore_open(
		place_path(p, "data"), "unnamed", time(NULL), &ks, p->why, sizeof(p->why)) != RC_OK)
		fail_msg("%s", p->why);
	return ks;
}

static void
assert_same(const struct relay_keys *a, const struct relay_keys *b)
{
	assert_memory_equal(a->rsa_id_digest, b->rsa_id_digest, 20);
	assert_memory_equal(a->ed_id, b->ed_id, 32);
	assert_memory_equal(&a->ed_signing, &b->ed_signing, sizeof(a->ed_signing));
	assert_memory_equal(a->ed_signing_cert, b->ed_signing_cert, sizeof(a->ed_signing_cert));
	assert_memory_equal(&a->onion, &b->onion, sizeof(a->onion));
	assert_int_equal(EVP_PKEY_eq(a->tap_onion, b->tap_onion), 1);
}

/* Ours first: stock tor must take every file as it is. */
static void
test_ours_to_stock(void **state)
{
	struct place *p = *state;
	struct keystore *ks = open_data(p);
	struct relay_keys *first = keystore_current(ks);

	keystore_close(&ks);
	assert_int_equal(unlink(place_path(p, "data/fingerprint")), 0);
	assert_int_equal(unlink(place_path(p, "data/fingerprint-ed25519")), 0);
	assert_tor_sees(p, first);
	ks = open_data(p);
	struct relay_keys *second = keystore_current(ks);
	assert_same(first, second);
	assert_int_equal(first->onion_made, second->onion_made);
	relay_keys_unref(&first);
	relay_keys_unref(&second);
	keystore_close(&ks);
}

/* Stock tor's first, with its signing key made again by it later. */
static void
test_stock_to_ours(void **state)
{
	struct place *p = *state;

	assert_int_equal(tor_wait(tor_start(p, "--hush", "--list-fingerprint")), 0);
	struct keystore *ks = open_data(p);
	struct relay_keys *first = keystore_current(ks);
	keystore_close(&ks);
	assert_tor_sees(p, first);
	place_unlink(p, "data/keys/ed25519_signing_cert");
	place_unlink(p, "data/keys/ed25519_signing_secret_key");
	assert_tor_sees(p, first);
	ks = open_data(p);
	struct relay_keys *second = keystore_current(ks);
	assert_memory_equal(first->ed_id, second->ed_id, 32);
	assert_memory_not_equal(first->ed_signing.public, second->ed_signing.public, 32);
	relay_keys_unref(&first);
	relay_keys_unref(&second);
	keystore_close(&ks);
}

/* After our rotation stock tor goes on with the new keys, also with the master key elsewhere. */
static void
test_rotated_to_stock(void **state)
{
	struct place *p = *state;
	struct keystore *ks = open_data(p);
	bool changed;

	assert_true(keystore_rotate(ks, time(NULL) + 2 * 86400, 1, &changed));
	assert_true(changed);
	struct relay_keys *first = keystore_current(ks);
	keystore_close(&ks);
	place_unlink(p, "data/keys/ed25519_master_id_secret_key");
	assert_tor_sees(p, first);
	assert_false(place_has(p, "data/keys/ed25519_master_id_secret_key"));
	ks = open_data(p);
	struct relay_keys *second = keystore_current(ks);
	assert_same(first, second);
	relay_keys_unref(&first);
	relay_keys_unref(&second);
	keystore_close(&ks);
}

/* `tor --keygen` elsewhere; only the public half, the signing key and its certificate come here. */
static void
test_keygen(void **state)
{
	static const char *const names[] = { "ed25519_master_id_public_key",
		"ed25519_signing_secret_key", "ed25519_signing_cert" };
	struct place *p = *state;
	uint8_t master[96], content[256];
	char name[64];

	assert_int_equal(tor_wait(tor_start(p, "--keygen", "--no-passphrase")), 0);
	(void)place_read(p, "data/keys/ed25519_master_id_public_key", master, sizeof(master));
	assert_int_equal(mkdir(place_path(p, "here"), 0700), 0);
	assert_int_equal(mkdir(place_path(p, "here/keys"), 0700), 0);
	for (size_t i = 0; i < 3; i++) {
		(void)snprintf(name, sizeof(name), "data/keys/%s", names[i]);
		size_t len = place_read(p, name, content, sizeof(content));
		(void)snprintf(name, sizeof(name), "here/keys/%s", names[i]);
		place_write(p, name, content, len);
	}
	struct keystore *ks;
	if (keystore_open(
		place_path(p, "here"), "unnamed", time(NULL), &ks, p->why, sizeof(p->why)) != RC_OK)
		fail_msg("%s", p->why);
	struct relay_keys *keys = keystore_current(ks);
	assert_memory_equal(keys->ed_id, master + 32, 32);
	assert_false(place_has(p, "here/keys/ed25519_master_id_secret_key"));
	relay_keys_unref(&keys);
	keystore_close(&ks);
}

/* A running tor holds the lock against us, and its state file outlives our visit. */
static void
test_running_stock(void **state)
{
	struct place *p = *state;
	struct keystore *ks = open_data(p);
	struct relay_keys *first = keystore_current(ks), *second;
	static char text[OUTPUT_MAX];
	const struct timespec nap = { 0, 50 * 1000 * 1000 };

	keystore_close(&ks);
	pid_t pid = tor_start(p, "--RunAsDaemon", "0");
	for (int i = 0; i < 200 && !tor_said(p, "Bootstrapped 0%"); i++)
		nanosleep(&nap, NULL);
	enum rc rc = keystore_open(
	    place_path(p, "data"), "unnamed", time(NULL), &ks, p->why, sizeof(p->why));
	keystore_close(&ks);
	assert_int_equal(kill(pid, SIGTERM), 0);
	assert_int_equal(tor_wait(pid), 0);
	assert_int_equal(rc, RC_EXISTS);

	ks = open_data(p);
	second = keystore_current(ks);
	assert_same(first, second);
	assert_int_equal(first->onion_made, second->onion_made);
	keystore_close(&ks);
	text[place_read(p, "data/state", text, sizeof(text) - 1)] = '\0';
	assert_non_null(strstr(text, "TorVersion "));
	assert_non_null(strstr(text, "LastRotatedOnionKey "));
	relay_keys_unref(&first);
	relay_keys_unref(&second);
}

/* We hold the lock against tor. It waits for some seconds before it gives up. */
static void
test_running_ours(void **state)
{
	struct place *p = *state;
	struct keystore *ks = open_data(p);

	assert_int_not_equal(tor_wait(tor_start(p, "--RunAsDaemon", "0")), 0);
	assert_true(tor_said(p, "another Tor process is running"));
	keystore_close(&ks);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(test_ours_to_stock),
		IN_PLACE(test_stock_to_ours),
		IN_PLACE(test_rotated_to_stock),
		IN_PLACE(test_keygen),
		IN_PLACE(test_running_stock),
		IN_PLACE(test_running_ours),
	};

	if (tor_path() == NULL) {
		(void)puts("no tor here");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
