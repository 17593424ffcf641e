/** The version of the compiler, as package.json has it (a test holds them together). */
export const moecVersion = '0.1.0';
