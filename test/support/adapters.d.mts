/** Types of what TypeScript takes from adapters.mjs. */
export interface AdapterEnvironment {
  readonly name: string;
}
export function childEnvironment(environment: AdapterEnvironment): NodeJS.ProcessEnv;
