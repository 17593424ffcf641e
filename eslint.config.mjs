/**
 * What the linter holds, beside the compiler and the layout: rules that a reader relies on and that nobody should have to remember.
 * Each rule has its reason; files that are still to be brought under one are listed by name, and the lists only get shorter.
 */
import tseslint from 'typescript-eslint';

/** TypeScript's `private` is a word of the types alone; `#name` is kept private by the language itself. */
const accessibility = {
  selector: ':matches(PropertyDefinition, MethodDefinition, TSParameterProperty)[accessibility="private"]',
  message: 'A private member is `#name`.',
};

/** An index that is not there is a mistake, and a zero in its place hides it. */
const swallowed = {
  selector: 'LogicalExpression[operator="??"][right.value=0] > MemberExpression[computed=true].left',
  message: 'An index that is not there is a mistake of the compiler: a zero hides it.',
};

/** Files where it may be absent by design: test/house/invariants.test.ts says why. */
const withZero = [
  'compiler/cli/terminal/text-table.ts',
  'compiler/cli/verbs/doctor.ts',
  'compiler/passes/fold-constants.ts',
  'dsl/check/check-statics.ts',
  'dsl/diagnostics/render.ts',
  'dsl/diagnostics/source-file.ts',
  'dsl/diagnostics/suggest.ts',
  'dsl/syntax/decode.ts',
  'dsl/syntax/error-segments.ts',
  'dsl/syntax/lex.ts',
  'dsl/tensors/sum-order.ts',
  'runtime/running/device.ts',
  'runtime/weights/safetensors.ts',
];

const long = [];

const restricted = (...selectors) => ({ 'no-restricted-syntax': ['error', ...selectors] });

export default tseslint.config(
  { ignores: ['dist', '.cache', 'test/goldens/cases', '**/*.generated.ts'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.base],
    // One program of all files: the service that editors use makes its own for each folder, and takes a quarter longer.
    languageOptions: { parserOptions: { project: 'tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      // What is only a type vanishes from the module, so that no import is run for it.
      '@typescript-eslint/consistent-type-imports': ['error', { disallowTypeAnnotations: false }],
      // A promise that nobody waits for loses its error.
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      // A new kind of node is named by every switch that has to know it.
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      ...restricted(accessibility, swallowed),
    },
  },
  // What a reader takes in at once.
  {
    files: ['compiler/**/*.ts', 'dsl/**/*.ts', 'runtime/**/*.ts'],
    ignores: long,
    rules: { 'max-lines': ['error', 400] },
  },
  // Tests read what they made themselves; a missing number fails the comparison.
  { files: ['test/**/*.ts', 'examples/**/*.ts', ...withZero], rules: restricted(accessibility) },
);
