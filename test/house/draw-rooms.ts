/**
 * Who imports whom between rooms, as a picture: `npx tsx test/house/draw-rooms.ts [FOLDER OF A TREE] > rooms.svg`.
 *
 * A room stands above all that it imports; what stands in a circle is red.
 */
import { fileURLToPath } from 'node:url';
import { root as here, sourceFiles } from './files.ts';
import { circles, importsOf } from './import-graph.ts';

/** The room of a file: its folder, two names deep, three below `compiler/schedule` and `compiler/cli`; above that the file itself. */
export function folderOf(file: string): string {
  const names = file.split('/');
  const depth = (names[1] === 'schedule' || names[1] === 'cli') && names.length > 3 ? 3 : 2;
  return names.slice(0, depth).join('/');
}

interface Drawing {
  readonly rooms: readonly string[];
  /** `FROM TO`. */
  readonly arrows: ReadonlySet<string>;
  /** Rooms that reach themselves. */
  readonly circled: ReadonlySet<string>;
}

export function drawingOf(files: readonly string[], root = here): Drawing {
  const arrows = new Set<string>();
  for (const file of files)
    for (const { to } of importsOf(file, root)) {
      const [from, into] = [folderOf(file), folderOf(to)];
      if (from !== into && files.includes(to)) arrows.add(`${from} ${into}`);
    }
  const rooms = [...new Set(files.map(folderOf))].sort();
  const next = (room: string): readonly string[] => rooms.filter((other) => arrows.has(`${room} ${other}`));
  return { rooms, arrows, circled: new Set(circles(rooms, next).flat()) };
}

/** How many rooms stand below one at most; of a circle, all stand on one floor. */
function floors({ rooms, arrows, circled }: Drawing): ReadonlyMap<string, number> {
  const known = new Map<string, number>();
  const floorOf = (room: string, open: ReadonlySet<string>): number => {
    const seen = known.get(room);
    if (seen !== undefined) return seen;
    const below = rooms.filter(
      (r) => arrows.has(`${room} ${r}`) && !open.has(r) && !(circled.has(room) && circled.has(r)),
    );
    const floor = Math.max(0, ...below.map((r) => 1 + floorOf(r, new Set([...open, room]))));
    known.set(room, floor);
    return floor;
  };
  return new Map(rooms.map((room) => [room, floorOf(room, new Set())]));
}

const [WIDTH, HEIGHT, GAP] = [150, 30, 62];

export function draw(drawing: Drawing): string {
  const floorOf = floors(drawing);
  const top = Math.max(...floorOf.values());
  const rows = Array.from({ length: top + 1 }, (_, floor) => drawing.rooms.filter((r) => floorOf.get(r) === floor));
  const widest = Math.max(...rows.map((row) => row.length));
  const total = widest * (WIDTH + 24) + 24;
  const at = new Map<string, readonly [number, number]>();
  rows.forEach((row, floor) =>
    row.forEach((room, i) => {
      const x = total / 2 + (i - (row.length - 1) / 2) * (WIDTH + 24);
      at.set(room, [x, 30 + (top - floor) * (HEIGHT + GAP)]);
    }),
  );
  const place = (room: string): readonly [number, number] => at.get(room) ?? [0, 0];
  const lines = [...drawing.arrows].sort().map((key) => {
    const [from = '', to = ''] = key.split(' ');
    const [[x1, y1], [x2, y2]] = [place(from), place(to)];
    const red = drawing.circled.has(from) && drawing.circled.has(to);
    const bend = (y1 + y2) / 2;
    const path = `M${x1},${y1 + HEIGHT / 2} C${x1},${bend} ${x2},${bend} ${x2},${y2 - HEIGHT / 2}`;
    return `<path d="${path}" fill="none" stroke="${red ? '#c0392b' : '#8aa4b8'}" opacity="${red ? 0.9 : 0.55}"><title>${from} imports ${to}</title></path>`;
  });
  const boxes = drawing.rooms.map((room) => {
    const [x, y] = place(room);
    const fill = drawing.circled.has(room) ? '#f6d5d1' : '#ffffff';
    return `<g><rect x="${x - WIDTH / 2}" y="${y - HEIGHT / 2}" width="${WIDTH}" height="${HEIGHT}" rx="5" fill="${fill}" stroke="#44586a"/><text x="${x}" y="${y + 4}" text-anchor="middle">${room}</text></g>`;
  });
  const height = 60 + top * (HEIGHT + GAP);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${total} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${total}" height="${height}" fill="#f4f6f8"/>`,
    ...lines,
    ...boxes,
    '</svg>',
    '',
  ].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = process.argv[2] ?? here;
  process.stdout.write(draw(drawingOf(sourceFiles(['dsl', 'compiler', 'runtime'], root), root)));
}
