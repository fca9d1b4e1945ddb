# nft-templates: see ROOM.md.
