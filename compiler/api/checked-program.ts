/** A program that was found to be without mistakes: what `check` gives and `interpret` takes. */
import type { Program } from '../../dsl/types/program.ts';
import type { StaticValue } from '../../dsl/meaning/instances.ts';
import type { SourceFile } from '../../dsl/diagnostics/source-file.ts';
import { InputError } from '../../runtime/contract/errors.ts';

/** What is inside, for this room alone. */
export interface ProgramParts {
  readonly program: Program;
  readonly settings: ReadonlyMap<string, StaticValue>;
  readonly sources: readonly SourceFile[];
}

/** A checked program, with the sizes and constants it was checked with. How it is made up inside is nobody's business. */
export class CheckedProgram {
  /** The name of the model. */
  readonly name: string;
  /** What can be run, in the order of the text. */
  readonly entries: readonly string[];
  readonly #parts: ProgramParts;

  constructor(parts: ProgramParts) {
    this.name = parts.program.name;
    this.entries = parts.program.entries.map((entry) => entry.name);
    this.#parts = parts;
  }

  /** Throws MOE0767 for anything that `check` has not given. */
  static partsOf(call: string, program: CheckedProgram): ProgramParts {
    if (!(program instanceof CheckedProgram))
      throw new InputError(
        'MOE0767',
        `${call} takes a program that check gave: null is what it gives of one with errors`,
      );
    return program.#parts;
  }
}
