# exitguard: see ROOM.md.
