/** Types of what TypeScript takes from node-flags.mjs. */
export const briefly: readonly string[];
