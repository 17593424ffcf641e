/** `format`: a text in its canonical layout. `render`: diagnostics as text. */
import { renderAll } from '../../dsl/diagnostics/render.ts';
import { format as layOut } from '../../dsl/syntax/print-ast.ts';
import { checkKnown, sourceOf, type SourceOptions, type Told } from './source-options.ts';

/** A text laid out. */
export interface Formatted extends Told {
  /** Null where the text has errors of syntax: then it is better left as it is. */
  readonly text: string | null;
}

/**
 * Lays a text out, as `moec fmt` does: the same program, comments kept, one layout for everybody. Only syntax is looked at.
 *
 * Errors of syntax are returned, never thrown. Throws `MoecError` MOE0767 for arguments that their types refuse.
 *
 * @example
 * const { text: laidOut } = format('model M { axis D=4\nforward(x:[D])->[D]{x} }');
 */
export function format(text: string, options: Pick<SourceOptions, 'name'> = {}): Formatted {
  checkKnown('format', options, ['name']);
  const source = sourceOf('format', text, options);
  const laid = layOut(source);
  return laid.ok
    ? { text: laid.text, diagnostics: [], sources: [source] }
    : { text: null, diagnostics: laid.diagnostics, sources: [source] };
}

/**
 * Draws diagnostics as the command line does, each in a frame of its text, without colours. The empty text where there are none.
 *
 * @example
 * const checked = check(text);
 * if (checked.program === null) console.error(render(checked));
 */
export function render(told: Told): string {
  return renderAll(told.diagnostics, told.sources);
}
