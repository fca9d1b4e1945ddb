# relayd: the relay. Each room adds its sources to librelayd.a in its own local.mk.
noinst_LIBRARIES += relayd/librelayd.a
relayd_librelayd_a_SOURCES =
relayd_librelayd_a_CFLAGS = $(AM_CFLAGS) $(OPENSSL_CFLAGS) $(SODIUM_CFLAGS) $(EVENT_CFLAGS) \
	$(EVENT_PTHREADS_CFLAGS) $(UNBOUND_CFLAGS) $(ZLIB_CFLAGS)
RELAYD_LIBS = relayd/librelayd.a common/libcommon.a $(OPENSSL_LIBS) $(SODIUM_LIBS) \
	$(EVENT_LIBS) $(EVENT_PTHREADS_LIBS) $(UNBOUND_LIBS) $(ZLIB_LIBS)

include relayd/crypt/local.mk
include relayd/keys/local.mk
include relayd/policy/local.mk
include relayd/dir/local.mk
include relayd/ops/local.mk
include relayd/dns/local.mk
include relayd/core.mk
