# contrib: what a host needs around the programs. Installed where Debian looks for it; nothing is
# switched on. The units name the programs by their path, so they are made.
systemunitdir = $(prefix)/lib/systemd/system
sysusersdir = $(prefix)/lib/sysusers.d
tmpfilesdir = $(prefix)/lib/tmpfiles.d
made_units = contrib/systemd/relayd.service contrib/systemd/exitguard.service
nodist_systemunit_DATA = $(made_units)
dist_systemunit_DATA = contrib/systemd/exitguard-consensus.service \
	contrib/systemd/exitguard-consensus.path
dist_sysusers_DATA = contrib/sysusers/exitgate.conf
dist_tmpfiles_DATA = contrib/tmpfiles/exitgate.conf
nobase_dist_pkgdata_DATA = contrib/sysctl/60-exitgate.conf contrib/apparmor/relayd \
	contrib/apparmor/exitguard contrib/unbound/exit.conf contrib/notice/tor-exit-notice.html \
	contrib/examples/torrc contrib/examples/exitguard.conf
EXTRA_DIST += contrib/ROOM.md contrib/systemd/relayd.service.in contrib/systemd/exitguard.service.in
CLEANFILES += $(made_units)

contrib/systemd/%.service: contrib/systemd/%.service.in Makefile
	@mkdir -p contrib/systemd
	$(AM_V_GEN)sed 's|@sbindir[@]|$(sbindir)|g' $(srcdir)/contrib/systemd/$*.service.in > $@
