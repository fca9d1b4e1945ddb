/* lists_test.c: bans, allowances and the state file. */
#include "exitguard/front/lists.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

static const uint8_t key[16] = { 3 };

static struct list_entry
entry(enum guard_list list, const char *text, int64_t until)
{
	struct list_entry out = { .list = list, .until = until };

	assert_int_equal(prefix_parse(span_of_str(text), &out.prefix), RC_OK);
	return out;
}

static void
put(struct lists *lists, enum guard_list list, const char *text, int64_t until)
{
	struct list_entry e = entry(list, text, until);

	assert_int_equal(lists_put(lists, &e), RC_OK);
}

static bool
have(const struct lists *lists, enum guard_list list, const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(span_of_str(text), &addr), RC_OK);
	return lists_have(lists, list, &addr);
}

static void
test_have(void **state)
{
	struct lists lists;
	struct list_entry wide = entry(GUARD_LIST_BAN, "198.0.0.0/8", 0);

	(void)state;
	lists_init(&lists, key);
	assert_false(have(&lists, GUARD_LIST_BAN, "203.0.113.1"));
	put(&lists, GUARD_LIST_BAN, "203.0.112.0/23", 0);
	put(&lists, GUARD_LIST_BAN, "2001:db8:1::/48", 0);
	put(&lists, GUARD_LIST_ALLOW, "203.0.113.7", 0);
	assert_true(have(&lists, GUARD_LIST_BAN, "203.0.113.1"));
	assert_false(have(&lists, GUARD_LIST_BAN, "203.0.114.1"));
	assert_true(have(&lists, GUARD_LIST_BAN, "2001:db8:1:2::3"));
	assert_true(have(&lists, GUARD_LIST_ALLOW, "203.0.113.7"));
	assert_false(have(&lists, GUARD_LIST_ALLOW, "203.0.113.8"));
	assert_int_equal(lists_put(&lists, &wide), RC_RANGE);
	assert_int_equal(lists.count, 3);
	lists_clear(&lists);
}

static void
test_overlap_and_removal(void **state)
{
	struct lists lists;
	struct list_entry a = entry(GUARD_LIST_BAN, "203.0.113.0/24", 0);
	struct list_entry config = entry(GUARD_LIST_BAN, "198.51.100.1", 0);

	(void)state;
	lists_init(&lists, key);
	put(&lists, GUARD_LIST_BAN, "203.0.112.0/23", 0);
	put(&lists, GUARD_LIST_BAN, "203.0.113.0/24", 0);
	assert_int_equal(lists_del(&lists, GUARD_LIST_BAN, &a.prefix), RC_OK);
	assert_true(have(&lists, GUARD_LIST_BAN, "203.0.113.1")); /* the wider one holds */
	assert_int_equal(lists_del(&lists, GUARD_LIST_BAN, &a.prefix), RC_NOT_FOUND);
	config.from_config = true;
	assert_int_equal(lists_put(&lists, &config), RC_OK);
	assert_int_equal(lists_del(&lists, GUARD_LIST_BAN, &config.prefix), RC_DENIED);
	lists_drop_config(&lists);
	assert_false(have(&lists, GUARD_LIST_BAN, "198.51.100.1"));
	assert_int_equal(lists.count, 1);
	lists_clear(&lists);
}

static void
test_ends(void **state)
{
	struct lists lists;

	(void)state;
	lists_init(&lists, key);
	put(&lists, GUARD_LIST_BAN, "203.0.113.0/24", 1000);
	put(&lists, GUARD_LIST_BAN, "203.0.114.0/24", 0);
	assert_false(lists_expire(&lists, 999));
	assert_true(lists_expire(&lists, 1000));
	assert_false(have(&lists, GUARD_LIST_BAN, "203.0.113.1"));
	assert_true(have(&lists, GUARD_LIST_BAN, "203.0.114.1"));
	lists_clear(&lists);
}

static void
test_state_file(void **state)
{
	enum guard_mode mode = GUARD_OBSERVE;
	char path[64];
	struct lists lists, again;
	unsigned wrong;
	bool has_mode;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/lists-test.%d", (int)getpid());
	lists_init(&lists, key);
	lists_init(&again, key);
	assert_int_equal(lists_load(&again, path, 500, &has_mode, &mode, &wrong), RC_OK);
	assert_false(has_mode);
	for (int i = 0; i < 200; i++) {
		char text[32];

		snprintf(text, sizeof(text), "203.0.%d.0/24", i);
		put(&lists, i % 2 ? GUARD_LIST_BAN : GUARD_LIST_ALLOW, text, i == 3 ? 400 : 5000);
	}
	assert_int_equal(lists_save(&lists, GUARD_ENFORCE, path), RC_OK);
	assert_int_equal(lists_load(&again, path, 500, &has_mode, &mode, &wrong), RC_OK);
	assert_true(has_mode);
	assert_int_equal(mode, GUARD_ENFORCE);
	assert_int_equal(wrong, 0);
	assert_int_equal(again.count, 199); /* one has ended meanwhile */
	FILE *file = fopen(path, "a");
	assert_non_null(file);
	fputs("Ban 1.2.3.4/24 0\nBan\nBan 1.2.3.4\nWhat ever\nAllow 192.0.2.1/32 -1\n", file);
	fclose(file);
	assert_int_equal(lists_load(&again, path, 500, &has_mode, &mode, &wrong), RC_OK);
	assert_int_equal(wrong, 5);
	unlink(path);
	lists_clear(&lists);
	lists_clear(&again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_have),
		cmocka_unit_test(test_overlap_and_removal),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_state_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
