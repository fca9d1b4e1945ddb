#!/usr/bin/env python3
"""may_include.py [TREE]: check that rooms include only what their .may_include allows.

A room is a folder with a .may_include: names of rooms, one a line. A source belongs to the
nearest room above it, and its #include "room/header.h" must name that room itself or one that
is listed. Rooms may not include one another in a circle, and of the three programs none may
include another."""
import os
import re
import sys

PROGRAMS = ('relayd', 'exitguard', 'abuse')
INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')
SKIP = re.compile(r'^(build.*|\..*|autom4te\.cache|exitgate-.*|tests)$')


def sources(tree):
    for folder, folders, files in os.walk(tree):
        folders[:] = sorted(f for f in folders if not SKIP.match(f))
        for name in sorted(files):
            if name == '.may_include' or (name != 'config.h' and name.endswith(('.c', '.h', '.def'))):
                yield os.path.relpath(os.path.join(folder, name), tree)


def read_rooms(tree, paths):
    rooms = {}
    for path in paths:
        if os.path.basename(path) == '.may_include':
            with open(os.path.join(tree, path)) as f:
                lines = (line.split('#')[0].strip() for line in f)
                rooms[os.path.dirname(path)] = {line for line in lines if line}
    return rooms


def room_of(path, rooms):
    folder = os.path.dirname(path)
    while folder and folder not in rooms:
        folder = os.path.dirname(folder)
    return folder or None


def program_of(room):
    top = room.split('/')[0]
    return top if top in PROGRAMS else None


def check_file(tree, path, rooms, complain):
    room = room_of(path, rooms)
    if room is None:
        complain('%s: lies in no room (no .may_include above it)' % path)
        return
    with open(os.path.join(tree, path)) as f:
        for number, line in enumerate(f, 1):
            m = INCLUDE.match(line)
            if not m or m.group(1) == 'config.h':
                continue
            wanted = room_of(m.group(1), rooms)
            if '/' not in m.group(1):
                complain('%s:%d: "%s" is not named from the top' % (path, number, m.group(1)))
            elif wanted is None:
                complain('%s:%d: "%s" is in no room' % (path, number, m.group(1)))
            elif wanted != room and wanted not in rooms[room]:
                complain('%s:%d: %s may not include %s' % (path, number, room, wanted))


def check_rooms(rooms, complain):
    state = {}

    def visit(room, trail):
        if state.get(room) == 'done':
            return
        if room in trail:
            complain('rooms include one another: %s' % ' -> '.join(trail + [room]))
            return
        for other in sorted(rooms.get(room, ())):
            if other != room:
                visit(other, trail + [room])
        state[room] = 'done'

    for room, may in sorted(rooms.items()):
        visit(room, [])
        for other in sorted(may):
            if other not in rooms:
                complain('%s/.may_include: no such room: %s' % (room, other))
            if program_of(room) and program_of(other) not in (None, program_of(room)):
                complain('%s/.may_include: %s is another program' % (room, other))


def main():
    tree = sys.argv[1] if len(sys.argv) > 1 else '.'
    faults = []
    paths = list(sources(tree))
    rooms = read_rooms(tree, paths)
    check_rooms(rooms, faults.append)
    for path in paths:
        if not path.endswith('.may_include'):
            check_file(tree, path, rooms, faults.append)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
