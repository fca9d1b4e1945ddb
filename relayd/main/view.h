/* view.h: making the view (struct snapshot) that the workers get. Errors are logged here. */
#ifndef RELAYD_MAIN_VIEW_H
#define RELAYD_MAIN_VIEW_H

#include "relayd/work/snapshot.h"

/* The first view: everything but a consensus. Takes conf whatever happens. */
struct snapshot *view_first(struct torrc *conf, struct keystore *keystore);
/* Each changes one part of a view that nobody else has yet. */
enum rc view_set_config(struct snapshot *s, struct torrc *conf); /* takes conf if RC_OK */
/* guess: what to advertise if neither Address nor ORPort says; ADDR_NONE: unknown. */
void view_set_addresses(struct snapshot *s, const struct torrc *conf, const struct addr *guess);
/* Say what is wrong with the ExitPolicy lines; changes nothing. */
enum rc view_check_policy(const struct torrc *conf);
enum rc view_set_policy(struct snapshot *s, const struct torrc *conf); /* after the addresses */
enum rc view_set_keys(struct snapshot *s, struct keystore *keystore);

#endif
