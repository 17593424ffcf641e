/** The least and the greatest i32. */
export const rangeOfI32 = { least: -2147483648n, greatest: 2147483647n } as const;

/** What is wrong with a whole number that i32 does not hold, in words. */
export function beyondI32(number: string): { readonly message: string; readonly help: string } {
  return {
    message: `${number} does not fit i32, which goes from ${rangeOfI32.least} to ${rangeOfI32.greatest}`,
    help: 'write the number that it wraps to, or compute in f32',
  };
}
