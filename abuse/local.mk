# abuse: see ROOM.md.
