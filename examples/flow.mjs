/**
 * The pictures of the examples: `node examples/flow.mjs` reads examples/<name>/flow.json and writes flow.svg beside it. One
 * script draws them all, so that the same thing looks the same everywhere: tokens are bars, routers violet, experts squares
 * (filled where a token picked them), routes red, what is shared green, memory amber.
 *
 *   { "caption": "…",
 *     "nodes":  { "gate": { "kind": "router", "at": [1, 0], "label": "gate", "note": "top-2" }, … },     at: column, row
 *     "edges":  [ { "from": "x", "to": "gate" }, { "from": "gate", "to": "ffn", "kind": "route", "label": "r" }, … ],
 *     "frames": [ { "around": ["gate", "ffn"], "label": "chain l in L", "loop": "h" } ] }
 *
 * Kinds of nodes: tokens, router, box (tone: shared, memory, plain), experts, sum. Experts are rows of squares:
 * { "label", "cells": 4, "picked": [1], "tone": "closed" }. Kinds of edges: flow, route, memory; `via: above | below` leads one
 * around what stands between.
 */
import { readFileSync, readdirSync, writeFileSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ink = { text: '#1f2937', quiet: '#6b7280', line: '#94a3b8', page: '#ffffff', rim: '#e5e7eb' };
const tones = {
  router: { fill: '#f3eefe', stroke: '#7c3aed', text: '#4c1d95' },
  shared: { fill: '#e7f7ef', stroke: '#059669', text: '#065f46' },
  memory: { fill: '#fef3e2', stroke: '#d97706', text: '#92400e' },
  plain: { fill: '#f8fafc', stroke: '#94a3b8', text: '#1f2937' },
  expert: { fill: '#dbeafe', stroke: '#93c5fd', picked: '#2563eb' },
  free: { fill: '#fef3c7', stroke: '#fcd34d', picked: '#d97706' },
  closed: { fill: '#f1f5f9', stroke: '#e2e8f0', picked: '#cbd5e1' },
  common: { fill: '#d1fae5', stroke: '#6ee7b7', picked: '#059669' },
};
const edgeColours = { flow: '#64748b', route: '#e11d48', memory: '#d97706' };

const CELL = 22;
const CELL_GAP = 5;
const PAD = 12;
const COLUMN_GAP = 72;
const ROW = 124;
const MARGIN = 36;
const font = 'font-family="ui-sans-serif, system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif"';
const mono = 'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace"';

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const round = (n) => Math.round(n * 10) / 10;
/** Width of a text, near enough to leave room for it. */
const widthOf = (text, size) => text.length * size * 0.56;

function text(x, y, content, { size = 13, colour = ink.text, anchor = 'middle', weight = 400, face = font } = {}) {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}" font-size="${size}" font-weight="${weight}" fill="${colour}" ${face}>${escape(content)}</text>`;
}

/** Size of a node: { w, h }, and `drop`, the room its caption takes below. */
function sizeOf(node) {
  switch (node.kind) {
    case 'tokens':
      return { w: 34, h: 96, drop: node.note ? 36 : 20 };
    case 'sum':
      return { w: 44, h: 44, drop: node.note ? 18 : 0 };
    case 'router':
    case 'box': {
      const lines = [node.label, ...(node.note ?? '').split('\n')];
      return {
        w: Math.max(104, ...lines.map((l) => widthOf(l, 12.5) + 26)),
        h: node.note ? 40 + 17 * node.note.split('\n').length : 44,
        drop: 0,
      };
    }
    case 'experts': {
      const side = Math.max(0, ...node.rows.map((r) => (r.label ? widthOf(r.label, 11) + 10 : 0)));
      const cells = Math.max(...node.rows.map((r) => r.cells * (CELL + CELL_GAP) - CELL_GAP));
      const w = Math.max(
        side + cells + 2 * PAD,
        widthOf(node.note ?? '', 11.5) + 2 * PAD,
        widthOf(node.label, 13) + 2 * PAD,
      );
      const h = node.rows.length * (CELL + CELL_GAP) - CELL_GAP + 2 * PAD + 20 + (node.note ? 18 : 0);
      return { w, h, drop: 0 };
    }
    default:
      throw new Error(`no kind of node is called ${node.kind}`);
  }
}

function drawNode({ node, x, y, w, h }) {
  const cx = x + w / 2;
  const cy = y + h / 2;
  switch (node.kind) {
    case 'tokens': {
      const bars = Array.from({ length: 5 }, (_, i) => {
        const marked = (node.marked ?? []).includes(i);
        return `<rect x="${round(x)}" y="${round(y + i * 20)}" width="${w}" height="15" rx="4" fill="${marked ? '#2563eb' : '#cbd5e1'}"/>`;
      });
      const note = node.note ? text(cx, y + h + 34, node.note, { size: 11, colour: ink.quiet, face: mono }) : '';
      return bars.join('') + text(cx, y + h + 17, node.label, { size: 14, weight: 600, face: mono }) + note;
    }
    case 'sum': {
      const note = node.note ? text(cx, y + h + 16, node.note, { size: 11, colour: ink.quiet }) : '';
      return `<circle cx="${round(cx)}" cy="${round(cy)}" r="22" fill="${ink.page}" stroke="${ink.text}" stroke-width="1.6"/>${text(cx, cy + 7, node.label, { size: 20, weight: 500 })}${note}`;
    }
    case 'router':
    case 'box': {
      const tone = tones[node.kind === 'router' ? 'router' : (node.tone ?? 'plain')];
      const rect = `<rect x="${round(x)}" y="${round(y)}" width="${round(w)}" height="${h}" rx="${node.kind === 'router' ? 14 : 8}" fill="${tone.fill}" stroke="${tone.stroke}" stroke-width="1.5"/>`;
      const notes = (node.note ?? '').split('\n').filter((line) => line !== '');
      const top = cy - (notes.length * 17) / 2;
      const lines = notes.map((line, i) => text(cx, top + 22 + 17 * i, line, { size: 12, colour: ink.quiet }));
      return (
        rect + text(cx, top + 5, node.label, { size: 14, weight: 600, colour: tone.text, face: mono }) + lines.join('')
      );
    }
    case 'experts':
      return drawExperts(node, x, y, w, h);
  }
}

function drawExperts(node, x, y, w, h) {
  const parts = [
    `<rect x="${round(x)}" y="${round(y)}" width="${round(w)}" height="${round(h)}" rx="10" fill="${ink.page}" stroke="${ink.rim}" stroke-width="1.5"/>`,
  ];
  parts.push(text(x + PAD, y + PAD + 8, node.label, { size: 13, weight: 600, anchor: 'start', face: mono }));
  const side = Math.max(0, ...node.rows.map((r) => (r.label ? widthOf(r.label, 11) + 10 : 0)));
  const cells = Math.max(...node.rows.map((r) => r.cells * (CELL + CELL_GAP) - CELL_GAP));
  const left = x + (w - side - cells) / 2 + side;
  node.rows.forEach((row, i) => {
    const top = y + PAD + 20 + i * (CELL + CELL_GAP);
    const tone = tones[row.tone ?? 'expert'];
    if (row.label) parts.push(text(left - 10, top + 15, row.label, { size: 11, colour: ink.quiet, anchor: 'end' }));
    for (let c = 0; c < row.cells; c++) {
      const picked = (row.picked ?? []).includes(c);
      const fill = picked ? tone.picked : tone.fill;
      parts.push(
        `<rect x="${round(left + c * (CELL + CELL_GAP))}" y="${round(top)}" width="${CELL}" height="${CELL}" rx="5" fill="${fill}" stroke="${picked ? tone.picked : tone.stroke}"/>`,
      );
    }
  });
  if (node.note) parts.push(text(x + w / 2, y + h - PAD + 1, node.note, { size: 11.5, colour: ink.quiet }));
  return parts.join('');
}

/** A smooth path from side to side, or around what stands between. */
function drawEdge(edge, places, bottom) {
  const colour = edgeColours[edge.kind ?? 'flow'];
  const from = places.get(edge.from);
  const to = places.get(edge.to);
  if (from === undefined || to === undefined)
    throw new Error(`an edge from ${edge.from} to ${edge.to}: one is not there`);
  let d;
  let label;
  if (edge.via === 'above' || edge.via === 'below') {
    const up = edge.via === 'above';
    const x1 = from.x + from.w / 2;
    const x2 = to.x + to.w / 2;
    const y1 = up ? from.y : from.y + from.h + from.drop;
    const y2 = up ? to.y - 4 : to.y + to.h + to.drop + 4;
    const level = up ? Math.min(y1, y2) - (edge.lift ?? 34) : Math.max(y1, y2) + (edge.lift ?? 34);
    const r = Math.min(14, Math.abs(level - y1), Math.abs(level - y2));
    const s = up ? -1 : 1;
    const t = x2 > x1 ? 1 : -1;
    d = `M ${round(x1)} ${round(y1)} V ${round(level - s * r)} Q ${round(x1)} ${round(level)} ${round(x1 + t * r)} ${round(level)} H ${round(x2 - t * r)} Q ${round(x2)} ${round(level)} ${round(x2)} ${round(level - s * r)} V ${round(y2)}`;
    label = { x: (x1 + x2) / 2, y: level - 7 };
  } else if (edge.vertical) {
    const x = from.x + from.w / 2;
    const down = to.y > from.y;
    const y1 = down ? from.y + from.h + from.drop : from.y;
    const y2 = down ? to.y - 5 : to.y + to.h + to.drop + 5;
    d = `M ${round(x)} ${round(y1)} V ${round(y2)}`;
    label = { x: x + 8, y: (y1 + y2) / 2 + 4, anchor: 'start' };
  } else {
    const x1 = from.x + from.w + 3;
    const x2 = to.x - 6;
    const y1 = from.y + from.h * (edge.out ?? 0.5);
    const y2 = to.y + to.h * (edge.in ?? 0.5);
    const bend = Math.max(18, (x2 - x1) * 0.45);
    d =
      Math.abs(y1 - y2) < 1
        ? `M ${round(x1)} ${round(y1)} H ${round(x2)}`
        : `M ${round(x1)} ${round(y1)} C ${round(x1 + bend)} ${round(y1)} ${round(x2 - bend)} ${round(y2)} ${round(x2)} ${round(y2)}`;
    label = { x: (x1 + x2) / 2, y: (y1 + y2) / 2 - 8 };
  }
  const dash = (edge.kind ?? 'flow') === 'memory' ? ' stroke-dasharray="5 4"' : '';
  const width = edge.kind === 'route' ? 2.2 : 1.7;
  const path = `<path d="${d}" fill="none" stroke="${colour}" stroke-width="${width}"${dash} marker-end="url(#${edge.kind ?? 'flow'})"/>`;
  const caption = edge.label
    ? text(label.x, label.y, edge.label, {
        size: 12,
        colour,
        weight: 600,
        anchor: label.anchor ?? 'middle',
        face: mono,
      })
    : '';
  return path + caption;
}

function drawFrame(frame, places) {
  const nodes = frame.around.map((name) => places.get(name));
  const x1 = Math.min(...nodes.map((n) => n.x)) - 26;
  const x2 = Math.max(...nodes.map((n) => n.x + n.w)) + 26;
  const y1 = Math.min(...nodes.map((n) => n.y)) - (frame.above ?? 34);
  const y2 = Math.max(...nodes.map((n) => n.y + n.h + n.drop)) + (frame.below ?? 22);
  const rect = `<rect x="${round(x1)}" y="${round(y1)}" width="${round(x2 - x1)}" height="${round(y2 - y1)}" rx="16" fill="#f8fafc" stroke="#cbd5e1" stroke-width="1.4" stroke-dasharray="6 5"/>`;
  const label = text(x1 + 16, y1 + 20, frame.label, {
    size: 13,
    weight: 600,
    colour: ink.quiet,
    anchor: 'start',
    face: mono,
  });
  let loop = '';
  if (frame.loop) {
    const level = y2 + 22;
    const [a, b] = [x2 - 34, x1 + 34];
    loop = `<path d="M ${round(a)} ${round(y2)} V ${round(level - 12)} Q ${round(a)} ${round(level)} ${round(a - 12)} ${round(level)} H ${round(b + 12)} Q ${round(b)} ${round(level)} ${round(b)} ${round(level - 12)} V ${round(y2 + 5)}" fill="none" stroke="${edgeColours.flow}" stroke-width="1.7" marker-end="url(#flow)"/>${text((a + b) / 2, level - 7, frame.loop, { size: 12, weight: 600, colour: edgeColours.flow, face: mono })}`;
  }
  return { svg: rect + label, over: loop, box: { x1, y1, x2, y2: frame.loop ? y2 + 30 : y2 } };
}

function draw(flow, name) {
  const entries = Object.entries(flow.nodes);
  const columns = [...new Set(entries.map(([, n]) => n.at[0]))].sort((a, b) => a - b);
  const widths = new Map(
    columns.map((c) => [c, Math.max(...entries.filter(([, n]) => n.at[0] === c).map(([, n]) => sizeOf(n).w))]),
  );
  const lefts = new Map();
  let x = 0;
  for (const c of columns) {
    lefts.set(c, x);
    x += widths.get(c) + (flow.gap ?? COLUMN_GAP);
  }
  const places = new Map();
  for (const [key, node] of entries) {
    const size = sizeOf(node);
    const [column, row] = node.at;
    const left = lefts.get(column) + (widths.get(column) - size.w) / 2;
    places.set(key, { node, x: left, y: row * (flow.row ?? ROW) - size.h / 2, ...size });
  }
  const frames = (flow.frames ?? []).map((frame) => drawFrame(frame, places));
  const boxes = [
    ...[...places.values()].map((p) => ({ x1: p.x, y1: p.y, x2: p.x + p.w, y2: p.y + p.h + p.drop })),
    ...frames.map((f) => f.box),
  ];
  const lifted = (flow.edges ?? []).some((e) => e.via === 'above') ? 40 : 0;
  const sunk = (flow.edges ?? []).some((e) => e.via === 'below') ? 40 : 0;
  const x1 = Math.min(...boxes.map((b) => b.x1)) - MARGIN;
  const x2 = Math.max(...boxes.map((b) => b.x2)) + MARGIN;
  const y1 = Math.min(...boxes.map((b) => b.y1)) - MARGIN - lifted;
  const y2 = Math.max(...boxes.map((b) => b.y2)) + MARGIN + sunk;
  const caption = flow.caption ? text((x1 + x2) / 2, y2 + 4, flow.caption, { size: 13, colour: ink.quiet }) : '';
  const height = y2 - y1 + (flow.caption ? 24 : 0);
  const markers = Object.entries(edgeColours).map(
    ([kind, colour]) =>
      `<marker id="${kind}" viewBox="0 0 10 10" refX="7" refY="5" markerWidth="9" markerHeight="9" orient="auto-start-reverse" markerUnits="userSpaceOnUse"><path d="M 0 0 L 10 5 L 0 10 z" fill="${colour}"/></marker>`,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${round(x1)} ${round(y1)} ${round(x2 - x1)} ${round(height)}" width="${round(x2 - x1)}" height="${round(height)}" role="img" aria-label="${escape(flow.title ?? name)}">`,
    `<defs>${markers.join('')}</defs>`,
    `<rect x="${round(x1)}" y="${round(y1)}" width="${round(x2 - x1)}" height="${round(height)}" rx="14" fill="${ink.page}"/>`,
    ...frames.map((f) => f.svg),
    ...(flow.edges ?? []).map((edge) => drawEdge(edge, places)),
    ...frames.map((f) => f.over),
    ...[...places.values()].map(drawNode),
    caption,
    '</svg>',
    '',
  ].join('\n');
}

const folder = dirname(fileURLToPath(import.meta.url));
for (const entry of readdirSync(folder, { withFileTypes: true })) {
  const source = join(folder, entry.name, 'flow.json');
  if (!entry.isDirectory() || !existsSync(source)) continue;
  writeFileSync(join(folder, entry.name, 'flow.svg'), draw(JSON.parse(readFileSync(source, 'utf8')), entry.name));
}
