# contrib: see ROOM.md.
