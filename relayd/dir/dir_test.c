/* dir_test.c: the directory client against authorities inside the test: the usual way, from the
 * cache, and with authorities that are absent, silent, garbled or disagree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/clock.h"
#include "relayd/dir/cache.h"
#include "relayd/dir/dir_internal.h"
#include "relayd/dir/fake_authority.h"

#define PATIENCE_MS 20000

struct scene {
	struct event_base *base;
	struct fake_world world;
	struct relay_keys keys;
	struct policy *policy;
	char folder[64];
	struct dir *dir;
	unsigned views;
	bool describes;
	struct addr own;
};

static void
on_consensus(void *arg, struct consensus *c)
{
	struct scene *scene = arg;

	assert_non_null(c);
	scene->views++;
}

static bool
describe(void *arg, struct descriptor_info *info, struct relay_keys **keys)
{
	struct scene *scene = arg;

	*info = (struct descriptor_info){
		.nickname = "tested",
		.platform = "exitgate",
		.proto = "Relay=2-4",
		.or_v4 = { addr_ipv4(0xc0000207), 9001 },
		.bandwidth_observed = 5,
		.policy = scene->policy,
	};
	*keys = relay_keys_ref(&scene->keys);
	return scene->describes;
}

static void
on_own_address(void *arg, const struct addr *addr)
{
	((struct scene *)arg)->own = *addr;
}

static void
keys_make(struct relay_keys *keys)
{
	struct ed25519_key master;

	atomic_init(&keys->refs, 1); /* never reaches 0: it is embedded */
	keys->rsa_id = rsa_generate(RSA_ID_BITS);
	keys->tap_onion = rsa_generate(RSA_ID_BITS);
	assert_int_equal(rsa_digest_sha1(keys->rsa_id, keys->rsa_id_digest), RC_OK);
	ed25519_generate(&master);
	memcpy(keys->ed_id, master.public, 32);
	ed25519_generate(&keys->ed_signing);
	edcert_make(EDCERT_ID_SIGNING, EDCERT_KEY_ED25519, keys->ed_signing.public,
	    clock_wall_s() + 86400, &master, true, keys->ed_signing_cert);
	curve_generate(&keys->onion.onion);
}

static void
dir_make(struct scene *scene, bool publish)
{
	struct dir_config config = {
		.base = scene->base,
		.authorities = scene->world.authorities,
		.authority_count = FAKES,
		.cache_dir = scene->folder,
		.testing = true,
		.publish = publish,
		.on_consensus = on_consensus,
		.describe = describe,
		.on_own_address = on_own_address,
		.arg = scene,
	};

	assert_int_equal(dir_new(&config, &scene->dir), RC_OK);
	scene->dir->next_authority = 0;
	scene->dir->testing_wait_ms = 100;
}

static int
setup(void **state)
{
	struct scene *scene = calloc(1, sizeof(*scene));
	struct policy_options options = { .exit_relay = true };
	char why[80];

	assert_int_equal(crypt_init(), RC_OK);
	log_init("dir_test");
	assert_int_equal(log_add_file(LOG_LEVEL_DEBUG, "/dev/null"), RC_OK);
	scene->base = event_base_new();
	snprintf(scene->folder, sizeof(scene->folder), "/tmp/dir_test.XXXXXX");
	assert_non_null(mkdtemp(scene->folder));
	fake_world_init(&scene->world, scene->base, clock_wall_s());
	keys_make(&scene->keys);
	assert_int_equal(policy_build(NULL, 0, &options, &scene->policy, why, sizeof(why)), RC_OK);
	*state = scene;
	return 0;
}

static int
teardown(void **state)
{
	static const char *const files[] = { CACHE_CERTS, CACHE_CONSENSUS, CACHE_MICROS,
		CACHE_MICROS_NEW };
	struct scene *scene = *state;

	dir_free(&scene->dir);
	fake_world_clear(&scene->world);
	policy_free(&scene->policy);
	EVP_PKEY_free(scene->keys.rsa_id);
	EVP_PKEY_free(scene->keys.tap_onion);
	for (size_t i = 0; i < 4; i++)
		cache_remove(scene->folder, files[i]);
	assert_int_equal(rmdir(scene->folder), 0);
	event_base_free(scene->base);
	free(scene);
	return 0;
}

/* Run until done says so. */
static bool
run_until(struct scene *scene, bool (*done)(struct scene *scene), unsigned patience_ms)
{
	uint64_t end = clock_mono_ms() + patience_ms;
	struct timeval step = { .tv_usec = 20000 };

	while (!done(scene) && clock_mono_ms() < end) {
		event_base_loopexit(scene->base, &step);
		event_base_dispatch(scene->base);
	}
	return done(scene);
}

static bool
has_view(struct scene *scene)
{
	return scene->views != 0;
}

static bool
has_ids(struct scene *scene)
{
	const struct consensus *c = dir_consensus(scene->dir);

	for (size_t i = 0; i < consensus_relay_count(c); i++)
		if (!consensus_relay_at(c, i)->has_ed_id)
			return false;
	return c != NULL;
}

static void
test_fetch_then_cache(void **state)
{
	struct scene *scene = *state;
	time_t valid_after;

	dir_make(scene, false);
	assert_null(dir_consensus(scene->dir));
	dir_start(scene->dir);
	assert_true(run_until(scene, has_ids, PATIENCE_MS));
	valid_after = consensus_valid_after(dir_consensus(scene->dir));
	assert_int_equal(consensus_param(dir_consensus(scene->dir), "test", 0, 0, 9), 5);
	assert_memory_equal(
	    consensus_relay_at(dir_consensus(scene->dir), 1)->ed_id, scene->world.ed_ids[1], 32);
	assert_true(
	    consensus_is_or_port(dir_consensus(scene->dir), &scene->world.authorities[2].dir));
	assert_int_equal(scene->own.family, ADDR_IPV4);
	dir_free(&scene->dir);

	/* Again, with nobody there: everything is in the cache. */
	for (unsigned i = 0; i < FAKES; i++)
		scene->world.fakes[i].mood = FAKE_EMPTY;
	scene->views = 0;
	dir_make(scene, false);
	dir_start(scene->dir);
	assert_int_equal(scene->views, 1);
	assert_true(has_ids(scene));
	assert_true(consensus_valid_after(dir_consensus(scene->dir)) == valid_after);
	/* The two microdescriptor files have become one. */
	char *text = NULL;
	size_t len;
	assert_int_equal(
	    cache_read(scene->folder, CACHE_MICROS_NEW, 65536, &text, &len), RC_NOT_FOUND);
	assert_int_equal(cache_read(scene->folder, CACHE_MICROS, 65536, &text, &len), RC_OK);
	assert_int_equal(len, strlen(scene->world.micros));
	free(text);
}

static void
test_spoiled_cache(void **state)
{
	struct scene *scene = *state;
	struct span junk = span_of_str("onion-key\nid ed25519 x\ndir-key-certificate-version 3\n");

	assert_int_equal(cache_write(scene->folder, CACHE_CERTS, &junk, 1), RC_OK);
	assert_int_equal(cache_write(scene->folder, CACHE_CONSENSUS, &junk, 1), RC_OK);
	assert_int_equal(cache_write(scene->folder, CACHE_MICROS, &junk, 1), RC_OK);
	dir_make(scene, false);
	dir_start(scene->dir);
	assert_int_equal(scene->views, 0);
	assert_true(run_until(scene, has_ids, PATIENCE_MS));
}

static void
test_minority_is_not_enough(void **state)
{
	struct scene *scene = *state;

	fake_world_vote(&scene->world, clock_wall_s(), 1);
	dir_make(scene, false);
	dir_start(scene->dir);
	assert_false(run_until(scene, has_view, 1000));
	fake_world_vote(&scene->world, clock_wall_s(), 2);
	assert_true(run_until(scene, has_view, PATIENCE_MS));
}

static void
test_bad_authorities_are_passed_over(void **state)
{
	static const enum fake_mood moods[] = { FAKE_GARBAGE, FAKE_CUT, FAKE_ENDLESS, FAKE_EMPTY };
	struct scene *scene = *state;

	for (size_t i = 0; i < sizeof(moods) / sizeof(moods[0]); i++) {
		static const char *const files[] = { CACHE_CERTS, CACHE_CONSENSUS, CACHE_MICROS,
			CACHE_MICROS_NEW };

		scene->world.fakes[0].mood = scene->world.fakes[1].mood = moods[i];
		dir_make(scene, false);
		dir_start(scene->dir);
		if (!run_until(scene, has_ids, PATIENCE_MS))
			fail_msg("mood %u stops it", moods[i]);
		assert_true(scene->world.fakes[0].gets != 0 || scene->world.fakes[1].gets != 0);
		dir_free(&scene->dir);
		for (size_t k = 0; k < 4; k++)
			cache_remove(scene->folder, files[k]);
	}
}

static bool
never(struct scene *scene)
{
	(void)scene;
	return false;
}

static void
test_older_is_not_taken(void **state)
{
	struct scene *scene = *state;
	time_t now = clock_wall_s();

	fake_world_vote(&scene->world, now - 11, FAKES); /* no longer fresh: asked again */
	dir_make(scene, false);
	dir_start(scene->dir);
	assert_true(run_until(scene, has_ids, PATIENCE_MS));
	fake_world_vote(&scene->world, now - 30, FAKES);
	unsigned views = scene->views;
	(void)run_until(scene, never, 1000);
	assert_int_equal(scene->views, views);
	assert_true(consensus_valid_after(dir_consensus(scene->dir)) == now - 11);
	fake_world_vote(&scene->world, now - 5, FAKES);
	(void)run_until(scene, never, 1000);
	assert_true(consensus_valid_after(dir_consensus(scene->dir)) == now - 5);
}

static bool
uploads_are_done(struct scene *scene)
{
	for (unsigned i = 0; i < FAKES; i++)
		if (scene->world.fakes[i].posts == 0 || scene->dir->uploads[i].state != UPLOAD_IDLE)
			return false;
	return true;
}

static void
test_what_authorities_say_to_it(void **state)
{
	struct scene *scene = *state;

	scene->world.fakes[1].post = FAKE_REFUSES;
	scene->world.fakes[2].post = FAKE_DROPS;
	dir_make(scene, true);
	dir_start(scene->dir);
	(void)run_until(scene, never, 600);
	assert_int_equal(scene->world.fakes[0].posts, 0); /* describe says: not yet */
	scene->describes = true;
	assert_true(run_until(scene, uploads_are_done, PATIENCE_MS));
	assert_int_equal(scene->world.fakes[0].posts, 2);
	assert_int_equal(scene->world.fakes[1].posts, 1);
	assert_int_equal(scene->world.fakes[2].posts, 2);
	assert_true(scene->dir->uploads[0].accepted);
	assert_false(scene->dir->uploads[1].accepted);
	assert_false(scene->dir->uploads[2].accepted);
	assert_string_equal(scene->world.fakes[0].kept, scene->dir->descriptor);

	time_t published = scene->dir->published;
	dir_republish(scene->dir, "the test wants it");
	(void)run_until(scene, never, 4500);
	assert_true(scene->dir->published > published);
	assert_true(uploads_are_done(scene));
	assert_string_equal(scene->world.fakes[0].kept, scene->dir->descriptor);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_fetch_then_cache, setup, teardown),
		cmocka_unit_test_setup_teardown(test_spoiled_cache, setup, teardown),
		cmocka_unit_test_setup_teardown(test_minority_is_not_enough, setup, teardown),
		cmocka_unit_test_setup_teardown(
		    test_bad_authorities_are_passed_over, setup, teardown),
		cmocka_unit_test_setup_teardown(test_older_is_not_taken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_authorities_say_to_it, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
