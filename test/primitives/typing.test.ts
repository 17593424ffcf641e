/** The typing rules of the primitives: types as the language writes them, and what is refused with which words. */
import { describe, expect, test } from 'vitest';
import { contractionAxes } from '../../dsl/primitives/dot.ts';
import { alongNames, binaryNames, drawNames, reductionNames, unaryNames } from '../../dsl/types/primitive-names.ts';
import { isProblem } from '../../dsl/primitives/primitive.ts';
import { predefinedNames, primitives, primitivesNamed } from '../../dsl/primitives/primitive-table.ts';
import { infer, nameOf, routeType as r, tensorType as t, typed, variable } from './support.ts';

describe('the table', () => {
  test('has every name once', () => {
    const names = primitives.map((primitive) => primitive.name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of [...unaryNames, ...binaryNames, ...reductionNames, ...alongNames, ...drawNames]) {
      expect(names).toContain(name);
    }
  });

  test('finds overloads by what a program writes', () => {
    expect(primitivesNamed('max').map((p) => p.name)).toEqual(['maximum', 'max']);
    expect(primitivesNamed('-').map((p) => p.name)).toEqual(['neg', 'sub']);
    expect(primitivesNamed('i32').map((p) => p.name)).toEqual(['convert']);
    expect(primitivesNamed('nothing')).toEqual([]);
    expect(predefinedNames).toContain('top_k');
    expect(predefinedNames).not.toContain('+');
  });

  test('documents each one', () => {
    for (const { name, documentation, parameters } of primitives) {
      expect(documentation.summary, name).toMatch(/\.$/);
      expect(documentation.example, name).not.toBe('');
      expect(new Set(parameters.map((p) => p.name)).size, name).toBe(parameters.length);
    }
  });
});

describe('elementwise', () => {
  test('unites axes, the first operand first', () => {
    expect(typed('add', { x: t('T D'), y: t('E D') })).toBe('[T, D, E]');
    expect(typed('mul', { x: t(''), y: t('D') })).toBe('[D]');
    expect(typed('mul', { x: t("T'"), y: t('T') })).toBe("[T', T]");
  });

  test('element types meet exactly, f16 reads as f32', () => {
    expect(typed('add', { x: t('D', 'f16'), y: t('D', 'f16') })).toBe('[D]');
    expect(typed('add', { x: t('D', 'f16'), y: t('D') })).toBe('[D]');
    expect(typed('add', { x: t('D', 'i32'), y: t('D') })).toBe('MOE0330 i32 and f32 do not meet');
    expect(typed('add', { x: t('D', 'bool'), y: t('D', 'bool') })).toBe('MOE0331 + is not defined for bool');
    expect(typed('eq', { x: t('D', 'bool'), y: t('', 'bool') })).toBe('bool[D]');
    expect(typed('lt', { x: t('D', 'i32'), y: t('', 'i32') })).toBe('bool[D]');
    expect(typed('exp', { x: t('D', 'i32') })).toBe('MOE0331 exp is not defined for i32');
    expect(typed('neg', { x: t('T', 'i32', 'V') })).toBe('i32[T]');
  });

  test('arithmetic forgets `in V`, a choice between indices keeps it', () => {
    expect(typed('add', { x: t('T', 'i32', 'V'), y: t('', 'i32') })).toBe('i32[T]');
    const where = { condition: t('T', 'bool'), then: t('T', 'i32', 'V'), else: t('', 'i32', 'V') };
    expect(typed('where', where)).toBe('i32[T] in V');
    expect(typed('where', { ...where, else: t('', 'i32') })).toBe('i32[T]');
  });

  test('routes: functions and * / keep the points, + does not take a tensor', () => {
    expect(typed('exp', { x: r('T', 'E') })).toBe('route[T -> E]');
    expect(typed('mul', { x: r('T', 'E'), y: t('T D') })).toBe('route[T -> E] of [D]');
    expect(typed('div', { x: t('T E'), y: r('T', 'E') })).toBe('route[T -> E]');
    expect(typed('mul', { x: r('T', 'G'), y: r('T G', 'M') })).toBe('route[T -> G, M]');
    expect(typed('lt', { x: r('T', 'E'), y: t('') })).toBe('route[T -> E] of bool');
    expect(typed('add', { x: r('T', 'E'), y: r('E', 'T') })).toBe('route[T -> E]');
    const refused = infer('add', { x: r('T', 'E'), y: t('') });
    expect(isProblem(refused) && refused.code).toBe('MOE0430');
    expect(isProblem(refused) && refused.help).toMatch(/r \+ d \* mask\(r\)/);
    expect(typed('sub', { x: r('T', 'E'), y: r('T', 'G') })).toMatch(/^MOE0434 route\[T -> E\] and route\[T -> G\]/);
  });

  test('a sum of routes is told the targets of the first, for the ranks', () => {
    const answer = infer('add', { x: r('T', 'E'), y: r('E', 'T') });
    expect(!isProblem(answer) && answer.axes?.get('over')).toEqual([variable('E')]);
  });

  test('conditions: a route means where it is present', () => {
    expect(typed('not', { x: r('T', 'E') })).toBe('bool[T, E]');
    expect(typed('not', { x: r('T', 'E', 'D') })).toBe('bool[T, E]');
    expect(typed('and', { x: r('', 'E', 'D', 'bool'), y: t('T', 'bool') })).toBe('bool[E, D, T]');
    expect(typed('not', { x: t('T') })).toBe('MOE0441 a condition is bool or a route, this is [T]');
    expect(typed('where', { condition: r('T', 'E'), then: t('D'), else: t('') })).toBe('[T, E, D]');
    expect(typed('where', { condition: t('D', 'bool'), then: r('T', 'E'), else: t('') })).toBe('route[T -> E] of [D]');
  });

  test('convert gives what it is called', () => {
    expect(typed('convert', { x: t('T') }, { element: 'i32' })).toBe('i32[T]');
    expect(typed('convert', { x: r('T', 'E') }, { element: 'f16' })).toBe('route[T -> E] of f16');
    expect(typed('convert', { x: t('T', 'i32', 'V') }, { element: 'f32' })).toBe('[T]');
  });

  test('a tuple is not computed with', () => {
    const tuple = { kind: 'tuple', items: [{ type: t('T') }, { type: t('T') }] } as const;
    expect(typed('exp', { x: tuple })).toMatch(/^MOE0339/);
  });
});

describe('reductions and along', () => {
  test('over: is filled in where it is clear', () => {
    const one = infer('sum', { x: t('E') });
    expect(!isProblem(one) && one.axes?.get('over')).toEqual([variable('E')]);
    const targets = infer('softmax', { x: r('T', 'G M') });
    expect(!isProblem(targets) && targets.axes?.get('over')).toEqual([variable('G'), variable('M')]);
    expect(typed('sum', { x: t('T E') })).toBe('MOE0336 this has the axes T and E: sum needs to know over which');
    expect(typed('sum', { x: t('') })).toMatch(/^MOE0332/);
  });

  test('axes that are not there or named twice', () => {
    expect(typed('sum', { x: t('T E') }, { axes: { over: 'D' } })).toBe(
      'MOE0332 this value has no axis D, it is [T, E]',
    );
    expect(typed('sum', { x: t('T E') }, { axes: { over: 'T T' } })).toBe('MOE0340 T is named twice');
  });

  test('of a route: dense, and only what does not have to count absent points', () => {
    expect(typed('sum', { x: r('T', 'E') })).toBe('[T]');
    expect(typed('max', { x: r('T', 'E', 'D') }, { axes: { over: 'T' } })).toBe('[E, D]');
    expect(typed('mean', { x: r('T', 'E') })).toMatch(/^MOE0431 mean over E of route\[T -> E\]/);
    expect(typed('mean', { x: r('T', 'E', 'D') }, { axes: { over: 'D' } })).toBe('[T, E]');
    expect(typed('argmax', { x: r('T', 'E') })).toMatch(/^MOE0431/);
    expect(typed('softmax', { x: r('T', 'E') })).toBe('route[T -> E]');
    expect(typed('rmsnorm', { x: r('T', 'E') }, { axes: { over: 'E' } })).toMatch(/^MOE0431/);
    expect(typed('rmsnorm', { x: r('T', 'E', 'D') }, { axes: { over: 'D' } })).toBe('route[T -> E] of [D]');
  });

  test('argmax and argsort give indices, order takes one axis', () => {
    expect(typed('argmax', { x: t('T E') }, { axes: { over: 'E' } })).toBe('i32[T] in E');
    expect(typed('argsort', { x: t('T E') }, { axes: { over: 'T' } })).toBe('i32[T, E] in T');
    expect(typed('cumsum', { x: t('T E') }, { axes: { over: 'T E' } })).toBe(
      'MOE0337 cumsum takes one axis, not T and E',
    );
    expect(typed('mean', { x: t('T', 'i32') })).toBe('MOE0331 mean is not defined for i32');
    expect(typed('sum', { x: t('T', 'bool') })).toBe('MOE0331 sum is not defined for bool');
  });
});

describe('contraction', () => {
  const contracts = (a: Parameters<typeof contractionAxes>[0], b: Parameters<typeof contractionAxes>[1]): string => {
    const answer = contractionAxes(a, b, nameOf);
    return isProblem(answer) ? `${answer.code} ${answer.help}` : answer.map(nameOf).join(' ');
  };

  test('`@` contracts the one shared axis, or the targets of a route', () => {
    expect(contracts(t('F D'), t('D'))).toBe('D');
    expect(contracts(t('F'), t('D'))).toBe('MOE0334 `*` multiplies at every point of both');
    expect(contracts(t('T H D'), t("T' H D"))).toMatch(/^MOE0335 dot\(a, b, over: H\)/);
    expect(contracts(r('T', 'E'), t('T E D'))).toBe('E');
    expect(contracts(t('T E D'), r('T', 'E'))).toBe('E');
    expect(contracts(r('T', 'G M'), t('G M D'))).toBe('G M');
    expect(contracts(r('T', 'G M'), t('M D'))).toBe('M');
    expect(contracts(r('T', 'E', 'D'), t('F D'))).toBe('D');
    expect(contracts(r('T', 'E'), r('T', 'E'))).toMatch(/^MOE0334 `\*` composes routes/);
  });

  test('dot is dense and meets other axes by name', () => {
    expect(typed('dot', { left: t('T H D'), right: t("T' H D") }, { axes: { over: 'D' } })).toBe("[T, H, T']");
    expect(typed('dot', { left: r('T', 'E'), right: t('T D') }, { axes: { over: 'T' } })).toBe('[E, D]');
    expect(typed('dot', { left: t('E'), right: t('D') }, { axes: { over: 'D' } })).toBe(
      'MOE0332 [E] has no axis D to contract',
    );
    expect(typed('dot', { left: t('D', 'i32'), right: t('D', 'i32') }, { axes: { over: 'D' } })).toBe('i32');
  });
});

describe('axes', () => {
  test('rename: all at once, into free names', () => {
    expect(typed('rename', { x: t('T D') }, { axes: { from: 'T', to: "T'" } })).toBe("[T', D]");
    expect(typed('rename', { x: t('A B') }, { axes: { from: 'A B', to: 'B A' } })).toBe('[B, A]');
    expect(typed('rename', { x: t('A B') }, { axes: { from: 'A', to: 'B' } })).toMatch(
      /^MOE0333 .* already has the axis B/,
    );
    expect(typed('rename', { x: r('T', 'E', 'D') }, { axes: { from: 'E', to: "E'" } })).toBe("route[T -> E'] of [D]");
  });

  test('split, merge, at, window, part keep places and roles', () => {
    expect(typed('split', { x: r('T', 'E') }, { axes: { axis: 'E', into: 'G M' } })).toBe('route[T -> G, M]');
    expect(typed('merge', { x: t('T G M') }, { axes: { axes: 'G M', into: 'E' } })).toBe('[T, E]');
    expect(typed('merge', { x: r('T', 'E') }, { axes: { axes: 'T E', into: 'N' } })).toMatch(/^MOE0439/);
    expect(typed('at', { x: r('T', 'E') }, { axes: { axis: 'T' }, attributes: ['index'] })).toBe('route[E]');
    expect(typed('at', { x: r('T', 'E') }, { axes: { axis: 'E' }, attributes: ['index'] })).toMatch(/^MOE0437/);
    expect(typed('window', { x: t('T D') }, { axes: { axis: 'T', as: 'S' } })).toBe('[S, D]');
    expect(typed('part', { x: r('T', 'P') }, { axes: { axis: 'P', into: 'G M' } })).toBe('route[T -> G, M]');
    expect(typed('is', {}, { axes: { axis: 'P' } })).toBe('bool[P]');
  });

  test('concat joins two axes and unites the others', () => {
    expect(typed('concat', { a: t('T A'), b: t('B D') }, { axes: { along: 'A B', into: 'C' } })).toBe('[T, C, D]');
    expect(typed('concat', { a: r('T', 'E'), b: t('E') }, { axes: { along: 'E E', into: 'C' } })).toMatch(/^MOE0433/);
    expect(typed('concat', { a: t('T A'), b: t('B') }, { axes: { along: 'A B', into: 'T' } })).toMatch(/^MOE0333/);
  });

  test('gather replaces an axis by those of the indices', () => {
    expect(typed('gather', { x: t('L V D'), ids: t('B T', 'i32', 'V') }, { axes: { axis: 'V' } })).toBe('[L, B, T, D]');
    expect(typed('gather', { x: t('T V'), ids: t('T', 'i32') }, { axes: { axis: 'V' } })).toBe('[T]');
    expect(typed('gather', { x: t('V'), ids: t('T', 'i32', 'E') }, { axes: { axis: 'V' } })).toBe(
      'MOE0338 these indices are in E, not in V',
    );
    expect(typed('gather', { x: t('V'), ids: t('T', 'i32', "V'") }, { axes: { axis: 'V' } })).toBe('[T]');
    expect(typed('gather', { x: t('V'), ids: t('T') }, { axes: { axis: 'V' } })).toMatch(/^MOE0330/);
  });

  test('what is made adopts an element type', () => {
    expect(typed('iota', {}, { axes: { axis: 'T' } })).toBe('[T]');
    expect(typed('iota', {}, { axes: { axis: 'T' }, element: 'i32' })).toBe('i32[T]');
    expect(typed('zeros', {}, { axes: { axes: '' } })).toBe('f32');
    expect(typed('one_hot', { ids: t('T', 'i32') }, { axes: { over: 'E' } })).toBe('[T, E]');
    expect(typed('normal', {}, { axes: { axes: 'E E' } })).toBe('MOE0340 E is named twice');
  });
});

describe('routes', () => {
  test('a selection: what is chosen among is the target, the rest is batch', () => {
    expect(typed('top_k', { s: t('T E') }, { axes: { over: 'E' }, attributes: ['k'] })).toBe('route[T -> E]');
    expect(typed('top_k', { s: t('T E') }, { axes: { over: 'T' }, attributes: ['k'] })).toBe('route[E -> T]');
    expect(typed('top_k', { s: t('G M'), by: t('T G M') }, { axes: { over: 'M' }, attributes: ['k'] })).toBe(
      'route[G, T -> M]',
    );
    expect(typed('top_k', { s: t('E'), where: r('T', 'E') }, { axes: { over: 'E' }, attributes: ['k'] })).toBe(
      'route[T -> E]',
    );
    expect(typed('top_k', { s: r('T', 'E') }, { attributes: ['k'] })).toBe('route[T -> E]');
    expect(typed('all', { s: t('E') })).toBe('route[E]');
    expect(typed('top_p', { s: t('T E'), p: t('T') }, { axes: { over: 'E' } })).toBe('route[T -> E]');
    expect(typed('top_p', { s: t('T E'), p: t('E') }, { axes: { over: 'E' } })).toMatch(/^MOE0341/);
    expect(typed('top_k', { s: r('T', 'E', 'D') }, { attributes: ['k'] })).toMatch(/^MOE0438/);
  });

  test('k chosen at run time', () => {
    const run = { s: t('T E'), k: t('T', 'i32') };
    expect(typed('top_k', run, { axes: { over: 'E' }, attributes: ['at_most'] })).toBe('route[T -> E]');
    expect(typed('top_k', run, { axes: { over: 'E' } })).toMatch(/^MOE0436/);
    expect(typed('top_k', { ...run, k: t('') }, { axes: { over: 'E' }, attributes: ['at_most'] })).toBe(
      'MOE0330 k is i32, this is f32',
    );
  });

  test('keep and pick', () => {
    expect(typed('keep', { v: r('T', 'E'), c: r('T', 'E', '', 'bool') })).toBe('route[T -> E]');
    expect(typed('keep', { v: t('E'), c: t('T E', 'bool') }, { axes: { over: 'E' } })).toBe('route[T -> E]');
    expect(typed('keep', { v: t('T E'), c: t('E', 'bool') })).toMatch(/^MOE0336/);
    expect(typed('keep', { v: r('', 'E'), c: t('T E', 'bool') })).toMatch(/^MOE0435/);
    expect(typed('pick', { ids: t('T K', 'i32') }, { axes: { over: 'E', along: 'K' } })).toBe('route[T -> E]');
    expect(typed('pick', { ids: t('T', 'i32', 'V') }, { axes: { over: 'E' } })).toMatch(/^MOE0338/);
    expect(typed('pick', { ids: t('E', 'i32') }, { axes: { over: 'E' } })).toMatch(/^MOE0333/);
    expect(typed('pick', { ids: t('T', 'i32') }, { axes: { over: 'E' }, element: 'i32' })).toBe('route[T -> E] of i32');
  });

  test('queues run along sources', () => {
    expect(
      typed('limit', { r: r('T', 'E'), by0: r('T', 'E', '', 'i32') }, { axes: { over: 'T' }, attributes: ['to'] }),
    ).toBe('route[T -> E]');
    expect(typed('limit', { r: r('T', 'E') }, { axes: { over: 'E' }, attributes: ['to'] })).toMatch(
      /^MOE0435 E is no source/,
    );
    expect(typed('limit', { r: r('T', 'E'), by0: t('D') }, { axes: { over: 'T' }, attributes: ['to'] })).toMatch(
      /^MOE0435/,
    );
    expect(typed('limit', { r: r('T', 'E'), to: t('E', 'i32') }, { axes: { over: 'T' } })).toBe('route[T -> E]');
    expect(typed('limit', { r: r('T', 'E'), to: t('T', 'i32') }, { axes: { over: 'T' } })).toMatch(/^MOE0341/);
    expect(typed('slots', { r: r('T', 'E', 'D') }, { axes: { places: 'P', over: 'T' } })).toBe('route[T -> E, P]');
    expect(typed('slots', { r: r('T', 'E') }, { axes: { places: 'E', over: 'T' } })).toMatch(/^MOE0333/);
  });

  test('what else is asked of a route', () => {
    expect(typed('load', { r: r('T', 'E', 'D') }, { axes: { over: 'T' } })).toBe('[E]');
    expect(typed('count', { r: r('T', 'E') }, { axes: { over: 'D' } })).toMatch(/^MOE0332/);
    expect(typed('normalize', { r: r('T', 'E') })).toBe('route[T -> E]');
    expect(typed('normalize', { r: t('T E') })).toBe('MOE0432 a route is wanted here, this is [T, E]');
    expect(typed('mask', { r: r('T', 'E', 'D') }, { element: 'i32' })).toBe('route[T -> E] of i32');
    expect(typed('rank', { r: r('T', 'E', 'D') })).toBe('route[T -> E] of i32');
    expect(typed('dense', { r: r('T', 'E', 'D') })).toBe('[T, E, D]');
    expect(typed('stop_gradient', { x: r('T', 'E', 'D') })).toBe('route[T -> E] of [D]');
  });
});
