# nft-templates: rulesets as data.
dist_pkgdata_DATA = nft-templates/exitguard.nft nft-templates/inbound.nft
EXTRA_DIST += nft-templates/ROOM.md
