"""A small ray tracer for the room of `scenes`: one object on a tiled floor between walls, under a lamp.

Lengths are in metres, y points up, the object stands over the origin. Only sums, products, quotients and square roots
of double precision occur, each of which has one right result, so a scene comes out alike on any machine.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RAYS = 3  # a pixel has RAYS² rays
ROOM = 3.4  # half the room's width
DISTANCE, HEIGHT, LOOK = 6.2, 3.1, 0.75  # of the camera; how high it looks
ANGLE = 0.36  # half the picture's width over its distance
TILE, DARK = 0.85, 0.84  # a tile's side; what a dark tile reflects of a light one
BOARD, BOARD_LIGHT = 0.16, 0.62  # the skirting board
LAMP, SPREAD = (
    np.array([2.3, 5.2, 2.6]),
    0.9,
)  # the lamp's middle and half its width, as the camera has them
AMBIENT, DIRECT, REACH = 0.34, 0.80, 7.0  # light from all sides, and from the lamp REACH metres away
SHINE = 0.35  # of the highlight
NEAR = 1e-6
FLOOR, WALL, OBJECT, WHITE = range(4)
LIGHT = 1023


class Hit(NamedTuple):
    """Where rays meet a surface: ``t`` (m,), +inf where they do not, and the ``normal`` (3, m) there."""

    t: Floats
    normal: Floats


class View(NamedTuple):
    """A camera's rays (3, m) from one place, and the empty room that they see.

    ``lamp`` (3, m) is each ray's point on the lamp, ``t`` (m,) how far the room is, ``point`` (3, m) where, ``to_lamp``
    and ``away`` the way from there. ``ambient`` and ``direct`` (m,) are the light that comes back, ``floor`` (m,) which
    of it comes from the floor.
    """

    origin: Floats
    direction: Floats
    lamp: Floats
    t: Floats
    point: Floats
    to_lamp: Floats
    away: Floats
    ambient: Floats
    direct: Floats
    floor: NDArray[np.bool_]


def view(size: int, degrees: float) -> View:
    """The empty room from a camera that has gone around its middle by that angle."""
    origin, direction, lamp = _camera(size, degrees)
    t, normal = _room(origin, direction)
    point, floor = origin + t * direction, normal[1] > 0.5
    to_lamp, away = _toward(lamp, point)
    paint = np.where(floor, _tiles(point), np.where(point[1] < BOARD, BOARD_LIGHT, 1.0))
    ambient = AMBIENT * paint * np.where(floor, 1.0, _standing(point))
    return View(
        origin, direction, lamp, t, point, to_lamp, away, ambient, paint * _direct(normal, to_lamp, away), floor
    )


def trace(size: int, seen: View, scale: float, shape: str) -> NDArray[np.float32]:
    """Light (4, size²) sent to each pixel by floor, walls, object and highlights, in whole numbers, 1023 for 1."""
    direct = seen.direct.copy()
    below = _beside(scale, seen.point, seen.to_lamp)
    shaded = _object(shape, scale, seen.point[:, below], seen.to_lamp[:, below]).t < seen.away[below]
    direct[np.flatnonzero(below)[shaded]] = 0
    close = seen.floor & (seen.point[0] ** 2 + seen.point[2] ** 2 < 9 * scale * scale)
    ambient = seen.ambient.copy()
    ambient[close] *= _contact(seen.point[:, close], scale)
    room, thing, shine = ambient + direct, np.zeros_like(direct), np.zeros_like(direct)
    rays = np.flatnonzero(_beside(scale, seen.origin, seen.direction))
    hit = _object(shape, scale, seen.origin, seen.direction[:, rays])
    nearer = hit.t < seen.t[rays]
    rays = rays[nearer]
    room[rays] = 0
    thing[rays], shine[rays] = _lit(Hit(hit.t[nearer], hit.normal[:, nearer]), seen, rays, shape, scale)
    parts = (np.where(seen.floor, room, 0), np.where(seen.floor, 0, room), thing, shine)
    return np.stack([_average(part, size) for part in parts]).astype(np.float32)


def _lit(hit: Hit, seen: View, rays: NDArray[np.intp], shape: str, scale: float) -> tuple[Floats, Floats]:
    """The light (k,) that the object sends along those rays, and its highlights."""
    direction = seen.direction[:, rays]
    point = seen.origin + hit.t * direction
    to_lamp, away = _toward(seen.lamp[:, rays], point)
    open_ = np.where(_object(shape, scale, point + 1e-4 * hit.normal, to_lamp).t < away, 0.0, 1.0)
    half = normalised(to_lamp - direction)
    light = AMBIENT * _standing(point) + open_ * _direct(hit.normal, to_lamp, away)
    return light, SHINE * open_ * _power(np.maximum(_dot(hit.normal, half), 0), 5)


def _toward(lamp: Floats, point: Floats) -> tuple[Floats, Floats]:
    """The direction (3, m) from points to the lamp, and how far it is."""
    way = lamp - point
    away = np.sqrt(_dot(way, way))
    return way / away, away


def _direct(normal: Floats, to_lamp: Floats, away: Floats) -> Floats:
    return DIRECT * np.maximum(_dot(normal, to_lamp), 0) * (REACH / away)


def _standing(point: Floats) -> Floats:
    """How much of the ambient light reaches what stands upright: less near the floor."""
    return 0.82 + 0.18 * np.minimum(point[1], 1.0)


def _contact(point: Floats, scale: float) -> Floats:
    """How much of the ambient light reaches the floor beside the object."""
    beside = (point[0] ** 2 + point[2] ** 2) / (0.55 * scale * scale)
    return 1 - 0.45 / (1 + beside * beside)


def _beside(scale: float, origin: Floats, direction: Floats) -> NDArray[np.bool_]:
    """Which rays come near the object at all: those that meet a ball around it."""
    from_centre = origin - np.array([[0.0], [0.95 * scale], [0.0]])
    ahead, square = _dot(from_centre, direction), _dot(from_centre, from_centre)
    room = (1.6 * scale) ** 2
    return np.asarray((square - ahead * ahead < room) & ((ahead < 0) | (square < room)))


def normalised(vectors: Floats) -> Floats:
    """Vectors (3, m) of length 1."""
    return vectors / np.sqrt(_dot(vectors, vectors))


def _average(light: Floats, size: int) -> NDArray[np.int32]:
    """The mean over a pixel's rays, rounded; whole numbers are summed, so their order does not matter."""
    whole = np.round(light * LIGHT).astype(np.int32).reshape(size, RAYS, size, RAYS).sum(axis=(1, 3), dtype=np.int32)
    return ((whole + RAYS**2 // 2) // RAYS**2).ravel()


def _dot(a: Floats, b: Floats) -> Floats:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def _power(base: Floats, doublings: int) -> Floats:
    for _ in range(doublings):
        base = base * base
    return base


def _camera(size: int, degrees: float) -> tuple[Floats, Floats, Floats]:
    """The camera's place (3, 1), its rays (3, m) and each ray's point on the lamp (3, m)."""
    turn = math.radians(degrees)
    right = np.array([math.cos(turn), 0.0, -math.sin(turn)])
    back = np.array([math.sin(turn), 0.0, math.cos(turn)])
    slope = math.hypot(DISTANCE, HEIGHT - LOOK)
    ahead = (-DISTANCE * back + np.array([0.0, LOOK - HEIGHT, 0.0])) / slope
    up = np.array([0.0, DISTANCE / slope, 0.0]) + (LOOK - HEIGHT) / slope * back
    across = ((np.arange(size * RAYS) + 0.5) / (size * RAYS) * 2 - 1) * ANGLE
    x, y = (part.ravel() for part in np.meshgrid(across, -across))
    direction = normalised(ahead[:, None] + right[:, None] * x + up[:, None] * y)
    # Each of a pixel's rays asks another place of the lamp: their mean is a soft shadow.
    place = ((np.arange(size * RAYS) % RAYS) + 0.5) / RAYS * 2 - 1
    u, v = (part.ravel() * SPREAD for part in np.meshgrid(place, place))
    middle = LAMP[0] * right + np.array([0.0, LAMP[1], 0.0]) + LAMP[2] * back
    lamp = middle[:, None] + right[:, None] * u + back[:, None] * v
    origin = DISTANCE * back + np.array([0.0, HEIGHT, 0.0])
    return origin[:, None], direction, lamp


def _room(origin: Floats, direction: Floats) -> Hit:
    """The floor y = 0 and the walls x, z = ±ROOM, from inside; rays that start beyond a wall see through its back."""
    with np.errstate(divide="ignore"):
        floor = np.where(direction[1] < 0, -origin[1] / direction[1], np.inf)
        side = np.where(direction[0] != 0, (np.sign(direction[0]) * ROOM - origin[0]) / direction[0], np.inf)
        end = np.where(direction[2] != 0, (np.sign(direction[2]) * ROOM - origin[2]) / direction[2], np.inf)
    t = np.minimum(floor, np.minimum(side, end))
    is_floor, is_side = floor == t, (side == t) & (floor != t)
    zero = np.zeros_like(t)
    normal = np.stack(
        [
            np.where(is_side, -np.sign(direction[0]), zero),
            np.where(is_floor, 1.0, zero),
            np.where(is_floor | is_side, zero, -np.sign(direction[2])),
        ]
    )
    return Hit(t, normal)


def _tiles(point: Floats) -> Floats:
    dark = (np.floor(point[0] / TILE) + np.floor(point[2] / TILE)) % 2 == 1
    return np.where(dark, DARK, 1.0)


def _object(shape: str, scale: float, origin: Floats, direction: Floats) -> Hit:
    """The first hit, in front of `origin`, of the shape of that scale, which stands on the floor."""
    if shape == "sphere":
        return _sphere(scale, scale, origin, direction)
    if shape == "cube":
        return _cube(0.82 * scale, origin, direction)
    if shape == "cylinder":
        radius, height = 0.72 * scale, 1.75 * scale
        return _first(_tube(radius, 0.0, height, origin, direction), _lid(radius, height, origin, direction))
    radius, height = 0.58 * scale, 2.3 * scale
    ends = [_sphere(radius, middle, origin, direction) for middle in (radius, height - radius)]
    return _first(_tube(radius, radius, height - radius, origin, direction), *ends)


def _first(*hits: Hit) -> Hit:
    """The nearest of several hits of each ray."""
    found = hits[0]
    for hit in hits[1:]:
        nearer = hit.t < found.t
        found = Hit(np.where(nearer, hit.t, found.t), np.where(nearer, hit.normal, found.normal))
    return found


def _nearest(a: Floats, b: Floats, c: Floats) -> Floats:
    """The smaller positive root of a t² + 2 b t + c, +inf where there is none."""
    under = b * b - a * c
    with np.errstate(invalid="ignore", divide="ignore"):
        t = (-b - np.sqrt(np.maximum(under, 0))) / a
    return np.where((under > 0) & (t > NEAR), t, np.inf)


def _at(t: Floats, origin: Floats, direction: Floats) -> Floats:
    """The points of hits; of misses the origin, which is looked at no further."""
    return origin + np.where(np.isfinite(t), t, 0.0) * direction


def _sphere(radius: float, middle: float, origin: Floats, direction: Floats) -> Hit:
    centre = np.array([[0.0], [middle], [0.0]])
    from_centre = origin - centre
    t = _nearest(
        _dot(direction, direction), _dot(from_centre, direction), _dot(from_centre, from_centre) - radius * radius
    )
    return Hit(t, (_at(t, origin, direction) - centre) / radius)


def _tube(radius: float, low: float, high: float, origin: Floats, direction: Floats) -> Hit:
    """The side of an upright cylinder."""
    a = direction[0] ** 2 + direction[2] ** 2
    b = origin[0] * direction[0] + origin[2] * direction[2]
    t = _nearest(a, b, origin[0] ** 2 + origin[2] ** 2 - radius * radius)
    point = _at(t, origin, direction)
    t = np.where((point[1] >= low) & (point[1] <= high), t, np.inf)
    return Hit(t, np.stack([point[0] / radius, np.zeros_like(t), point[2] / radius]))


def _lid(radius: float, height: float, origin: Floats, direction: Floats) -> Hit:
    """The top of an upright cylinder."""
    with np.errstate(divide="ignore", invalid="ignore"):
        t = (height - origin[1]) / direction[1]
    point = _at(t, origin, direction)
    hit = (t > NEAR) & (point[0] ** 2 + point[2] ** 2 <= radius * radius)
    zero = np.zeros_like(point[0])
    return Hit(np.where(hit, t, np.inf), np.stack([zero, zero + 1.0, zero]))


def _cube(half: float, origin: Floats, direction: Floats) -> Hit:
    """A box of that half side: where a ray enters the last of three slabs before it leaves the first."""
    centre = np.array([[0.0], [half], [0.0]])
    with np.errstate(divide="ignore", invalid="ignore"):
        one, other = ((sign * half - (origin - centre)) / direction for sign in (-1, 1))
    enters, leaves = np.minimum(one, other), np.maximum(one, other)
    t = enters.max(axis=0)
    hit = (t < leaves.min(axis=0)) & (t > NEAR)
    normal = np.where(enters == t, -np.sign(direction), 0.0)
    return Hit(np.where(hit, t, np.inf), normal)
