/* keys_test.c: files made and read back, refused when damaged; certificates; rotation. */
#include "relayd/keys/testing.h"

#include <openssl/err.h>

#include "relayd/keys/state.h"

#define NOW 1800000000
#define DAY 86400

static const struct {
	const char *name;
	off_t size; /* 0: any */
} files[] = {
	{ "keys/secret_id_key", 0 },
	{ "keys/secret_onion_key", 0 },
	{ "keys/secret_onion_key_ntor", 96 },
	{ "keys/ed25519_master_id_secret_key", 96 },
	{ "keys/ed25519_master_id_public_key", 64 },
	{ "keys/ed25519_signing_secret_key", 96 },
	{ "keys/ed25519_signing_cert", 172 },
	{ "fingerprint", 7 + 1 + 40 + 1 },
	{ "fingerprint-ed25519", 7 + 1 + 43 + 1 },
	{ "state", 0 },
	{ "lock", 0 },
};

static void
test_fresh(void **state)
{
	struct place *p = *state;
	struct stat st;
	char text[64] = "", hex[41];

	(void)strcat(p->dir, "/new");
	struct keystore *ks = place_open(p, NOW);
	struct relay_keys *keys = keystore_current(ks);
	assert_int_equal(stat(p->dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(place_path(p, "keys"), &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		assert_int_equal(stat(place_path(p, files[i].name), &st), 0);
		assert_int_equal(st.st_mode & 0777, 0600);
		if (files[i].size != 0)
			assert_int_equal(st.st_size, files[i].size);
	}
	assert_false(place_has(p, "keys/secret_id_key.tmp"));
	(void)place_read(p, "fingerprint", text, sizeof(text) - 1);
	assert_int_equal(hex_encode(span_of(keys->rsa_id_digest, 20), hex, sizeof(hex)), RC_OK);
	assert_memory_equal(text, "unnamed ", 8);
	assert_memory_equal(text + 8, hex, 40);
	(void)place_read(p, "state", text, sizeof(text) - 1);
	assert_non_null(strstr(text, "LastRotatedOnionKey 2027-01-15 08:00:00\n"));
	keystore_close(&ks);
	assert_null(ks);
	keystore_close(&ks);
	relay_keys_unref(&keys);
	assert_null(keys);
	*strrchr(p->dir, '/') = '\0';
}

/* What of a set is on disk. */
static void
assert_same_identity(const struct relay_keys *a, const struct relay_keys *b)
{
	assert_memory_equal(a->rsa_id_digest, b->rsa_id_digest, sizeof(a->rsa_id_digest));
	assert_memory_equal(a->rsa_id_sha256, b->rsa_id_sha256, sizeof(a->rsa_id_sha256));
	assert_memory_equal(a->ed_id, b->ed_id, sizeof(a->ed_id));
	assert_memory_equal(&a->ed_signing, &b->ed_signing, sizeof(a->ed_signing));
	assert_memory_equal(a->ed_signing_cert, b->ed_signing_cert, sizeof(a->ed_signing_cert));
	assert_memory_equal(&a->onion, &b->onion, sizeof(a->onion));
	assert_int_equal(EVP_PKEY_eq(a->tap_onion, b->tap_onion), 1);
	assert_int_equal(a->onion_made, b->onion_made);
}

static void
test_again(void **state)
{
	struct place *p = *state;
	struct keystore *ks = place_open(p, NOW);
	struct relay_keys *first = keystore_current(ks);

	keystore_close(&ks);
	ks = place_open(p, NOW + DAY);
	struct relay_keys *second = keystore_current(ks);
	assert_same_identity(first, second);
	assert_memory_not_equal(first->tls_cert_sha256, second->tls_cert_sha256, 32);
	keystore_close(&ks);
	relay_keys_unref(&first);
	relay_keys_unref(&second);
}

static void
test_lock(void **state)
{
	struct place *p = *state;
	struct keystore *ks = place_open(p, NOW), *other;

	assert_int_equal(
	    keystore_open(p->dir, "x", NOW, &other, p->why, sizeof(p->why)), RC_EXISTS);
	assert_null(other);
	assert_non_null(strstr(p->why, "another relay"));
	assert_non_null(strstr(p->why, p->dir));
	keystore_close(&ks);
	ks = place_open(p, NOW);
	keystore_close(&ks);
}

static void
test_permissions(void **state)
{
	struct place *p = *state;
	struct keystore *ks;

	assert_int_equal(chmod(p->dir, 0770), 0);
	assert_int_equal(keystore_open(p->dir, "x", NOW, &ks, p->why, sizeof(p->why)), RC_DENIED);
	assert_non_null(strstr(p->why, "chmod 700"));
	assert_int_equal(chmod(p->dir, 0700), 0);
	assert_int_equal(
	    keystore_open(place_path(p, "no/such"), "x", NOW, &ks, p->why, sizeof(p->why)),
	    RC_SYSTEM);
	assert_int_equal(keystore_open("", "x", NOW, &ks, p->why, sizeof(p->why)), RC_LIMIT);
	if (geteuid() == 0) {
		assert_int_equal(chown(p->dir, 12345, 12345), 0);
		assert_int_equal(
		    keystore_open(p->dir, "x", NOW, &ks, p->why, sizeof(p->why)), RC_DENIED);
		assert_non_null(strstr(p->why, "12345"));
		assert_int_equal(chown(p->dir, 0, 0), 0);
	}
}

/* Everything that CERTS and the descriptor need holds together. */
static void
check_certificates(const struct relay_keys *keys, time_t now)
{
	struct edcert cert;
	uint8_t digest[32];
	unsigned int len = sizeof(digest);
	const unsigned char *der = keys->rsa_id_x509_der;
	X509 *id = d2i_X509(NULL, &der, (long)keys->rsa_id_x509_len);
	time_t day_ago = now - DAY, soon = now + 30 * 3600;

	assert_int_equal(edcert_parse(span_of(keys->ed_signing_cert, 140), &cert), RC_OK);
	assert_int_equal(cert.type, EDCERT_ID_SIGNING);
	assert_int_equal(edcert_check(&cert, keys->ed_id, now), RC_OK);
	assert_memory_equal(cert.key, keys->ed_signing.public, 32);

	assert_int_equal(edcert_parse(span_of(keys->link_cert, EDCERT_LEN), &cert), RC_OK);
	assert_int_equal(cert.type, EDCERT_SIGNING_LINK);
	assert_int_equal(cert.key_type, EDCERT_KEY_X509_SHA256);
	assert_int_equal(edcert_check(&cert, keys->ed_signing.public, now), RC_OK);
	assert_int_equal(X509_digest(keys->tls_cert, EVP_sha256(), digest, &len), 1);
	assert_memory_equal(cert.key, digest, 32);
	assert_memory_equal(keys->tls_cert_sha256, digest, 32);

	assert_int_equal(edcert_parse(span_of(keys->auth_cert, EDCERT_LEN), &cert), RC_OK);
	assert_int_equal(cert.type, EDCERT_SIGNING_AUTH);
	assert_int_equal(edcert_check(&cert, keys->ed_signing.public, now), RC_OK);
	assert_memory_equal(cert.key, keys->auth_key.public, 32);

	assert_int_equal(rsa_ed_cross_check(span_of(keys->rsa_ed_cross, RSA_ED_CROSS_LEN),
			     keys->rsa_id, keys->ed_id, now),
	    RC_OK);

	assert_non_null(id);
	assert_int_equal(X509_verify(id, keys->rsa_id), 1);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(id), keys->rsa_id), 1);
	assert_int_equal(EVP_PKEY_get_bits(keys->tls_key), RSA_LINK_BITS);
	assert_int_equal(EVP_PKEY_eq(X509_get0_pubkey(keys->tls_cert), keys->tls_key), 1);
	X509 *const both[] = { id, keys->tls_cert };
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(X509_cmp_time(X509_get0_notBefore(both[i]), &day_ago), -1);
		assert_int_equal(X509_cmp_time(X509_get0_notAfter(both[i]), &soon), 1);
	}
	X509_free(id);
	assert_memory_equal(keys->onion.rsa_id, keys->rsa_id_digest, 20);
	assert_memory_equal(keys->onion.ed_id, keys->ed_id, 32);
}

static void
test_certificates(void **state)
{
	for (time_t later = 0; later < 3; later++) {
		struct keystore *ks = place_open(*state, NOW + later * 3599);
		struct relay_keys *keys = keystore_current(ks);

		check_certificates(keys, NOW + later * 3599);
		relay_keys_unref(&keys);
		keystore_close(&ks);
	}
}

static const struct {
	const char *name;
	size_t flip; /* which byte; SIZE_MAX: cut the last */
	enum rc want;
} damages[] = {
	{ "keys/secret_id_key", 0, RC_SYNTAX },
	{ "keys/secret_id_key", 300, RC_SYNTAX },
	{ "keys/secret_onion_key", 300, RC_SYNTAX },
	{ "keys/secret_onion_key_ntor", 3, RC_SYNTAX },
	{ "keys/secret_onion_key_ntor", 40, RC_CRYPTO },
	{ "keys/secret_onion_key_ntor", 90, RC_CRYPTO },
	{ "keys/secret_onion_key_ntor", SIZE_MAX, RC_SYNTAX },
	{ "keys/ed25519_master_id_secret_key", 5, RC_SYNTAX },
	{ "keys/ed25519_master_id_secret_key", 40, RC_CRYPTO },
	{ "keys/ed25519_master_id_secret_key", SIZE_MAX, RC_SYNTAX },
	{ "keys/ed25519_master_id_public_key", 40, RC_CRYPTO },
	{ "keys/ed25519_master_id_public_key", 31, RC_SYNTAX },
};

static void
test_damage(void **state)
{
	struct place *p = *state;
	struct keystore *ks = place_open(p, NOW);

	keystore_close(&ks);
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		uint8_t good[2048], bad[2048];
		size_t len = place_read(p, damages[i].name, good, sizeof(good));

		memcpy(bad, good, len);
		if (damages[i].flip != SIZE_MAX)
			bad[damages[i].flip] ^= 4;
		place_write(p, damages[i].name, bad, damages[i].flip == SIZE_MAX ? len - 1 : len);
		p->why[0] = '\0';
		enum rc rc = keystore_open(p->dir, "x", NOW, &ks, p->why, sizeof(p->why));
		if (rc != damages[i].want)
			fail_msg("%s at %zu: %s", damages[i].name, damages[i].flip, rc_str(rc));
		assert_non_null(strstr(p->why, strrchr(damages[i].name, '/') + 1));
		place_write(p, damages[i].name, good, len);
	}
	assert_int_equal(ERR_peek_error(), 0);
	ks = place_open(p, NOW);
	keystore_close(&ks);
}

/* The signing key is made again whatever happens to it, while the master key is there. */
static void
test_signing_again(void **state)
{
	struct place *p = *state;
	struct keystore *ks = place_open(p, NOW);
	struct relay_keys *first = keystore_current(ks), *second;

	keystore_close(&ks);
	for (int i = 0; i < 4; i++) {
		if (i == 0)
			place_unlink(p, "keys/ed25519_signing_cert");
		else if (i == 1)
			place_write(p, "keys/ed25519_signing_secret_key", "x", 1);
		else if (i == 2)
			place_unlink(p, "keys/ed25519_signing_secret_key");
		ks = place_open(p, i == 3 ? NOW + 40 * DAY : NOW);
		second = keystore_current(ks);
		assert_memory_equal(first->ed_id, second->ed_id, 32);
		assert_memory_not_equal(first->ed_signing.public, second->ed_signing.public, 32);
		check_certificates(second, i == 3 ? NOW + 40 * DAY : NOW);
		keystore_close(&ks);
		relay_keys_unref(&second);
	}
	relay_keys_unref(&first);
}

static void
test_offline_master(void **state)
{
	struct place *p = *state;
	struct keystore *ks = place_open(p, NOW);
	struct relay_keys *first = keystore_current(ks);
	bool changed;

	keystore_close(&ks);
	place_unlink(p, "keys/ed25519_master_id_secret_key");
	ks = place_open(p, NOW + 29 * DAY + 1); /* within the last day, still good */
	struct relay_keys *second = keystore_current(ks);
	assert_memory_equal(first->ed_id, second->ed_id, 32);
	assert_memory_equal(first->ed_signing.public, second->ed_signing.public, 32);
	assert_true(keystore_rotate(ks, NOW + 29 * DAY + 2 * 3600 + 1, 28, &changed));
	relay_keys_unref(&second);
	second = keystore_current(ks);
	assert_memory_equal(first->ed_signing.public, second->ed_signing.public, 32);
	keystore_close(&ks);
	relay_keys_unref(&second);
	assert_false(place_has(p, "keys/ed25519_master_id_secret_key"));

	place_unlink(p, "keys/ed25519_master_id_public_key"); /* the certificate names it */
	ks = place_open(p, NOW);
	second = keystore_current(ks);
	assert_memory_equal(first->ed_id, second->ed_id, 32);
	keystore_close(&ks);
	relay_keys_unref(&second);
	assert_true(place_has(p, "keys/ed25519_master_id_public_key"));

	assert_int_equal(
	    keystore_open(p->dir, "x", NOW + 31 * DAY, &ks, p->why, sizeof(p->why)), RC_NOT_FOUND);
	assert_non_null(strstr(p->why, "tor --keygen"));
	place_unlink(p, "keys/ed25519_signing_cert");
	assert_int_equal(
	    keystore_open(p->dir, "x", NOW, &ks, p->why, sizeof(p->why)), RC_NOT_FOUND);
	place_unlink(p, "keys/ed25519_master_id_public_key");
	place_write(p, "keys/ed25519_master_id_secret_key_encrypted", "x", 1);
	assert_int_equal(
	    keystore_open(p->dir, "x", NOW, &ks, p->why, sizeof(p->why)), RC_NOT_FOUND);
	relay_keys_unref(&first);
}

/* Somebody copies a newer signing key here while we run. */
static void
test_offline_renewal(void **state)
{
	static const char *const names[] = { "keys/ed25519_signing_secret_key",
		"keys/ed25519_signing_cert", "keys/ed25519_master_id_secret_key" };
	struct place *p = *state;
	uint8_t old[3][256], new[3][256];
	size_t len[3];
	bool changed;
	struct keystore *ks = place_open(p, NOW);

	keystore_close(&ks);
	for (size_t i = 0; i < 3; i++)
		len[i] = place_read(p, names[i], old[i], sizeof(old[i]));
	ks = place_open(p, NOW + 29 * DAY + 3600);
	keystore_close(&ks);
	for (size_t i = 0; i < 3; i++) {
		(void)place_read(p, names[i], new[i], sizeof(new[i]));
		place_write(p, names[i], old[i], len[i]);
	}
	place_unlink(p, names[2]);
	ks = place_open(p, NOW);
	struct relay_keys *first = keystore_current(ks);
	time_t late = NOW + 29 * DAY + 7200;
	(void)keystore_rotate(ks, late, 90, &changed);
	assert_false(changed);
	place_write(p, names[0], new[0], len[0]);
	place_write(p, names[1], new[1], len[1]);
	assert_true(keystore_rotate(ks, late + 3601, 90, &changed));
	assert_true(changed);
	struct relay_keys *second = keystore_current(ks);
	assert_true(second->ed_signing_expires > first->ed_signing_expires);
	check_certificates(second, late + 3601);
	assert_false(place_has(p, names[2]));
	relay_keys_unref(&first);
	relay_keys_unref(&second);
	keystore_close(&ks);
}

static void
test_rotate_links(void **state)
{
	struct keystore *ks = place_open(*state, NOW);
	struct relay_keys *first = keystore_current(ks), *second;
	bool changed = true;

	assert_false(keystore_rotate(ks, NOW + 60, 28, &changed));
	assert_false(changed);
	assert_true(keystore_rotate(ks, NOW + 7200, 28, &changed));
	assert_false(changed);
	assert_false(keystore_rotate(ks, NOW + 7260, 28, &changed));
	second = keystore_current(ks);
	assert_same_identity(first, second);
	assert_memory_not_equal(first->tls_cert_sha256, second->tls_cert_sha256, 32);
	assert_memory_equal(first->auth_cert, second->auth_cert, EDCERT_LEN);
	check_certificates(second, NOW + 7260);
	relay_keys_unref(&second);
	assert_true(keystore_rotate(ks, NOW + 2 * DAY - 3 * 3600, 28, &changed));
	second = keystore_current(ks);
	assert_memory_not_equal(first->auth_cert, second->auth_cert, EDCERT_LEN);
	check_certificates(second, NOW + 2 * DAY);
	check_certificates(first, NOW); /* who holds it sees no change */
	relay_keys_unref(&second);
	relay_keys_unref(&first);
	keystore_close(&ks);
}

static void
test_rotate_long(void **state)
{
	struct place *p = *state;
	struct keystore *ks = place_open(p, NOW);
	struct relay_keys *first = keystore_current(ks), *second, *again;
	bool changed;

	assert_true(keystore_rotate(ks, NOW + 28 * DAY, 28, &changed));
	assert_true(changed);
	second = keystore_current(ks);
	assert_memory_not_equal(&first->onion.onion, &second->onion.onion, 64);
	assert_memory_equal(&first->onion.onion, &second->onion.onion_old, 64);
	assert_true(second->onion.has_old);
	assert_int_not_equal(EVP_PKEY_eq(first->tap_onion, second->tap_onion), 1);
	assert_memory_equal(first->ed_signing.public, second->ed_signing.public, 32);
	assert_true(place_has(p, "keys/secret_onion_key_ntor.old"));
	assert_true(place_has(p, "keys/secret_onion_key.old"));

	/* a day before the signing key ends */
	assert_true(keystore_rotate(ks, NOW + 29 * DAY + 3600, 28, &changed));
	assert_true(changed);
	again = keystore_current(ks);
	assert_memory_not_equal(second->ed_signing.public, again->ed_signing.public, 32);
	check_certificates(again, NOW + 29 * DAY + 3600);
	assert_true(again->onion.has_old);

	/* what was rotated is what is on disk */
	keystore_close(&ks);
	relay_keys_unref(&second);
	ks = place_open(p, NOW + 30 * DAY);
	second = keystore_current(ks);
	assert_same_identity(again, second);
	assert_int_equal(second->onion_made, NOW + 28 * DAY);

	/* the old onion key goes after its week of grace */
	assert_true(keystore_rotate(ks, NOW + 35 * DAY, 28, &changed));
	assert_false(changed);
	relay_keys_unref(&second);
	second = keystore_current(ks);
	assert_false(second->onion.has_old);
	assert_false(place_has(p, "keys/secret_onion_key_ntor.old"));
	check_certificates(second, NOW + 35 * DAY);
	relay_keys_unref(&first);
	relay_keys_unref(&second);
	relay_keys_unref(&again);
	keystore_close(&ks);
}

/* A keys folder that cannot be written: nothing changes but what lives in memory. */
static void
test_rotate_unwritable(void **state)
{
	struct place *p = *state;
	struct keystore *ks = place_open(p, NOW);
	struct relay_keys *first = keystore_current(ks);
	char moved[192];
	bool changed;

	(void)snprintf(moved, sizeof(moved), "%s/moved", p->dir);
	assert_int_equal(rename(place_path(p, "keys"), moved), 0);
	assert_int_equal(place_remove_one(place_path(p, "nothing"), NULL, 0, NULL), -1);
	assert_int_equal(nftw(moved, place_remove_one, 4, FTW_DEPTH | FTW_PHYS), 0);
	assert_true(keystore_rotate(ks, NOW + 40 * DAY, 28, &changed));
	assert_false(changed);
	struct relay_keys *second = keystore_current(ks);
	assert_same_identity(first, second);
	assert_memory_not_equal(first->tls_cert_sha256, second->tls_cert_sha256, 32);
	assert_false(keystore_rotate(ks, NOW + 40 * DAY + 60, 28, &changed));
	relay_keys_unref(&first);
	relay_keys_unref(&second);
	keystore_close(&ks);
}

static const struct {
	const char *text;
	time_t want;
} states[] = {
	{ "", 0 },
	{ "# Tor state file\nTorVersion Tor 0.4.9.11\nLastRotatedOnionKey 2027-01-15 08:00:00\n",
	    NOW },
	{ "LastRotatedOnionKey 2027-01-15 08:00:00", NOW },
	{ "LastRotatedOnionKey 2027-01-15 08:00:00 \n", 0 },
	{ "LastRotatedOnionKey 2027-01-15\n", 0 },
	{ "LastRotatedOnionKey 2027-01-15 0a:00:00\n", 0 },
	{ "LastRotatedOnionKeys 2027-01-15 08:00:00\n", 0 },
	{ "xLastRotatedOnionKey 2027-01-15 08:00:00\n", 0 },
	{ "LastRotatedOnionKey 0000-00-00 00:00:00\n", 0 },
};

static void
test_state(void **state)
{
	char out[256];
	struct wr wr = wr_to(out, sizeof(out));

	(void)state;
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		assert_int_equal(state_find(span_of_str(states[i].text)), states[i].want);
	assert_int_equal(
	    state_update(span_of_str("A b\nLastRotatedOnionKey 2020-01-01 00:00:00\nC"), NOW, &wr),
	    RC_OK);
	assert_true(
	    span_equal_str(wr_written(&wr), "A b\nC\nLastRotatedOnionKey 2027-01-15 08:00:00\n"));
	assert_int_equal(state_find(wr_written(&wr)), NOW);
	wr = wr_to(out, 20);
	assert_int_equal(state_update(span_of_str(""), NOW, &wr), RC_LIMIT);
}

#define IN_PLACE(test) cmocka_unit_test_setup_teardown(test, place_make, place_remove)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		IN_PLACE(test_fresh),
		IN_PLACE(test_again),
		IN_PLACE(test_lock),
		IN_PLACE(test_permissions),
		IN_PLACE(test_certificates),
		IN_PLACE(test_damage),
		IN_PLACE(test_signing_again),
		IN_PLACE(test_offline_master),
		IN_PLACE(test_offline_renewal),
		IN_PLACE(test_rotate_links),
		IN_PLACE(test_rotate_long),
		IN_PLACE(test_rotate_unwritable),
		cmocka_unit_test(test_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
