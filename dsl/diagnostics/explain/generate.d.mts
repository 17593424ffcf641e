/** The text of pages.generated.ts for the pages of a folder. */
export function generate(folder: string): string;
