# tests: see ROOM.md.
